import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { countingTopics, countingTopology } from './testing/counting-topology.ts';
import type { Fault } from './testing/faulty-ports.ts';
import { append, processOf, textsIn, worldOf } from './testing/running.ts';
import type { Process, World } from './testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'crash-sweep-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
const firstHalf = letters.flatMap((letter) => [`${letter}1`, `${letter}2`]);
const secondHalf = letters.flatMap((letter) => [`${letter}3`, `${letter}4`]);

/** All that came out, in an order that does not depend on which task was first. */
async function outcome(world: World) {
  const sorted = (texts: readonly string[]): string[] => [...texts].sort();
  return {
    out: await textsIn(world, 'out'),                            // one writer a partition: the very order
    groups: (await textsIn(world, 'groups')).map(sorted),
    counts: sorted(world.warehouse.textsOf('counts')),
    raw: sorted(world.warehouse.textsOf('raw')),
  };
}

interface Run {
  readonly outcome: Awaited<ReturnType<typeof outcome>>;
  readonly calls: number;
  readonly faulted: boolean;
}

/** Takes half of the input, then the rest, in one process that meets a fault, and, when that has died of it, in another. */
async function run(faultAt = 0, fault?: Fault): Promise<Run> {
  const world = await worldOf(folder, countingTopics);
  await append(world, 'in', firstHalf);
  let rest = secondHalf;
  const work = async (running: Process): Promise<void> => {
    await running.application.start();
    if (rest === secondHalf) await running.drained();
    const due = rest;
    rest = [];
    await append(world, 'in', due, 100);
    await running.drained();
    await running.application.stop();
  };
  const first = processOf(world, countingTopology(), { faultAt, ...(fault === undefined ? {} : { fault }) });
  await Promise.race([work(first), first.ports.died]);
  if (first.ports.dead) await work(processOf(world, countingTopology()));
  return { outcome: await outcome(world), calls: first.ports.calls, faulted: first.ports.calls >= faultAt };
}

describe('an application whose process meets a fault at the n-th call of a store or sink', () => {
  const expected = {
    counts: letters.flatMap((letter) => [1, 2, 3, 4].map((count) => `${letter}${count}`)),
    raw: [...firstHalf, ...secondHalf].sort(),
    groups: ['low', 'high'].flatMap((group) => Array.from({ length: 12 }, (_, index) => `${group}${index + 1}`)).sort(),
  };

  it('delivers everything once when nothing happens, in the order of the input', async () => {
    const calm = await run();
    expect(calm.outcome.counts).toEqual(expected.counts);
    expect(calm.outcome.raw).toEqual(expected.raw);
    expect(calm.outcome.groups.flat().sort()).toEqual(expected.groups);
    expect(calm.outcome.out.flat().sort()).toEqual(expected.counts);
    expect(calm.calls).toBeGreaterThan(20);
  });

  it.each(['die-before', 'die-after', 'fail-before', 'fail-after'] as const)('delivers everything once for every n: %s', async (fault) => {
    const calm = await run();
    const failures: unknown[] = [];
    let faulted = 0;
    const sweep = async (numbers: Iterator<number, undefined>): Promise<void> => {
      for (let next = numbers.next(); next.done !== true; next = numbers.next()) {
        const result = await run(next.value, fault).catch((error: unknown) => ({ outcome: error, faulted: true }));
        if (result.faulted) faulted++;
        try {
          expect(result.outcome).toEqual(calm.outcome);
        } catch (error) {
          failures.push({ n: next.value, fault, error: result.outcome instanceof Error ? result.outcome : (error as Error).message });
        }
      }
    };
    const numbers = Array.from({ length: calm.calls + 5 }, (_, index) => index + 1)[Symbol.iterator]() as Iterator<number, undefined>;
    await Promise.all(Array.from({ length: 8 }, () => sweep(numbers)));
    expect(failures).toEqual([]);
    expect(faulted).toBeGreaterThan(20);
  });

  it('delivers everything once after any row of crashes, one process after the other', async () => {
    const calm = await run();
    const deaths = fc.array(fc.record({ at: fc.integer({ min: 1, max: 30 }), fault: fc.constantFrom<Fault>('die-before', 'die-after') }), { minLength: 2, maxLength: 6 });
    await fc.assert(fc.asyncProperty(deaths, async (row) => {
      const world = await worldOf(folder, countingTopics);
      await append(world, 'in', firstHalf);
      await append(world, 'in', secondHalf, 100);
      for (const { at, fault } of row) {
        const process = processOf(world, countingTopology(), { faultAt: at, fault });
        const ended = process.application.start().then(() => process.drained()).then(() => process.application.stop());
        await Promise.race([ended, process.ports.died]);
      }
      const last = processOf(world, countingTopology());
      await last.application.start();
      await last.drained();
      await last.application.stop();
      expect(await outcome(world)).toEqual(calm.outcome);
    }), { numRuns: 25 });
  });
});

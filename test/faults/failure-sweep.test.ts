import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { Fault } from '../../runtime/worker/testing/faulty-ports.ts';
import { processOf, textsIn, worldOf, type Process, type World } from '../../runtime/worker/testing/running.ts';
import type { Codec } from '../../schemas/codec.ts';
import { byKey, sweep, type Outcome } from './sweep-outcome.ts';
import { inputForms, inputTopics, outputTable, outputTopics, sweepInput, sweepTopology, type SweepInput } from './sweep-topology.ts';

/** Something of each operator came out, so that nothing is the same only because it is empty. */
function expectOutputOfAll(outcome: Outcome): void {
  const lengths = Object.entries(outcome).map(([sink, keys]) => [sink, Object.values(keys).flat().length]);
  expect(Object.fromEntries(lengths)).toEqual({
    minutes: 16, [outputTable]: 16, late: 3, meters: 63, visits: 46, pairs: 32, calm: 12, 'site-sizes': 4, 'station-sites': 4,
  });
  const all = (sink: string): string => Object.values(outcome[sink] ?? {}).flat().join();
  expect([all('visits').includes('absorbed'), all('pairs').includes('none'), all('pairs').includes('command')]).toEqual([true, true, true]);
}

function runOnDriver(options: { readonly commit: 'each' | 'manual'; readonly crashAt?: number; readonly moment?: 'before' | 'after' }): {
  readonly outcome: Outcome; readonly calls: number;
} {
  const driver = new TopologyTestDriver(sweepTopology(), { partitions: 2, commit: options.commit });
  if (options.crashAt !== undefined) driver.crashAtCall(options.crashAt, options.moment ?? 'before');
  sweepInput().forEach(({ topic, key, value, timestampMs }, index) => {
    driver.push(topic, key, value, timestampMs);
    if (index % 9 === 8) driver.commit();
  });
  driver.commit();
  const texts = (sink: string): string[] => driver.take<string, string>(sink).map(({ value }) => value);
  const outcome = Object.fromEntries(outputTopics.map((topic) => [topic, byKey(texts(topic))]));
  const rows = driver.take<string, { readonly text: string }>(outputTable).map(({ value }) => value.text);
  return { outcome: { ...outcome, [outputTable]: byKey(rows) }, calls: driver.calls };
}

describe('a topology with windows, joins, aggregates, repartitions and sinks, on the test driver', () => {
  it('gives something of every operator, whenever it commits', () => {
    const calm = runOnDriver({ commit: 'manual' });
    expectOutputOfAll(calm.outcome);
    expect(calm.calls).toBeGreaterThan(60);
    expect(runOnDriver({ commit: 'each' }).outcome).toEqual(calm.outcome);
  });

  it.each(['before', 'after'] as const)('gives the same, once each, when the process dies %s any call of a store or sink', async (moment) => {
    const calm = runOnDriver({ commit: 'manual' });
    expect(await sweep(calm.outcome, calm.calls + 2, (n) => runOnDriver({ commit: 'manual', crashAt: n, moment }).outcome)).toEqual([]);
  });
});

describe('the same topology in an application', () => {
  const folder = mkdtempSync(join(tmpdir(), 'failure-sweep-'));
  afterAll(() => { rmSync(folder, { recursive: true }); });

  async function write(world: World, records: readonly SweepInput[]): Promise<void> {
    const producer = await world.log.producer();
    await producer.append(records.map(({ topic, key, value, timestampMs }) => ({
      topic, timestampMs, key: Buffer.from(key), value: (inputForms[topic].value as Codec<unknown>).encode(value),
    })));
  }

  /** One process that meets a fault, and, when that has died of it, another. */
  async function run(faultAt = 0, fault?: Fault): Promise<{ readonly outcome: Outcome; readonly calls: number }> {
    const topics = [...inputTopics, ...outputTopics].map((topic) => ({ topic, partitions: 2 }));
    const world = await worldOf(folder, topics);
    await write(world, sweepInput());
    const work = async (running: Process): Promise<void> => {
      await running.application.start();
      await running.drained();
      await running.application.stop();
    };
    const first = processOf(world, sweepTopology(), { faultAt, ...(fault === undefined ? {} : { fault }) });
    await Promise.race([work(first), first.ports.died]);
    if (first.ports.dead) await work(processOf(world, sweepTopology()));
    const outcome: Record<string, Readonly<Record<string, readonly string[]>>> = {};
    for (const topic of outputTopics) outcome[topic] = byKey((await textsIn(world, topic)).flat());
    return { outcome: { ...outcome, [outputTable]: byKey(world.warehouse.textsOf(outputTable)) }, calls: first.ports.calls };
  }

  it('gives what it gives on the test driver', async () => {
    expect((await run()).outcome).toEqual(runOnDriver({ commit: 'manual' }).outcome);
  });

  it.each(['die-before', 'die-after', 'fail-before', 'fail-after'] as const)('gives the same, once each, for every n: %s', async (fault) => {
    const calm = await run();
    expect(calm.calls).toBeGreaterThan(40);
    expect(await sweep(calm.outcome, calm.calls + 5, async (n) => (await run(n, fault)).outcome, 8)).toEqual([]);
  });
});

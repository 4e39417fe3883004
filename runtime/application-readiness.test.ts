import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { countingTopics, countingTopology } from './worker/testing/counting-topology.ts';
import { append, processOf, textsIn, worldOf } from './worker/testing/running.ts';
import type { World } from './worker/testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'readiness-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
const numbered = (number: number): string[] => letters.map((letter) => `${letter}${number}`);
const fresh = (): Promise<World> => worldOf(folder, countingTopics);
const sorted = (texts: readonly string[]): string[] => [...texts].sort();
const outOf = async (world: World): Promise<string[]> => sorted((await textsIn(world, 'out')).flat());

describe('an application', () => {
  it('is ready when all its tasks are restored, and not before its start nor while it drains', async () => {
    const world = await fresh();
    const { application } = processOf(world, countingTopology());
    expect(application.notReadyBecause).toEqual([expect.stringMatching(/^starting/)]);
    const claim = world.store.claim.bind(world.store);
    const gate = Promise.withResolvers<void>();
    world.store.claim = async (task) => {
      await gate.promise;
      return claim(task);
    };
    const starting = application.start();
    await expect.poll(() => application.notReadyBecause).toEqual([expect.stringMatching(/^(joining|claiming and restoring)/)]);
    gate.resolve();
    await starting;
    await expect.poll(() => application.notReadyBecause).toEqual([]);
    const stopping = application.stop();
    expect(application.notReadyBecause).toEqual([expect.stringMatching(/^draining/)]);
    await stopping;
  });

  it('takes no input while memory is full, goes on with commits and deliveries, and reads on where it was', async () => {
    const world = await fresh();
    let full = false;
    await append(world, 'in', numbered(1));
    const { application, drained } = processOf(world, countingTopology(), { memoryFull: () => full });
    await application.start();
    await drained();
    full = true;
    expect(application.notReadyBecause).toEqual(['memory is full: tasks read no input']);
    await append(world, 'in', numbered(2), 100);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await outOf(world)).toEqual(numbered(1));
    full = false;
    await expect.poll(() => outOf(world), { timeout: 10_000 }).toEqual(sorted([...numbered(1), ...numbered(2)]));
    await drained();
    expect(sorted(world.warehouse.textsOf('counts'))).toEqual(sorted([...numbered(1), ...numbered(2)]));
    await application.stop();
  });

  it('waits for a log that is away for a moment until it knows that everything is done, and says so once', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    const { application, drained, lines } = processOf(world, countingTopology());
    await application.start();
    await drained();
    const bounds = world.log.bounds.bind(world.log);
    let failures = 3;
    world.log.bounds = (partition) => (failures-- > 0 ? Promise.reject(new VoltstreamError('LOG_UNAVAILABLE', 'planted')) : bounds(partition));
    await drained();
    expect(failures).toBeLessThan(0);
    expect(lines.filter(({ err }) => err?.code === 'LOG_UNAVAILABLE')).toHaveLength(1);
    world.log.bounds = () => Promise.reject(new VoltstreamError('LOG_REFUSED', 'planted'));
    await expect(drained()).rejects.toMatchObject({ code: 'LOG_REFUSED' });
    world.log.bounds = bounds;
    await application.stop();
  });

  it('leaves what it could not deliver in time to the next owner, and says so in one line', async () => {
    const world = await fresh();
    const first = processOf(world, countingTopology(), { flags: { shutdownTimeoutMs: 300 } });
    await first.application.start();
    world.warehouse.down = true;
    await append(world, 'in', numbered(1));
    await expect.poll(() => outOf(world), { timeout: 10_000 }).toEqual(numbered(1));
    await first.application.stop();
    const told = first.lines.filter(({ msg }) => msg.includes('stay in the outbox for the next owner'));
    expect(told).toEqual([expect.objectContaining({ outboxRows: expect.any(Number) })]);
    expect(world.warehouse.textsOf('counts')).toEqual([]);
    world.warehouse.down = false;
    const next = processOf(world, countingTopology());
    await next.application.start();
    await next.drained();
    expect(sorted(world.warehouse.textsOf('counts'))).toEqual(numbered(1));
    expect(await outOf(world)).toEqual(numbered(1));
    await next.application.stop();
    expect(next.lines.filter(({ msg }) => msg.includes('stay in the outbox'))).toEqual([]);
  }, 30_000);

  it('can be stopped while it starts', async () => {
    const world = await fresh();
    world.log.createTopics = async () => { throw new VoltstreamError('LOG_UNAVAILABLE', 'planted'); };
    const { application } = processOf(world, countingTopology());
    const started = application.start().then(() => 'started', () => 'ended');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await application.stop();
    expect(await started).toBe('ended');
    expect(application.tasks).toEqual([]);
  });
});

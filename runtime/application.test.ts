import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { joinGlobalTable } from '../operators/join-global-table.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import type { SchemaRegistry } from '../schemas/codec.ts';
import { MemoryStateStore } from '../state/memory-state-store.ts';
import { logTopic } from '../topology/sink.ts';
import { Topology } from '../topology/topology.ts';
import { MemoryLog } from './log/memory-log.ts';
import { countingTopics, countingTopology } from './worker/testing/counting-topology.ts';
import { append, groupOffsetsOf, processOf, ran, textsIn, worldOf } from './worker/testing/running.ts';
import type { Process, StartOptions, World } from './worker/testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'application-'));
const running = new Set<Process>();
afterEach(async () => {
  await Promise.all([...running].map((one) => one.application.stop()));
  running.clear();
});
afterAll(() => { rmSync(folder, { recursive: true }); });

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
const numbered = (...numbers: readonly number[]): string[] => letters.flatMap((letter) => numbers.map((number) => `${letter}${number}`));
const sorted = (texts: readonly string[]): string[] => [...texts].sort();
const outOf = async (world: World): Promise<string[]> => sorted((await textsIn(world, 'out')).flat());
const fresh = (): Promise<World> => worldOf(folder, countingTopics);

function processIn(world: World, options: StartOptions = {}, topology = countingTopology()): Process {
  const made = processOf(world, topology, options);
  running.add(made);
  return made;
}

async function startedIn(world: World, options: StartOptions = {}): Promise<Process> {
  const made = processIn(world, options);
  await made.application.start();
  return made;
}

async function ranAndStopped(world: World, options: StartOptions = {}): Promise<void> {
  const { application } = await ran(world, countingTopology(), options);
  await application.stop();
}

async function failureOf(world: World, options: StartOptions = {}): Promise<unknown> {
  const { application } = processIn(world, options);
  const failed = application.failed.catch((error: unknown) => error);
  const start = application.start().then(() => null, (error: unknown) => error);
  return await start ?? await failed;
}

describe('an application that loses its claim', () => {
  it('is FENCED by another owner of its tasks, claims again, and nothing is lost or doubled between the two', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    const older = await startedIn(world);
    await older.drained();
    const younger = await startedIn(world);
    await append(world, 'in', numbered(2), 100);
    await expect.poll(() => outOf(world), { timeout: 10_000 }).toEqual(numbered(1, 2));
    await append(world, 'in', numbered(3), 200);
    await expect.poll(() => outOf(world), { timeout: 10_000 }).toEqual(numbered(1, 2, 3));
    await expect.poll(() => sorted(world.warehouse.textsOf('counts')), { timeout: 10_000 }).toEqual(numbered(1, 2, 3));
    const fences = async (one: Process): Promise<boolean> => /voltstream_\w*fence\w*\{[^}]*\} [1-9]/.test(await one.metrics.text());
    expect(await fences(older) || await fences(younger)).toBe(true);
    await older.application.stop();
    await younger.application.stop();
    expect(await outOf(world)).toEqual(numbered(1, 2, 3));
    expect(sorted(world.warehouse.textsOf('raw'))).toEqual(numbered(1, 2, 3));
  }, 20_000);

  it('is REWOUND by a store that went back, reads again, and an output topic holds each ordinal once', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    const one = await startedIn(world);
    await one.drained();
    const older = world.store.backup();
    await append(world, 'in', numbered(2), 100);
    await one.drained();
    world.store.restore(older);
    await append(world, 'in', numbered(3), 200);
    await expect.poll(() => outOf(world), { timeout: 10_000 }).toEqual(numbered(1, 2, 3));
    await one.drained();
    expect(await outOf(world)).toEqual(numbered(1, 2, 3));
    expect((await textsIn(world, 'groups')).flat().length).toBe(18);
    expect(sorted([...new Set(world.warehouse.textsOf('counts'))])).toEqual(numbered(1, 2, 3));   // tables: by key
    expect(await one.metrics.text()).toMatch(/voltstream_\w*rew\w*\{[^}]*\} [1-9]/);
  }, 20_000);
});

describe('an application that starts', () => {
  it('goes on from the store, and adds nothing when all is done', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    await ranAndStopped(world);
    const before = [await outOf(world), world.warehouse.inserts];
    await ranAndStopped(world);
    expect([await outOf(world), world.warehouse.inserts]).toEqual(before);
  });

  it('refuses to read on without state where the group has read before, unless it is told to start over', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    await ranAndStopped(world);
    expect(await groupOffsetsOf(world, 'in')).not.toContain(null);
    const empty = { ...world, store: new MemoryStateStore() };
    expect(await failureOf(empty)).toMatchObject({ code: 'STATE_MISSING' });
    expect(await outOf(world)).toEqual(numbered(1));
    await ranAndStopped(empty, { reset: true, run: 2 });
    expect(await outOf(world)).toEqual(sorted([...numbered(1), ...numbered(1)]));   // a new run, from the beginning
  });

  it('refuses a topic that another sub-topology has read: its state would stay behind there', async () => {
    const words = { key: utf8, value: utf8 };
    const world = await worldOf(folder, ['x', 'y', 'out'].map((topic) => ({ topic, partitions: 1 })));
    const topology = (merged: boolean, dropped: readonly string[] = []): Topology => {
      const made = new Topology('moving').dropState(...dropped);
      const x = made.stream('x', words);
      const y = made.stream('y', words);
      (merged ? x.merge(y) : x).to(logTopic('out', words));
      return made;
    };
    await append(world, 'x', ['x1']);
    await append(world, 'y', ['y1']);
    const { application } = await ran(world, topology(false), { partitions: 1 });
    await application.stop();
    const moved = processIn(world, { partitions: 1 }, topology(true));
    await expect(moved.application.start()).rejects.toMatchObject({ code: 'STATE_ORPHANED', where: 'tasks y_0' });
    const dropping = processIn(world, { partitions: 1 }, topology(true, ['y']));
    const failed = dropping.application.failed.catch((error: unknown) => error);
    await dropping.application.start();
    expect(await failed).toMatchObject({ code: 'STATE_MISSING', where: 'task x_0, y-0' });
    expect((await world.store.read('y_0', '$task')).length).toBe(0);
  });

  it('refuses a position that the log no longer has, or goes on from the oldest record when it is told to', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    await ranAndStopped(world);
    await append(world, 'in', numbered(2, 3), 100);
    for (const partition of [0, 1]) {
      const { end } = await world.log.bounds({ topic: 'in', partition });
      await world.log.deleteRecords([{ topic: 'in', partition, offset: end - 1 }]);
    }
    expect(await failureOf(world)).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await ranAndStopped(world, { flags: { onOffsetOutOfRange: 'earliest' } });
    expect((await outOf(world)).length).toBe(6 + 2);
    expect(world.warehouse.textsOf('raw').length).toBe(6 + 2);
  });

  it('refuses another number of partitions than its state was written with', async () => {
    const world = await fresh();
    await append(world, 'in', numbered(1));
    await ranAndStopped(world);
    expect(await failureOf(world, { partitions: 3 })).toMatchObject({ code: 'PARTITIONS_CHANGED' });   // of the repartition topic
    const log = new MemoryLog();
    await log.createTopics(countingTopics.map((topic) => ({ ...topic, partitions: 3 })));
    expect(await failureOf({ ...world, log }, { partitions: 3 })).toMatchObject({ code: 'PARTITIONS_CHANGED', where: expect.stringContaining('task ') as string });
  });

  it('refuses topics that are not there', async () => {
    expect(await failureOf(await worldOf(folder))).toMatchObject({ code: 'TOPIC_MISSING' });
  });
});

describe('a running application', () => {
  it.each(['counts', 'raw'])('delivers rows of %s whose token the warehouse knows without having them, here and after a crash', async (table) => {
    const world = await fresh();
    const one = await startedIn(world);
    world.warehouse.gapIn = table;
    await append(world, 'in', ['a1']);
    await one.drained();
    expect([world.warehouse.textsOf('counts'), world.warehouse.textsOf('raw')]).toEqual([['a1'], ['a1']]);
    const afterCrash = async (faultAt: number): Promise<readonly string[]> => {
      const crashed = await fresh();
      await append(crashed, 'in', ['a1']);
      crashed.warehouse.gapIn = table;
      const dying = processOf(crashed, countingTopology(), { faultAt, fault: 'die-after' });
      await Promise.race([dying.application.start().then(() => dying.drained()), dying.ports.died]);
      dying.ports.die();
      await ranAndStopped(crashed);
      return [...crashed.warehouse.textsOf('counts'), ...crashed.warehouse.textsOf('raw')];
    };
    const calls = Array.from({ length: 30 }, (_unused, index) => index + 1);
    expect(await Promise.all(calls.map(afterCrash))).toEqual(calls.map(() => ['a1', 'a1']));
  }, 20_000);

  it('asks its policy when records go away before they are read', async () => {
    const lose = async (world: World): Promise<void> => {
      const producer = await world.log.producer();
      const key = Buffer.from('a');
      void producer.append(['a2', 'a3'].map((text) => ({ topic: 'in', key, value: Buffer.from(text), timestampMs: 1 })));
      for (const partition of [0, 1]) {
        const { end } = await world.log.bounds({ topic: 'in', partition });
        await world.log.deleteRecords([{ topic: 'in', partition, offset: end - 1 }]);
      }
    };
    const allowed = await fresh();
    await append(allowed, 'in', ['a1']);
    const one = await startedIn(allowed, { flags: { onOffsetOutOfRange: 'earliest' } });
    await one.drained();
    await lose(allowed);
    await expect.poll(() => outOf(allowed), { timeout: 5_000 }).toEqual(['a1', 'a2']);
    const refused = await fresh();
    await append(refused, 'in', ['a1']);
    const other = await startedIn(refused);
    await other.drained();
    await lose(refused);
    await expect(other.application.failed).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  });

  it('fills its outbox while the warehouse is away, pauses and says why, and goes on afterwards', async () => {
    const world = await fresh();
    const one = await startedIn(world, { flags: { 'outbox.rowsMax': 4, 'outbox.sealRowsMax': 2 } });
    world.warehouse.down = true;
    for (let number = 1; number <= 12; number++) {
      await append(world, 'in', [`a${number}`], number);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const paused = () => one.application.tasks.find((task) => task.pausedBy === 'outbox of counts is full');
    await expect.poll(() => paused() !== undefined).toBe(true);
    expect(paused()?.queues.some((queue) => queue.buffered > 0)).toBe(true);
    expect(one.application.caughtUp).toBe(false);
    expect(world.warehouse.textsOf('counts')).toEqual([]);
    world.warehouse.down = false;
    await one.drained();
    expect(paused()).toBeUndefined();
    expect(world.warehouse.textsOf('counts')).toEqual(Array.from({ length: 12 }, (_, index) => `a${index + 1}`));
  }, 20_000);

  it('is delayed by a schema registry that is away, and not stopped', async () => {
    const world = await fresh();
    const schemas = { kind: 'registered' as const, name: 'Text', schema: { type: 'record', name: 'Text', fields: [{ name: 'text', type: 'string' }] } };
    const texts = { key: utf8, value: schemas as typeof schemas & { readonly valueType?: { readonly text: string } } };
    let outages = 2;
    const registry: SchemaRegistry = {
      open: () => world.registry.open(), close: () => world.registry.close(),
      writer: (subject, form) => world.registry.writer(subject, form),
      reader: (form) => {
        const reader = world.registry.reader(form);
        return {
          decode: (bytes) => reader.decode(bytes),
          load: (schemaId) => outages-- > 0 ? Promise.reject(new VoltstreamError('REGISTRY_UNAVAILABLE', 'planted')) : reader.load(schemaId),
        };
      },
    };
    const topology = new Topology('texts');
    topology.stream('in', texts).repartition('again', texts).to(logTopic('out', texts));
    const writer = await world.registry.writer<{ readonly text: string }>('in-value', texts.value);
    const producer = await world.log.producer();
    await producer.append([1, 2, 3].map((number) => ({ topic: 'in', key: Buffer.from('k'), value: writer.encode({ text: `t${number}` }), timestampMs: number })));
    const one = processIn(world, { registry }, topology);
    await one.application.start();
    await one.drained();
    expect(outages).toBeLessThan(0);
    expect((await textsIn(world, 'out')).flat().length).toBe(3);
    expect(one.lines.some((line) => line.err?.code === 'REGISTRY_UNAVAILABLE')).toBe(true);
  }, 20_000);

  it('holds global tables whole before the first record, and sees later changes', async () => {
    const words = { key: utf8, value: utf8 };
    const world = await worldOf(folder, ['prices', 'sales', 'out'].map((topic) => ({ topic, partitions: 2 })));
    const topology = new Topology('prices');
    const prices = topology.globalTable('prices', words);
    topology.stream('sales', words).pipe(joinGlobalTable(prices, (value: string) => value.slice(0, 1), (value, price) => `${value} ${price}`))
      .to(logTopic('out', words));
    await append(world, 'sales', ['a', 'b', 'c']);
    await append(world, 'prices', ['a1', 'b1', 'c1', 'a2']);
    const one = processIn(world, {}, topology);
    await one.application.start();
    await one.drained();
    expect(await outOf(world)).toEqual(['a a2', 'b b1', 'c c1']);
    await append(world, 'prices', ['b3']);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    await append(world, 'sales', ['b']);
    await one.drained();
    expect(await outOf(world)).toContain('b b3');
  });
});

describe('an application that is stopped', () => {
  it('commits and delivers what it has, long before their time, and writes the offsets of its group', async () => {
    const world = await fresh();
    const one = await startedIn(world, { flags: { 'commit.intervalMs': 60_000, 'outbox.sealAgeMs': 600_000 } });
    await append(world, 'in', numbered(1));
    await expect.poll(() => one.application.figures.processed).toBeGreaterThanOrEqual(6);
    expect([await outOf(world), world.warehouse.textsOf('counts')]).toEqual([[], []]);
    await one.application.stop();
    expect([await outOf(world), sorted(world.warehouse.textsOf('counts')), sorted(world.warehouse.textsOf('raw'))])
      .toEqual([numbered(1), numbered(1), numbered(1)]);
    const ends = await Promise.all([0, 1].map(async (partition) => (await world.log.bounds({ topic: 'in', partition })).end));
    expect(await groupOffsetsOf(world, 'in')).toEqual(ends);
    await ranAndStopped(world);
    expect(await outOf(world)).toEqual(numbered(1));
  });

  it('drops what does not finish within its time, and the next one delivers that', async () => {
    const world = await fresh();
    const one = await startedIn(world, { flags: { shutdownTimeoutMs: 50 } });
    world.warehouse.down = true;
    await append(world, 'in', numbered(1));
    await expect.poll(() => outOf(world)).toEqual(numbered(1));
    await one.application.stop();
    expect(world.warehouse.textsOf('counts')).toEqual([]);
    world.warehouse.down = false;
    await ranAndStopped(world);
    expect([sorted(world.warehouse.textsOf('counts')), await outOf(world)]).toEqual([numbered(1), numbered(1)]);
  });

  it('does not wait for a store that is away', async () => {
    const world = await fresh();
    class AwayStore extends MemoryStateStore {
      override claim(): Promise<never> {
        return Promise.reject(new VoltstreamError('STORE_UNAVAILABLE', 'planted'));
      }
    }
    const one = processIn({ ...world, store: new AwayStore() }, { flags: { shutdownTimeoutMs: 50 } });
    const started = one.application.start();
    await expect.poll(() => one.lines.length).toBeGreaterThan(0);
    await one.application.stop();
    await started;
    expect(one.application.tasks).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registered } from '../../schemas/avro-codec.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { LmdbStateStore } from '../../state/lmdb-state-store.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import { RedisStateStore } from '../../state/redis-state-store.ts';
import { cell, dump, following } from '../../state/state-store-harness.ts';
import type { Cell, StateStore } from '../../state/state-store.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { committedState } from '../queries/committed-state.ts';
import { checkStoredTasks } from '../stored-tasks.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { exportSavepoint } from './export-savepoint.ts';
import { importSavepoint, type ImportOptions } from './import-savepoint.ts';
import { lasts } from './importing-process.ts';

const application = 'test';
let folder = '';
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'voltstream-savepoint-')); });
afterEach(async () => { await rm(folder, { recursive: true, force: true }); });

/** All cells of all tasks that have some. */
async function contentOf(store: StateStore): Promise<Record<string, Record<string, string>>> {
  const content: Record<string, Record<string, string>> = {};
  for (const { task } of await store.tasks()) {
    const cells: Cell[] = [];
    for await (const page of store.snapshot(task)) cells.push(...page.cells);
    if (cells.length > 0) content[task] = dump(cells);
  }
  return content;
}

async function filled(keys = 40, partitions = 2): Promise<StateStore> {
  const driver = new TopologyTestDriver(lasts(), { partitions, commit: 'manual' });
  for (let key = 0; key < keys; key++) driver.push('in', `key ${key}`, key, key);
  driver.commit();
  return driver.stateStore();
}

async function saved(store: StateStore, name = 'state.savepoint'): Promise<string> {
  const file = join(folder, name);
  await exportSavepoint({ store, application, file });
  return file;
}

const imported = (file: string, store: StateStore, options: Partial<ImportOptions> = {}) =>
  importSavepoint({ file, store, application, topology: lasts(), ...options });

async function lmdb(name: string): Promise<StateStore> {
  const store = new LmdbStateStore({ path: join(folder, name) });
  await store.open();
  return store;
}

const redisUrl = process.env['VOLTSTREAM_TEST_REDIS'] ?? '';

describe('a savepoint', () => {
  const stores: Readonly<Record<string, () => Promise<StateStore>>> = {
    memory: async () => new MemoryStateStore({ pageCellsMax: 7 }),
    LMDB: () => lmdb('target'),
    ...(redisUrl === '' ? {} : { Redis: async () => {
      const store = new RedisStateStore({ connection: redisUrl, application: 'test', keyPrefix: `voltstream-test-${folder}:`, commitCellsMax: 30, chunkCellsMax: 20 });
      await store.open();
      return store;
    } }),
  };

  it.each(Object.entries(stores))('carries all tasks into %s and out again, the same cells everywhere', async (_name, open) => {
    const source = await filled();
    const file = await saved(source);
    const target = await open();
    const summary = await imported(file, target, { commitCellsMax: 9 });
    expect(summary.tasks).toEqual(['in_0', 'in_1']);
    expect(await contentOf(target)).toEqual(await contentOf(source));
    await checkStoredTasks(lasts().build(), new Set(['in_0', 'in_1']), target);
    const again = await saved(target, 'again.gz');
    const back = new MemoryStateStore();
    await imported(again, back);
    expect(await contentOf(back)).toEqual(await contentOf(source));
    for (const { task } of await target.tasks()) await target.clear(task);
    await target.close();
  });

  it('carries any cells, whatever bytes they hold', async () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const cells = fc.uniqueArray(fc.record({ store: fc.constantFrom('last', '$outbox.dead', '$task'), key: bytes, value: bytes }), { selector: ({ store, key }) => `${store}${Buffer.from(key).toString('hex')}`, maxLength: 30 });
    const topology = (): Topology => {
      const made = lasts();
      made.deadLetters(logTopic('dead', { key: utf8, value: json() }));
      return made;
    };
    await fc.assert(fc.asyncProperty(cells, async (all) => {
      const source = new MemoryStateStore({ pageCellsMax: 4 });
      // Facts are texts.
      await source.commit(following(await source.claim('in_0'), all.map((one) => (one.store === '$task' ? cell('$task', `x${Buffer.from(one.key).toString('hex')}`, 'v') : one))));
      const target = new MemoryStateStore();
      await imported(await saved(source), target, { topology: topology(), commitCellsMax: 3 });
      expect(await contentOf(target)).toEqual(await contentOf(source));
    }), propertyRuns(50));
  });

  it('is one commit of each task, although its owner commits meanwhile and is not fenced', async () => {
    const source = new MemoryStateStore({ pageCellsMax: 3 });
    let last = following(await source.claim('in_0'), Array.from({ length: 20 }, (_unused, index) => cell('last', `k${index}`, '1')));
    await source.commit(last);
    await exportSavepoint({ store: source, application, file: join(folder, 'a'), progress: () => {
      last = following(last, Array.from({ length: 20 }, (_unused, index) => cell('last', `k${index}`, String(last.sequence + 1))));
      void source.commit(last);
    } });
    expect((await source.tasks())[0]?.sequence).toBeGreaterThan(3);
    const target = new MemoryStateStore();
    await imported(join(folder, 'a'), target);
    expect(new Set(Object.values((await contentOf(target))['in_0'] ?? {}))).toEqual(new Set([Buffer.from('1').toString('hex')]));
  });

  it('tells its progress, and leaves nothing under its name until it is whole', async () => {
    const steps: string[] = [];
    const source = await filled(30, 1);
    await exportSavepoint({ store: source, application, file: join(folder, 'a'), progress: ({ phase, task, cells }) => steps.push(`${phase} ${task} ${cells > 0}`) });
    await imported(join(folder, 'a'), new MemoryStateStore(), { progress: ({ phase, cellsTotal }) => steps.push(`${phase} ${cellsTotal !== null}`) });
    expect(new Set(steps)).toEqual(new Set(['write in_0 true', 'check false', 'clear true', 'write true']));
    const broken = new Proxy(source, { get: (target, property) => {
      if (property === 'snapshot') return () => { throw new Error('gone'); };
      return (Reflect.get(target, property) as (...args: unknown[]) => unknown).bind(target);
    } });
    await expect(exportSavepoint({ store: broken, application, file: join(folder, 'b') })).rejects.toThrow('gone');
    expect(await readdir(folder)).toEqual(['a']);
  });
});

describe('an import is refused before it writes', () => {
  async function refusedWith(file: string, message: RegExp, options: Partial<ImportOptions> = {}): Promise<void> {
    const target = new MemoryStateStore();
    await expect(imported(file, target, options)).rejects.toThrow(message);
    expect(await target.tasks()).toEqual([]);
  }

  it('of another application', async () => {
    await refusedWith(await saved(await filled()), /SAVEPOINT_INVALID: .* another application(.|\n)*wanted: applicationId other\n\s+got: test/, { application: 'other' });
  });

  it('that is cut off, damaged anywhere, or no savepoint', async () => {
    const whole = gunzipSync(await readFile(await saved(await filled(5, 1), 'a.gz')));
    for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 60)) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      for (const bytes of [gzipSync(damaged), gzipSync(whole.subarray(0, at))]) {
        await writeFile(join(folder, 'damaged'), bytes);
        await refusedWith(join(folder, 'damaged'), /SAVEPOINT_INVALID/);
      }
    }
    const compressed = await readFile(await saved(await filled(5, 1)));
    await writeFile(join(folder, 'damaged'), compressed.subarray(0, -5));
    await refusedWith(join(folder, 'damaged'), /SAVEPOINT_INVALID/);
    await writeFile(join(folder, 'damaged'), 'something else');
    await refusedWith(join(folder, 'damaged'), /SAVEPOINT_INVALID: a file is no savepoint/);
    await refusedWith(join(folder, 'none'), /SAVEPOINT_INVALID: there is no such file/);
  });

  it('for a topology that would misread or orphan it', async () => {
    const file = await saved(await filled());
    const other = (build: (topology: Topology) => void): Topology => {
      const topology = new Topology('lasts');
      build(topology);
      return topology;
    };
    await refusedWith(file, /STATE_ORPHANED(.|\n)*tasks in_0, in_1, with the stores last/, { topology: other((topology) => topology.stream('input', { key: utf8, value: utf8 })) });
    await refusedWith(file, /STATE_ORPHANED(.|\n)*a step with the store "last"/, { topology: other((topology) => topology.stream('in', { key: utf8, value: utf8 })) });
    await refusedWith(file, /STATE_INCOMPATIBLE(.|\n)*store "last"/, { topology: changed() });
    await refusedWith(file, /PARTITIONS_CHANGED(.|\n)*wanted: 2\n\s+got: 3 of topic in/, { log: { partitionCount: async () => 3 } });
    const target = new MemoryStateStore();
    await imported(file, target, { log: { partitionCount: async (topic) => (topic === 'in' ? 2 : null) } });
    const dropping = other((topology) => topology.stream('input', { key: utf8, value: utf8 })).dropState('in');
    expect((await imported(file, new MemoryStateStore(), { topology: dropping })).tasks).toEqual([]);
  });

  it('for a topic between sub-topologies, under the name that the application gave it, that has other partitions', async () => {
    const topology = new Topology('words');
    topology.stream<string, string>('in', { key: utf8, value: utf8 }).groupBy((word) => word, { key: utf8, value: utf8 }).count('words');
    const driver = new TopologyTestDriver(topology, { partitions: 2 });
    driver.push('in', 'a', 'word', 0);
    const file = await saved(await driver.stateStore());
    const asked: string[] = [];
    const log = (internal: number) => ({ partitionCount: async (topic: string) => {
      asked.push(topic);
      return topic === 'in' ? 2 : topic === `${application}-words-by-key-repartition` ? internal : null;
    } });
    await refusedWith(file, /PARTITIONS_CHANGED(.|\n)*wanted: 2\n\s+got: 3 of topic test-words-by-key-repartition/, { topology, log: log(3) });
    await imported(file, new MemoryStateStore(), { topology, log: log(2) });
    expect(new Set(asked)).toEqual(new Set(['in', 'test-words-by-key-repartition']));
  });

  it('but not for state that the topology can read in its earlier form', async () => {
    const topology = (fields: readonly object[]): Topology => {
      const made = new Topology('readings');
      made.table('in', { key: utf8, value: registered<{ readonly wh: number }>({ type: 'record', name: 'Reading', fields }) });
      return made;
    };
    const earlier = topology([{ name: 'wh', type: 'int' }]);
    const later = topology([{ name: 'wh', type: 'double' }, { name: 'site', type: 'string', default: 'none' }]);
    const driver = new TopologyTestDriver(earlier);
    driver.push('in', 'a', { wh: 7 }, 1);
    const file = await saved(await driver.stateStore());
    const target = new MemoryStateStore();
    await imported(file, target, { topology: later });
    expect(await committedState(later, target).keyValue('in-table').get('a')).toEqual({ value: { wh: 7, site: 'none' }, timestampMs: 1 });
    await refusedWith(file, /STATE_INCOMPATIBLE(.|\n)*store "in-table"/, { topology: topology([{ name: 'wh', type: 'string' }]) });
  });

  it('into a store that holds state, unless it is to be replaced: then nothing of that is left', async () => {
    const file = await saved(await filled());
    const target = await filled(5, 3);
    const before = await contentOf(target);
    await expect(imported(file, target)).rejects.toThrow(/STATE_EXISTS(.|\n)*tasks in_0, in_1, in_2/);
    expect(await contentOf(target)).toEqual(before);
    await imported(file, target, { replace: true, commitCellsMax: 2 });
    expect(await contentOf(target)).toEqual(await contentOf(await filled()));
  });

  it('of half an import', async () => {
    const half = new MemoryStateStore();
    await half.commit(following(await half.claim('in_0'), [cell('$import', 'savepoint', 'x')]));
    await expect(saved(half)).rejects.toThrow(/STATE_INCOMPLETE/);
  });
});

/** As `lasts`, with a codec that cannot read what it wrote. */
function changed(): Topology {
  const driver = lasts();
  const [part] = driver.build().subTopologies;
  const [step] = part?.steps ?? [];
  const definition = step?.operator.stores[0];
  const topology = new Topology('lasts');
  if (step === undefined || definition === undefined) throw new Error('lasts has a step');
  topology.stream('in', { key: utf8, value: json<number>() }).pipe({ ...step.operator, stores: [{ ...definition, schemaId: 'utf8/other' }] } as never);
  return topology;
}

class Killed extends Error {}

describe('an import that dies', () => {
  it.each([false, true])('at any call is never taken for state, and is done again from the beginning (state before: %s)', async (before) => {
    const file = await saved(await filled(12));
    const wanted = await contentOf(await filled(12));
    const running = new Set(['in_0', 'in_1', 'in_2']);
    for (let call = 1; ; call++) {
      const inner = (before ? await filled(6, 3) : new MemoryStateStore()) as MemoryStateStore;
      const old = await contentOf(inner);
      let calls = 0;
      const dying = new Proxy(inner, { get: (target, property) => (...args: unknown[]) => {
        if (['claim', 'commit', 'clear'].includes(String(property)) && ++calls >= call) throw new Killed();
        return (Reflect.get(target, property) as (...all: unknown[]) => unknown).apply(target, args);
      } });
      const died: unknown = await imported(file, dying, { replace: before, commitCellsMax: 5 }).then(() => null, (error: unknown) => error);
      if (died === null) {
        expect(calls).toBeGreaterThan(8);
        return;
      }
      expect(died).toBeInstanceOf(Killed);
      const state = await checkStoredTasks(lasts().build(), running, inner).then(() => 'state', (error: unknown) => String((error as { code?: string }).code));
      if (state === 'state') expect([old, wanted]).toContainEqual(await contentOf(inner));
      else expect(state).toBe('STATE_INCOMPLETE');
      await imported(file, inner, { replace: state === 'state', commitCellsMax: 5 });
      expect(await contentOf(inner)).toEqual(wanted);
      await checkStoredTasks(lasts().build(), running, inner);
    }
  });

  it('by SIGKILL leaves LMDB refused, until it is imported again', async () => {
    const source = await filled(60);
    const file = await saved(source);
    const program = join(import.meta.dirname, 'importing-process.ts');
    for (const commit of [1, 3, 6]) {
      const { signal } = spawnSync(process.execPath, [program, file, join(folder, 'state'), String(commit)], { stdio: 'ignore' });
      expect(signal).toBe('SIGKILL');
      const store = await lmdb('state');
      await expect(checkStoredTasks(lasts().build(), new Set(['in_0', 'in_1']), store)).rejects.toThrow(/STATE_INCOMPLETE/);
      await store.close();
    }
    const { status } = spawnSync(process.execPath, [program, file, join(folder, 'state'), '0'], { stdio: 'ignore' });
    expect(status).toBe(0);
    const store = await lmdb('state');
    expect(await contentOf(store)).toEqual(await contentOf(source));
    await store.close();
    expect((await stat(join(folder, 'state'))).isDirectory()).toBe(true);
  }, 60_000);

  it('fences an owner that runs, even one that claims again in between', async () => {
    const file = await saved(await filled());
    const store = await filled(5) as MemoryStateStore;
    const running = await store.claim('in_0');
    let claims = 0;
    const claiming = new Proxy(store, { get: (target, property) => async (...args: unknown[]) => {
      const answer = await (Reflect.get(target, property) as (...all: unknown[]) => unknown).apply(target, args);
      if (property === 'claim' && args[0] === 'in_0' && ++claims < 4) await target.claim('in_0');
      return answer;
    } });
    const target = new Proxy(claiming, { get: (inner, property) => (property === 'snapshot' ? store.snapshot.bind(store) : Reflect.get(inner, property) as unknown) });
    await imported(file, target, { replace: true });
    expect(claims).toBe(4);
    expect(await store.commit(following(running, [cell('last', 'late', 'x')]))).toEqual({ kind: 'fenced' });
    expect(await contentOf(store)).toEqual(await contentOf(await filled()));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../operators/operator.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { avroCodec, registered } from '../../schemas/avro-codec.ts';
import { int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { groupedStore } from '../../state/local/grouped-store.ts';
import { keyTimerStore } from '../../state/local/key-timer-store.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import { cell, following } from '../../state/state-store-harness.ts';
import type { CellRange, StateStore } from '../../state/state-store.ts';
import { Topology } from '../../topology/topology.ts';
import { partitionOf } from '../log/partitioner.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { committedState } from './committed-state.ts';
import type { StatePage } from './state-page.ts';

const numbers = { key: utf8, value: int64 };

interface Load { readonly wh: number; readonly site?: string }
const load = (fields: readonly object[]): Codec<Load> => avroCodec(registered<Load>({ type: 'record', name: 'Load', fields }));
const plain = load([{ name: 'wh', type: 'int' }]);
const withSite = load([{ name: 'wh', type: 'int' }, { name: 'site', type: 'string', default: '?' }]);

/** A store of every kind. */
function everything(value: Codec<Load> = plain): Topology {
  const topology = new Topology('everything');
  topology.table('prices', numbers);
  topology.table('tariffs', numbers, { historyMs: 100 });
  const stream = topology.stream('in', numbers);
  stream.pipe(windowAggregate('per-ten', tumbling({ sizeMs: 10, graceMs: 1_000 }), {
    key: utf8, aggregate: int64, initial: () => 0, fold: (sum: number, each: number) => sum + each, emit: 'update',
  }));
  stream.pipe(statefulOperator({
    name: 'own',
    stores: {
      loads: keyValueStore({ name: 'own', key: utf8, value }),
      members: groupedStore({ name: 'own.members', value: int64 }),
      timers: keyTimerStore({ name: 'own.timers' }),
    },
    process({ key, value: wh, timestampMs }: StreamRecord<string, number>, { stores }) {
      stores.loads.put(key, { wh, site: 'x' });
      stores.members.put(key, `m${wh}`, wh);
      stores.timers.schedule(key, timestampMs + 5, 'idle');
    },
  }));
  return topology;
}

async function filled(partitions: number, topology = everything()): Promise<StateStore> {
  const driver = new TopologyTestDriver(topology, { partitions });
  for (const [index, key] of ['ada', 'bob', 'cid', 'dan', 'eve', 'ada'].entries()) driver.push('in', key, index + 1, index * 7);
  for (const [key, value, timestampMs] of [['ada', 1, 10], ['ad', 5, 20], ['ada', 2, 30], ['bob', 3, 40], ['ada', null, 50], ['ada', 4, 60]] as const) {
    driver.push('tariffs', key, value, timestampMs);
    driver.push('prices', key, value, timestampMs);
  }
  return driver.stateStore();
}

/** Counts reads of a task's store. */
function counting(store: StateStore, name: string): { readonly store: StateStore; readonly read: string[] } {
  const read: string[] = [];
  return { read, store: new Proxy(store, {
    get: (target, property) => {
      const method = Reflect.get(target, property) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (property === 'readPage' && args[1] === name) read.push(String(args[0]));
        return method.apply(target, args);
      };
    },
  }) };
}

async function allOf<E>(page: (after: string | undefined) => Promise<StatePage<E>>): Promise<readonly E[]> {
  const entries: E[] = [];
  for (let after: string | undefined; ;) {
    const { entries: more, next } = await page(after);
    entries.push(...more);
    if (next === null) return entries;
    after = next;
  }
}

describe('committed state', () => {
  it.each([1, 3])('of every kind of store is read by key, over %i tasks', async (partitions) => {
    const state = committedState(everything(), await filled(partitions));
    expect(await state.keyValue<string, Load>('own').get('ada')).toEqual({ wh: 6 });
    expect(await state.keyValue<string, Load>('own').get('zoe')).toBe(undefined);
    expect(await state.keyValue<string, Timestamped<number>>('prices-table').get('ada')).toEqual({ value: 4, timestampMs: 60 });
    expect(await state.windows<string, Timestamped<number>>('per-ten').get('ada', 30)).toEqual({ value: 6, timestampMs: 35 });
    expect(await state.grouped<number>('own.members').get('ada', 'm6')).toBe(6);
    expect(await state.grouped<number>('own.members').get('ada', 'm2')).toBe(undefined);
    expect(await state.keyValue('own.timers').get('bob')).toEqual({ timeMs: -1, timers: [[12, 'idle']] });
    const tariffs = state.versioned<string, number>('tariffs-table');
    expect(await tariffs.get('ada')).toEqual({ value: 4, timestampMs: 60 });
    expect(await tariffs.getAsOf('ada', 29)).toEqual({ value: 1, timestampMs: 10 });
    expect([await tariffs.getAsOf('ada', 55), await tariffs.getAsOf('ada', 9), await tariffs.get('zoe')]).toEqual([undefined, undefined, undefined]);
    expect((await tariffs.range({ key: 'ada' })).entries.map(({ value, timestampMs }) => [value, timestampMs])).toEqual([[1, 10], [2, 30], [null, 50], [4, 60]]);
  });

  it('is merged over all tasks in the order of keys, or of times, page by page', async () => {
    const state = committedState(everything(), await filled(3));
    for (const limit of [1, 2, 100]) {
      const after = (cursor: string | undefined) => (cursor === undefined ? { limit } : { limit, after: cursor });
      const keys = async (bounds: { from?: string; to?: string }) =>
        (await allOf((cursor) => state.keyValue<string, Load>('own').range({ ...bounds, ...after(cursor) }))).map(({ key }) => key);
      expect(await keys({})).toEqual(['ada', 'bob', 'cid', 'dan', 'eve']);
      expect(await keys({ from: 'b', to: 'dan' })).toEqual(['bob', 'cid']);
      const windows = async (bounds: { fromMs?: number; toMs?: number; key?: string }) =>
        (await allOf((cursor) => state.windows<string, unknown>('per-ten').range({ ...bounds, ...after(cursor) }))).map(({ key, timeMs }) => `${key}@${timeMs}`);
      expect(await windows({})).toEqual(['ada@0', 'bob@0', 'cid@10', 'dan@20', 'eve@20', 'ada@30']);
      expect(await windows({ fromMs: 10, toMs: 20 })).toEqual(['cid@10', 'dan@20', 'eve@20']);
      expect(await windows({ key: 'ada' })).toEqual(['ada@0', 'ada@30']);
      expect(await windows({ key: 'ada', toMs: 29 })).toEqual(['ada@0']);
      const members = await allOf((cursor) => state.grouped<number>('own.members').range({ group: 'ada', ...after(cursor) }));
      expect(members.map(({ group, member }) => [group, member])).toEqual([['ada', 'm1'], ['ada', 'm6']]);
      expect((await allOf((cursor) => state.versioned('tariffs-table').range(after(cursor)))).length).toBe(6);
    }
  });

  it('is asked of the key\'s own task only', async () => {
    const { store, read } = counting(await filled(3), 'own');
    const own = committedState(everything(), store).keyValue<string, Load>('own');
    await own.get('ada');
    await own.get('bob');
    expect(read).toEqual(['ada', 'bob'].map((key) => `in_${partitionOf(utf8.encode(key), 3)}`));
    read.length = 0;
    expect(await own.get('zoe')).toBe(undefined);
    expect(read.length).toBe(3);   // a step may keep other keys than those of its records
  });

  it('tells the commit of each task that a page shows', async () => {
    const store = await filled(2);
    const state = committedState(everything(), store).keyValue('own');
    expect((await state.range()).sequences).toEqual({ in_0: 1, in_1: 1 });
    await store.commit(following({ ...await store.claim('in_1') }, []));
    expect((await state.range()).sequences).toEqual({ in_0: 1, in_1: 2 });
  });

  it('lists stores with what each task holds', async () => {
    const stores = await committedState(everything(), await filled(2)).stores();
    expect(stores.map(({ store, kind, step, subTopology, cells }) => [store, kind, step, subTopology, cells])).toEqual([
      ['prices-table', 'key-value', 'prices-table', 'prices', 3], ['tariffs-table', 'versioned', 'tariffs-table', 'tariffs', 6 + 2],
      ['per-ten', 'time-key', 'per-ten', 'in', 6], ['own', 'key-value', 'own', 'in', 5], ['own.members', 'grouped', 'own', 'in', 6],
      ['own.timers', 'key-timers', 'own', 'in', 5],
    ].map((each) => expect.arrayContaining(each) as unknown));
    expect(stores[3]?.tasks.map(({ task, cells }) => [task, cells > 0])).toEqual([['in_0', true], ['in_1', true]]);
  });

  it('is nothing before the first commit', async () => {
    const state = committedState(everything(), new MemoryStateStore());
    expect(await state.keyValue('own').get('ada')).toBe(undefined);
    expect(await state.keyValue('own').range()).toEqual({ entries: [], sequences: {}, next: null });
    expect((await state.stores()).map(({ cells }) => cells)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('of another version is read in its form, or refused', async () => {
    const store = await filled(2);
    expect(await committedState(everything(withSite), store).keyValue('own').get('ada')).toEqual({ wh: 6, site: '?' });
    const other = committedState(everything(json<Load>()), store);
    await expect(other.keyValue('own').get('ada')).rejects.toThrow(/STATE_INCOMPATIBLE(.|\n)*task in_\d, step "own", store "own"/);
    await expect(other.keyValue('own').range()).rejects.toThrow(/STATE_INCOMPATIBLE/);
    expect(await other.keyValue('prices-table').get('bob')).toEqual({ value: 3, timestampMs: 40 });
  });

  it('is read right by a reader that was there before another version rewrote it', async () => {
    const driver = new TopologyTestDriver(everything());
    driver.push('in', 'ada', 1, 0);
    const before = await driver.stateStore();
    const after = await driver.evolve(everything(withSite)).stateStore();
    const current = { store: before };
    const switching = new Proxy(before, { get: (_target, property) => (...args: unknown[]) => (Reflect.get(current.store, property) as (...all: unknown[]) => unknown).apply(current.store, args) });
    const own = committedState(everything(withSite), switching).keyValue('own');
    expect(await own.get('ada')).toEqual({ wh: 1, site: '?' });
    current.store = after;
    await after.commit(following(await after.claim('in_0'), []));
    expect(await own.get('ada')).toEqual({ wh: 1, site: '?' });
  });

  it('is refused while it is half a savepoint, and where there is no such store', async () => {
    const store = new MemoryStateStore();
    await store.commit(following(await store.claim('in_0'), [cell('own', 'ada', plain.encode({ wh: 1 })), cell('$task', 'partitions', '1')]));
    const state = committedState(everything(), store);
    expect(await state.keyValue('own').get('ada')).toEqual({ wh: 1 });
    const last = await store.claim('in_0');
    await store.commit(following(last, [cell('$task', 'partitions', null), cell('$import', 'savepoint', 'x')]));
    await expect(state.keyValue('own').get('ada')).rejects.toThrow(/STATE_INCOMPLETE/);
    await expect(state.keyValue('own').get('bob')).rejects.toThrow(/STATE_INCOMPLETE/);
    await expect(committedState(everything(), store).keyValue('own').range()).rejects.toThrow(/STATE_INCOMPLETE(.|\n)*task in_0/);
    expect(() => state.keyValue('none')).toThrow(/STORE_UNKNOWN(.|\n)*wanted: prices-table, tariffs-table, per-ten, own,(.|\n)*got: none/);
    expect(() => state.windows('own')).toThrow(/STORE_UNKNOWN(.|\n)*wanted: time-key\n\s+got: key-value/);
    await expect(state.keyValue('prices-table').range({ limit: 0 })).rejects.toThrow(/QUERY_REFUSED(.|\n)*1 to 10000/);
    await expect(state.keyValue('prices-table').range({ after: 'x' })).rejects.toThrow(/QUERY_REFUSED/);
  });

  it('gives with any pages what a list of all entries would', async () => {
    const entry = fc.record({ task: fc.integer({ min: 0, max: 2 }), key: fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', '\u{ff5e}', '\u{1f600}', '\0') }), timeMs: fc.integer({ min: -2, max: 5 }), wh: fc.nat(9) });
    const bound = fc.option(fc.constantFrom('', 'a', 'ab', 'b', '\u{1f600}'), { nil: undefined });
    const time = fc.option(fc.integer({ min: -3, max: 6 }), { nil: undefined });
    await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 20 }), bound, bound, time, time, fc.integer({ min: 1, max: 5 }), async (entries, from, to, fromMs, toMs, limit) => {
      const store = new MemoryStateStore();
      for (const task of [0, 1, 2]) {
        const cells = entries.filter((one) => one.task === task).flatMap(({ key, timeMs, wh }) => [
          cell('own', key, plain.encode({ wh })), cell('per-ten', Buffer.concat([int64.encode(timeMs), utf8.encode(key)]), Buffer.concat([int64.encode(0), int64.encode(wh)])),
        ]);
        await store.commit(following(await store.claim(`in_${task}`), [...cells, cell('$task', 'partitions', '3')]));
      }
      const state = committedState(everything(), store);
      const after = (cursor: string | undefined) => (cursor === undefined ? { limit } : { limit, after: cursor });
      const bounds = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      const last = <T>(list: readonly T[], id: (one: T) => string): T[] => [...new Map(list.map((one) => [id(one), one])).values()];
      const order = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
      const values = await allOf((cursor) => state.keyValue<string, Load>('own').range({ ...bounds, ...after(cursor) }));
      expect(values.map(({ task, key, value }) => [task, key, value.wh])).toEqual(last(entries, ({ task, key }) => `${task}${key}`)
        .filter(({ key }) => (from === undefined || order(key, from) >= 0) && (to === undefined || order(key, to) < 0))
        .sort((left, right) => order(left.key, right.key) || left.task - right.task).map(({ task, key, wh }) => [`in_${task}`, key, wh]));
      const times = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }), ...(from === undefined ? {} : { key: from }) };
      const windows = await allOf((cursor) => state.windows<string, Timestamped<number>>('per-ten').range({ ...times, ...after(cursor) }));
      expect(windows.map(({ task, key, timeMs, value }) => [task, timeMs, key, value.value])).toEqual(last(entries, ({ task, key, timeMs }) => `${task}${timeMs}/${key}`)
        .filter(({ timeMs, key }) => timeMs >= (fromMs ?? timeMs) && timeMs <= (toMs ?? timeMs) && key === (from ?? key))
        .sort((left, right) => left.timeMs - right.timeMs || order(left.key, right.key) || left.task - right.task)
        .map(({ task, timeMs, key, wh }) => [`in_${task}`, timeMs, key, wh]));
    }), propertyRuns(100));
  });

  it('never shows half a commit within a page, whatever is committed meanwhile', async () => {
    const commits = fc.array(fc.record({ task: fc.integer({ min: 0, max: 2 }), reads: fc.integer({ min: 0, max: 2 }), limit: fc.integer({ min: 1, max: 9 }) }), { maxLength: 12 });
    await fc.assert(fc.asyncProperty(commits, async (plan) => {
      const inner = new MemoryStateStore();
      const last = new Map<number, Parameters<typeof following>[0]>();
      for (const task of [0, 1, 2]) last.set(task, await inner.claim(`in_${task}`));
      let number = 0;
      const commit = async (task: number): Promise<void> => {
        number++;
        const before = last.get(task);
        if (before === undefined) return;
        const cells = Array.from({ length: 6 }, (_unused, index) => cell('own', `${index}-${task}`, plain.encode({ wh: number })));
        const next = following(before, [...cells, cell('$task', 'partitions', '3')]);
        await inner.commit(next);
        last.set(task, next);
      };
      for (const task of [0, 1, 2]) await commit(task);
      let pending: number[] = [];
      const disturbed = new Proxy(inner, { get: (target, property) => {
        if (property !== 'readPage') return (Reflect.get(target, property) as (...args: unknown[]) => unknown).bind(target);
        return async (task: string, store: string, range?: CellRange) => {
          const page = await target.readPage(task, store, range);
          for (const one of pending.splice(0, 1)) await commit(one);
          return page;
        };
      } });
      const own = committedState(everything(), disturbed).keyValue<string, Load>('own');
      for (const { task, reads, limit } of plan) {
        pending = Array.from({ length: reads + 1 }, () => task);
        const { entries } = await own.range({ limit });
        for (const name of ['in_0', 'in_1', 'in_2']) {
          expect(new Set(entries.filter((entry) => entry.task === name).map(({ value }) => value.wh)).size).toBeLessThan(2);
        }
      }
    }), propertyRuns(100));
  });
});

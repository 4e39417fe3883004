import { describe, expect, it } from 'vitest';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { deduplicate } from '../../operators/deduplicate.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { groupedStore } from '../../state/local/grouped-store.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { committedState, type CommittedState } from './committed-state.ts';
import { answerStateQuery, type StateQuery } from './state-query.ts';

function topology(): Topology {
  const made = new Topology('asked');
  made.table('numbers', { key: int64, value: utf8 });
  made.table('tariffs', { key: utf8, value: int64 }, { historyMs: 100 });
  made.stream('in', { key: utf8, value: int64 }).pipe(
    deduplicate('once', { by: (value) => String(value), withinMs: 1_000 }),
    statefulOperator({
      name: 'members', stores: { all: groupedStore({ name: 'members', value: int64 }) },
      process: (record: StreamRecord<string, number>, { stores }, emit: (record: StreamRecord<string, number>) => void) => {
        stores.all.put(record.key, `m${record.value}`, record.value);
        emit(record);
      },
    }),
    windowAggregate('sums', tumbling({ sizeMs: 10, graceMs: 0 }), {
      key: utf8, aggregate: int64, initial: () => 0, fold: (sum: number, value: number) => sum + value, emit: 'update',
    }),
  );
  return made;
}

async function asked(): Promise<(query: StateQuery) => Promise<unknown>> {
  const driver = new TopologyTestDriver(topology());
  driver.push('numbers', 7, 'seven', 1);
  driver.push('numbers', -1, 'minus one', 2);
  driver.push('tariffs', 'a', 10, 10);
  driver.push('tariffs', 'a', 20, 20);
  driver.push('in', 'a', 1, 1);
  driver.push('in', 'a', 2, 12);
  driver.push('in', 'b', 3, 13);
  const state: CommittedState = committedState(topology(), await driver.stateStore());
  return (query) => answerStateQuery(state, query);
}

const entriesOf = (answer: unknown): readonly Record<string, unknown>[] => (answer as { readonly entries: readonly Record<string, unknown>[] }).entries;

describe('a question in words', () => {
  it('is answered for each kind of store', async () => {
    const ask = await asked();
    expect(await ask({ action: 'get', store: 'numbers-table', key: '7' })).toEqual({ value: { value: 'seven', timestampMs: 1 } });
    expect(await ask({ action: 'get', store: 'numbers-table', key: '8' })).toEqual({ value: null });
    expect(entriesOf(await ask({ action: 'range', store: 'numbers-table', from: '-5', to: '7' })).map(({ key }) => key)).toEqual([-1]);
    expect(await ask({ action: 'get', store: 'tariffs-table', key: 'a' })).toEqual({ value: { value: 20, timestampMs: 20 } });
    expect(await ask({ action: 'get', store: 'tariffs-table', key: 'a', at: '1970-01-01T00:00:00.015Z' })).toEqual({ value: { value: 10, timestampMs: 10 } });
    expect(entriesOf(await ask({ action: 'range', store: 'tariffs-table', key: 'a', limit: '1' })).length).toBe(1);
    expect(await ask({ action: 'get', store: 'sums', key: 'a', at: '10' })).toEqual({ value: { value: 2, timestampMs: 12 } });
    expect(entriesOf(await ask({ action: 'range', store: 'sums', from: '10', to: '10' })).map(({ key, timeMs }) => [key, timeMs])).toEqual([['a', 10], ['b', 10]]);
    expect(entriesOf(await ask({ action: 'range', store: 'sums', key: 'b' })).length).toBe(1);
    expect(await ask({ action: 'get', store: 'members', key: 'a', member: 'm2' })).toEqual({ value: 2 });
    expect(entriesOf(await ask({ action: 'range', store: 'members', key: 'a' })).map(({ member }) => member)).toEqual(['m1', 'm2']);
    expect(((await ask({ action: 'list' })) as { stores: { store: string }[] }).stores.map(({ store }) => store)).toEqual(expect.arrayContaining(['sums', 'members']));
  });

  it('is refused where it does not fit', async () => {
    const ask = await asked();
    await expect(ask({ action: 'get', store: 'none', key: 'a' })).rejects.toThrow(/STORE_UNKNOWN/);
    await expect(ask({ action: 'get', key: 'a' })).rejects.toThrow(/QUERY_REFUSED: a query names no store/);
    await expect(ask({ action: 'get', store: 'sums' })).rejects.toThrow(/QUERY_REFUSED: a query names no key/);
    await expect(ask({ action: 'get', store: 'sums', key: 'a' })).rejects.toThrow(/"at" is no time/);
    await expect(ask({ action: 'range', store: 'sums', from: 'yesterday' })).rejects.toThrow(/"from" is no time/);
    await expect(ask({ action: 'get', store: 'numbers-table', key: 'seven' })).rejects.toThrow(/JSON that int64 takes/);
    await expect(ask({ action: 'get', store: 'members', key: 'a' })).rejects.toThrow(/a group and a member/);
    await expect(ask({ action: 'range', store: 'once' })).rejects.toThrow(/STORE_UNKNOWN(.|\n)*got: seen/);
    await expect(ask({ action: 'range', store: 'sums', limit: 'many' })).rejects.toThrow(/QUERY_REFUSED(.|\n)*got: NaN/);
  });
});

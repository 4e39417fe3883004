import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { joinedLookup, joinTables, joinTableWithItself, selfJoinedLookup, type TableJoinType } from './join-tables.ts';
import { storeLookup } from './joins/table-lookup.ts';
import type { StreamRecord } from './operator.ts';
import type { Change } from './table-source.ts';
import { OperatorHarness, TaskStores } from './testing/harness.ts';
import { tableIn } from './testing/tables.ts';

const leftStore = keyValueStore({ name: 'left', key: utf8, value: timestamped(utf8) });
const rightStore = keyValueStore({ name: 'right', key: utf8, value: timestamped(float64) });
const left = tableIn('left', leftStore);
const right = { ...tableIn('right', rightStore), node: 'right-table' };
const both = (text: string | null, number: number | null, key: string): string => `${key}:${text}+${number}`;

const change = <V>(newValue: V | null, oldValue: V | null, timestampMs: number, isLatest = true): StreamRecord<string, Change<V>> =>
  ({ key: 'a', value: { newValue, oldValue, isLatest }, timestampMs });

/** A join, and the stores of both tables, which their sources would have changed before. */
function running(type: TableJoinType): { readonly join: OperatorHarness<string, Change<string> | Change<number>, string, Change<string>>; readonly stores: TaskStores } {
  const stores = new TaskStores();
  return { join: new OperatorHarness(joinTables('join', type, left, right, both), stores), stores };
}

describe('a join of tables', () => {
  it('joins a change with what the other table holds, with the later timestamp, the old value too', () => {
    const { join, stores } = running('inner');
    stores.get(rightStore).put('a', { value: 1, timestampMs: 10 });
    join.push(change('x', 'w', 5), change('y', 'x', 15));
    expect(join.take()).toEqual([change('a:x+1', 'a:w+1', 10), change('a:y+1', 'a:x+1', 15)]);
    stores.get(leftStore).put('a', { value: 'y', timestampMs: 15 });
    join.pushInto(1, change(2, 1, 12), change<number>(null, 2, 20));
    expect(join.take()).toEqual([change('a:y+2', 'a:y+1', 15), change(null, 'a:y+2', 20)]);
  });

  it('gives nothing where the other table has nothing and must have; else joins with null', () => {
    const given = (type: TableJoinType): unknown[] => {
      const { join } = running(type);
      join.push(change('x', null, 5), change<string>(null, 'x', 6), change<string>(null, null, 7));
      join.pushInto(1, change(1, null, 8), change<number>(null, 1, 9), change<number>(null, null, 10));
      return join.take();
    };
    const ofLeft = [change('a:x+null', null, 5), change(null, 'a:x+null', 6)];
    expect(given('inner')).toEqual([]);
    expect(given('left')).toEqual(ofLeft);
    expect(given('outer')).toEqual([...ofLeft, change('a:null+1', null, 8), change(null, 'a:null+1', 9)]);
  });

  it('keeps the other side when one is deleted, as far as the join does', () => {
    const given = (type: TableJoinType): unknown[] => {
      const { join, stores } = running(type);
      stores.get(rightStore).put('a', { value: 1, timestampMs: 3 });
      join.push(change<string>(null, 'x', 5));
      stores.get(rightStore).delete('a');
      stores.get(leftStore).put('a', { value: 'y', timestampMs: 7 });
      join.pushInto(1, change<number>(null, 1, 6));
      return join.take().map(({ value, timestampMs }) => [value.newValue, timestampMs]);
    };
    expect(given('inner')).toEqual([[null, 5], [null, 7]]);
    expect(given('left')).toEqual([[null, 5], ['a:y+null', 7]]);
    expect(given('outer')).toEqual([['a:null+1', 5], ['a:y+null', 7]]);
  });

  it('drops and counts what is behind the newest version, of the versioned side only', () => {
    const versions = { ...tableIn('right', versionedStore({ name: 'right', key: utf8, value: float64, historyMs: 9 })), node: 'right-table' };
    const join = new OperatorHarness(joinTables('join', 'outer', left, versions, both));
    join.push(change('x', null, 5, false));
    join.pushInto(1, change(1, null, 5, false));
    expect([join.take().length, join.dropped]).toEqual([1, { 'out-of-order': 1 }]);
  });

  it('hands an error of the joiner to the policy', () => {
    const join = new OperatorHarness(joinTables('join', 'left', left, right, () => { throw new Error('no'); }));
    join.push(change('x', null, 5));
    expect(join.failures).toHaveLength(1);
  });

  it('is looked up in both tables, with the later timestamp; null of the joiner is nothing', () => {
    const stores = new TaskStores();
    const context = { store: stores.get.bind(stores) };
    stores.get(leftStore).put('l', { value: 'x', timestampMs: 5 });
    stores.get(rightStore).put('r', { value: 1, timestampMs: 6 });
    stores.get(leftStore).put('lr', { value: 'y', timestampMs: 7 });
    stores.get(rightStore).put('lr', { value: 2, timestampMs: 8 });
    const found = (type: TableJoinType): unknown[] => {
      const lookup = joinedLookup(type, storeLookup(context, leftStore), storeLookup(context, rightStore), both);
      return ['l', 'r', 'lr', 'none'].map((key) => lookup.get(key) ?? null);
    };
    const joined = { value: 'lr:y+2', timestampMs: 8 };
    expect(found('inner')).toEqual([null, null, joined, null]);
    expect(found('left')).toEqual([{ value: 'l:x+null', timestampMs: 5 }, null, joined, null]);
    expect(found('outer')).toEqual([{ value: 'l:x+null', timestampMs: 5 }, { value: 'r:null+1', timestampMs: 6 }, joined, null]);
    expect(joinedLookup('outer', storeLookup(context, leftStore), storeLookup(context, rightStore), () => null).get('lr')).toBeUndefined();
  });
});

describe('a join of a table with itself', () => {
  const twice = (own: string | null, other: string | null): string => `${own}${other}`;

  it('gives each change once, and the deletion too', () => {
    const join = new OperatorHarness(joinTableWithItself('join', 'inner', left, twice));
    join.push(change('x', null, 1), change('y', 'x', 2), change<string>(null, 'y', 3), change<string>(null, null, 4));
    expect(join.take()).toEqual([change('xx', null, 1), change('yy', 'xx', 2), change(null, 'yy', 3)]);
  });

  it('is looked up as each value with itself', () => {
    const stores = new TaskStores();
    stores.get(leftStore).put('a', { value: 'x', timestampMs: 5 });
    const lookup = selfJoinedLookup(storeLookup({ store: stores.get.bind(stores) }, leftStore), twice);
    expect([lookup.get('a'), lookup.get('b')]).toEqual([{ value: 'xx', timestampMs: 5 }, undefined]);
  });
});

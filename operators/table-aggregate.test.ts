import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { aggregateStore } from './aggregates/aggregate-store.ts';
import type { StreamRecord } from './operator.ts';
import { aggregateTable, reduceTable } from './table-aggregate.ts';
import type { Change } from './table-source.ts';
import { OperatorHarness } from './testing/harness.ts';

const change = (oldValue: number | null, newValue: number | null, timestampMs: number): StreamRecord<string, Change<number>> =>
  ({ key: 'a', value: { oldValue, newValue, isLatest: true }, timestampMs });
const store = aggregateStore('sum', utf8, float64);
const calls: string[] = [];
const sums = {
  initial: () => {
    calls.push('initial');
    return 100;
  },
  add: (sum: number, value: number) => {
    calls.push(`${sum}+${value}`);
    return sum + value;
  },
  subtract: (sum: number, value: number) => {
    calls.push(`${sum}-${value}`);
    return sum === value ? null : sum - value;
  },
};
const facts = (running: OperatorHarness<string, Change<number>, string, Change<number>>) =>
  running.take().map(({ value, timestampMs }) => [value.newValue, value.oldValue, timestampMs]);

describe('aggregateTable', () => {
  it('subtracts the old value first, then adds the new one, and emits one change', () => {
    const running = new OperatorHarness(aggregateTable('sum', store, sums));
    calls.length = 0;
    running.push(change(null, 1, 5), change(1, 3, 9), change(null, 7, 1), change(3, null, 2));
    expect(facts(running)).toEqual([[101, null, 5], [103, 101, 9], [110, 103, 9], [107, 110, 9]]);
    expect(calls).toEqual(['initial', '100+1', '101-1', '100+3', '103+7', '110-3']);
  });

  it('does not subtract from a group without an aggregate, and passes on that there is none', () => {
    const running = new OperatorHarness(aggregateTable('sum', store, sums));
    calls.length = 0;
    running.push(change(1, null, 5), change(7, 2, 4));
    expect(facts(running)).toEqual([[null, null, 5], [102, null, 4]]);
    expect(calls).toEqual(['initial', '100+2']);
  });

  it('starts again when subtracting deletes the aggregate, in the same change with its time, later without', () => {
    const running = new OperatorHarness(aggregateTable('sum', store, sums));
    running.push(change(null, 1, 50), change(101, 2, 3), change(102, null, 4), change(null, 1, 2));
    expect(facts(running)).toEqual([[101, null, 50], [102, 101, 50], [null, 102, 50], [101, null, 2]]);
    expect(running.stores.get(store).entries).toBe(1);
  });

  it('goes on after a restart where it was', () => {
    const running = new OperatorHarness(aggregateTable('sum', store, sums));
    running.push(change(null, 1, 5));
    running.restart();
    running.push(change(1, 2, 4));
    expect(facts(running)).toEqual([[101, null, 5], [102, 101, 5]]);
  });
});

describe('reduceTable', () => {
  it('takes a first value as it is, also after the last one was taken out', () => {
    const running = new OperatorHarness(reduceTable<string, number>('sum', store, sums));
    calls.length = 0;
    running.push(change(null, 1, 5), change(1, 4, 3), change(null, 2, 9), change(6, null, 1), change(9, null, 1), change(9, 8, 1));
    expect(facts(running)).toEqual([[1, null, 5], [4, 1, 5], [6, 4, 9], [null, 6, 9], [null, null, 1], [8, null, 1]]);
    expect(calls).toEqual(['1-1', '4+2', '6-6']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { aggregateStream, cogroupStreams, reduceStream } from './aggregate.ts';
import { aggregateStore } from './aggregates/aggregate-store.ts';
import type { Operator, StreamRecord } from './operator.ts';
import type { Change } from './table-source.ts';
import { OperatorHarness } from './testing/harness.ts';

type In = StreamRecord<string | null, number | null>;

const at = (value: number | null, timestampMs: number, key: string | null = 'a'): In => ({ key, value, timestampMs });
const store = aggregateStore('sum', utf8, float64);
/** Sums, until a value makes the sum a multiple of 10. */
const sumUntilTen = (sum: number, value: number): number | null => ((sum + value) % 10 === 0 ? null : sum + value);
const sums = () => aggregateStream<string, number, number>('sum', store, () => 0, sumUntilTen);

describe('aggregateStream', () => {
  it('gives a change for each record, with the highest timestamp of those in the aggregate', () => {
    const running = new OperatorHarness(sums());
    running.push(at(1, 5), at(2, 9), at(4, 7), at(8, 1, 'b'));
    expect(running.take()).toEqual([
      { key: 'a', value: { newValue: 1, oldValue: null, isLatest: true }, timestampMs: 5 },
      { key: 'a', value: { newValue: 3, oldValue: 1, isLatest: true }, timestampMs: 9 },
      { key: 'a', value: { newValue: 7, oldValue: 3, isLatest: true }, timestampMs: 9 },
      { key: 'b', value: { newValue: 8, oldValue: null, isLatest: true }, timestampMs: 1 },
    ]);
    expect(running.stores.get(store).get('a')).toEqual({ value: 7, timestampMs: 9 });
  });

  it('deletes an aggregate when its fold gives null, and starts anew with the next record, also in time', () => {
    const running = new OperatorHarness(sums());
    running.push(at(4, 50), at(6, 3), at(10, 20), at(1, 2));
    expect(running.take().map(({ value, timestampMs }) => [value.newValue, value.oldValue, timestampMs])).toEqual([
      [4, null, 50], [null, 4, 50], [null, null, 20], [1, null, 2],
    ]);
    expect(running.stores.get(store).entries).toBe(1);
  });

  it('drops records without a key or a value, and counts them', () => {
    const running = new OperatorHarness(sums());
    running.push(at(1, 0, null), at(null, 0), at(null, 0, null));
    expect(running.take()).toEqual([]);
    expect(running.dropped).toEqual({ 'null-key': 2, 'null-value': 1 });
  });

  it('starts each key at an initial aggregate of its own, and tells the fold the key', () => {
    let started = 0;
    const running = new OperatorHarness(aggregateStream('texts', aggregateStore('texts', utf8, utf8), () => String((started += 1)),
      (text, value: number, key: string) => `${text}${key}${value}`));
    running.push(at(1, 0), at(2, 0), at(3, 0, 'b'));
    expect(running.take().map(({ value }) => value.newValue)).toEqual(['1a1', '1a1a2', '2b3']);
  });

  it('hands an error of the fold to the policy, and leaves the aggregate as it was', () => {
    const refuse = (sum: number, value: number): number => {
      if (value < 0) throw new Error('no');
      return sum + value;
    };
    const running = new OperatorHarness(aggregateStream('sum', store, () => 0, refuse));
    running.push(at(1, 0), at(-1, 5), at(1, 0));
    expect(running.failures.map(({ record }) => record)).toEqual([at(-1, 5)]);
    expect(running.take().map(({ value, timestampMs }) => [value.newValue, timestampMs])).toEqual([[1, 0], [2, 0]]);
  });
});

describe('reduceStream', () => {
  it('takes the first value of a key as it is', () => {
    const running = new OperatorHarness(reduceStream<string, number>('sum', store, sumUntilTen));
    running.push(at(10, 1), at(5, 0), at(5, 7), at(10, 2));
    expect(running.take().map(({ value, timestampMs }) => [value.newValue, value.oldValue, timestampMs])).toEqual([
      [10, null, 1], [15, 10, 1], [null, 15, 7], [10, null, 2],
    ]);
  });
});

describe('cogroupStreams', () => {
  it('folds each input by its own function into one aggregate', () => {
    const operator = cogroupStreams<string, string>('texts', aggregateStore('texts', utf8, utf8), () => '', [
      (text, value) => `${text}+${value}`, (text, value) => `${text}-${value}`,
    ], [{ node: 'other', port: 'out' }]);
    const running = new OperatorHarness(operator);
    running.push(at(1, 5));
    running.pushInto(1, at(2, 3), at(null, 3), at(3, 3, null));
    running.push(at(4, 4));
    expect(running.take().map(({ value, timestampMs }) => [value.newValue, timestampMs])).toEqual([['+1', 5], ['+1-2', 5], ['+1-2+4', 5]]);
    expect(running.dropped).toEqual({ 'null-key': 1, 'null-value': 1 });
    expect(operator.detail).toBe('2 streams');
  });
});

interface Given {
  readonly input: number;
  readonly record: In;
  readonly disturbance: 'none' | 'commit' | 'restart';
}

const given: fc.Arbitrary<readonly Given[]> = fc.array(fc.record({
  input: fc.nat(2),
  record: fc.record({
    key: fc.constantFrom('a', 'b', '\u{10000}', '\uffff', null),
    value: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) }, { weight: 1, arbitrary: fc.constant(null) }),
    timestampMs: fc.nat(50),
  }),
  disturbance: fc.constantFrom('none', 'none', 'none', 'commit', 'restart'),
}), { maxLength: 40 });

/** Lists of (input, value): what was folded. A list that holds two equal neighbours is deleted. */
type Folded = readonly (readonly [input: number, value: number])[];

/** What each record gives, from the records of its key alone: those after the last that deleted the aggregate. */
function model(records: readonly Given[]): readonly StreamRecord<string, Change<Folded>>[] {
  const taken = records.filter(({ record }) => record.key !== null && record.value !== null);
  const sinceDeletion = (upTo: number): readonly Given[] => {
    const { key } = (taken[upTo] as Given).record;
    const ofKey = taken.slice(0, upTo + 1).filter(({ record }) => record.key === key);
    let from = 0;
    for (let end = 1; end < ofKey.length; end += 1) if (deletes(ofKey.slice(from, end))) from = end;
    return ofKey.slice(from);
  };
  const folded = (list: readonly Given[]): Folded | null =>
    list.length === 0 || deletes(list) ? null : list.map(({ input, record }) => [input, record.value as number]);
  return taken.map(({ record }, index) => {
    const list = sinceDeletion(index);
    return {
      key: record.key as string,
      value: { newValue: folded(list), oldValue: folded(list.slice(0, -1)), isLatest: true },
      timestampMs: Math.max(...list.map((one) => one.record.timestampMs)),
    };
  });
}

function deletes(list: readonly Given[]): boolean {
  const [before, last] = list.slice(-2);
  return last !== undefined && before !== undefined && last.record.value === before.record.value;
}

function run(operator: Operator<string | null, number | null, string, Change<Folded>>, records: readonly Given[]): readonly StreamRecord<string, Change<Folded>>[] {
  const running = new OperatorHarness(operator);
  for (const { input, record, disturbance } of records) {
    running.pushInto(input, record);
    if (disturbance === 'commit') running.stores.commit();
    if (disturbance === 'restart') running.restart();
  }
  return running.take();
}

const lists = aggregateStore('lists', utf8, json<Folded>('folded'));
const append = (input: number) => (list: Folded, value: unknown): Folded | null =>
  (list.at(-1)?.[1] === value ? null : [...list, [input, value as number]]);
const others = [{ node: 'second', port: 'out' }, { node: 'third', port: 'out' }];

it('gives what the records of a key give by themselves, through commits and restarts', () => {
  const operator = cogroupStreams<string, Folded>('lists', lists, () => [], [append(0), append(1), append(2)], others) as
    Operator<string | null, number | null, string, Change<Folded>>;
  fc.assert(fc.property(given, (records) => {
    expect(run(operator, records)).toEqual(model(records));
  }), propertyRuns());
});

it('aggregates one stream as a cogroup of one', () => {
  fc.assert(fc.property(given, (records) => {
    const alone = records.map((one) => ({ ...one, input: 0 }));
    expect(run(aggregateStream<string, number, Folded>('lists', lists, () => [], append(0)), alone)).toEqual(model(alone));
  }), propertyRuns());
});

it('reduces as it aggregates when the first value is folded into nothing', () => {
  const reduced = reduceStream<string, number>('sum', store, sumUntilTen);
  const aggregated = aggregateStream<string, number, number, number | null>('sum', store, () => null, (sum, value) =>
    (sum === null ? value : sumUntilTen(sum, value)));
  fc.assert(fc.property(given, (records) => {
    const outputs = [reduced, aggregated].map((operator) => {
      const running = new OperatorHarness(operator);
      for (const { record, disturbance } of records) {
        running.push(record);
        if (disturbance === 'restart') running.restart();
      }
      return running.take();
    });
    expect(outputs[0]).toEqual(outputs[1]);
  }), propertyRuns());
});

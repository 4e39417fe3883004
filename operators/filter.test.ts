import { expect, it } from 'vitest';
import { filter, filterNot } from './filter.ts';
import { OperatorHarness } from './testing/harness.ts';

const records = [1, 2, 3].map((value) => ({ key: 'a', value, timestampMs: value }));
const isOdd = (value: number): boolean => value % 2 === 1;

it('lets through what the predicate holds for, the very same record', () => {
  const running = new OperatorHarness(filter<string, number>(isOdd));
  running.push(...records);
  const taken = running.take();
  expect(taken).toEqual([records[0], records[2]]);
  expect(taken[0]).toBe(records[0]);
  expect(running.dropped).toEqual({});
});

it('lets through the rest by filterNot', () => {
  const running = new OperatorHarness(filterNot<string, number>(isOdd));
  running.push(...records);
  expect(running.take()).toEqual([records[1]]);
});

it('hands an error of the predicate to the policy, and holds the record back', () => {
  const running = new OperatorHarness(filter<string, number>((value) => {
    if (value === 2) throw new Error('no');
    return true;
  }));
  running.push(...records);
  expect(running.take()).toHaveLength(2);
  expect(running.failures).toHaveLength(1);
});

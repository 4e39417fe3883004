import { expect, it } from 'vitest';
import { forEach } from './for-each.ts';
import { OperatorHarness } from './testing/harness.ts';

it('shows each record to the function, and ends there', () => {
  const seen: unknown[] = [];
  const running = new OperatorHarness(forEach((value: number, key: string) => seen.push([key, value])));
  running.push({ key: 'a', value: 1, timestampMs: 0 }, { key: 'b', value: 2, timestampMs: 0 });
  expect(seen).toEqual([['a', 1], ['b', 2]]);
  expect(running.take()).toEqual([]);
});

it('hands an error to the policy, and goes on with the next record', () => {
  const seen: number[] = [];
  const running = new OperatorHarness(forEach((value: number) => {
    if (value < 0) throw new Error('no');
    seen.push(value);
  }));
  running.push({ key: 'a', value: -1, timestampMs: 0 }, { key: 'a', value: 2, timestampMs: 0 });
  expect(running.failures).toHaveLength(1);
  expect(seen).toEqual([2]);
});

import { expect, it } from 'vitest';
import { mapValues } from './map-values.ts';
import { OperatorHarness } from './testing/harness.ts';

it('gives each record another value, null ones too, and keeps key and timestamp', () => {
  const running = new OperatorHarness(mapValues((value: number | null, key: string) => `${key}${value}`));
  running.push({ key: 'a', value: 1, timestampMs: 7 }, { key: 'b', value: null, timestampMs: 8 });
  expect(running.take()).toEqual([{ key: 'a', value: 'a1', timestampMs: 7 }, { key: 'b', value: 'bnull', timestampMs: 8 }]);
});

it('hands an error with its record to the policy, and goes on', () => {
  const running = new OperatorHarness(mapValues((value: { readonly wh: number } | null) => (value as { readonly wh: number }).wh));
  running.push({ key: 'a', value: null, timestampMs: 0 }, { key: 'a', value: { wh: 3 }, timestampMs: 1 });
  expect(running.failures.map((failure) => failure.record.timestampMs)).toEqual([0]);
  expect(running.take()).toEqual([{ key: 'a', value: 3, timestampMs: 1 }]);
});

import { expect, it } from 'vitest';
import { flatMapValues } from './flat-map-values.ts';
import { OperatorHarness } from './testing/harness.ts';

it('gives any number of values for each record, in order, with its key and timestamp', () => {
  const running = new OperatorHarness(flatMapValues((value: string) => value.split(' ')));
  running.push({ key: 'a', value: 'x y', timestampMs: 7 });
  expect(running.take()).toEqual([{ key: 'a', value: 'x', timestampMs: 7 }, { key: 'a', value: 'y', timestampMs: 7 }]);
  expect(flatMapValues((value: string) => [value]).changesKey).toBe(false);
});

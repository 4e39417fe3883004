import { expect, it } from 'vitest';
import { flatMap } from './flat-map.ts';
import { OperatorHarness } from './testing/harness.ts';

it('gives any number of records for each, in order, with the timestamp of their cause', () => {
  const running = new OperatorHarness(flatMap((value: number, key: string) =>
    Array.from({ length: value }, (_, at) => ({ key: `${key}${at}`, value: at }))));
  running.push({ key: 'a', value: 2, timestampMs: 7 }, { key: 'b', value: 0, timestampMs: 8 });
  expect(running.take()).toEqual([{ key: 'a0', value: 0, timestampMs: 7 }, { key: 'a1', value: 1, timestampMs: 7 }]);
});

it('keeps what a generator gave before it threw', () => {
  const running = new OperatorHarness(flatMap(function* (value: number, key: string) {
    yield { key, value };
    throw new Error('no');
  }));
  running.push({ key: 'a', value: 1, timestampMs: 0 });
  expect(running.take()).toHaveLength(1);
  expect(running.failures).toHaveLength(1);
});

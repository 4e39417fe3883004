import { expect, it } from 'vitest';
import { map } from './map.ts';
import { OperatorHarness } from './testing/harness.ts';

it('gives each record another key and value, and keeps its timestamp', () => {
  const running = new OperatorHarness(map((value: number, key: string) => ({ key: value, value: key })));
  running.push({ key: 'a', value: 1, timestampMs: 7 });
  expect(running.take()).toEqual([{ key: 1, value: 'a', timestampMs: 7 }]);
});

it('says that it changes the key', () => {
  expect(map((value: number, key: string) => ({ key, value })).changesKey).toBe(true);
});

it('hands an error with its record to the policy, and goes on', () => {
  const error = new Error('no');
  const running = new OperatorHarness(map((value: number, key: string) => {
    if (value === 1) throw error;
    return { key, value };
  }));
  running.push({ key: 'a', value: 1, timestampMs: 0 }, { key: 'a', value: 2, timestampMs: 0 });
  expect(running.failures).toEqual([{ error, record: { key: 'a', value: 1, timestampMs: 0 } }]);
  expect(running.take()).toHaveLength(1);
});

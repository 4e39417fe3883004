import { expect, it } from 'vitest';
import { selectKey } from './select-key.ts';
import { OperatorHarness } from './testing/harness.ts';

it('gives each record another key, and says so', () => {
  const operator = selectKey((value: { readonly site: string }) => value.site);
  const running = new OperatorHarness(operator);
  running.push({ key: 'a', value: { site: 's' }, timestampMs: 7 });
  expect(running.take()).toEqual([{ key: 's', value: { site: 's' }, timestampMs: 7 }]);
  expect(operator.changesKey).toBe(true);
});

it('hands an error to the policy', () => {
  const running = new OperatorHarness(selectKey((): string => { throw new Error('no'); }));
  running.push({ key: 'a', value: 1, timestampMs: 0 });
  expect(running.failures).toHaveLength(1);
  expect(running.take()).toEqual([]);
});

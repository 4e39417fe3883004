import { expect, it } from 'vitest';
import { peek } from './peek.ts';
import { OperatorHarness } from './testing/harness.ts';

it('shows each record, and passes it on as it is', () => {
  const seen: string[] = [];
  const running = new OperatorHarness(peek((value: number, key: string) => void seen.push(`${key}${value}`)));
  const record = { key: 'a', value: 1, timestampMs: 0 };
  running.push(record);
  expect(seen).toEqual(['a1']);
  expect(running.take()[0]).toBe(record);
});

it('hands an error to the policy, and holds the record back', () => {
  const running = new OperatorHarness(peek(() => { throw new Error('no'); }));
  running.push({ key: 'a', value: 1, timestampMs: 0 });
  expect(running.failures).toHaveLength(1);
  expect(running.take()).toEqual([]);
});

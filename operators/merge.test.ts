import { expect, it } from 'vitest';
import { mergeStep } from './merge.ts';
import { OperatorHarness } from './testing/harness.ts';

it('passes records on as they come', () => {
  const running = new OperatorHarness(mergeStep<string, number>());
  const record = { key: 'a', value: 1, timestampMs: 0 };
  running.push(record);
  expect(running.take()).toEqual([record]);
});

import { asyncScheduler } from 'rxjs';
import { concatMap, filter, map, merge, observeOn, of, take } from 'rxjs';
import { expect, it } from 'vitest';
import type { StreamRecord } from './operator.ts';
import { rxjsStep } from './rxjs-step.ts';
import { OperatorHarness } from './testing/harness.ts';

type R = StreamRecord<string, number>;
const at = (value: number): R => ({ key: 'a', value, timestampMs: 0 });

it('runs RxJS operators as they are', () => {
  const running = new OperatorHarness(rxjsStep<string, number, string, number>((source) =>
    source.pipe(filter(({ value }) => value > 1), concatMap((record) => of(record, record)))));
  running.push(at(1), at(2));
  expect(running.take()).toEqual([at(2), at(2)]);
});

it('hands an error with the record under way to the policy, subscribes anew and goes on', () => {
  const running = new OperatorHarness(rxjsStep(map((record: R) => {
    if (record.value === 1) throw new Error('no');
    return record;
  })));
  running.push(at(0), at(1), at(2));
  expect(running.take()).toEqual([at(0), at(2)]);
  expect(running.failures.map(({ record }) => record)).toEqual([at(1)]);
});

it('does not take an error of a step further down for its own', () => {
  const error = new Error('task stops');
  const running = new OperatorHarness(rxjsStep(map((record: R) => record)), undefined, () => { throw error; });
  expect(() => running.push(at(1))).toThrow(error);
  expect(running.failures).toEqual([]);
});

it('refuses operators that complete, give records later, or change the key', async () => {
  const completed = new OperatorHarness(rxjsStep<string, number, string, number>(take(1)));
  completed.push(at(1), at(2));
  expect(String(completed.failures[0]?.error)).toMatch(/has completed/);

  const later = new OperatorHarness(rxjsStep<string, number, string, number>(observeOn(asyncScheduler)));
  later.push(at(1));
  await new Promise((resolve) => { setTimeout(resolve, 5); });
  later.push(at(2));
  expect(String(later.failures[0]?.error)).toMatch(/later than its cause/);

  const rekeyed = new OperatorHarness(rxjsStep(map((record: R) => ({ ...record, key: 'b' }))));
  rekeyed.push(at(1));
  expect(String(rekeyed.failures[0]?.error)).toMatch(/changed the key/);
});

it('gives each record to every subscriber of an operator that subscribes several times, in their order', () => {
  const running = new OperatorHarness(rxjsStep<string, number, string, number>((source) => merge(
    source.pipe(filter(({ value }) => value > 1)), source.pipe(map((record) => ({ ...record, value: -record.value }))), source)));
  running.push(at(1), at(2));
  expect(running.take().map(({ value }) => value)).toEqual([-1, 1, 2, -2, 2]);
});

it('keeps what an operator gave before it failed on the same record', () => {
  const running = new OperatorHarness(rxjsStep(concatMap((record: R) => of(record, record, record).pipe(map((one, index) => {
    if (record.value === 1 && index === 2) throw new Error('no');
    return { ...one, timestampMs: index };
  })))));
  running.push(at(1), at(2));
  expect(running.take().map(({ value, timestampMs }) => [value, timestampMs])).toEqual([[1, 0], [1, 1], [2, 0], [2, 1], [2, 2]]);
  expect(running.failures).toHaveLength(1);
});

import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { OperatorHarness } from './testing/harness.ts';
import { windowAggregate, type WindowAggregateOptions } from './window-aggregate.ts';
import { hopping, tumbling } from './windows/time-windows.ts';

const sum: WindowAggregateOptions<string, number, number> = {
  key: utf8, aggregate: float64, initial: () => 0, fold: (total, value) => total + value,
};
const at = (timestampMs: number, value = 1, key = 'a') => ({ key, value, timestampMs });
const result = (startMs: number, endMs: number, value: number, timestampMs: number, key = 'a') => ({
  key: { key, startMs, endMs }, value, timestampMs,
});

describe('windowAggregate over tumbling windows', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 5 });

  it('emits each change of a window at once, stamped with the highest of its timestamps', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, sum));
    running.push(at(3, 2), at(1, 5), at(10, 1));
    expect(running.take()).toEqual([result(0, 10, 2, 3), result(0, 10, 7, 3), result(10, 20, 1, 10)]);
  });

  it('takes records until stream time reaches end plus grace, and sends later ones to the late output', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, sum));
    running.push(at(14), at(9), at(15), at(9));
    expect(running.take().map((record) => record.key.startMs)).toEqual([10, 0, 10]);
    expect(running.take('late')).toEqual([at(9)]);
    expect(running.dropped).toEqual({ late: 1 });
  });

  it('emits a window once when final, in the order of its end and then of key bytes', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: 'final' }));
    running.push(at(1, 1, '\u{1F600}'), at(2, 1, '\uFFFD'), at(14, 7, 'a'), at(9, 3, 'b'));
    expect(running.take()).toEqual([]);
    running.push(at(15, 1, 'a'));
    expect(running.take()).toEqual([result(0, 10, 3, 9, 'b'), result(0, 10, 1, 2, '\uFFFD'), result(0, 10, 1, 1, '\u{1F600}')]);
  });

  it('goes on from committed cells as if nothing had happened', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: 'final' }));
    running.push(at(1, 2), at(2, 3));
    running.restart();
    running.push(at(3, 4), at(25));
    expect(running.take()).toEqual([result(0, 10, 9, 3)]);
  });

  it('drops records without a key and counts them', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, sum));
    running.push({ key: null, value: 1, timestampMs: 100 }, { key: 'a', value: 1, timestampMs: 0 });
    expect(running.dropped).toEqual({ 'null-key': 1 });
    expect(running.take()).toHaveLength(1);
  });
});

describe('windowAggregate with time by key', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 0 });

  it('closes a key by its own progress only', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: 'final', timeScope: 'key' }));
    running.push(at(1_000, 1, 'b'), at(1, 2, 'a'), at(9, 3, 'a'));
    expect(running.take('late')).toEqual([]);
    running.restart();
    running.push(at(10, 1, 'a'), at(5, 1, 'a'));
    expect(running.take()).toEqual([result(0, 10, 5, 9)]);
    expect(running.take('late')).toEqual([at(5, 1, 'a')]);
  });

  it('closes a silent key when the step is silentKeyMs ahead, and does not open its windows again', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: 'final', timeScope: 'key', silentKeyMs: 99 }));
    running.push(at(1, 2, 'a'), at(108, 1, 'b'));
    expect(running.take()).toEqual([]);
    running.push(at(109, 1, 'b'));
    expect(running.take()).toEqual([result(0, 10, 2, 1)]);
    running.push(at(2, 1, 'a'));
    expect(running.take('late')).toEqual([at(2, 1, 'a')]);
  });
});

describe('windowAggregate over hopping windows', () => {
  it('puts a record into each window that holds it, the earliest first', () => {
    const running = new OperatorHarness(windowAggregate('sum', hopping({ sizeMs: 10, advanceMs: 5, graceMs: 0 }), sum));
    running.push(at(12));
    expect(running.take()).toEqual([result(5, 15, 1, 12), result(10, 20, 1, 12)]);
  });

  it('counts each closed window, but gives a record that some window took only to that', () => {
    const running = new OperatorHarness(windowAggregate('sum', hopping({ sizeMs: 10, advanceMs: 5, graceMs: 0 }), sum));
    running.push(at(17), at(12));
    expect(running.take().map((record) => record.key.startMs)).toEqual([10, 15, 10]);
    expect(running.dropped).toEqual({ late: 1 });
    expect(running.take('late')).toEqual([]);
  });
});

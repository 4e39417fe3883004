import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { OperatorHarness } from './testing/harness.ts';
import { windowAggregate, type WindowAggregateOptions } from './window-aggregate.ts';
import { sliding } from './windows/sliding-windows.ts';
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

describe('windowAggregate from time to time', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 20 });

  it('gives what has changed in one result when time passes a multiple, and when it closes if it has changed since', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: { everyMs: 40 } }));
    running.push(at(3, 2), at(12, 1, 'b'), at(1, 5), at(29, 1));
    expect(running.take()).toEqual([]);
    running.restart();
    running.push(at(30, 1));
    expect(running.take()).toEqual([result(0, 10, 7, 3)]);
    running.push(at(40, 1));
    expect(running.take()).toEqual([result(10, 20, 1, 12, 'b'), result(20, 30, 1, 29), result(30, 40, 1, 30)]);
    running.push(at(21, 4), at(69, 0));
    expect(running.take()).toEqual([result(20, 30, 5, 29)]);
    running.push(at(90, 0));
    expect(running.take()).toEqual([result(40, 50, 1, 40)]);
  });

  it('does not wait for a key that has fallen silent, where time is by key, nor for records when its sources are idle', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: { everyMs: 10 }, timeScope: 'key' }));
    running.push(at(3, 2, 'a'), at(4, 3, 'a'), at(13, 1, 'b'));
    expect(running.take()).toEqual([result(0, 10, 5, 4)]);
    running.push(at(14, 1, 'b'));
    running.idle(19);
    expect(running.take()).toEqual([]);
    running.idle(20);
    expect(running.take()).toEqual([result(10, 20, 2, 14, 'b')]);
  });

  it('goes by the time of a key that is far behind, as in a replay', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: { everyMs: 10 }, timeScope: 'key' }));
    running.push(at(1_000, 1, 'b'), at(3, 2, 'a'), at(4, 3, 'a'));
    running.restart();
    running.push(at(10, 1, 'a'));
    expect(running.take()).toEqual([result(0, 10, 5, 4)]);
    running.push(at(19, 1, 'a'), at(20, 0, 'a'));
    expect(running.take()).toEqual([result(10, 20, 2, 19)]);
  });

  it('puts nothing where a fold changes nothing', () => {
    const running = new OperatorHarness(windowAggregate('sum', windows, { ...sum, emit: { everyMs: 10 } }));
    running.push(at(3, 2));
    running.stores.commit();
    running.push(at(4, 0), at(15, 0));
    expect(running.stores.commit()).toEqual([]);
    expect(running.take()).toEqual([result(0, 10, 2, 3)]);
    running.push(at(25, 0));
    expect(running.take()).toEqual([]);
  });

  it('refuses rhythms and rollups that make no sense, by name', () => {
    const make = (windowing: Parameters<typeof windowAggregate>[1], everyMs: number, rollups: Readonly<Record<string, number>>) => () =>
      windowAggregate('sum', windowing, {
        ...sum, emit: { everyMs, rollups: Object.fromEntries(Object.entries(rollups).map(([name, sizeMs]) => [name, { sizeMs, everyMs: 1, combine: () => 0 }])) },
      });
    expect(make(windows, 0, {})).toThrow(/everyMs is 0/);
    expect(make(windows, 5, { odd: 25 })).toThrow(/sum, odd(.|\n)*a multiple of 10 ms/);
    expect(make(windows, 5, { same: 10 })).toThrow(/a rollup does not fit/);
    expect(make(windows, 5, { large: 60, small: 40 })).toThrow(/sum, large(.|\n)*a multiple of 40 ms/);
    expect(make(windows, 5, { late: 20 })).toThrow(/a name other than late/);
    expect(make(hopping({ sizeMs: 20, advanceMs: 10, graceMs: 0 }), 5, { large: 60 })).toThrow(/only tumbling windows have rollups/);
    expect(make(sliding({ timeDifferenceMs: 20, graceMs: 0 }), 5, {})).toThrow(/begin at fixed times/);
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

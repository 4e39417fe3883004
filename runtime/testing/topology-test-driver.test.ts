import { describe, expect, it } from 'vitest';
import { branch } from '../../operators/branch.ts';
import { filter } from '../../operators/filter.ts';
import { mapValues } from '../../operators/map-values.ts';
import { selectKey } from '../../operators/select-key.ts';
import { detectSilence } from '../../operators/detect-silence.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { joinTable } from '../../operators/join-table.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = { key: utf8, value: utf8 };

describe('TopologyTestDriver', () => {
  it('gives the outputs of a stateless chain at once', () => {
    const topology = new Topology('words');
    topology.stream('lines', words).pipe(filter((line) => line !== ''), mapValues((line) => line.toUpperCase())).to(logTopic('loud', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('lines', 'a', 'hello', 10);
    driver.push('lines', 'a', '', 11);
    expect(driver.take('loud')).toEqual([{ key: 'a', value: 'HELLO', timestampMs: 10 }]);
  });

  it('emits windows when they close, before and after a restart', () => {
    const topology = new Topology('sums');
    const numbers = { key: utf8, value: json<number>() };
    topology.stream('numbers', numbers)
      .pipe(windowAggregate('sum', tumbling({ sizeMs: 10, graceMs: 5 }), {
        emit: 'final', key: utf8, aggregate: json<number>(), initial: () => 0, fold: (sum: number, value: number) => sum + value,
      }), mapValues((sum, window) => ({ sum, from: window.startMs })), selectKey((_value, window) => window.key))
      .to(logTopic('sums', { key: utf8, value: json<{ sum: number; from: number }>() }));
    const driver = new TopologyTestDriver(topology);
    driver.push('numbers', 'a', 2, 0);
    driver.push('numbers', 'a', 3, 9);
    expect(driver.take('sums')).toEqual([]);
    driver.restart();
    driver.push('numbers', 'a', 4, 15);
    expect(driver.take('sums')).toEqual([{ key: 'a', value: { sum: 5, from: 0 }, timestampMs: 9 }]);
  });

  it('sends records through a repartition topic exactly once, whatever call crashes', () => {
    const build = (): Topology => {
      const topology = new Topology('counts');
      topology.stream('clicks', { key: utf8, value: utf8 })
        .pipe(selectKey((page) => page))
        .repartition('by-page', { key: utf8, value: utf8 })
        .pipe(windowAggregate('clicks-per-page', tumbling({ sizeMs: 10, graceMs: 0 }), {
          key: utf8, aggregate: json<number>(), initial: () => 0, fold: (count: number) => count + 1, emit: 'update',
        }), selectKey((_count, window) => `${window.key}@${window.startMs}`))
        .to(logTopic('counts', { key: utf8, value: json<number>() }));
      return topology;
    };
    const clicks = ['a', 'b', 'a', 'c', 'a', 'b'];
    const run = (crash?: { readonly call: number; readonly moment: 'before' | 'after' }) => {
      const driver = new TopologyTestDriver(build(), { partitions: 2 });
      if (crash !== undefined) driver.crashAtCall(crash.call, crash.moment);
      clicks.forEach((page, index) => driver.push('clicks', `user-${index % 3}`, page, index));
      return { outputs: driver.take('counts'), calls: driver.calls };
    };
    const calm = run();
    expect(calm.outputs.filter((output) => (output.key as string).startsWith('a')).map((output) => output.value)).toEqual([1, 2, 3]);
    for (let call = 1; call <= calm.calls; call++) {
      for (const moment of ['before', 'after'] as const) expect(run({ call, moment }).outputs).toEqual(calm.outputs);
    }
  });

  it('lets time go on by the wall clock through steps and repartitions, exactly once, whatever call crashes', () => {
    const build = (): Topology => {
      const topology = new Topology('quiet');
      const beats = topology.stream('beats', { key: utf8, value: utf8, idleAfterMs: 10 });
      beats.pipe(detectSilence<string, string>('silent', { afterMs: 60, key: utf8 })).pipe(mapValues(({ heardMs, noticedMs }) => `${heardMs} ${noticedMs}`))
        .to(logTopic('silences', words));
      beats.pipe(windowAggregate('by-station', tumbling({ sizeMs: 50, graceMs: 0 }), {
        key: utf8, aggregate: json<number>(), initial: () => 0, fold: (count: number) => count + 1, emit: 'final',
      }), selectKey((_count, window) => window.key.slice(0, 1)))
        .repartition('by-site', { key: utf8, value: json<number>() })
        .pipe(windowAggregate('sum', tumbling({ sizeMs: 100, graceMs: 0 }), {
          key: utf8, aggregate: json<number>(), initial: () => 0, fold: (sum: number, count: number) => sum + count, emit: 'final',
        }), selectKey((_sum, window) => `${window.key}@${window.startMs}`))
        .to(logTopic('sums', { key: utf8, value: json<number>() }));
      return topology;
    };
    const run = (crash?: { readonly call: number; readonly moment: 'before' | 'after' }) => {
      const driver = new TopologyTestDriver(build(), { partitions: 2 });
      if (crash !== undefined) driver.crashAtCall(crash.call, crash.moment);
      for (const [index, station] of ['a1', 'b1', 'a2', 'a1', 'b2'].entries()) {
        driver.push('beats', station, 'beat', index * 10);
        driver.advanceWallClock(10);
      }
      for (let passedMs = 0; passedMs < 300; passedMs += 20) driver.advanceWallClock(20);
      return { silences: driver.take('silences'), sums: driver.take('sums'), calls: driver.calls };
    };
    const calm = run();
    expect(calm.sums.map(({ key, value }) => [key, value]).sort()).toEqual([['a@0', 3], ['b@0', 2]]);
    expect(calm.silences.map(({ key }) => key).sort()).toEqual(['a1', 'a2', 'b1', 'b2']);
    const { calls } = calm;
    const once = (outputs: ReturnType<typeof run>): unknown[] =>
      [outputs.sums.map(({ key, value }) => [key, value]).sort(), outputs.silences.map(({ key, timestampMs }) => [key, timestampMs]).sort()];
    for (let call = 1; call <= calls; call++) {
      for (const moment of ['before', 'after'] as const) expect(once(run({ call, moment })), `${moment} call ${call}`).toEqual(once(calm));
    }
  });

  it('leaves time to the records alone when the wall clock is off', () => {
    const topology = new Topology('quiet');
    topology.stream('beats', { key: utf8, value: utf8, idleAfterMs: 10 })
      .pipe(detectSilence<string, string>('silent', { afterMs: 60, key: utf8, wallClockEveryMs: 10 }), mapValues(({ heardMs }) => String(heardMs)))
      .to(logTopic('silences', words));
    const driver = new TopologyTestDriver(topology, { wallClock: false });
    driver.push('beats', 'a', 'beat', 0);
    driver.advanceWallClock(1_000);
    expect(driver.take('silences')).toEqual([]);
    driver.push('beats', 'b', 'beat', 61);
    expect(driver.take('silences')).toEqual([{ key: 'a', value: '0', timestampMs: 60 }]);
  });

  it('joins a table as of the time of the record, in the order of timestamps', () => {
    const topology = new Topology('joined');
    const prices = topology.table('prices', { key: utf8, value: json<number>() }, { historyMs: 1_000 });
    topology.stream('sales', { key: utf8, value: json<number>() })
      .pipe(joinTable('with-price', prices, (amount, price) => amount * (price ?? 0)))
      .to(logTopic('revenue', { key: utf8, value: json<number>() }));
    const driver = new TopologyTestDriver(topology);
    driver.push('prices', 'a', 2, 0);
    driver.push('prices', 'a', 3, 100);
    driver.push('sales', 'a', 10, 50);
    driver.push('sales', 'a', 10, 150);
    expect(driver.take('revenue').map((output) => output.value)).toEqual([20, 30]);
  });

  it('sets aside what cannot be decoded or processed, with its bytes, and goes on', () => {
    const topology = new Topology('careful');
    topology.stream('numbers', { key: utf8, value: json<number>() })
      .pipe(mapValues((value) => {
        if (value < 0) throw new Error('negative');
        return value;
      }))
      .to(logTopic('checked', { key: utf8, value: json<number>() }));
    topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
    const driver = new TopologyTestDriver(topology);
    driver.pushBytes('numbers', null, Buffer.from('{'), 1);
    driver.push('numbers', 'a', -1, 2);
    driver.push('numbers', 'a', 1, 3);
    expect(driver.take('checked').map((output) => output.value)).toEqual([1]);
    expect(driver.take<string, { stage: string; step: string; offset: number }>('dead').map(({ value }) => [value.stage, value.step, value.offset]))
      .toEqual([['deserialise', 'numbers', 0], ['process', 'mapValues-1', 1]]);
  });

  it('sends a record to the first branch that wants it', () => {
    const topology = new Topology('branches');
    const all = topology.stream('numbers', { key: utf8, value: json<number>() }).pipe(branch({ small: (value: number) => value < 10 }, 'large'));
    all.side<string, number>('small').to(logTopic('small', { key: utf8, value: json<number>() }));
    all.side<string, number>('large').to(logTopic('large', { key: utf8, value: json<number>() }));
    const driver = new TopologyTestDriver(topology);
    driver.push('numbers', 'a', 5, 1);
    driver.push('numbers', 'a', 50, 2);
    expect([driver.take('small').length, driver.take('large').length]).toEqual([1, 1]);
  });
});

import { describe, expect, it } from 'vitest';
import { joinTable } from '../operators/join-table.ts';
import type { Windowed } from '../operators/operator.ts';
import { selectKey } from '../operators/select-key.ts';
import { untilTimeLimit, untilWindowCloses } from '../operators/suppress.ts';
import { sessions } from '../operators/windows/session-windows.ts';
import { hopping, tumbling } from '../operators/windows/time-windows.ts';
import { TopologyTestDriver } from '../runtime/testing/topology-test-driver.ts';
import { float64, int64, json, utf8, windowedKey } from '../schemas/builtin-codecs.ts';
import type { DeadLetter } from './dead-letter.ts';
import { logTopic } from './sink.ts';
import type { Stream } from './stream.ts';
import { Topology } from './topology.ts';

const numbers = { key: utf8, value: float64 };
const tens = tumbling({ sizeMs: 10, graceMs: 0 });
const visits = sessions({ gapMs: 10, graceMs: 0 });

const source = (topology: Topology) => topology.stream('in', numbers).groupByKey(numbers);

const out = logTopic<Windowed<string>, unknown>('out', { key: windowedKey(utf8), value: json('results') });

/** Ends windowed results in the topic `out`. */
function intoOut<A>(results: Stream<Windowed<string>, A>): void {
  (results as Stream<Windowed<string>, unknown>).to(out);
}

/** Runs [key, value, time] records, and gives `key [start, end] value @ timestamp` of what comes out. */
function run(topology: Topology, records: readonly (readonly [key: string, value: number | null, timestampMs: number])[]): readonly string[] {
  const driver = new TopologyTestDriver(topology);
  for (const [key, value, timestampMs] of records) {
    driver.push('in', key, value, timestampMs);
    driver.restart();
  }
  return driver.take<Windowed<string>, unknown>('out').map(({ key, value, timestampMs }) =>
    `${key.key} [${key.startMs}, ${key.endMs}] ${JSON.stringify(value)} @ ${timestampMs}`);
}

describe('a stream grouped by windows of time', () => {
  it('counts, reduces and aggregates each window', () => {
    const topology = new Topology('windows');
    const windowed = source(topology).windowedBy(tens);
    intoOut(windowed.count('count').toStream());
    intoOut(windowed.reduce('highest', (highest, value) => Math.max(highest, value)).toStream());
    intoOut(windowed.aggregate('all', { initial: () => '', fold: (all, value, key) => `${all}${key}${value}`, aggregate: utf8 }).toStream());
    expect(run(topology, [['a', 7, 3], ['a', 5, 1]])).toEqual([
      'a [0, 10] 1 @ 3', 'a [0, 10] 7 @ 3', 'a [0, 10] "a7" @ 3', 'a [0, 10] 2 @ 3', 'a [0, 10] 7 @ 3', 'a [0, 10] "a7a5" @ 3',
    ]);
  });

  it('gives each window once when final, and what is late by itself', () => {
    const topology = new Topology('windows');
    const counts = source(topology).windowedBy(hopping({ sizeMs: 10, advanceMs: 5, graceMs: 0 })).count('count', { emit: 'final' });
    intoOut(counts.toStream());
    counts.late().to(logTopic('late', numbers));
    const driver = new TopologyTestDriver(topology);
    for (const [value, timestampMs] of [[1, 7], [2, 14], [3, 4]] as const) driver.push('in', 'a', value, timestampMs);
    expect(driver.take<Windowed<string>, number>('out').map(({ key, value }) => [key.startMs, value])).toEqual([[0, 1]]);
    expect(driver.take('late')).toEqual([{ key: 'a', value: 3, timestampMs: 4 }]);
  });

  it('drops records without a value where there must be one, and folds them else, as Kafka Streams does', () => {
    const topology = new Topology('windows');
    const windowed = source(topology).windowedBy(tens);
    intoOut(windowed.count('count').toStream());
    intoOut(windowed.reduce('highest', (highest, value) => Math.max(highest, value)).toStream());
    expect(run(topology, [['a', null, 3], ['a', 5, 4]])).toEqual(['a [0, 10] 1 @ 3', 'a [0, 10] 2 @ 4', 'a [0, 10] 5 @ 4']);
  });

  it('sends records whose key was changed through a topic named after the aggregate', () => {
    const topology = new Topology('windows');
    const parity = topology.stream('in', numbers).pipe(selectKey((value: number): string => (value % 2 === 0 ? 'even' : 'odd')));
    intoOut(parity.groupByKey(numbers).windowedBy(tens).count('count').toStream());
    expect(topology.build().repartitionTopics).toEqual(['count-by-key-repartition']);
    expect(run(topology, [['a', 7, 3], ['b', 5, 1]])).toEqual(['odd [0, 10] 1 @ 3', 'odd [0, 10] 2 @ 3']);
  });

  it('is a table to be joined, by windowed keys', () => {
    const topology = new Topology('windows');
    const counts = source(topology).windowedBy(tens).count('count').toStream().toTable('counts', { key: windowedKey(utf8), value: int64 });
    intoOut(topology.stream('asked', { key: windowedKey(utf8), value: utf8 })
      .pipe(joinTable('answer', counts, (question: string, count: number) => `${question}: ${count}`)));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'a', 7, 3);
    driver.push('in', 'a', 8, 9);
    driver.restart();
    driver.push('asked', { key: 'a', startMs: 0, endMs: 10 }, 'how many', 9);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['how many: 2']);
  });
});

describe('a stream grouped by sessions', () => {
  it('counts, reduces and aggregates each session, and takes back what was absorbed', () => {
    const topology = new Topology('sessions');
    const windowed = source(topology).windowedBy(visits);
    intoOut(windowed.count('count').toStream());
    expect(run(topology, [['a', 7, 1], ['a', 5, 15], ['a', 6, 8]])).toEqual([
      'a [1, 1] 1 @ 1', 'a [15, 15] 1 @ 15', 'a [15, 15] null @ 15', 'a [8, 15] 2 @ 15',
    ]);
    const reduced = new Topology('sessions');
    intoOut(source(reduced).windowedBy(sessions({ gapMs: 10, graceMs: 50 })).reduce('sum', (sum, value) => sum + value, { emit: 'final' }).toStream());
    expect(run(reduced, [['a', 7, 1], ['a', 5, 15], ['a', null, 9], ['a', 6, 8], ['b', 1, 75]])).toEqual(['a [1, 15] 18 @ 15']);
  });

  it('holds sessions back until they close, so that nothing is taken back', () => {
    const topology = new Topology('sessions');
    intoOut(source(topology).windowedBy(visits).count('count').suppress(untilWindowCloses()).toStream());
    expect(run(topology, [['a', 7, 1], ['a', 5, 9], ['b', 6, 18], ['b', 6, 19]])).toEqual(['a [1, 9] 2 @ 9']);
  });

  it('holds results back for a time', () => {
    const topology = new Topology('sessions');
    intoOut(source(topology).windowedBy(visits).count('count').suppress(untilTimeLimit(5), 'calm').toStream());
    expect(run(topology, [['a', 7, 1], ['a', 5, 4], ['a', 6, 8], ['a', 1, 13]])).toEqual([
      'a [1, 1] null @ 1', 'a [1, 4] null @ 4', 'a [1, 8] null @ 8',
    ]);
    expect(topology.describe()).toContain('step calm (suppress; until a time limit of 5 ms; stores: calm)');
  });

  it('cannot hold windows back by the time of all that close by the time of their key', () => {
    const counts = source(new Topology('sessions')).windowedBy(visits).count('count', { timeScope: 'key' });
    expect(() => counts.suppress(untilWindowCloses())).toThrow(/TOPOLOGY_INVALID.*count-suppress.*emit: 'final'/s);
  });

  it('stops the task when it would have to hold back more than it may, dead letters or not', () => {
    const topology = new Topology('sessions');
    topology.deadLetters(logTopic<string, DeadLetter>('dead', { key: utf8, value: json<DeadLetter>() }));
    intoOut(source(topology).windowedBy(visits).count('count').suppress(untilWindowCloses({ maxRecords: 1 })).toStream());
    expect(() => run(topology, [['a', 7, 1], ['b', 5, 9]])).toThrow(/BUFFER_FULL.*count-suppress/s);
  });
});

describe('a table that is held back', () => {
  it('is joined as its followers know it', () => {
    const topology = new Topology('tables');
    const calm = topology.table('names', { key: utf8, value: utf8 }).suppress('calm', { key: utf8, value: utf8 }, untilTimeLimit(10));
    const answers = logTopic<string, string>('answers', { key: utf8, value: utf8 });
    topology.stream('asked', { key: utf8, value: utf8 })
      .pipe(joinTable('answer', calm.filter((name) => name !== ''), (question: string, name: string) => `${question} ${name}`))
      .to(answers);
    calm.toStream().to(logTopic('told', { key: utf8, value: json<string | null>('name') }));
    const driver = new TopologyTestDriver(topology);
    const ask = (timestampMs: number): readonly unknown[] => {
      driver.restart();
      driver.push('asked', 'a', 'who?', timestampMs);
      return driver.take('answers').map(({ value }) => value);
    };
    driver.push('names', 'a', 'old', 0);
    expect(ask(1)).toEqual([]);
    driver.push('names', 'b', 'x', 10);
    expect(ask(10)).toEqual(['who? old']);
    driver.push('names', 'a', 'new', 11);
    expect(ask(12)).toEqual(['who? old']);
    driver.push('names', 'b', 'y', 21);
    expect(ask(21)).toEqual(['who? new']);
    expect(driver.take('told').map(({ value }) => value)).toEqual(['old', 'y', 'new']);
  });

  it('has no versions', () => {
    const table = new Topology('tables').table('names', { key: utf8, value: utf8 }, { historyMs: 10 });
    expect(() => table.suppress('calm', { key: utf8, value: utf8 }, untilTimeLimit(1))).toThrow(/TOPOLOGY_INVALID.*without historyMs/s);
  });
});

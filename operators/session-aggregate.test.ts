import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import type { StreamRecord, Windowed } from './operator.ts';
import { sessionAggregate, type SessionAggregateOptions } from './session-aggregate.ts';
import { OperatorHarness } from './testing/harness.ts';
import { sessions } from './windows/session-windows.ts';

const windows = sessions({ gapMs: 10, graceMs: 5 });
/** Texts in the order in which they were put together. */
const collect: SessionAggregateOptions<string, string, string> = {
  key: utf8, aggregate: json('texts'), initial: () => '', fold: (all, value) => all + value, merge: (earlier, later) => earlier + later,
};
const at = (timestampMs: number, value: string, key = 'a') => ({ key, value, timestampMs });
const session = (startMs: number, endMs: number, value: string | null, key = 'a'): StreamRecord<Windowed<string>, string | null> => ({
  key: { key, startMs, endMs }, value, timestampMs: endMs,
});

describe('sessionAggregate that emits updates', () => {
  it('extends a session to records within the gap, and takes back what it was before', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(100, 'x'), at(110, 'y'), at(105, 'z'), at(121, 'n'));
    expect(running.take()).toEqual([
      session(100, 100, 'x'), session(100, 100, null), session(100, 110, 'xy'),
      session(100, 110, null), session(100, 110, 'xyz'), session(121, 121, 'n'),
    ]);
  });

  it('makes one session of two, the earlier one first, when a record lies between them', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(111, 'c'), at(100, 'a'));
    running.take();
    running.restart();
    running.push(at(105, 'b'));
    expect(running.take()).toEqual([session(100, 100, null), session(111, 111, null), session(100, 111, 'acb')]);
  });

  it('goes on with a session of one moment without taking it back', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(100, 'x'), at(100, 'y'));
    expect(running.take()).toEqual([session(100, 100, 'x'), session(100, 100, 'xy')]);
  });

  it('takes records until stream time is behind end plus gap plus grace, and sends later ones to the late output', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(115, 'now', 'b'), at(100, 'just'), at(99, 'late'));
    expect(running.take()).toEqual([session(115, 115, 'now', 'b'), session(100, 100, 'just')]);
    expect(running.take('late')).toEqual([at(99, 'late')]);
    expect(running.dropped).toEqual({ late: 1 });
  });

  it('forgets a session that has closed: a record within the gap of it begins another', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(100, 'x'), at(115, 'now', 'b'), at(101, 'y'));
    expect(running.take()).toEqual([session(100, 100, 'x'), session(115, 115, 'now', 'b'), session(101, 101, 'y')]);
  });

  it('takes an old record into a session that is still open', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push(at(105, 'x'), at(119, 'now', 'b'), at(96, 'old'));
    expect(running.take().slice(2)).toEqual([session(105, 105, null), session(96, 105, 'xold')]);
    expect(running.dropped).toEqual({});
  });

  it('drops records without a key and counts them; their time does not count', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
    running.push({ key: null, value: 'x', timestampMs: 1_000 }, at(0, 'y'));
    expect(running.dropped).toEqual({ 'null-key': 1 });
    expect(running.take()).toEqual([session(0, 0, 'y')]);
  });

  it('keeps nothing of a record whose fold throws', () => {
    const failing = { ...collect, fold: (all: string, value: string) => { if (value === 'bad') throw new Error('no'); return all + value; } };
    const running = new OperatorHarness(sessionAggregate('sessions', windows, failing));
    running.push(at(100, 'x'));
    running.take();
    running.push(at(105, 'bad'), at(106, 'y'));
    expect(running.failures.map(({ record }) => record)).toEqual([at(105, 'bad')]);
    expect(running.take()).toEqual([session(100, 100, null), session(100, 106, 'xy')]);
  });
});

describe('sessionAggregate that emits final results', () => {
  const final = { ...collect, emit: 'final' as const };

  it('emits a session once, when it closes, in the order of its end and then of key bytes', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, final));
    running.push(at(100, '1', '\u{1F600}'), at(99, '2', 'c'), at(100, '3', '\uFFFD'), at(90, '4', 'c'));
    running.restart();
    running.push(at(114, '5', 'd'));
    expect(running.take()).toEqual([session(90, 99, '24', 'c')]);
    running.push(at(115, '6', 'd'));
    expect(running.take()).toEqual([session(100, 100, '3', '\uFFFD'), session(100, 100, '1', '\u{1F600}')]);
  });

  it('gives a second result to a record at the very end of the grace, as Kafka Streams does', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, final));
    running.push(at(100, 'x'), at(115, 'now', 'b'), at(100, 'again'));
    expect(running.take()).toEqual([session(100, 100, 'x'), session(100, 100, 'again')]);
  });

  it('closes what is due when its sources are idle, and counts what comes then as late', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, final));
    running.push(at(100, 'x'), at(103, 'y', 'b'));
    running.idle(116);
    expect(running.take()).toEqual([session(100, 100, 'x')]);
    running.push(at(100, 'late'));
    expect(running.take('late')).toEqual([at(100, 'late')]);
  });
});

describe('sessionAggregate with time by key', () => {
  const byKey = { ...collect, emit: 'final' as const, timeScope: 'key' as const };

  it('closes a key by its own progress only', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, byKey));
    running.push(at(9_000, 'x', 'b'), at(100, 'y'), at(105, 'z'));
    expect(running.take('late')).toEqual([]);
    running.restart();
    running.push(at(120, 'n'), at(104, 'late'));
    expect(running.take()).toEqual([session(100, 105, 'yz')]);
    expect(running.take('late')).toEqual([at(104, 'late')]);
  });

  it('closes a silent key when the step is silentKeyMs ahead, and does not open its sessions again', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, { ...byKey, silentKeyMs: 50 }));
    running.push(at(100, 'x'), at(164, 'n', 'b'));
    expect(running.take()).toEqual([]);
    running.push(at(165, 'n', 'b'), at(99, 'late'));
    expect(running.take()).toEqual([session(100, 100, 'x')]);
    expect(running.take('late')).toEqual([at(99, 'late')]);
  });

  it('closes every key when its sources are idle', () => {
    const running = new OperatorHarness(sessionAggregate('sessions', windows, byKey));
    running.push(at(100, 'x'), at(90, 'y', 'b'));
    running.idle(115);
    expect(running.take()).toEqual([session(90, 90, 'y', 'b'), session(100, 100, 'x')]);
    running.push(at(99, 'late'), at(100, 'n', 'b'));
    expect(running.take('late')).toEqual([at(99, 'late')]);
  });
});

describe('sessions', () => {
  it.each([{ gapMs: 0, graceMs: 0 }, { gapMs: 1.5, graceMs: 0 }, { gapMs: 1, graceMs: -1 }])('refuses %o', (options) => {
    expect(() => sessions(options)).toThrow(/TOPOLOGY_INVALID/);
  });

  it('have no silent keys where time is everyone\'s', () => {
    expect(() => sessionAggregate('sessions', windows, { ...collect, silentKeyMs: 1 })).toThrow(/TOPOLOGY_INVALID.*silentKeyMs/);
  });
});

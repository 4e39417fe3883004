import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { detectSilence, type Silence } from './detect-silence.ts';
import type { StreamRecord } from './operator.ts';
import { OperatorHarness } from './testing/harness.ts';

const afterMs = 10;
const silent = () => new OperatorHarness(detectSilence<string, string>('silent', { afterMs, key: utf8 }));
const at = (key: string, timestampMs: number): StreamRecord<string, string> => ({ key, value: 'beat', timestampMs });
const silence = (key: string, lastMs: number, heardMs: number, noticedMs: number): StreamRecord<string, Silence> =>
  ({ key, value: { lastMs, heardMs, noticedMs }, timestampMs: heardMs + afterMs });

describe('detectSilence', () => {
  it('tells of a key once, when time has gone on by more than afterMs, and again after its next record', () => {
    const running = silent();
    running.push(at('a', 0), at('b', 10));
    expect(running.take()).toEqual([]);                           // 'a' may still come: 10 is in time
    running.push(at('b', 11), at('b', 30));
    expect(running.take()).toEqual([silence('a', 0, 0, 11), silence('b', 11, 11, 30)]);
    running.restart();
    running.push(at('a', 31), at('b', 42));
    expect(running.take()).toEqual([silence('b', 30, 30, 42), silence('a', 31, 31, 42)]);
  });

  it('tells of the silence that a key ends itself, before it is heard of again', () => {
    const running = silent();
    running.push(at('a', 0), at('a', 11), at('a', 21));
    expect(running.take()).toEqual([silence('a', 0, 0, 11)]);
  });

  it('counts from when a record came, whatever its own time: what is sent late is no silence', () => {
    const running = silent();
    running.push(at('b', 100), at('a', 3), at('a', 4), at('b', 110));
    expect(running.take()).toEqual([]);
    running.push(at('b', 111));
    expect(running.take()).toEqual([silence('a', 4, 100, 111)]);
  });

  it('is told of time by idle sources, and by the wall clock when it is wanted', () => {
    const running = silent();
    running.push(at('a', 0));
    running.idle(10);
    expect(running.take()).toEqual([]);
    running.idle(11);
    expect(running.take()).toEqual([silence('a', 0, 0, 11)]);

    const clocked = new OperatorHarness(detectSilence<string, string>('silent', { afterMs, key: utf8, wallClockEveryMs: 5 }));
    clocked.push(at('a', 0));
    clocked.punctuate('wall-clock', 15);
    expect(clocked.take()).toEqual([silence('a', 0, 0, 15)]);
  });

  it('drops records without a key, counted, and they move no time', () => {
    const running = new OperatorHarness(detectSilence<string | null, string>('silent', { afterMs, key: utf8 }));
    running.push({ key: 'a', value: '', timestampMs: 0 }, { key: null, value: '', timestampMs: 50 });
    expect([running.take(), running.dropped]).toEqual([[], { 'null-key': 1 }]);
  });

  it('keeps nothing of a key that is silent', () => {
    const running = silent();
    running.push(at('a', 0), at('b', 50));
    running.idle(100);
    expect(running.stores.commit()).toEqual([]);
  });

  it('refuses a length of time that is none', () => {
    expect(() => detectSilence('silent', { afterMs: 0, key: utf8 })).toThrow(/TOPOLOGY_INVALID: afterMs is 0/);
    expect(() => detectSilence('silent', { afterMs: 1, key: utf8, wallClockEveryMs: -1 })).toThrow(/wallClockEveryMs/);
  });
});

interface Moment {
  /** Null: time goes on without a record. */
  readonly key: string | null;
  readonly timeMs: number;
}

const keys = ['a', 'b', '\u{10000}', '\uffff'];
const moments = fc.array(fc.record({ key: fc.constantFrom(...keys, null), timeMs: fc.nat(150) }), { maxLength: 40 });

/** Looks at the whole history for each key at each moment, remembering nothing but how far it was told. */
function model(history: readonly Moment[]): StreamRecord<string, Silence>[] {
  const told: StreamRecord<string, Silence>[] = [];
  const timeAt = history.map((_one, index) => Math.max(...history.slice(0, index + 1).map((one) => one.timeMs)));
  const toldUntil = new Map<string, number>();
  for (const [now, noticedMs] of timeAt.entries()) {
    const fallen = keys.flatMap((key) => {
      const from = toldUntil.get(key) ?? 0;
      const own = history.map((one, index) => ({ ...one, index })).filter((one) => one.key === key && one.index >= from && one.index < now);
      const last = own.at(-1);
      if (last === undefined) return [];
      const heardMs = timeAt[last.index] as number;
      if (noticedMs - heardMs <= afterMs) return [];
      toldUntil.set(key, now);
      return [silence(key, Math.max(...own.map((one) => one.timeMs)), heardMs, noticedMs)];
    });
    told.push(...fallen.sort((left, right) =>
      left.timestampMs - right.timestampMs || Buffer.compare(Buffer.from(left.key), Buffer.from(right.key))));
  }
  return told;
}

it('tells what the whole history says, with commits and restarts anywhere', () => {
  fc.assert(fc.property(moments, fc.infiniteStream(fc.nat(5)), (history, dice) => {
    const running = silent();
    for (const { key, timeMs } of history) {
      if (key === null) running.idle(timeMs);
      else running.push(at(key, timeMs));
      if (dice.next().value === 0) running.restart();
    }
    expect(running.take()).toEqual(model(history));
  }), propertyRuns());
});

it('tells the same silences in the same order whatever moves time on', () => {
  fc.assert(fc.property(moments, fc.array(fc.nat(150)), (history, ticks) => {
    const records = history.filter((one) => one.key !== null);
    const run = (extra: readonly Moment[]): unknown[] => {
      const running = silent();
      for (const { key, timeMs } of extra) {
        if (key === null) running.idle(timeMs);
        else running.push(at(key, timeMs));
      }
      running.idle(1_000);
      return running.take().map(({ key, value, timestampMs }) => [key, value.heardMs, timestampMs]);
    };
    let highestMs = 0;
    const withTicks = records.flatMap((one, index): Moment[] => {
      highestMs = Math.max(highestMs, one.timeMs);
      // Some time up to that which the next record brings itself.
      return [{ key: null, timeMs: Math.min(ticks[index] ?? 0, highestMs) }, one];
    });
    expect(run(withTicks)).toEqual(run(records));
  }), propertyRuns());
});

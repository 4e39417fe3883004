import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import type { StreamRecord, Windowed } from './operator.ts';
import { sessionAggregate, type SessionAggregateOptions } from './session-aggregate.ts';
import { OperatorHarness } from './testing/harness.ts';
import { sessions, type SessionWindows } from './windows/session-windows.ts';

type In = StreamRecord<string, number>;
type Out = StreamRecord<Windowed<string>, readonly number[] | null>;

/** Collects values in ascending order, so that the order of arrival does not show. */
const ascending = (left: number, right: number): number => left - right;
const collect: SessionAggregateOptions<string, number, readonly number[]> = {
  key: utf8, aggregate: json('values'), initial: () => [], fold: (all, value) => [...all, value].sort(ascending),
  merge: (earlier, later) => [...earlier, ...later].sort(ascending),
};
const keys = ['a', 'b', '\u{10000}', '\uffff'];
const record = fc.record({ key: fc.constantFrom(...keys), value: fc.nat(99), timestampMs: fc.nat(150) });
const windowings = fc.constantFrom(
  sessions({ gapMs: 3, graceMs: 0 }), sessions({ gapMs: 10, graceMs: 0 }), sessions({ gapMs: 7, graceMs: 25 }), sessions({ gapMs: 2, graceMs: 400 }),
);
const endMs = 10_000;
const compareKeys = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
const inOrder = (left: Out, right: Out): number => left.key.endMs - right.key.endMs || compareKeys(left.key.key, right.key.key);

/** Cuts one key's records into sessions, at each silence longer than the gap. */
function cut(records: readonly In[], gapMs: number): In[][] {
  const cuts: In[][] = [];
  for (const one of records.toSorted((left, right) => left.timestampMs - right.timestampMs)) {
    const last = cuts.at(-1)?.at(-1);
    if (last === undefined || one.timestampMs - last.timestampMs > gapMs) cuts.push([one]);
    else cuts.at(-1)?.push(one);
  }
  return cuts;
}

function resultOf(records: readonly In[]): Out {
  const times = records.map((one) => one.timestampMs);
  const lastMs = Math.max(...times);
  return {
    key: { key: records[0]?.key ?? '', startMs: Math.min(...times), endMs: lastMs },
    value: records.map((one) => one.value).sort(ascending), timestampMs: lastMs,
  };
}

interface Model {
  /** By record: what was taken back and what was told. */
  readonly updates: Out[];
  /** In the order of their closing. */
  readonly closed: Out[];
  readonly late: In[];
}

/** All sessions cut anew from everything that was accepted and has not closed, for each record. */
function model({ gapMs, graceMs }: SessionWindows, records: readonly In[], scope: 'task' | 'key'): Model {
  let open: In[] = [];
  const result: Model = { updates: [], closed: [], late: [] };
  const highest = new Map<string, number>();
  const cutsOf = (key: string): In[][] => cut(open.filter((one) => one.key === key), gapMs);
  const cutWith = (one: In): readonly In[] => cutsOf(one.key).find((session) => session.includes(one)) ?? [];
  const close = (nowMs: number, closingKeys: readonly string[]): void => {
    const due = closingKeys.flatMap(cutsOf).filter((session) => (session.at(-1)?.timestampMs ?? 0) + gapMs + graceMs <= nowMs);
    open = open.filter((one) => !due.some((session) => session.includes(one)));
    result.closed.push(...due.map(resultOf).sort(inOrder));
  };
  for (const given of records) {
    const one = { ...given };
    const clock = scope === 'task' ? 'task' : one.key;
    const nowMs = Math.max(highest.get(clock) ?? -1, one.timestampMs);
    highest.set(clock, nowMs);
    const before = cutsOf(one.key).map(resultOf);
    open.push(one);
    const after = resultOf(cutWith(one));
    if (after.key.endMs + gapMs + graceMs < nowMs) {
      open.pop();
      result.late.push(given);
      continue;
    }
    const isMoment = after.key.startMs === after.key.endMs;
    const absorbed = before.filter(({ key }) => !isMoment && key.startMs >= after.key.startMs && key.endMs <= after.key.endMs);
    result.updates.push(...absorbed.map((session): Out => ({ ...session, value: null })), after);
    close(nowMs, scope === 'task' ? keys : [one.key]);
  }
  close(endMs, keys);
  return result;
}

describe('sessionAggregate', () => {
  it('sends for each record what sessions cut from the whole history would', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 40 }), fc.infiniteStream(fc.nat(5)), (windows, records, dice) => {
      const running = new OperatorHarness(sessionAggregate('sessions', windows, collect));
      for (const one of records) {
        running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      const { updates, late } = model(windows, records, 'task');
      expect(running.take()).toEqual(updates);
      expect(running.take('late')).toEqual(late);
      expect(running.dropped['late'] ?? 0).toBe(late.length);
    }), propertyRuns());
  });

  it('gives each session once when final, and sessions and late records together are everything', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 40 }), fc.infiniteStream(fc.nat(5)), (windows, records, dice) => {
      const running = new OperatorHarness(sessionAggregate('sessions', windows, { ...collect, emit: 'final' }));
      for (const one of records) {
        running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      running.idle(endMs);
      const { closed, late } = model(windows, records, 'task');
      const results = running.take();
      expect(results).toEqual(closed);
      expect(running.take('late')).toEqual(late);
      expect(results.flatMap(({ value }) => value).length + late.length).toBe(records.length);
    }), propertyRuns());
  });

  it('measures each key by its own progress when told so: keys do not see each other', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 40 }), fc.infiniteStream(fc.nat(5)), (windows, records, dice) => {
      const running = new OperatorHarness(sessionAggregate('sessions', windows, { ...collect, emit: 'final', timeScope: 'key' }));
      for (const one of records) {
        running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      running.idle(endMs);
      const { closed, late } = model(windows, records, 'key');
      expect(running.take()).toEqual(closed);
      expect(running.take('late')).toEqual(late);
    }), propertyRuns());
  });

  it('gives the same final sessions for any order of arrival that stays within grace', () => {
    const shuffled = fc.array(record, { maxLength: 30 }).chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
    fc.assert(fc.property(shuffled, ([records, arrived]) => {
      const run = (input: readonly In[]): Out[] => {
        const running = new OperatorHarness(sessionAggregate('sessions', sessions({ gapMs: 6, graceMs: 150 }), { ...collect, emit: 'final' }));
        running.push(...input);
        running.idle(endMs);
        return running.take();
      };
      expect(run(arrived).sort(inOrder)).toEqual(run(records.toSorted((left, right) => left.timestampMs - right.timestampMs)).sort(inOrder));
    }), propertyRuns());
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { Operator, StreamRecord, Windowed } from '../operator.ts';
import { sessionAggregate } from '../session-aggregate.ts';
import { OperatorHarness } from '../testing/harness.ts';
import { windowAggregate } from '../window-aggregate.ts';
import { sessions } from './session-windows.ts';
import { sliding } from './sliding-windows.ts';
import { hopping, tumbling } from './time-windows.ts';

type In = StreamRecord<string, number>;
type Final = Operator<string | null, number, Windowed<string>, readonly number[]>;

const keys = ['a', 'b', 'c'];
const recordUpTo = (ms: number): fc.Arbitrary<In> => fc.record({ key: fc.constantFrom(...keys), value: fc.nat(99), timestampMs: fc.nat(ms) });
const record = recordUpTo(80);
/** Records, and idle times; close together in half of the histories, so that the edges of windows and of what is kept are met. */
const moments = fc.oneof(
  fc.array(fc.oneof(record, fc.nat(120)), { maxLength: 30 }), fc.array(fc.oneof(recordUpTo(20), fc.nat(28)), { maxLength: 12 }),
);
const collect = {
  key: utf8, aggregate: json<readonly number[]>('values'), initial: () => [], fold: (all: readonly number[], value: number) => [...all, value],
  merge: (earlier: readonly number[], later: readonly number[]) => [...earlier, ...later],
};
const kinds: readonly { readonly kind: string; readonly of: (timeScope: 'task' | 'key') => Final; readonly closesAfterMs: number }[] = [
  { kind: 'sessions', of: (timeScope) => sessionAggregate('windows', sessions({ gapMs: 7, graceMs: 5 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 12 },
  { kind: 'tumbling windows', of: (timeScope) => windowAggregate('windows', tumbling({ sizeMs: 10, graceMs: 5 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 5 },
  { kind: 'hopping windows', of: (timeScope) => windowAggregate('windows', hopping({ sizeMs: 20, advanceMs: 6, graceMs: 0 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 0 },
];
const slid = (timeDifferenceMs: number, graceMs: number) => (timeScope: 'task' | 'key'): Final =>
  windowAggregate('windows', sliding({ timeDifferenceMs, graceMs }), { ...collect, emit: 'final', timeScope });
const slidingKinds = [
  { kind: 'sliding windows', of: slid(12, 5) }, { kind: 'sliding windows without grace', of: slid(12, 0) },
  { kind: 'shortest sliding windows', of: slid(1, 5) }, { kind: 'sliding windows shorter than their grace', of: slid(3, 20) },
];

describe('idle sources', () => {
  // A key's first record: another one near it would begin a newer sliding window, and what is kept is counted from the newest.
  it.each([...kinds, ...slidingKinds])('close the $kind that the first record of another key and of that time would', ({ of }) => {
    fc.assert(fc.property(moments, fc.infiniteStream(fc.nat(5)), (given, dice) => {
      const idling = new OperatorHarness(of('task'));
      const going = new OperatorHarness(of('task'));
      const results = (running: typeof going): unknown[] => running.take().filter(({ key }) => keys.includes(key.key ?? ''));
      let idleMs = 0;
      for (const [at, moment] of given.entries()) {
        if (typeof moment === 'number') {
          idleMs = Math.max(idleMs, moment);
          idling.idle(idleMs);
          going.push({ key: `other ${at}`, value: 0, timestampMs: idleMs });
        } else {
          idling.push(moment);
          going.push(moment);
        }
        expect(results(idling)).toEqual(results(going));
        for (const running of [idling, going]) if (dice.next().value === 0) running.restart();
      }
      expect(idling.take('late')).toEqual(going.take('late').filter(({ key }) => keys.includes(key as string)));
    }), propertyRuns());
  });

  it('do not make sliding windows forget more than one record would, however often they say the time', () => {
    const running = new OperatorHarness(slid(12, 5)('task'));
    const at = (timestampMs: number): In => ({ key: 'a', value: timestampMs, timestampMs });
    running.push(at(11));
    running.idle(28);
    expect(running.take()).toEqual([{ key: { key: 'a', startMs: 0, endMs: 12 }, value: [11], timestampMs: 11 }]);
    running.idle(29);
    // [12, 24] takes records up to 29: that 11 is no part of it only the window of 11 tells.
    running.push(at(12));
    expect(running.take()).toEqual([{ key: { key: 'a', startMs: 12, endMs: 24 }, value: [12], timestampMs: 12 }]);
    expect(running.take('late')).toEqual([]);
  });

  it('make sliding windows forget what one record would, also when they start again', () => {
    const make = (): OperatorHarness<string | null, number, Windowed<string>, readonly number[]> => new OperatorHarness(slid(1, 5)('task'));
    const [idling, going] = [make(), make()];
    const early: In = { key: 'a', value: 1, timestampMs: 11 };
    const late: In = { key: 'a', value: 2, timestampMs: 12 };
    for (const running of [idling, going]) running.push(early);
    idling.idle(18);
    going.push({ key: 'other', value: 0, timestampMs: 18 });
    for (const running of [idling, going]) {
      running.restart();
      running.take();
      running.push(late);
      expect(running.take()).toEqual([]);
      expect(running.take('late')).toEqual([late]);
    }
  });

  it.each(kinds)('close the $kind of every key that are due, where each key has its own time, and none of them opens again', ({ of, closesAfterMs }) => {
    const isDue = (idleMs: number) => ({ key }: StreamRecord<Windowed<string>, unknown>): boolean => key.endMs + closesAfterMs <= idleMs;
    fc.assert(fc.property(fc.array(record, { maxLength: 30 }), fc.nat(120), fc.array(record, { maxLength: 20 }), (before, idleMs, after) => {
      const idling = new OperatorHarness(of('key'));
      idling.push(...before);
      idling.restart();
      idling.take();
      idling.idle(idleMs);
      idling.restart();
      const closed = idling.take();
      expect(closed.filter(isDue(idleMs))).toEqual(closed);
      expect(closed).toEqual(closed.toSorted((left, right) => left.key.endMs - right.key.endMs || (left.key.key < right.key.key ? -1 : 1)));
      const ids = new Set(closed.map(({ key }) => JSON.stringify(key)));
      idling.push(...after);
      // But for a session of the very moment at which one has closed.
      for (const { key } of idling.take()) if (key.startMs < key.endMs) expect(ids).not.toContain(JSON.stringify(key));
    }), propertyRuns());
    fc.assert(fc.property(fc.array(record, { maxLength: 30 }), fc.nat(120), (records, idleMs) => {
      const idling = new OperatorHarness(of('key'));
      idling.push(...records);
      idling.idle(idleMs);
      idling.take();
      idling.idle(10_000);
      expect(idling.take().some(isDue(idleMs))).toBe(false);
    }), propertyRuns());
  });
});

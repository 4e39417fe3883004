import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../state/local/testing/property-runs.ts';
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
const record: fc.Arbitrary<In> = fc.record({ key: fc.constantFrom(...keys), value: fc.nat(99), timestampMs: fc.nat(80) });
const collect = {
  key: utf8, aggregate: json<readonly number[]>('values'), initial: () => [], fold: (all: readonly number[], value: number) => [...all, value],
  merge: (earlier: readonly number[], later: readonly number[]) => [...earlier, ...later],
};
const kinds: readonly { readonly kind: string; readonly of: (timeScope: 'task' | 'key') => Final; readonly closesAfterMs: number }[] = [
  { kind: 'sessions', of: (timeScope) => sessionAggregate('windows', sessions({ gapMs: 7, graceMs: 5 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 12 },
  { kind: 'tumbling windows', of: (timeScope) => windowAggregate('windows', tumbling({ sizeMs: 10, graceMs: 5 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 5 },
  { kind: 'hopping windows', of: (timeScope) => windowAggregate('windows', hopping({ sizeMs: 20, advanceMs: 6, graceMs: 0 }), { ...collect, emit: 'final', timeScope }), closesAfterMs: 0 },
];
const slid = (timeScope: 'task' | 'key'): Final =>
  windowAggregate('windows', sliding({ timeDifferenceMs: 12, graceMs: 5 }), { ...collect, emit: 'final', timeScope });

describe('idle sources', () => {
  it.each([...kinds, { kind: 'sliding windows', of: slid, closesAfterMs: 5 }])('close the $kind that another key\'s record of that time would', ({ of }) => {
    const moments = fc.array(fc.oneof(record, fc.nat(120)), { maxLength: 30 });
    fc.assert(fc.property(moments, fc.infiniteStream(fc.nat(5)), (given, dice) => {
      const idling = new OperatorHarness(of('task'));
      const going = new OperatorHarness(of('task'));
      const results = (running: typeof going): unknown[] => running.take().filter(({ key }) => key.key !== 'other');
      let idleMs = 0;
      for (const moment of given) {
        if (typeof moment === 'number') {
          idleMs = Math.max(idleMs, moment);
          idling.idle(idleMs);
          going.push({ key: 'other', value: 0, timestampMs: idleMs });
        } else {
          idling.push(moment);
          going.push(moment);
        }
        expect(results(idling)).toEqual(results(going));
        if (dice.next().value === 0) for (const running of [idling, going]) running.restart();
      }
      expect(idling.take('late')).toEqual(going.take('late').filter(({ key }) => key !== 'other'));
    }), propertyRuns());
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

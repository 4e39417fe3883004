import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import type { Operator, StreamRecord, Windowed } from './operator.ts';
import { sessionAggregate } from './session-aggregate.ts';
import { bufferedChange } from './suppress/buffered.ts';
import { suppressChanges } from './suppress/change-suppression.ts';
import { suppressWindows } from './suppress/window-suppression.ts';
import { untilTimeLimit, untilWindowCloses, type EagerBuffer } from './suppress.ts';
import type { Change } from './table-source.ts';
import { OperatorHarness } from './testing/harness.ts';
import { windowAggregate } from './window-aggregate.ts';
import { sessions } from './windows/session-windows.ts';
import { sliding } from './windows/sliding-windows.ts';
import { hopping, tumbling } from './windows/time-windows.ts';

type Changed = StreamRecord<string, Change<number>>;

const keys = ['a', 'b', 'b\u0000', '\u{10000}', '\uffff'];
const values = json<number>('value');
const compareKeys = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

interface Row {
  readonly key: string;
  readonly value: number | null;
  readonly timestampMs: number;
}

/** A table's changes from what its rows become, by time. */
function changesOf(rows: readonly Row[]): Changed[] {
  const table = new Map<string, number | null>();
  return rows.map(({ key, value, timestampMs }) => {
    const oldValue = table.get(key) ?? null;
    table.set(key, value);
    return { key, value: { newValue: value, oldValue, isLatest: true }, timestampMs };
  });
}

/** All that waits is sorted anew for each record. */
function model(changes: readonly Changed[], limitMs: number, buffer: EagerBuffer): Changed[] {
  interface Waiting { readonly timeMs: number; readonly first: Changed; last: Changed }
  const waiting: Waiting[] = [];
  const sent: Changed[] = [];
  const bytesOf = ({ first, last }: Waiting): number => 8 + utf8.encode(first.key).length + bufferedChange(values).encode({
    toldValue: first.value.oldValue, newValue: last.value.newValue, timestampMs: last.timestampMs,
  }).length;
  const isOver = (): boolean => waiting.length > (buffer.maxRecords ?? Number.POSITIVE_INFINITY)
    || waiting.map(bytesOf).reduce((sum, bytes) => sum + bytes, 0) > (buffer.maxBytes ?? Number.POSITIVE_INFINITY);
  let nowMs = -1;
  for (const change of changes) {
    nowMs = Math.max(nowMs, change.timestampMs);
    const known = waiting.find(({ first }) => first.key === change.key);
    if (known === undefined) waiting.push({ timeMs: change.timestampMs, first: change, last: change });
    else known.last = change;
    waiting.sort((left, right) => left.timeMs - right.timeMs || compareKeys(left.first.key, right.first.key));
    while (waiting[0] !== undefined && (waiting[0].timeMs <= nowMs - limitMs || isOver())) {
      const { first, last } = waiting.shift() as Waiting;
      sent.push({ ...last, value: { newValue: last.value.newValue, oldValue: first.value.oldValue, isLatest: true } });
    }
  }
  return sent;
}

const row = fc.record({ key: fc.constantFrom(...keys), value: fc.option(fc.nat(999)), timestampMs: fc.nat(60) });
const buffers = fc.constantFrom<EagerBuffer>({}, { maxRecords: 1 }, { maxRecords: 3 }, { maxBytes: 60 }, { maxBytes: 110, maxRecords: 4 });

describe('suppress', () => {
  it('until a time limit sends what sorting all that waits for each record would', () => {
    fc.assert(fc.property(fc.array(row, { maxLength: 40 }), fc.nat(30), buffers, fc.infiniteStream(fc.nat(5)), (rows, limitMs, buffer, dice) => {
      const changes = changesOf(rows);
      const running = new OperatorHarness(suppressChanges('held', untilTimeLimit(limitMs, buffer), { key: utf8, value: values }));
      for (const change of changes) {
        running.push(change);
        if (dice.next().value === 0) running.restart();
      }
      expect(running.take()).toEqual(model(changes, limitMs, buffer));
    }), propertyRuns());
  });

  it('leaves the table as it is in the end, and each old value is the new value sent before', () => {
    fc.assert(fc.property(fc.array(row, { maxLength: 40 }), fc.nat(30), buffers, (rows, limitMs, buffer) => {
      const running = new OperatorHarness(suppressChanges('held', untilTimeLimit(limitMs, buffer), { key: utf8, value: values }));
      running.push(...changesOf(rows));
      running.idle(10_000);
      const told = new Map<string, number | null>();
      for (const { key, value } of running.take()) {
        expect(value.oldValue).toBe(told.get(key) ?? null);
        told.set(key, value.newValue);
      }
      expect(told).toEqual(new Map(rows.map(({ key, value }) => [key, value])));
    }), propertyRuns());
  });

  type In = StreamRecord<string, number>;
  type Windowing = Operator<string | null, number, Windowed<string>, readonly number[] | null>;
  const collect = {
    key: utf8, aggregate: json<readonly number[]>('values'), initial: () => [], fold: (all: readonly number[], value: number) => [...all, value],
    merge: (earlier: readonly number[], later: readonly number[]) => [...earlier, ...later],
  };
  const input: fc.Arbitrary<In> = fc.record({ key: fc.constantFrom(...keys), value: fc.nat(99), timestampMs: fc.nat(150) });
  const kinds: readonly { readonly kind: string; readonly of: (emit: 'update' | 'final', graceMs: number) => Windowing; readonly closesAfterMs: number }[] = [
    { kind: 'sessions', of: (emit, graceMs) => sessionAggregate('windows', sessions({ gapMs: 7, graceMs }), { ...collect, emit }), closesAfterMs: 7 },
    { kind: 'tumbling windows', of: (emit, graceMs) => windowAggregate('windows', tumbling({ sizeMs: 10, graceMs }), { ...collect, emit }), closesAfterMs: 0 },
    { kind: 'hopping windows', of: (emit, graceMs) => windowAggregate('windows', hopping({ sizeMs: 20, advanceMs: 6, graceMs }), { ...collect, emit }), closesAfterMs: 0 },
    { kind: 'sliding windows', of: (emit, graceMs) => windowAggregate('windows', sliding({ timeDifferenceMs: 12, graceMs }), { ...collect, emit }), closesAfterMs: 0 },
  ];

  it.each(kinds)('until the window closes sends what final $kind are', ({ of, closesAfterMs }) => {
    fc.assert(fc.property(fc.array(input, { maxLength: 40 }), fc.constantFrom(0, 5, 40), fc.infiniteStream(fc.nat(5)), (records, graceMs, dice) => {
      const final = new OperatorHarness(of('final', graceMs));
      const held = new OperatorHarness(suppressWindows('held', untilWindowCloses(), { ...collect, closesAfterMs: closesAfterMs + graceMs }));
      const updates = new OperatorHarness(of('update', graceMs), undefined, (port, result) => {
        if (port === '') held.push(result as StreamRecord<Windowed<string>, readonly number[] | null>);
      });
      for (const one of records) {
        final.push(one);
        updates.push(one);
        expect(held.take()).toEqual(final.take());
        if (dice.next().value === 0) for (const running of [final, held, updates]) running.restart();
      }
      for (const running of [final, held, updates]) running.idle(10_000);
      expect(held.take()).toEqual(final.take());
    }), propertyRuns());
  });
});

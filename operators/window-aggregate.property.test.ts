import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import type { StreamRecord, Windowed } from './operator.ts';
import { OperatorHarness } from './testing/harness.ts';
import { windowAggregate, type WindowAggregateOptions } from './window-aggregate.ts';
import { sliding } from './windows/sliding-windows.ts';
import { hopping, tumbling, windowsAt, type TimeWindows } from './windows/time-windows.ts';

type In = StreamRecord<string, number>;
type Out = StreamRecord<Windowed<string>, number[]>;

/** Collects values in ascending order, so that the order of arrival does not show. */
const collect: WindowAggregateOptions<string, number, number[]> = {
  key: utf8, aggregate: json('values'), initial: () => [], fold: (all, value) => [...all, value].sort((left, right) => left - right),
};
const record = fc.record({ key: fc.constantFrom('a', 'b', '\u{10000}', '\uffff'), value: fc.nat(99), timestampMs: fc.nat(200) });
const windowings = fc.constantFrom(
  tumbling({ sizeMs: 10, graceMs: 0 }), tumbling({ sizeMs: 7, graceMs: 25 }), hopping({ sizeMs: 20, advanceMs: 8, graceMs: 10 }),
);
const endMs = 10_000;
const compareKeys = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
const inOrder = (left: Out, right: Out): number => left.key.startMs - right.key.startMs || compareKeys(left.key.key, right.key.key);

/** All windows of the records that some window takes, computed at once, by the words of the documentation. */
function model(windows: TimeWindows, records: readonly In[], scope: 'task' | 'key'): { readonly results: Out[]; readonly late: In[] } {
  const held = new Map<string, Out>();
  const late: In[] = [];
  const highest = new Map<string, number>();
  for (const one of records) {
    const clock = scope === 'task' ? 'task' : one.key;
    const nowMs = Math.max(highest.get(clock) ?? -1, one.timestampMs);
    highest.set(clock, nowMs);
    const open = windowsAt(windows, one.timestampMs).filter((window) => window.endMs + windows.graceMs > nowMs);
    if (open.length === 0) late.push(one);
    for (const window of open) {
      const id = `${window.startMs}/${one.key}`;
      const before = held.get(id);
      held.set(id, {
        key: { key: one.key, ...window },
        value: [...(before?.value ?? []), one.value].sort((left, right) => left - right),
        timestampMs: Math.max(before?.timestampMs ?? -1, one.timestampMs),
      });
    }
  }
  return { results: [...held.values()].sort(inOrder), late };
}

describe('windowAggregate', () => {
  it('gives each window once when final, and windows and late records together are everything', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 40 }), fc.infiniteStream(fc.nat(9)), (windows, records, dice) => {
      const running = new OperatorHarness(windowAggregate('windows', windows, { ...collect, emit: 'final' }));
      const closing: In = { key: 'zz', value: 0, timestampMs: endMs };
      for (const one of [...records, closing]) {
        running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      const { results, late } = model(windows, records, 'task');
      // By end, then key: the order of their closing, whatever closed them.
      expect(running.take()).toEqual(results);
      expect(running.take('late')).toEqual(late);
      expect(running.dropped['late'] ?? 0).toBeGreaterThanOrEqual(late.length);
    }), propertyRuns());
  });

  it('gives the same final windows for any order of arrival that stays within grace', () => {
    const shuffled = fc.array(record, { maxLength: 40 }).chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
    fc.assert(fc.property(shuffled, ([records, arrived]) => {
      const windows = tumbling({ sizeMs: 10, graceMs: 200 });
      const run = (input: readonly In[]): Out[] => {
        const running = new OperatorHarness(windowAggregate('windows', windows, { ...collect, emit: 'final' }));
        running.push(...input, { key: 'zz', value: 0, timestampMs: endMs });
        return running.take();
      };
      expect(run(arrived)).toEqual(run(records.toSorted((left, right) => left.timestampMs - right.timestampMs)));
    }), propertyRuns());
  });

  it('emits in the last update of a window what it emits when final', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 30 }), (windows, records) => {
      const running = new OperatorHarness(windowAggregate('windows', windows, collect));
      running.push(...records);
      const last = new Map(running.take().map((one) => [`${one.key.startMs}/${one.key.key}`, one]));
      expect([...last.values()].sort(inOrder)).toEqual(model(windows, records, 'task').results);
    }), propertyRuns());
  });

  it('measures each key by its own progress when told so: keys do not see each other', () => {
    fc.assert(fc.property(windowings, fc.array(record, { maxLength: 40 }), (windows, records) => {
      const running = new OperatorHarness(windowAggregate('windows', windows, { ...collect, emit: 'final', timeScope: 'key' }));
      for (const [at, one] of records.entries()) {
        running.push(one);
        if (at % 7 === 3) running.restart();
      }
      for (const key of ['a', 'b', '\u{10000}', '\uffff']) running.push({ key, value: -1, timestampMs: endMs });
      const { results, late } = model(windows, records, 'key');
      expect(running.take().sort(inOrder)).toEqual(results);
      expect(running.take('late')).toEqual(late);
    }), propertyRuns());
  });

  const windowsOfAnyKind = fc.oneof(windowings, fc.constantFrom(sliding({ timeDifferenceMs: 12, graceMs: 0 }), sliding({ timeDifferenceMs: 9, graceMs: 20 })));
  /** Records, and idle times. */
  const moments = fc.array(fc.oneof({ weight: 4, arbitrary: record }, { weight: 1, arbitrary: fc.nat(260) }), { maxLength: 40 });

  it('closes by an idle time what the first record of another key and that time would', () => {
    const emits = fc.constantFrom('update' as const, 'final' as const);
    fc.assert(fc.property(windowsOfAnyKind, emits, moments, fc.infiniteStream(fc.nat(7)), (windows, emit, history, dice) => {
      const make = () => new OperatorHarness(windowAggregate('windows', windows, { ...collect, emit }));
      const [idle, told] = [make(), make()];
      for (const [at, one] of [...history, endMs].entries()) {
        if (typeof one === 'number') {
          idle.idle(one);
          // A key of its own each time: what sliding windows keep hangs on the newest of them, and that on a key's earlier records.
          told.push({ key: `zz ${at}`, value: 0, timestampMs: one });
        } else {
          idle.push(one);
          told.push(one);
        }
        if (dice.next().value === 0) idle.restart();
        expect(idle.take()).toEqual(told.take().filter(({ key }) => !key.key.startsWith('zz')));
        expect(idle.take('late')).toEqual(told.take('late').filter(({ key }) => !String(key).startsWith('zz')));
      }
    }), propertyRuns());
  });

  it('loses nothing by idle times where time is by key: windows and late records together are everything', () => {
    fc.assert(fc.property(fc.constantFrom(5, 30), moments, fc.infiniteStream(fc.nat(7)), (graceMs, history, dice) => {
      const running = new OperatorHarness(windowAggregate('windows', tumbling({ sizeMs: 10, graceMs }), { ...collect, emit: 'final', timeScope: 'key' }));
      for (const one of [...history, endMs]) {
        if (typeof one === 'number') running.idle(one);
        else running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      const results = running.take();
      const given = [...results.flatMap(({ value }) => value), ...running.take('late').map(({ value }) => value as number)];
      const values = history.flatMap((one) => (typeof one === 'number' ? [] : [one.value]));
      expect(given.sort((left, right) => left - right)).toEqual(values.sort((left, right) => left - right));
      expect(new Set(results.map(({ key }) => `${key.startMs}/${key.key}`)).size).toBe(results.length);
    }), propertyRuns());
  });

  it('holds in each sliding window what lies within it, when nothing is late', () => {
    const differenceMs = 12;
    const spread = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value: fc.nat(99), timestampMs: fc.integer({ min: 20, max: 120 }) }), { maxLength: 25 });
    fc.assert(fc.property(spread, (records) => {
      const running = new OperatorHarness(windowAggregate('windows', sliding({ timeDifferenceMs: differenceMs, graceMs: 1_000 }), collect));
      for (const [at, one] of records.entries()) {
        running.push(one);
        if (at % 5 === 2) running.restart();
      }
      const last = new Map(running.take().map((one) => [`${one.key.startMs}/${one.key.key}`, one]));
      const results: Out[] = [];
      for (const key of ['a', 'b']) {
        const own = records.filter((one) => one.key === key);
        const within = (startMs: number): In[] => own.filter((one) => one.timestampMs >= startMs && one.timestampMs <= startMs + differenceMs);
        // One window ends at each record, one begins right behind it, when that holds any.
        const starts = new Set(own.flatMap((one) => [one.timestampMs - differenceMs, one.timestampMs + 1]));
        for (const startMs of starts) {
          const held = within(startMs);
          if (held.length === 0) continue;
          results.push({
            key: { key, startMs, endMs: startMs + differenceMs },
            value: held.map((one) => one.value).sort((left, right) => left - right),
            timestampMs: Math.max(...held.map((one) => one.timestampMs)),
          });
        }
      }
      expect([...last.values()].sort(inOrder)).toEqual(results.sort(inOrder));
    }), propertyRuns());
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { StreamRecord, Windowed } from '../operator.ts';
import { OperatorHarness } from '../testing/harness.ts';
import { windowAggregate } from '../window-aggregate.ts';
import type { Rollup } from './periodic-emission.ts';
import { hopping, tumbling, windowsAt, type TimeWindows } from './time-windows.ts';

type In = StreamRecord<string, number>;
type Values = readonly number[];
type Out = StreamRecord<Windowed<string>, Values>;

interface Setting {
  readonly windows: TimeWindows;
  readonly everyMs: number;
  readonly rollups: Readonly<Record<string, Rollup<string, Values>>>;
  readonly timeScope: 'task' | 'key';
  readonly silentKeyMs: number | undefined;
}

const keys = ['a', 'b', '\u{10000}', '\uffff'];
/** In the order of their bytes: that of the code points, which is not that of JavaScript's texts. */
const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
const combine = (parts: readonly Values[]): Values => parts.flat();
const sorted = (values: readonly number[]): readonly number[] => values.toSorted((left, right) => left - right);

const rollups = fc.constantFrom({}, { hours: { sizeMs: 30, everyMs: 12, combine } }, { days: { sizeMs: 60, everyMs: 50, combine }, hours: { sizeMs: 20, everyMs: 1, combine } });
const settings: fc.Arbitrary<Setting> = fc.record({
  windows: fc.constantFrom(tumbling({ sizeMs: 10, graceMs: 0 }), tumbling({ sizeMs: 10, graceMs: 25 }), hopping({ sizeMs: 20, advanceMs: 8, graceMs: 10 })),
  everyMs: fc.constantFrom(1, 7, 40), rollups, timeScope: fc.constantFrom('task' as const, 'key' as const), silentKeyMs: fc.constantFrom(undefined, 40),
}).map((setting) => ({
  ...setting, rollups: setting.windows.kind === 'hopping' ? {} : setting.rollups, silentKeyMs: setting.timeScope === 'key' ? setting.silentKeyMs : undefined,
}));
/** A third of the records change nothing: their value is 0. */
const record = fc.record({ key: fc.constantFrom(...keys), value: fc.oneof(fc.constant(0), fc.nat(99)), timestampMs: fc.oneof(fc.nat(60), fc.nat(200)) });
const moments = fc.array(fc.oneof({ weight: 6, arbitrary: record }, { weight: 1, arbitrary: fc.nat(260) }), { maxLength: 40 });

/** By the words of the documentation, from the list of all that was taken; nothing is kept but that, and of how much of it who was told. */
class Model {
  readonly out: Record<string, unknown[]> = {};
  readonly late: In[] = [];
  readonly #setting: Setting;
  readonly #levels: readonly { readonly port: string; readonly sizeMs: number; readonly everyMs: number }[];
  readonly #taken: { readonly record: In; readonly startMs: number }[] = [];
  /** How many of the records taken were known when it was given last, by level, key and start. */
  readonly #told = new Map<string, number>();
  readonly #times = new Map<string, number>();
  #timeMs = -1;

  constructor(setting: Setting) {
    this.#setting = setting;
    const named = Object.entries(setting.rollups).map(([port, { sizeMs, everyMs }]) => ({ port, sizeMs, everyMs }));
    this.#levels = [{ port: '', sizeMs: setting.windows.sizeMs, everyMs: setting.everyMs }, ...named];
  }

  push(one: In): void {
    const { windows, timeScope, silentKeyMs } = this.#setting;
    this.#moveOn(one.timestampMs);
    if (timeScope === 'key') this.#moveKeyOn(one.key, one.timestampMs);
    if (silentKeyMs !== undefined) this.#closeSilent(this.#timeMs - silentKeyMs);
    const nowMs = timeScope === 'key' ? this.#times.get(one.key) ?? -1 : this.#timeMs;
    const open = windowsAt(windows, one.timestampMs).filter(({ startMs }) => this.#closesMs(startMs) > nowMs);
    if (open.length === 0) this.late.push(one);
    if (one.value !== 0) for (const { startMs } of open) this.#taken.push({ record: one, startMs });
  }

  idle(timeMs: number): void {
    this.#moveOn(timeMs);
    if (this.#setting.timeScope === 'key') this.#closeSilent(timeMs);
  }

  /** What is in a window, or in a rollup. */
  result({ sizeMs }: { readonly sizeMs: number }, key: string, startMs: number): { readonly value: Values; readonly timestampMs: number } {
    const isOwn = this.#taken.filter((taken) => taken.record.key === key && (sizeMs === this.#setting.windows.sizeMs ? taken.startMs === startMs : taken.startMs >= startMs && taken.startMs < startMs + sizeMs));
    const starts = sorted([...new Set(isOwn.map((taken) => taken.startMs))]);
    return {
      value: starts.flatMap((start) => sorted(isOwn.filter((taken) => taken.startMs === start).map((taken) => taken.record.value))),
      timestampMs: Math.max(...isOwn.map((taken) => taken.record.timestampMs)),
    };
  }

  #closesMs(startMs: number): number {
    const largestMs = Math.max(0, ...Object.values(this.#setting.rollups).map(({ sizeMs }) => sizeMs));
    const endMs = largestMs === 0 ? startMs + this.#setting.windows.sizeMs : (Math.floor(startMs / largestMs) + 1) * largestMs;
    return endMs + this.#setting.windows.graceMs;
  }

  #moveOn(timeMs: number): void {
    const beforeMs = this.#timeMs;
    this.#timeMs = Math.max(beforeMs, timeMs);
    this.#give((_key, _startMs, everyMs) => passes(beforeMs, this.#timeMs, everyMs));
    if (this.#setting.timeScope === 'task') this.#give((_key, startMs) => this.#closesMs(startMs) <= this.#timeMs);
  }

  #moveKeyOn(key: string, timeMs: number): void {
    const beforeMs = this.#times.get(key) ?? -1;
    const nowMs = Math.max(beforeMs, timeMs);
    this.#times.set(key, nowMs);
    // A key counts by its own time when a whole multiple, and more, lies between it and the step's.
    const isBehind = (everyMs: number): boolean => multiplesUntil(beforeMs, everyMs) + 1 < multiplesUntil(this.#timeMs, everyMs);
    this.#give((owner, startMs, everyMs) => owner === key && ((isBehind(everyMs) && passes(beforeMs, nowMs, everyMs)) || this.#closesMs(startMs) <= nowMs));
  }

  /** Windows in the order of their starts, as their keys' times rise with them. */
  #closeSilent(timeMs: number): void {
    this.#give((_key, startMs) => this.#closesMs(startMs) <= timeMs);
    const closed = this.#taken.filter(({ startMs }) => this.#closesMs(startMs) <= timeMs);
    closed.sort((left, right) => left.startMs - right.startMs || byBytes(left.record.key, right.record.key));
    for (const { record: { key }, startMs } of closed) this.#moveKeyOn(key, this.#closesMs(startMs));
  }

  #give(isDue: (key: string, startMs: number, everyMs: number) => boolean): void {
    for (const level of this.#levels) {
      const places = new Map<string, { readonly key: string; readonly startMs: number; readonly count: number }>();
      for (const { record: { key }, startMs: windowMs } of this.#taken) {
        const startMs = level.port === '' ? windowMs : windowMs - (windowMs % level.sizeMs);
        const id = `${level.port}/${key}/${startMs}`;
        places.set(id, { key, startMs, count: (places.get(id)?.count ?? 0) + 1 });
      }
      const due = [...places].filter(([id, { key, startMs, count }]) => this.#told.get(id) !== count && isDue(key, startMs, level.everyMs));
      due.sort(([, left], [, right]) => left.startMs - right.startMs || byBytes(left.key, right.key));
      for (const [id, { key, startMs, count }] of due) {
        this.#told.set(id, count);
        (this.out[level.port] ??= []).push({ key: { key, startMs, endMs: startMs + level.sizeMs }, ...this.result(level, key, startMs) });
      }
    }
  }
}

function multiplesUntil(ms: number, everyMs: number): number {
  return Math.floor(ms / everyMs);
}

function passes(beforeMs: number, nowMs: number, everyMs: number): boolean {
  for (let ms = beforeMs + 1; ms <= nowMs; ms++) if (ms % everyMs === 0) return true;
  return false;
}

function run({ windows, everyMs, rollups: named, timeScope, silentKeyMs }: Setting): OperatorHarness<string | null, number, Windowed<string>, Values> {
  return new OperatorHarness<string | null, number, Windowed<string>, Values>(windowAggregate<string, number, Values>('windows', windows, {
    key: utf8, aggregate: json<Values>('values'), initial: () => [], fold: (all, value) => (value === 0 ? all : sorted([...all, value])),
    emit: { everyMs, rollups: named }, timeScope, ...(silentKeyMs === undefined ? {} : { silentKeyMs }),
  }));
}

describe('windows from time to time', () => {
  it('give what has changed when time passes a multiple, and when they close, whatever the order and wherever they start again', () => {
    fc.assert(fc.property(settings, moments, fc.infiniteStream(fc.nat(9)), (setting, history, dice) => {
      const running = run(setting);
      const model = new Model(setting);
      for (const one of history) {
        if (typeof one === 'number') {
          running.idle(one);
          model.idle(one);
        } else {
          running.push(one);
          model.push(one);
        }
        if (dice.next().value === 0) running.restart();
        for (const port of ['', ...Object.keys(setting.rollups)]) {
          expect(running.take(port)).toEqual(model.out[port] ?? []);
          delete model.out[port];
        }
        expect(running.take('late')).toEqual(model.late.splice(0));
      }
    }), propertyRuns());
  });

  it('and late records together are everything, in the last of each window as in the last of each rollup', () => {
    fc.assert(fc.property(settings, fc.array(record, { maxLength: 40 }), fc.infiniteStream(fc.nat(9)), (setting, records, dice) => {
      fc.pre(setting.windows.kind === 'tumbling');
      const running = run(setting);
      for (const one of records) {
        running.push(one);
        if (dice.next().value === 0) running.restart();
      }
      for (const key of keys) running.push({ key, value: 0, timestampMs: 10_000 });
      const late = running.take('late').map(({ value }) => value as number);
      for (const port of ['', ...Object.keys(setting.rollups)]) {
        const last = new Map((running.take(port) as Out[]).map((one) => [`${one.key.key}/${one.key.startMs}`, one.value]));
        const all = sorted([...[...last.values()].flat(), ...late].filter((value) => value !== 0));
        expect(all).toEqual(sorted(records.map(({ value }) => value).filter((value) => value !== 0)));
      }
      expect(running.stores.commit().filter(({ value }) => value !== null).map(({ store }) => store)).not.toContain('windows');
    }), propertyRuns());
  });
});

import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore, statefulStep } from '../engine.ts';
import type { Emit, KeyValueStore, Operator, StatefulContext, StreamRecord } from '../engine.ts';
import type { LoadChange } from './load-change.ts';

export const minuteMs = 60_000;
export const quarterMs = 15 * minuteMs;
export const dayMs = 86_400_000;
/** A longer span is no session: it goes to `late` as a whole, and so does its taking back. */
export const spanMaxMs = 60 * dayMs;

/** What a change says of one quarter of an hour; or, of the output `late`, of all that has closed. */
export interface LoadPart {
  readonly change: LoadChange;
  /** Of the change's span, `[fromMs, toMs)`; both the same for what is at a moment. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly energyMilliWh: number;
  /** It has the change's own begin: where sessions start and end. */
  readonly hasStart: boolean;
  /** It has the time of the event: where its meter value, power and error count. */
  readonly hasEvent: boolean;
  /** Tells apart what one event leaves behind, over all its changes. */
  readonly number: number;
}

/** Numbers of the parts of a change: by quarter of its span, then two for what stands apart. */
const numbersOfChange = 8_192;
const eventNumber = numbersOfChange - 1;
const closedNumber = numbersOfChange - 2;

function storesOf(name: string) {
  return {
    /** By station: the begin of the first UTC day that is not closed. */
    open: keyValueStore({ name, key: utf8, value: int64 }),
  };
}

/**
 * The energy of a change up to a time within its span, in whole mWh: parts are differences of it, so that they add up to the whole. The
 * same span with signs turned gives the same numbers with signs turned. All of it at `fromMs` for a moment.
 */
export function energyUntil({ fromMs, toMs, energyMilliWh }: LoadChange, timeMs: number): number {
  if (timeMs >= toMs) return energyMilliWh;
  return timeMs <= fromMs ? 0 : Math.trunc(energyMilliWh * ((timeMs - fromMs) / (toMs - fromMs))) + 0;
}

/** Begin of the first UTC day whose quarters are open at a time of the station. */
export function openFromMs(stationMs: number, graceMs: number): number {
  const closedMs = stationMs - graceMs;
  return closedMs - (closedMs % dayMs);
}

/**
 * Cuts each change at the quarters of UTC hours: a record for each quarter that it touches, earliest first, with a timestamp inside it, and
 * one for the time of the event, unless that is within them. Quarters before the event's come before its time does, so that a
 * long silence does not make late what it explains.
 *
 * What lies in UTC days that have closed, `graceMs` after their end by the station's own time, goes to the output `late` in one piece, with its
 * energy; so does the whole of a span longer than 60 days.
 */
export function splitLoad(name: string, graceMs: number): Operator<string, LoadChange, string, LoadPart> {
  return statefulStep({
    kind: 'splitLoad',
    name,
    stores: storesOf(name),
    ports: ['late'],
    detail: `quarters of an hour, spans to ${spanMaxMs} ms, grace ${graceMs} ms behind a day, time by station`,
    start: (context, emit: Emit<StreamRecord<string, LoadPart>>) => {
      const splitter = new LoadSplitter(context, graceMs, emit);
      return (record: StreamRecord<string, LoadChange>) => splitter.process(record);
    },
  });
}

/** A change's way through the step; it remembers nothing itself. */
class LoadSplitter {
  readonly #context: StatefulContext<ReturnType<typeof storesOf>>;
  readonly #open: KeyValueStore<string, number>;
  readonly #graceMs: number;
  readonly #emit: Emit<StreamRecord<string, LoadPart>>;

  constructor(context: StatefulContext<ReturnType<typeof storesOf>>, graceMs: number, emit: Emit<StreamRecord<string, LoadPart>>) {
    this.#context = context;
    this.#open = context.stores.open;
    this.#graceMs = graceMs;
    this.#emit = emit;
  }

  process({ key, value: change, timestampMs: eventMs }: StreamRecord<string, LoadChange>): void {
    const { fromMs, toMs } = change;
    const numbers = change.part * numbersOfChange;
    const isMoment = toMs <= fromMs;
    const wasOpenMs = this.#open.get(key) ?? 0;
    const closedMs = toMs - fromMs > spanMaxMs ? toMs : wasOpenMs;
    const isClosed = isMoment ? fromMs < closedMs : toMs <= closedMs;
    const startMs = fromMs < closedMs ? closedMs : fromMs;
    const beforeMilliWh = fromMs < closedMs ? energyUntil(change, closedMs) : 0;
    if (fromMs < closedMs) {
      const untilMs = isMoment ? fromMs : toMs < closedMs ? toMs : closedMs;
      const value = part(change, fromMs, untilMs, isMoment ? change.energyMilliWh : beforeMilliWh, true, false, numbers + closedNumber);
      if (!changesNothing(value)) this.#context.dropped('late');
      this.#context.output('late', { key, value, timestampMs: fromMs });
    }
    const eventQuarterMs = eventMs - (eventMs % quarterMs);
    // Of what has closed as a whole, no quarter is left.
    const firstMs = startMs - (startMs % quarterMs);
    const lastMs = isClosed ? firstMs - quarterMs : isMoment ? firstMs : toMs - 1 - ((toMs - 1) % quarterMs);
    const isApart = eventQuarterMs < firstMs || eventQuarterMs > lastMs;
    if (isApart && eventMs < startMs) this.#event(key, change, eventMs, numbers);
    this.#quarters(key, change, startMs, lastMs, eventMs, beforeMilliWh);
    if (isApart && eventMs >= startMs) this.#event(key, change, eventMs, numbers);
    const openMs = openFromMs(eventMs > lastMs ? eventMs : lastMs, this.#graceMs);
    if (openMs > wasOpenMs) this.#open.put(key, openMs);
  }

  #quarters(key: string, change: LoadChange, startMs: number, lastMs: number, eventMs: number, closedMilliWh: number): void {
    const { fromMs, toMs } = change;
    const wholeFromMs = fromMs - (fromMs % quarterMs);
    let beforeMilliWh = closedMilliWh;
    let atMs = startMs;
    for (let quarterStartMs = startMs - (startMs % quarterMs); quarterStartMs <= lastMs; quarterStartMs += quarterMs) {
      const endMs = quarterStartMs + quarterMs;
      const untilMs = endMs < toMs ? endMs : toMs;
      const untilMilliWh = energyUntil(change, endMs);
      const hasEvent = eventMs >= quarterStartMs && eventMs < endMs;
      const number = change.part * numbersOfChange + (quarterStartMs - wholeFromMs) / quarterMs;
      this.#emit({
        key, value: part(change, atMs, untilMs > atMs ? untilMs : atMs, untilMilliWh - beforeMilliWh, atMs === fromMs, hasEvent, number),
        timestampMs: hasEvent ? eventMs : atMs,
      });
      beforeMilliWh = untilMilliWh;
      atMs = endMs;
    }
  }

  /** The time of the event, in a quarter where nothing else of the change is. */
  #event(key: string, change: LoadChange, eventMs: number, numbers: number): void {
    this.#emit({ key, value: part(change, eventMs, eventMs, 0, false, true, numbers + eventNumber), timestampMs: eventMs });
  }
}

function part(
  change: LoadChange, fromMs: number, toMs: number, energyMilliWh: number, hasStart: boolean, hasEvent: boolean, number: number,
): LoadPart {
  return { change, fromMs, toMs, energyMilliWh, hasStart, hasEvent, number };
}

/** True for parts that only carry the time. */
export function changesNothing({ change, fromMs, toMs, energyMilliWh, hasStart, hasEvent }: LoadPart): boolean {
  if (energyMilliWh !== 0 || (hasStart && (change.sessionsStarted !== 0 || change.sessionsEnded !== 0))) return false;
  if (hasEvent && (change.samples !== 0 || change.errors !== 0 || change.powerW !== null)) return false;
  return (change.occupied === 0 && change.charging === 0) || toMs <= fromMs;
}

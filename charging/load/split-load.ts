import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore, statefulStep } from '../engine.ts';
import type { Emit, KeyValueStore, Operator, StatefulContext, StreamRecord } from '../engine.ts';
import type { LoadChange } from './load-change.ts';

export const minuteMs = 60_000;
export const quarterMs = 15 * minuteMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 86_400_000;
/** A longer span is no session: it goes to `late` as a whole, and so does its taking back. */
export const spanMaxMs = 60 * dayMs;

/** What a change says of one hour; or, of the output `late`, of all that has closed. */
export interface LoadPart {
  readonly change: LoadChange;
  /** Of the change's span, `[fromMs, toMs)`; both the same for what is at a moment. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly energyMilliWh: number;
  /** It has the change's own begin: where sessions start and end. */
  readonly hasStart: boolean;
  /** The time of the event where it is in this hour, else -1: its meter value, power and error count then. */
  readonly eventMs: number;
  /** Tells apart what one event leaves behind, over all its changes. */
  readonly number: number;
}

/** Numbers of the parts of a change: by hour of its span, then two for what stands apart. */
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
export function energyUntil(fromMs: number, toMs: number, energyMilliWh: number, timeMs: number): number {
  if (timeMs >= toMs) return energyMilliWh;
  return timeMs <= fromMs ? 0 : Math.trunc(energyMilliWh * ((timeMs - fromMs) / (toMs - fromMs))) + 0;
}

/** Begin of the first UTC day whose hours are open at a time of the station. */
export function openFromMs(stationMs: number, graceMs: number): number {
  const closedMs = stationMs - graceMs;
  return closedMs - (closedMs % dayMs);
}

/**
 * Cuts each change at UTC hours: a record for each hour that it touches, earliest first, with a timestamp inside it, and one for the
 * time of the event, unless that is within them. Hours before the event's come before its time does, so that a long silence does
 * not make late what it explains.
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
    detail: `hours, spans to ${spanMaxMs} ms, grace ${graceMs} ms behind a day, time by station`,
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
    const wasOpenMs = this.#open.get(key) ?? 0;
    if (fromMs === eventMs && toMs === eventMs && eventMs >= wasOpenMs) {
      // Most changes are of the moment of their event.
      this.#emit({ key, value: part(change, eventMs, eventMs, change.energyMilliWh, true, eventMs, change.part * numbersOfChange), timestampMs: eventMs });
      this.#moveOn(key, wasOpenMs, eventMs);
      return;
    }
    const isMoment = toMs <= fromMs;
    const closedMs = toMs - fromMs > spanMaxMs ? toMs : wasOpenMs;
    const isClosed = isMoment ? fromMs < closedMs : toMs <= closedMs;
    const startMs = fromMs < closedMs ? closedMs : fromMs;
    const beforeMilliWh = fromMs < closedMs ? energyUntil(fromMs, toMs, change.energyMilliWh, closedMs) : 0;
    if (fromMs < closedMs) this.#late(key, change, isMoment ? fromMs : toMs < closedMs ? toMs : closedMs, isMoment ? change.energyMilliWh : beforeMilliWh);
    const eventHourMs = eventMs - (eventMs % hourMs);
    // Of what has closed as a whole, no hour is left.
    const firstMs = startMs - (startMs % hourMs);
    const lastMs = isClosed ? firstMs - hourMs : isMoment ? firstMs : toMs - 1 - ((toMs - 1) % hourMs);
    const isApart = eventHourMs < firstMs || eventHourMs > lastMs;
    if (isApart && eventMs < startMs) this.#event(key, change, eventMs);
    this.#hours(key, change, startMs, lastMs, eventMs, beforeMilliWh);
    if (isApart && eventMs >= startMs) this.#event(key, change, eventMs);
    this.#moveOn(key, wasOpenMs, eventMs > lastMs ? eventMs : lastMs);
  }

  #moveOn(key: string, wasOpenMs: number, stationMs: number): void {
    const openMs = openFromMs(stationMs, this.#graceMs);
    if (openMs > wasOpenMs) this.#open.put(key, openMs);
  }

  #hours(key: string, change: LoadChange, startMs: number, lastMs: number, eventMs: number, closedMilliWh: number): void {
    const { fromMs, toMs, energyMilliWh } = change;
    const wholeFromMs = fromMs - (fromMs % hourMs);
    let beforeMilliWh = closedMilliWh;
    let atMs = startMs;
    for (let hourStartMs = startMs - (startMs % hourMs); hourStartMs <= lastMs; hourStartMs += hourMs) {
      const endMs = hourStartMs + hourMs;
      const untilMs = endMs < toMs ? endMs : toMs;
      const untilMilliWh = energyUntil(fromMs, toMs, energyMilliWh, endMs);
      const hasEvent = eventMs >= hourStartMs && eventMs < endMs;
      const number = change.part * numbersOfChange + (hourStartMs - wholeFromMs) / hourMs;
      this.#emit({
        key, value: part(change, atMs, untilMs > atMs ? untilMs : atMs, untilMilliWh - beforeMilliWh, atMs === fromMs, hasEvent ? eventMs : -1, number),
        timestampMs: hasEvent ? eventMs : atMs,
      });
      beforeMilliWh = untilMilliWh;
      atMs = endMs;
    }
  }

  /** What lies in days that have closed, in one piece. */
  #late(key: string, change: LoadChange, untilMs: number, energyMilliWh: number): void {
    const value = part(change, change.fromMs, untilMs, energyMilliWh, true, -1, change.part * numbersOfChange + closedNumber);
    if (!changesNothing(value)) this.#context.dropped('late');
    this.#context.output('late', { key, value, timestampMs: change.fromMs });
  }

  /** The time of the event, in an hour where nothing else of the change is. */
  #event(key: string, change: LoadChange, eventMs: number): void {
    this.#emit({ key, value: part(change, eventMs, eventMs, 0, false, eventMs, change.part * numbersOfChange + eventNumber), timestampMs: eventMs });
  }
}

function part(
  change: LoadChange, fromMs: number, toMs: number, energyMilliWh: number, hasStart: boolean, eventMs: number, number: number,
): LoadPart {
  return { change, fromMs, toMs, energyMilliWh, hasStart, eventMs, number };
}

/** True for parts that only carry the time. */
export function changesNothing({ change, fromMs, toMs, energyMilliWh, hasStart, eventMs }: LoadPart): boolean {
  if (energyMilliWh !== 0 || (hasStart && (change.sessionsStarted !== 0 || change.sessionsEnded !== 0))) return false;
  if (eventMs >= 0 && (change.samples !== 0 || change.errors !== 0 || change.powerW !== null)) return false;
  return (change.occupied === 0 && change.charging === 0) || toMs <= fromMs;
}

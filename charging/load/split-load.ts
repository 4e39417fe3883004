import { statefulStep } from '../engine.ts';
import type { Emit, Operator, StreamRecord } from '../engine.ts';
import type { LoadChange } from './load-change.ts';

export const minuteMs = 60_000;
export const quarterMs = 15 * minuteMs;
/** A longer span is no session: it goes to `late` as a whole, and so does its taking back. */
export const spanMaxMs = 60 * 86_400_000;

/** What a change says of one quarter of an hour. */
export interface LoadPart {
  readonly change: LoadChange;
  /** Start of the quarter. */
  readonly quarterStartMs: number;
  /** The change's energy within the quarter. */
  readonly energyMilliWh: number;
  /** The quarter has the change's `fromMs`: where sessions start and end. */
  readonly hasStart: boolean;
  /** The quarter has the time of the event: where its meter value, power and error count. */
  readonly hasEvent: boolean;
  /** Tells apart what one event leaves behind, over all its changes. */
  readonly number: number;
}

/** Numbers of the parts of a change: by quarter of its span, then two for what stands apart. */
const numbersOfChange = 8_192;
const eventNumber = numbersOfChange - 1;
const wholeNumber = numbersOfChange - 2;

/**
 * The energy of a change up to a time within its span, in whole mWh: parts are differences of it, so that they add up to the whole. The
 * same span with signs turned gives the same numbers with signs turned. All of it at `fromMs` for a moment.
 */
export function energyUntil({ fromMs, toMs, energyMilliWh }: LoadChange, timeMs: number): number {
  if (timeMs >= toMs) return energyMilliWh;
  return timeMs <= fromMs ? 0 : Math.trunc(energyMilliWh * ((timeMs - fromMs) / (toMs - fromMs))) + 0;
}

/**
 * Cuts each change at the quarters of UTC hours: a record for each quarter that it touches, earliest first, with a timestamp inside it, and
 * one for the time of the event, unless that is within them. Quarters before the event's come before its time does, so that a
 * long silence does not make late what it explains. A span longer than 60 days goes to the output `late` undivided.
 */
export function splitLoad(name: string): Operator<string, LoadChange, string, LoadPart> {
  return statefulStep({
    kind: 'splitLoad',
    name,
    stores: {},
    ports: ['late'],
    detail: `quarters of an hour, spans to ${spanMaxMs} ms`,
    start: (context, emit: Emit<StreamRecord<string, LoadPart>>) => (record: StreamRecord<string, LoadChange>) => {
      const { key, value: change, timestampMs: eventMs } = record;
      const { fromMs, toMs } = change;
      const eventQuarterMs = eventMs - (eventMs % quarterMs);
      const firstMs = fromMs - (fromMs % quarterMs);
      const first = change.part * numbersOfChange;
      const isTooLong = toMs - fromMs > spanMaxMs;
      // What is at a moment has one quarter, too.
      const lastMs = isTooLong ? firstMs - quarterMs : toMs > fromMs ? toMs - 1 - ((toMs - 1) % quarterMs) : firstMs;
      if (isTooLong) {
        const value = { change, quarterStartMs: firstMs, energyMilliWh: change.energyMilliWh, hasStart: true, hasEvent: false, number: first + wholeNumber };
        context.output('late', { key, value, timestampMs: fromMs });
      }
      const isApart = eventQuarterMs < firstMs || eventQuarterMs > lastMs;
      const apart = (): void => emit({ key, value: part(change, eventQuarterMs, 0, false, true, first + eventNumber), timestampMs: eventMs });
      if (isApart && eventMs < fromMs) apart();
      let beforeMilliWh = 0;
      for (let startMs = firstMs; startMs <= lastMs; startMs += quarterMs) {
        const untilMilliWh = energyUntil(change, startMs + quarterMs);
        const hasEvent = startMs === eventQuarterMs;
        const value = part(change, startMs, untilMilliWh - beforeMilliWh, startMs === firstMs, hasEvent, first + (startMs - firstMs) / quarterMs);
        emit({ key, value, timestampMs: hasEvent ? eventMs : startMs === firstMs ? fromMs : startMs });
        beforeMilliWh = untilMilliWh;
      }
      if (isApart && eventMs >= fromMs) apart();
    },
  });
}

function part(
  change: LoadChange, quarterStartMs: number, energyMilliWh: number, hasStart: boolean, hasEvent: boolean, number: number,
): LoadPart {
  return { change, quarterStartMs, energyMilliWh, hasStart, hasEvent, number };
}

/** True for parts that only carry the time. */
export function changesNothing({ change, energyMilliWh, hasStart, hasEvent, quarterStartMs }: LoadPart): boolean {
  if (energyMilliWh !== 0 || (hasStart && (change.sessionsStarted !== 0 || change.sessionsEnded !== 0))) return false;
  if (hasEvent && (change.samples !== 0 || change.errors !== 0 || change.powerW !== null)) return false;
  return (change.occupied === 0 && change.charging === 0) || change.toMs <= change.fromMs || change.toMs <= quarterStartMs || change.fromMs >= quarterStartMs + quarterMs;
}

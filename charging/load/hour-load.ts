import { minutesWith, peakOf, spanKind, spanNumbers } from './hour-minutes.ts';
import { hourMs, quarterMs } from './split-load.ts';
import type { HourMinutes } from './hour-minutes.ts';
import type { LoadPart } from './split-load.ts';

/** Where a station is, of its newest version that any change came with. */
export interface StationFacts {
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly stationValidFromMs: number;
}

/** Sums and peaks of a station's load in some time. */
export interface LoadSums {
  /** In whole mWh and ms, so that the order in which changes come makes no difference. */
  readonly energyMilliWh: number;
  /** Of all connectors together. */
  readonly occupiedMs: number;
  readonly chargingMs: number;
  /** Energy of the minute with the most, of the whole station. */
  readonly peakMinuteMilliWh: number;
  /** Highest power that a connector has reported. What was reported once stays. */
  readonly peakPowerW: number | null;
  readonly samples: number;
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly errors: number;
  readonly facts: StationFacts;
}

/**
 * Load of a station in an hour: sums, what is told apart by quarter, and the changes' spans as they came, from which the minutes are made when
 * they are asked for. Spans beyond some become minutes at once.
 */
export interface HourLoad {
  readonly energyMilliWh: number;
  readonly occupiedMs: number;
  readonly chargingMs: number;
  readonly facts: StationFacts;
  /** By quarter of the hour; `never` when there were none. */
  readonly samples: readonly number[];
  readonly sessionsStarted: readonly number[];
  readonly sessionsEnded: readonly number[];
  readonly errors: readonly number[];
  /** The highest power reported in each quarter; none at all when none was. */
  readonly powersW: readonly (number | null)[];
  /** Four numbers for each: see `minutesWith`. */
  readonly spans: readonly number[];
  /** What came before the spans; null when that is nothing. */
  readonly minutes: HourMinutes | null;
  /** Energy of the highest minute; -1 until it is asked for. What is kept of an hour does not have it. */
  peakMinuteMilliWh: number;
}

/** Most hours have one of these somewhere; all of the same content are one array. */
export const never: readonly number[] = [0, 0, 0, 0];
export const noPowers: readonly (number | null)[] = [];
export const noSpans: readonly number[] = [];

/** More spans than these are made minutes, which take as much room however many they are of. */
const spansMax = 8;

export const noFacts: StationFacts = { siteId: null, city: null, operator: null, stationValidFromMs: -2 };

export const emptyHour: HourLoad = {
  energyMilliWh: 0, occupiedMs: 0, chargingMs: 0, facts: noFacts, samples: never, sessionsStarted: never, sessionsEnded: never, errors: never, powersW: noPowers,
  spans: noSpans, minutes: null, peakMinuteMilliWh: 0,
};

/** Adds a part. Gives the very same hour when nothing changes. Any order gives the same minutes, as sums and highest values do. */
export function addPart(hour: HourLoad, part: LoadPart): HourLoad {
  const { change, fromMs, toMs, hasStart, eventMs, energyMilliWh } = part;
  const spanMs = toMs - fromMs;
  const occupied = spanMs === 0 ? 0 : change.occupied;
  const charging = spanMs === 0 ? 0 : change.charging;
  const isOfEvent = eventMs >= 0;
  const reportedW = isOfEvent ? change.powerW : null;
  const samples = isOfEvent ? change.samples : 0;
  const errors = isOfEvent ? change.errors : 0;
  const started = hasStart ? change.sessionsStarted : 0;
  const ended = hasStart ? change.sessionsEnded : 0;
  const hasSpan = energyMilliWh !== 0 || occupied !== 0 || charging !== 0;
  const isNewer = change.stationValidFromMs > hour.facts.stationValidFromMs;
  const powersW = reportedW === null ? hour.powersW : withPower(hour.powersW, quarterOf(eventMs), reportedW);
  if (!hasSpan && samples === 0 && errors === 0 && started === 0 && ended === 0) {
    // A power that is not the highest changes nothing but what is known of the station.
    if (reportedW === null || (powersW === hour.powersW && !isNewer)) return hour;
  }
  let { spans, minutes } = hour;
  if (hasSpan) {
    const hourStartMs = fromMs - (fromMs % hourMs);
    spans = withSpan(spans, change.fromMs - hourStartMs, change.toMs - hourStartMs, change.energyMilliWh, spanKind(occupied, charging));
    if (spans.length > spansMax * spanNumbers) {
      minutes = minutesWith(minutes, spans);
      spans = noSpans;
    }
  }
  return {
    energyMilliWh: hour.energyMilliWh + energyMilliWh,
    occupiedMs: hour.occupiedMs + occupied * spanMs,
    chargingMs: hour.chargingMs + charging * spanMs,
    facts: isNewer ? factsOf(change) : hour.facts,
    samples: samples === 0 ? hour.samples : withCount(hour.samples, quarterOf(eventMs), samples),
    sessionsStarted: started === 0 ? hour.sessionsStarted : withCount(hour.sessionsStarted, quarterOf(fromMs), started),
    sessionsEnded: ended === 0 ? hour.sessionsEnded : withCount(hour.sessionsEnded, quarterOf(fromMs), ended),
    errors: errors === 0 ? hour.errors : withCount(hour.errors, quarterOf(eventMs), errors),
    powersW, spans, minutes,
    peakMinuteMilliWh: energyMilliWh === 0 ? hour.peakMinuteMilliWh : -1,
  };
}

/** Sums and peaks of the hours of a day: those that there are. */
export function sumOfHours(hours: readonly HourLoad[]): LoadSums {
  let energyMilliWh = 0;
  let occupiedMs = 0;
  let chargingMs = 0;
  let peakMinuteMilliWh = 0;
  let peakPowerW: number | null = null;
  let samples = 0;
  let sessionsStarted = 0;
  let sessionsEnded = 0;
  let errors = 0;
  let facts = noFacts;
  for (const hour of hours) {
    energyMilliWh += hour.energyMilliWh;
    occupiedMs += hour.occupiedMs;
    chargingMs += hour.chargingMs;
    peakMinuteMilliWh = Math.max(peakMinuteMilliWh, peakMinuteOf(hour));
    const powerW = highestOf(hour.powersW);
    if (powerW !== null && (peakPowerW === null || powerW > peakPowerW)) peakPowerW = powerW;
    samples += totalOf(hour.samples);
    sessionsStarted += totalOf(hour.sessionsStarted);
    sessionsEnded += totalOf(hour.sessionsEnded);
    errors += totalOf(hour.errors);
    if (hour.facts.stationValidFromMs > facts.stationValidFromMs) ({ facts } = hour);
  }
  return { energyMilliWh, occupiedMs, chargingMs, peakMinuteMilliWh, peakPowerW, samples, sessionsStarted, sessionsEnded, errors, facts };
}

/** The hour's minutes, of which the highest is remembered. */
export function minutesOf(hour: HourLoad): HourMinutes {
  const minutes = minutesWith(hour.minutes, hour.spans);
  if (hour.peakMinuteMilliWh < 0) hour.peakMinuteMilliWh = peakOf(minutes.milliWh);
  return minutes;
}

function peakMinuteOf(hour: HourLoad): number {
  if (hour.peakMinuteMilliWh < 0) minutesOf(hour);
  return hour.peakMinuteMilliWh;
}

function factsOf({ siteId, city, operator, stationValidFromMs }: StationFacts): StationFacts {
  return { siteId, city, operator, stationValidFromMs };
}

function quarterOf(timeMs: number): number {
  return Math.floor((timeMs % hourMs) / quarterMs);
}

export function totalOf(counts: readonly number[]): number {
  return counts === never ? 0 : (counts[0] as number) + (counts[1] as number) + (counts[2] as number) + (counts[3] as number);
}

export function highestOf(powersW: readonly (number | null)[]): number | null {
  let highest: number | null = null;
  for (let at = 0; at < powersW.length; at += 1) {
    const powerW = powersW[at] as number | null;
    if (powerW !== null && (highest === null || powerW > highest)) highest = powerW;
  }
  return highest;
}

function withCount(counts: readonly number[], quarter: number, more: number): readonly number[] {
  const changed = counts.slice();
  changed[quarter] = (changed[quarter] as number) + more;
  return changed.every((count) => count === 0) ? never : changed;
}

function withPower(powersW: readonly (number | null)[], quarter: number, powerW: number): readonly (number | null)[] {
  const before = powersW[quarter];
  if (before !== undefined && before !== null && before >= powerW) return powersW;
  const changed = powersW.length === 0 ? [null, null, null, null] : powersW.slice();
  changed[quarter] = powerW;
  return changed;
}

/** A span that is taken back takes away its twin, where that is still a span. */
function withSpan(spans: readonly number[], fromMs: number, toMs: number, milliWh: number, kind: number): readonly number[] {
  for (let at = 0; at < spans.length; at += spanNumbers) {
    if (spans[at] === fromMs && spans[at + 1] === toMs && spans[at + 2] === -milliWh && spans[at + 3] === -kind) {
      return spans.length === spanNumbers ? noSpans : [...spans.slice(0, at), ...spans.slice(at + spanNumbers)];
    }
  }
  return spans === noSpans ? [fromMs, toMs, milliWh, kind] : [...spans, fromMs, toMs, milliWh, kind];
}

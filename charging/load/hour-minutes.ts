import { hourMs, minuteMs, energyUntil } from './split-load.ts';

/** The 60 minutes of an hour, in the form of their columns: 60 values, or one where all are the same, or none where all are 0. */
export interface HourMinutes {
  readonly milliWh: readonly number[];
  readonly occupiedMs: readonly number[];
  readonly chargingMs: readonly number[];
}

export const minutesInHour = hourMs / minuteMs;
/** Begin and end of the whole span in ms from the hour's begin, its energy, and its kind. */
export const spanNumbers = 4;

/** What a span says of its time, as one number; the other sign takes it back. */
export function spanKind(occupied: number, charging: number): number {
  return occupied * 3 + charging;
}

const nothing: readonly number[] = [];
const allTheMinute: readonly number[] = [minuteMs];

// Written anew for each hour: numbers that nobody keeps.
const milliWhNow = Array.from({ length: minutesInHour }, () => 0);
const occupiedNow = Array.from({ length: minutesInHour }, () => 0);
const chargingNow = Array.from({ length: minutesInHour }, () => 0);

/**
 * Minutes with what spans have of them. A span is four numbers: its begin and end in ms from the begin of the hour, which may lie outside
 * of it, its energy in mWh, and its kind. Each minute has the difference of the span's energy between its end and its begin.
 */
export function minutesWith(before: HourMinutes | null, spans: readonly number[]): HourMinutes {
  let hasEnergy = false;
  let hasTime = false;
  // Where a vehicle charges whenever it is there, the two are one array.
  let isAlike = before === null || before.occupiedMs === before.chargingMs;
  for (let at = 0; at < spans.length; at += spanNumbers) {
    if (spans[at + 2] !== 0) hasEnergy = true;
    const kind = spans[at + 3] as number;
    if (kind !== 0) hasTime = true;
    if (kind !== 4 && kind !== -4 && kind !== 0) isAlike = false;
  }
  const milliWh = hasEnergy ? withEnergy(before === null ? nothing : before.milliWh, spans) : before === null ? nothing : before.milliWh;
  if (!hasTime) return { milliWh, occupiedMs: before === null ? nothing : before.occupiedMs, chargingMs: before === null ? nothing : before.chargingMs };
  const occupiedMs = withTime(occupiedNow, before === null ? nothing : before.occupiedMs, spans, false);
  return { milliWh, occupiedMs, chargingMs: isAlike ? occupiedMs : withTime(chargingNow, before === null ? nothing : before.chargingMs, spans, true) };
}

export function peakOf(milliWh: readonly number[]): number {
  let highest = 0;
  for (let at = 0; at < milliWh.length; at += 1) if ((milliWh[at] as number) > highest) highest = milliWh[at] as number;
  return highest;
}

function withEnergy(before: readonly number[], spans: readonly number[]): readonly number[] {
  const into = milliWhNow;
  spread(before, into);
  for (let at = 0; at < spans.length; at += spanNumbers) {
    const milliWh = spans[at + 2] as number;
    if (milliWh !== 0) addEnergy(into, spans[at] as number, spans[at + 1] as number, milliWh);
  }
  return compact(into);
}

function addEnergy(into: number[], fromMs: number, toMs: number, milliWh: number): void {
  const endMs = toMs < hourMs ? toMs : hourMs;
  let minute = fromMs > 0 ? Math.floor(fromMs / minuteMs) : 0;
  let minuteEndMs = (minute + 1) * minuteMs;
  // A moment's energy is all in one minute.
  let before = fromMs >= 0 ? 0 : energyUntil(fromMs, toMs, milliWh, 0);
  for (; minuteEndMs < endMs; minuteEndMs += minuteMs) {
    const until = energyUntil(fromMs, toMs, milliWh, minuteEndMs);
    into[minute] = (into[minute] as number) + (until - before);
    before = until;
    minute += 1;
  }
  into[minute] = (into[minute] as number) + (energyUntil(fromMs, toMs, milliWh, endMs) - before);
}

function withTime(into: number[], before: readonly number[], spans: readonly number[], ofCharging: boolean): readonly number[] {
  spread(before, into);
  // What holds for the whole hour is added at the end.
  let everyMinuteMs = 0;
  let isEven = before.length <= 1;
  for (let at = 0; at < spans.length; at += spanNumbers) {
    const kind = spans[at + 3] as number;
    const occupied = kind > 1 ? 1 : kind < -1 ? -1 : 0;
    const sign = ofCharging ? kind - 3 * occupied : occupied;
    if (sign === 0) continue;
    const fromMs = spans[at] as number;
    const toMs = spans[at + 1] as number;
    if (fromMs <= 0 && toMs >= hourMs) {
      everyMinuteMs += sign * minuteMs;
    } else {
      isEven = false;
      addTime(into, fromMs > 0 ? fromMs : 0, toMs < hourMs ? toMs : hourMs, sign);
    }
  }
  if (isEven) return one((before[0] ?? 0) + everyMinuteMs);
  if (everyMinuteMs !== 0) for (let minute = 0; minute < minutesInHour; minute += 1) into[minute] = (into[minute] as number) + everyMinuteMs;
  return compact(into);
}

function addTime(into: number[], fromMs: number, toMs: number, sign: number): void {
  let minute = Math.floor(fromMs / minuteMs);
  let atMs = fromMs;
  for (let minuteEndMs = (minute + 1) * minuteMs; minuteEndMs < toMs; minuteEndMs += minuteMs) {
    into[minute] = (into[minute] as number) + sign * (minuteEndMs - atMs);
    atMs = minuteEndMs;
    minute += 1;
  }
  into[minute] = (into[minute] as number) + sign * (toMs - atMs);
}

/** Writes 60 values of their short form. */
function spread(values: readonly number[], into: number[]): void {
  if (values.length <= 1) {
    // A loop of so few is faster than `fill`.
    const value = values.length === 0 ? 0 : (values[0] as number);
    for (let minute = 0; minute < minutesInHour; minute += 1) into[minute] = value;
    return;
  }
  for (let minute = 0; minute < minutesInHour; minute += 1) into[minute] = values[minute] as number;
}

export function compact(values: readonly number[]): readonly number[] {
  const value = values[0] as number;
  for (let minute = 1; minute < minutesInHour; minute += 1) if (values[minute] !== value) return values.slice();
  return one(value);
}

function one(value: number): readonly number[] {
  return value === 0 ? nothing : value === minuteMs ? allTheMinute : [value];
}

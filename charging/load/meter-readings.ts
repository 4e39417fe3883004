/** A register's value at a time, in whole mWh, so that differences add up exactly. */
export interface MeterReading {
  readonly seqNo: number | null;
  readonly timeMs: number;
  readonly milliWh: number;
}

/** A transaction's last readings in order; `forgotten` says that there were others before them. */
export interface MeterReadings {
  readonly kept: readonly MeterReading[];
  readonly forgotten: boolean;
}

export const noReadings: MeterReadings = { kept: [], forgotten: false };

/** Readings further behind the last one than this are forgotten, but for the newest of them. Longer than any grace. */
export const readingsKeptMs = 3_600_000;

export interface InsertedReading {
  readonly readings: MeterReadings;
  /** The event had a register that was not known yet. */
  readonly isNew: boolean;
  /** Energy between the reading before and this one. */
  readonly ownMilliWh: number;
  /** What the reading behind it has more or less because of this one. */
  readonly behind: { readonly timeMs: number; readonly changeMilliWh: number } | null;
}

/** Puts an event's register in its place among the readings of its transaction. */
export function insertReading(
  before: MeterReadings,
  event: { readonly seqNo: number | null; readonly timestampMs: number; readonly meterWh: number | null },
): InsertedReading {
  if (event.meterWh === null) return { readings: before, isNew: false, ownMilliWh: 0, behind: null };
  const reading = { seqNo: event.seqNo, timeMs: event.timestampMs, milliWh: Math.round(event.meterWh * 1000) };
  const { kept } = before;
  let at = kept.length;
  while (at > 0 && order(kept[at - 1] as MeterReading, reading) > 0) at -= 1;
  const previous = kept[at - 1];
  const next = kept[at];
  if (previous !== undefined && isSame(previous, reading)) return { readings: before, isNew: false, ownMilliWh: 0, behind: null };
  // Before all that is remembered: its energy is already in the differences behind it.
  if (previous === undefined && before.forgotten) return { readings: before, isNew: true, ownMilliWh: 0, behind: null };
  const ownMilliWh = previous === undefined ? 0 : delivered(previous, reading);
  const readings = withReading(before, reading, at);
  if (next === undefined) return { readings, isNew: true, ownMilliWh, behind: null };
  const changeMilliWh = delivered(reading, next) - (previous === undefined ? 0 : delivered(previous, next));
  return { readings, isNew: true, ownMilliWh, behind: changeMilliWh === 0 ? null : { timeMs: next.timeMs, changeMilliWh } };
}

/** A register that went back has delivered nothing. */
function delivered(from: MeterReading, to: MeterReading): number {
  return Math.max(0, to.milliWh - from.milliWh);
}

function isSame(a: MeterReading, b: MeterReading): boolean {
  return a.seqNo === null || b.seqNo === null ? a.timeMs === b.timeMs && a.milliWh === b.milliWh : a.seqNo === b.seqNo;
}

/** By sequence number where both have one, else by time, at last by value. */
function order(a: MeterReading, b: MeterReading): number {
  const bySeqNo = a.seqNo === null || b.seqNo === null ? 0 : a.seqNo - b.seqNo;
  return bySeqNo || a.timeMs - b.timeMs || a.milliWh - b.milliWh;
}

/** The readings with one more at its place, without those that are forgotten by now. */
function withReading({ kept, forgotten }: MeterReadings, reading: MeterReading, at: number): MeterReadings {
  const isLast = at === kept.length;
  const all = isLast ? kept : kept.toSpliced(at, 0, reading);
  const fromMs = (isLast ? reading : all[all.length - 1] as MeterReading).timeMs - readingsKeptMs;
  let first = 0;
  while (first + 1 < all.length && (all[first + 1] as MeterReading).timeMs < fromMs) first += 1;
  const left = isLast || first > 0 ? all.slice(first) : all as MeterReading[];
  if (isLast) left.push(reading);
  return { kept: left, forgotten: forgotten || first > 0 };
}

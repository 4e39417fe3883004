import type { ChargingState } from '../../schemas/generated/charging-event.ts';
import { mostMilliWh } from './read-registers-path.ts';
import type { BelievedPath } from './read-registers-path.ts';
import { addSegment, frozenFromMilliWh, powerMilliWh, spread, unmovedMilliWh } from './read-registers-points.ts';
import type { TakenPoints } from './read-registers-points.ts';
import type { RegisterFlag, RegisterLimits, RegisterReading, ReportedPoint, Segment, SessionSpan } from './read-registers.ts';

/**
 * What `appendPoint` must know of the points before: plain data, for the state. Null where something is odd in a session, or it has
 * ended: then all its points are read again.
 */
export interface ReadingTail {
  readonly startMs: number;
  /** Highest sequence number so far; null: none had one. */
  readonly seqNo: number | null;
  /** Every point had a sequence number. */
  readonly sequenced: boolean;
  /** The last point with a register and those after it, of which it is not known yet what flowed; without any register the last point. */
  readonly open: readonly ReportedPoint[];
  /** Charging state as told before the first of `open`. */
  readonly chargingState: ChargingState | null;
  /** First register as it stands; null: none was told. */
  readonly firstMilliWh: number | null;
  /** Null: no register was told, or only that of the start. */
  readonly energyMilliWh: number | null;
  readonly registerMilliWh: number | null;
  /** The part of the energy that a register of the session had counted when the transaction was seen first. */
  readonly beforeMilliWh: number;
  /** Energy by power from the register's last movement to the first of `open`, in mWh. */
  readonly unmovedMilliWh: number;
  readonly flags: readonly RegisterFlag[];
}

export interface AppendedPoint {
  /** Null after the end. */
  readonly tail: ReadingTail | null;
  /** The last segments of the reading before, which `added` replaces; mostly none. */
  readonly removed: readonly Segment[];
  readonly added: readonly Segment[];
  readonly energyMilliWh: number | null;
  readonly registerMilliWh: number | null;
}

/** More points than this without a register, and all are read again. */
const openMost = 8;
const none: readonly Segment[] = [];

/** The tail of a reading in which nothing is odd. */
export function tailOf(
  taken: TakenPoints, path: BelievedPath | null, span: SessionSpan, reading: RegisterReading, beforeMilliWh: number,
): ReadingTail | null {
  const { points, at, held, startInferred, zeroAssumed } = taken;
  const isStartAlone = at.length === 1 && at[0] === 0 && !zeroAssumed;
  if (span.stopMs !== null || !taken.asReported || taken.belowZero || (points[points.length - 1] as ReportedPoint).kind === 'end') return null;
  if (path === null ? at.length > 0 && !isStartAlone : !path.plain || reading.energyMilliWh === null) return null;
  const from = at.length === 0 ? points.length - 1 : at[at.length - 1] as number;
  if (points.length - from > openMost) return null;
  let seqNo: number | null = null;
  let sequenced = true;
  for (let index = startInferred ? 1 : 0; index < points.length; index += 1) {
    const point = points[index] as ReportedPoint;
    if (point.seqNo === null) sequenced = false;
    else seqNo = seqNo === null ? point.seqNo : Math.max(seqNo, point.seqNo);
  }
  const first = at[zeroAssumed ? 1 : 0];
  return {
    startMs: span.startMs, seqNo, sequenced, open: points.slice(from), chargingState: from === 0 ? null : held[from - 1] as ChargingState | null,
    firstMilliWh: first === undefined ? null : (points[first] as ReportedPoint).milliWh, energyMilliWh: reading.energyMilliWh,
    registerMilliWh: reading.registerMilliWh, beforeMilliWh, unmovedMilliWh: path === null ? 0 : unmovedMilliWh(taken, path, from), flags: reading.flags,
  };
}

/**
 * The usual case in constant time: a point that comes after all others and is plausible. The segments of all points are then those
 * before, with `added` in the place of `removed`; the flags are those before. An end is appended as a stop at its own time. Null:
 * it is not the usual case, all points are to be read again.
 */
export function appendPoint(tail: ReadingTail, point: ReportedPoint, limits: RegisterLimits): AppendedPoint | null {
  if (!isAfter(tail, point)) return null;
  return point.milliWh === null ? appendUnmetered(tail, point) : appendMetered(tail, point, point.milliWh, limits);
}

/** After all points by every order that there is. */
function isAfter({ open, seqNo, sequenced }: ReadingTail, point: ReportedPoint): boolean {
  const last = open[open.length - 1] as ReportedPoint;
  if (point.kind === 'start' || point.timeMs < last.timeMs) return false;
  if (point.seqNo !== null && seqNo !== null && point.seqNo <= seqNo) return false;
  return point.timeMs > last.timeMs || point.kind === 'end' || (sequenced && point.seqNo !== null);
}

function appendUnmetered(tail: ReadingTail, point: ReportedPoint): AppendedPoint | null {
  const { open, firstMilliWh, energyMilliWh, registerMilliWh } = tail;
  const isMetered = firstMilliWh !== null || energyMilliWh !== null;
  if (point.kind === 'end' || (isMetered && open.length >= openMost)) return null;
  const last = open[open.length - 1] as ReportedPoint;
  const held = heldAt(tail);
  const added: Segment[] = [];
  addSegment(added, last, point, last.timeMs, point.timeMs, held, 0);
  const after = tailAfter(tail, point, isMetered ? [...open, point] : [point], isMetered ? tail.chargingState : held, tail.unmovedMilliWh, energyMilliWh, registerMilliWh);
  return { tail: after, removed: none, added, energyMilliWh, registerMilliWh };
}

function appendMetered(tail: ReadingTail, point: ReportedPoint, milliWh: number, limits: RegisterLimits): AppendedPoint | null {
  const { open, firstMilliWh } = tail;
  const anchor = open[0] as ReportedPoint;
  if (anchor.milliWh === null || firstMilliWh === null) return null;
  const moved = milliWh - anchor.milliWh;
  if (moved < 0 || moved > mostMilliWh(limits, point.timeMs - anchor.timeMs)) return null;
  const energyMilliWh = (tail.energyMilliWh ?? 0) + moved;
  if (energyMilliWh - tail.beforeMilliWh > mostMilliWh(limits, point.timeMs - tail.startMs)) return null;
  const unmoved = moved > 0 ? 0 : tail.unmovedMilliWh + unmovedOver(tail, point);
  if (point.kind === 'end' && unmoved >= frozenFromMilliWh) return null;
  const held = heldAt(tail);
  let added: readonly Segment[];
  let removed = none;
  if (open.length === 1) {
    const one: Segment[] = [];
    addSegment(one, anchor, point, anchor.timeMs, point.timeMs, held, moved);
    added = one;
  } else {
    added = segmentsOver([...open, point], tail.chargingState, moved);
    removed = segmentsOver(open, tail.chargingState, 0);
  }
  const registerMilliWh = milliWh - firstMilliWh;
  const after = point.kind === 'end' ? null : tailAfter(tail, point, [point], held, unmoved, energyMilliWh, registerMilliWh);
  return { tail: after, removed, added, energyMilliWh, registerMilliWh };
}

/** Charging state as told until the last point. */
function heldAt({ open, chargingState }: ReadingTail): ChargingState | null {
  let held = chargingState;
  for (const point of open) held = point.chargingState ?? held;
  return held;
}

function unmovedOver(tail: ReadingTail, point: ReportedPoint): number {
  let held = tail.chargingState;
  let sum = 0;
  for (let at = 0; at < tail.open.length; at += 1) {
    const from = tail.open[at] as ReportedPoint;
    const to = tail.open[at + 1] ?? point;
    held = from.chargingState ?? held;
    sum += powerMilliWh(from, to, to.timeMs - from.timeMs, held);
  }
  return sum;
}

function segmentsOver(points: readonly ReportedPoint[], chargingState: ChargingState | null, milliWh: number): readonly Segment[] {
  const segments: Segment[] = [];
  const times = points.map((point) => point.timeMs);
  const cumulative: number[] = [0];
  spread(cumulative, times, 0, points.length - 1, 0, milliWh);
  let held = chargingState;
  for (let at = 1; at < points.length; at += 1) {
    const from = points[at - 1] as ReportedPoint;
    held = from.chargingState ?? held;
    const energy = (cumulative[at] as number) - (cumulative[at - 1] as number);
    addSegment(segments, from, points[at] as ReportedPoint, times[at - 1] as number, times[at] as number, held, energy);
  }
  return segments;
}

function tailAfter(
  tail: ReadingTail, point: ReportedPoint, open: readonly ReportedPoint[], chargingState: ChargingState | null, unmoved: number,
  energyMilliWh: number | null, registerMilliWh: number | null,
): ReadingTail {
  return {
    startMs: tail.startMs, seqNo: point.seqNo ?? tail.seqNo, sequenced: tail.sequenced && point.seqNo !== null, open, chargingState,
    firstMilliWh: tail.firstMilliWh, energyMilliWh, registerMilliWh, beforeMilliWh: tail.beforeMilliWh,
    unmovedMilliWh: unmoved, flags: tail.flags,
  };
}

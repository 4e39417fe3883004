import type { ChargingState } from '../../schemas/generated/charging-event.ts';

/** What one event told of a transaction's register, power and charging state. */
export interface ReportedPoint {
  readonly seqNo: number | null;
  /** By the device's clock, as far as it is believed. */
  readonly timeMs: number;
  /** The import register in whole mWh; null: not told, which is not zero. */
  readonly milliWh: number | null;
  readonly powerW: number | null;
  readonly chargingState: ChargingState | null;
  readonly kind: 'start' | 'update' | 'end';
}

/** What is known of the connector. */
export interface RegisterLimits {
  /** What the station's registers count; null: unknown. */
  readonly scope: 'lifetime' | 'session' | null;
  readonly powerMaxW: number | null;
}

/** When the session began and ended; `stopMs` null: it runs, or its end is unknown. */
export interface SessionSpan {
  readonly startMs: number;
  readonly stopMs: number | null;
}

/** `[fromMs, toMs)` with what was drawn in it, evenly; both times the same: at that moment. */
export interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whole mWh, never negative. */
  readonly energyMilliWh: number;
  readonly charging: boolean;
}

/** What reading registers may say of a session, in the order of their names. */
export const registerFlags = [
  'implausible-energy', 'negative-energy', 'partial-energy', 'register-frozen', 'register-mixed', 'register-outlier', 'register-reset',
  'register-rolled-over',
] as const;
export type RegisterFlag = (typeof registerFlags)[number];

export interface RegisterReading {
  /** In order, each beginning where the one before ends, from the start to the stop (or to the last point, while it runs). */
  readonly segments: readonly Segment[];
  /** Sum of the segments; null: unknown, then the segments have no energy. */
  readonly energyMilliWh: number | null;
  /** Last register minus first as they stand; null without two of them. */
  readonly registerMilliWh: number | null;
  readonly flags: readonly RegisterFlag[];
}

/**
 * What `appendPoint` must know of the points before. Plain data for the state; null where a session is not in the usual case
 * (something was odd), then all points are read again.
 */
export interface ReadingTail {
  readonly startMs: number;
  /** Time of the last point. */
  readonly lastMs: number;
  /** Highest sequence number so far; null: none had one. */
  readonly seqNo: number | null;
  /** False: one of the points had no sequence number. */
  readonly sequenced: boolean;
  readonly firstMilliWh: number | null;
  readonly milliWh: number | null;
  /** Of the last point with a register. */
  readonly meteredMs: number;
  /** Power of the last point; null: not told there. */
  readonly powerW: number | null;
  /** Charging state as told last. */
  readonly chargingState: ChargingState | null;
  readonly energyMilliWh: number | null;
  /** What flowed by power since the register moved last, in mWh. */
  readonly unmovedMilliWh: number;
  /** Segments since the last point with a register. Their energy is known with the next one. */
  readonly pending: readonly Segment[];
}

export interface WholeReading {
  readonly reading: RegisterReading;
  readonly tail: ReadingTail | null;
}

export interface AppendedPoint {
  readonly tail: ReadingTail;
  /** How many of the last segments are replaced by `added`: those in `pending` before. */
  readonly removed: readonly Segment[];
  readonly added: readonly Segment[];
}

/** Points of a transaction in the order in which they are read: by sequence number, those without one by their time between. */
export function inOrder(points: readonly ReportedPoint[]): readonly ReportedPoint[] {
  return points;
}

/** What is believed of a transaction's registers. `points` are in order (`inOrder`). */
export function readRegisters(points: readonly ReportedPoint[], span: SessionSpan, limits: RegisterLimits): RegisterReading {
  return readWhole(points, span, limits).reading;
}

/** The same, with what is needed to go on with `appendPoint`. */
export function readWhole(points: readonly ReportedPoint[], span: SessionSpan, limits: RegisterLimits): WholeReading {
  throw new Error(`not read yet: ${points.length} ${span.startMs} ${limits.scope}`);
}

/**
 * The usual case in constant time: a point that comes after all others and is plausible. The segments of all points are then those
 * before without `removed`, and `added`; flags stay none. Null: it is not the usual case, read all points again. A stop is appended with
 * `stopMs` its own time.
 */
export function appendPoint(tail: ReadingTail, point: ReportedPoint, limits: RegisterLimits): AppendedPoint | null {
  throw new Error(`not read yet: ${tail.lastMs} ${point.timeMs} ${limits.scope}`);
}

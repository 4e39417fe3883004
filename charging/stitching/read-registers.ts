import type { ChargingState } from '../../schemas/generated/charging-event.ts';
import { tailOf } from './read-registers-append.ts';
import type { ReadingTail } from './read-registers-append.ts';
import { believedPath, mostMilliWh } from './read-registers-path.ts';
import type { BelievedPath, BelievedStep } from './read-registers-path.ts';
import { addSegment, frozenFromMilliWh, mayFlowUntil, spread, takeIn, unmovedMilliWh } from './read-registers-points.ts';
import type { TakenPoints } from './read-registers-points.ts';
import { unknownTimeMs } from './read-registers-times.ts';

export { appendPoint } from './read-registers-append.ts';
export type { AppendedPoint, ReadingTail } from './read-registers-append.ts';
export { inOrder } from './read-registers-times.ts';

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

export interface WholeReading {
  readonly reading: RegisterReading;
  readonly tail: ReadingTail | null;
}

/**
 * What is believed of a transaction's registers. `points` are in order (`inOrder`); times before the start or after the stop, and
 * those that go back, are placed between the others.
 *
 * A register may count for ever or from zero at the session's start (`scope`; then a start without a register is zero), be reset
 * (what it counted since is believed), roll over, or be told for some points only: its energy is spread evenly over the time
 * between. What does not fit, and the next readings do not bear out, is left out; a jump that nothing explains makes the energy
 * unknown, because its parts add up to nothing. Every deviation has its flag:
 *
 * - `register-reset`, `register-rolled-over`, `register-mixed` (from zero at the start between registers that count for ever): the
 *   energy is what the register says all the same; only what flowed just before a reset is missing in it.
 * - `register-outlier`: readings were left out; those around them count.
 * - `partial-energy`: the register is not known at the start or the stop, and energy may have flowed there: there is at least so much.
 * - `register-frozen`: it stands still until the stop while power flows: energy unknown.
 * - `negative-energy`, `implausible-energy`: it went back, or gave more than the connector can, and nothing explains it: energy unknown.
 *
 * What is believed never exceeds what the connector can give in the session's time (`mostMilliWh`), except what a session's own
 * register had counted when the transaction was seen first.
 */
export function readRegisters(points: readonly ReportedPoint[], span: SessionSpan, limits: RegisterLimits): RegisterReading {
  return readWhole(points, span, limits).reading;
}

/** The same, with what is needed to go on with `appendPoint`. */
export function readWhole(reported: readonly ReportedPoint[], span: SessionSpan, limits: RegisterLimits): WholeReading {
  const taken = takeIn(reported, span, limits);
  const registerMilliWh = registerDifference(reported);
  const path = taken.at.length < 2 ? null : believedPath(taken, limits);
  const flags = new Set<RegisterFlag>(path === null ? [] : path.flags);
  if (path === null && registerMilliWh !== null && registerMilliWh < 0) flags.add('negative-energy');
  else if (taken.belowZero) flags.add('register-outlier');
  const sum = path === null || path.unknown ? null : path.steps.reduce((total, step) => total + step.milliWh, 0);
  const beforeMilliWh = sum === null ? 0 : countedBefore(taken, path as BelievedPath);
  if (sum !== null && sum - beforeMilliWh > mostMilliWh(limits, lengthMs(taken, span))) flags.add('implausible-energy');
  const unmoved = path === null ? 0 : unmovedMilliWh(taken, path, taken.at[taken.at.length - 1] as number);
  if (span.stopMs !== null && unmoved >= frozenFromMilliWh) flags.add('register-frozen');
  const isKnown = sum !== null && !flags.has('implausible-energy') && !flags.has('register-frozen');
  if (isKnown && isPartial(taken, path as BelievedPath, span)) flags.add('partial-energy');
  const reading: RegisterReading = {
    segments: segmentsOf(taken, isKnown ? path : null, span),
    energyMilliWh: isKnown ? sum : null,
    registerMilliWh,
    flags: flags.size === 0 ? noFlags : registerFlags.filter((flag) => flags.has(flag)),
  };
  return { reading, tail: tailOf(taken, path, span, reading, beforeMilliWh) };
}

const noFlags: readonly RegisterFlag[] = [];

function registerDifference(points: readonly ReportedPoint[]): number | null {
  let first: ReportedPoint | null = null;
  let last: ReportedPoint | null = null;
  for (const point of points) {
    if (point.milliWh === null) continue;
    first ??= point;
    last = point;
  }
  return first === null || last === null || first === last ? null : (last.milliWh as number) - (first.milliWh as number);
}

/** What a register of the session had counted when the transaction was seen first. */
function countedBefore(taken: TakenPoints, path: BelievedPath): number {
  return taken.startInferred && taken.zeroAssumed && path.first === 0 ? (path.steps[0] as BelievedStep).milliWh : 0;
}

function lengthMs(taken: TakenPoints, { startMs, stopMs }: SessionSpan): number {
  if (stopMs !== null && stopMs < startMs) return unknownTimeMs;
  return (stopMs ?? taken.timeMs[taken.timeMs.length - 1] ?? startMs) - startMs;
}

/** Energy may have flowed before the first believed register, or after the last one. */
function isPartial(taken: TakenPoints, path: BelievedPath, { stopMs }: SessionSpan): boolean {
  const { at, mayFlowMs } = taken;
  if ((mayFlowMs[at[path.first] as number] as number) > 0) return true;
  return stopMs !== null && mayFlowUntil(taken, at[path.last] as number, stopMs);
}

/** The time from start to stop (or to the last point) by points; without a path there is no energy in it. */
function segmentsOf(taken: TakenPoints, path: BelievedPath | null, { startMs, stopMs }: SessionSpan): readonly Segment[] {
  const { points, timeMs, held } = taken;
  const cumulative = path === null ? null : cumulativeMilliWh(taken, path);
  const segments: Segment[] = [];
  const first = points[0] as ReportedPoint;
  const last = points.length - 1;
  addSegment(segments, first, first, startMs, timeMs[0] as number, null, 0);
  for (let at = 1; at <= last; at += 1) {
    const energy = cumulative === null ? 0 : (cumulative[at] as number) - (cumulative[at - 1] as number);
    const state = held[at - 1] as ChargingState | null;
    addSegment(segments, points[at - 1] as ReportedPoint, points[at] as ReportedPoint, timeMs[at - 1] as number, timeMs[at] as number, state, energy);
  }
  const lastMs = timeMs[last] as number;
  addSegment(segments, points[last] as ReportedPoint, null, lastMs, Math.max(lastMs, stopMs ?? lastMs), held[last] as ChargingState | null, 0);
  return segments;
}

/** Energy from the start until each point. */
function cumulativeMilliWh({ at, points, timeMs }: TakenPoints, path: BelievedPath): readonly number[] {
  const cumulative = points.map(() => 0);
  let base = 0;
  for (const step of path.steps) {
    const { from, to, since, within, milliWh } = step;
    let knot = at[Math.max(since, path.first)] as number;
    let knotMilliWh = 0;
    within?.forEach((one, index) => {
      const next = at[from + 1 + index] as number;
      spread(cumulative, timeMs, knot, next, base + knotMilliWh, one - knotMilliWh);
      knot = next;
      knotMilliWh = one;
    });
    spread(cumulative, timeMs, knot, at[to] as number, base + knotMilliWh, milliWh - knotMilliWh);
    base += milliWh;
  }
  const last = at[path.last] as number;
  return cumulative.fill(base, last + 1);
}

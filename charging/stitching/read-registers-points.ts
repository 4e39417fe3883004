import type { ChargingState } from '../../schemas/generated/charging-event.ts';
import type { BelievedPath, MeteredPoints } from './read-registers-path.ts';
import { placedTimes, unknownTimeMs } from './read-registers-times.ts';
import type { ReportedPoint, RegisterLimits, Segment, SessionSpan } from './read-registers.ts';

/** From here on a connector charges, in W; below are its own electronics. */
const chargingFromW = 50;
/** A register that stands still while power says that so much flowed is broken; coarse ones count whole kWh. */
export const frozenFromMilliWh = 2_000_000;

/** A transaction's points with their times, and its registers apart. */
export interface TakenPoints extends MeteredPoints {
  /** From the session's start on. */
  readonly points: readonly ReportedPoint[];
  /** Never falling, inside the session. */
  readonly timeMs: readonly number[];
  /** Charging state as told last, at each point. */
  readonly held: readonly (ChargingState | null)[];
  /** Point of each register. */
  readonly at: readonly number[];
  /** No start was reported. */
  readonly startInferred: boolean;
  /** All points have the times that they reported. */
  readonly asReported: boolean;
  /** Registers below zero were left out: there are none. */
  readonly belowZero: boolean;
  /** Time until each point in which energy may have flowed. */
  readonly mayFlowMs: readonly number[];
}

export function takeIn(reported: readonly ReportedPoint[], span: SessionSpan, limits: RegisterLimits): TakenPoints {
  const startInferred = reported[0]?.kind !== 'start';
  const points = startInferred ? [inferredStart(span.startMs), ...reported] : reported;
  const times = placedTimes(points, span);
  const { timeMs } = times;
  const held: (ChargingState | null)[] = [];
  const mayFlowMs: number[] = [];
  const metered = { at: [] as number[], milliWh: [] as number[], fromMs: [] as number[], toMs: [] as number[], flowingMs: [] as number[] };
  const zeroAssumed = limits.scope === 'session' && points[0]?.milliWh === null;
  let belowZero = false;
  const end = endWithRegister(points);
  for (let index = 0; index < points.length; index += 1) {
    const point = points[index] as ReportedPoint;
    const lengthMs = index === 0 ? 0 : (timeMs[index] as number) - (timeMs[index - 1] as number);
    const flows = index > 0 && mayFlow(held[index - 1] as ChargingState | null);
    mayFlowMs.push((mayFlowMs[index - 1] ?? 0) + (flows ? lengthMs : 0));
    held.push(point.chargingState ?? held[index - 1] ?? null);
    const milliWh = index === 0 && zeroAssumed ? 0 : point.milliWh;
    if (milliWh === null || (end !== null && isAfterEnd(point, end))) continue;
    if (milliWh < 0) {
      belowZero = true;
      continue;
    }
    metered.at.push(index);
    metered.milliWh.push(milliWh);
    metered.fromMs.push((times.fromMs[index] as number) - (index === 0 && startInferred ? unknownTimeMs : 0));
    metered.toMs.push(times.toMs[index] as number);
    metered.flowingMs.push(mayFlowMs[index] as number);
  }
  const hasStart = metered.at[0] === 0;
  return { ...metered, points, timeMs, held, mayFlowMs, hasStart, zeroAssumed, startInferred, belowZero, asReported: times.asReported };
}

function inferredStart(timeMs: number): ReportedPoint {
  return { seqNo: null, timeMs, milliWh: null, powerW: null, chargingState: null, kind: 'start' };
}

function endWithRegister(points: readonly ReportedPoint[]): ReportedPoint | null {
  const last = points[points.length - 1];
  return last !== undefined && last.kind === 'end' && last.milliWh !== null && last.milliWh >= 0 ? last : null;
}

/** What a station still says of a transaction that has ended is not part of it. */
function isAfterEnd(point: ReportedPoint, end: ReportedPoint): boolean {
  if (point.kind !== 'update' || point.timeMs <= end.timeMs) return false;
  return point.seqNo === null || end.seqNo === null || point.seqNo > end.seqNo;
}

/** Energy may have flowed unless the state says that none did; power says nothing of the time between its samples. */
function mayFlow(held: ChargingState | null): boolean {
  return held === null || held === 'Charging';
}

/** Spreads a step's energy evenly over its time: the energy from the start until each of its points. */
export function spread(
  cumulative: number[], timeMs: readonly number[], from: number, to: number, baseMilliWh: number, milliWh: number,
): void {
  const fromMs = timeMs[from] as number;
  const lengthMs = (timeMs[to] as number) - fromMs;
  for (let at = from + 1; at < to; at += 1) {
    const share = lengthMs === 0 ? 0 : ((timeMs[at] as number) - fromMs) / lengthMs;
    cumulative[at] = baseMilliWh + Math.floor(milliWh * share);
  }
  cumulative[to] = baseMilliWh + milliWh;
}

/** Adds the segment between two points that follow each other, unless it is empty. `held` is the state as told until the first. */
export function addSegment(
  segments: Segment[], from: ReportedPoint, to: ReportedPoint | null, fromMs: number, toMs: number, held: ChargingState | null, energyMilliWh: number,
): void {
  if (fromMs === toMs && energyMilliWh === 0) return;
  segments.push({ fromMs, toMs, energyMilliWh, charging: isCharging(from, to, held, energyMilliWh) });
}

/** By the state, else by power at either end, else by the register. */
function isCharging(from: ReportedPoint, to: ReportedPoint | null, held: ChargingState | null, energyMilliWh: number): boolean {
  if (held !== null) return held === 'Charging';
  const toW = to === null ? null : to.powerW;
  if (from.powerW === null && toW === null) return energyMilliWh > 0;
  return (from.powerW ?? 0) > chargingFromW || (toW ?? 0) > chargingFromW;
}

/** Energy between two points that follow each other by the lower power of the two, in mWh; 0 where none is told, or the state says that none flowed. */
export function powerMilliWh(from: ReportedPoint, to: ReportedPoint, lengthMs: number, held: ChargingState | null): number {
  if (from.powerW === null || to.powerW === null || (held !== null && held !== 'Charging')) return 0;
  const powerW = Math.min(from.powerW, to.powerW);
  return powerW > chargingFromW ? Math.floor((powerW * lengthMs) / 3600) : 0;
}

/** May energy have flowed outside of what the believed registers cover? */
export function mayFlowUntil(taken: TakenPoints, last: number, stopMs: number): boolean {
  const end = taken.points.length - 1;
  if ((taken.mayFlowMs[end] as number) > (taken.mayFlowMs[last] as number)) return true;
  return (taken.timeMs[end] as number) < stopMs && mayFlow(taken.held[end] as ChargingState | null);
}

/** Energy by power from the register's last movement, or from its first reading, to a point, in mWh. */
export function unmovedMilliWh({ points, timeMs, held, at }: TakenPoints, path: BelievedPath, until: number): number {
  const moved = path.steps.findLast((step) => step.milliWh > 0);
  let sum = 0;
  for (let index = (at[moved === undefined ? path.first : moved.to] as number) + 1; index <= until; index += 1) {
    const lengthMs = (timeMs[index] as number) - (timeMs[index - 1] as number);
    sum += powerMilliWh(points[index - 1] as ReportedPoint, points[index] as ReportedPoint, lengthMs, held[index - 1] as ChargingState | null);
  }
  return sum;
}

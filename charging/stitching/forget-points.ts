import type { SessionPoint } from './session-state.ts';

/** Points that are newer than this behind the last one are kept: others may still come between them. */
export const pointsKeptMs = 3_600_000;
/** A register that lies so far off the line between its neighbours says nothing: most count whole Wh. */
const registerStepMilliWh = 1_000;
/** More points than this are not kept; then those go that change least. */
export const pointsMax = 2_000;

/**
 * The points without those that say nothing which their neighbours do not: older than an hour behind the last one, on a line with
 * the ones before and behind them, in the same state. What is read of the rest has the same energy and the same charging time.
 */
export function withoutSteady(points: readonly SessionPoint[], lastMs: number): SessionPoint[] {
  const untilMs = lastMs - pointsKeptMs;
  const kept: SessionPoint[] = [];
  const [firstSoc, lastSoc] = socEnds(points);
  let at = 0;
  while (at < points.length) {
    const from = points[at] as SessionPoint;
    kept.push(from);
    let next = at + 1;
    while (next + 1 < points.length && mayGo(points[next] as SessionPoint, untilMs) && next !== firstSoc && next !== lastSoc && isLine(points, at, next + 1)) next += 1;
    at = next;
  }
  return kept;
}

/**
 * The points without so many of those that change least when they go that at most half of `pointsMax` stay. New ones go, too, when
 * there are twice as many.
 */
export function withoutLeast(points: readonly SessionPoint[], lastMs: number): SessionPoint[] {
  const untilMs = points.length > 2 * pointsMax ? lastMs : lastMs - pointsKeptMs;
  const changes = points.map((point, at) => (mayGo(point, untilMs) && at > 0 && at + 1 < points.length ? offLine(points, at) : Infinity));
  const excess = points.length - pointsMax / 2;
  const order = changes.map((_, at) => at).filter((at) => changes[at] !== Infinity).sort((a, b) => (changes[a] as number) - (changes[b] as number) || a - b);
  const gone = new Set(order.slice(0, Math.max(0, excess)));
  return points.filter((_, at) => !gone.has(at));
}

function mayGo(point: SessionPoint, untilMs: number): boolean {
  return point.kind === 'update' && point.timeMs < untilMs;
}

/** First and last place of a state of charge; -1: none. */
function socEnds(points: readonly SessionPoint[]): readonly [number, number] {
  return [points.findIndex((point) => point.soc !== null), points.findLastIndex((point) => point.soc !== null)];
}

/** All points between two lie on the line from the one to the other, and the state is the same all along. */
function isLine(points: readonly SessionPoint[], from: number, to: number): boolean {
  const a = points[from] as SessionPoint;
  const b = points[to] as SessionPoint;
  if (!isAlike(a, b) || b.timeMs <= a.timeMs) return false;
  const perMs = ((b.milliWh as number) - (a.milliWh as number)) / (b.timeMs - a.timeMs);
  for (let at = from + 1; at < to; at += 1) {
    const point = points[at] as SessionPoint;
    if (!isAlike(a, point) || point.timeMs < a.timeMs || point.timeMs > b.timeMs) return false;
    const onLine = (a.milliWh as number) + perMs * (point.timeMs - a.timeMs);
    if (Math.abs((point.milliWh as number) - onLine) > registerStepMilliWh) return false;
    // A register that stands still must not come to move, nor the other way round.
    if ((point.milliWh === a.milliWh) !== (b.milliWh === a.milliWh)) return false;
  }
  return true;
}

/** Both have a register, and nothing else tells them apart. */
function isAlike(a: SessionPoint, b: SessionPoint): boolean {
  if (a.milliWh === null || b.milliWh === null || a.exportMilliWh !== b.exportMilliWh) return false;
  if (a.chargingState !== b.chargingState || (a.seqNo === null) !== (b.seqNo === null)) return false;
  return (a.powerW === null) === (b.powerW === null) && (a.powerW ?? 0) > 0 === (b.powerW ?? 0) > 0;
}

function offLine(points: readonly SessionPoint[], at: number): number {
  const [a, point, b] = [points[at - 1], points[at], points[at + 1]] as [SessionPoint, SessionPoint, SessionPoint];
  if (point.milliWh === null) return 0;
  if (a.milliWh === null || b.milliWh === null || b.timeMs <= a.timeMs) return Number.MAX_VALUE;
  return Math.abs(point.milliWh - a.milliWh - ((b.milliWh - a.milliWh) * (point.timeMs - a.timeMs)) / (b.timeMs - a.timeMs));
}

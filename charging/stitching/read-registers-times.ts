import { chargingStateSymbols } from '../../schemas/generated/charging-event.ts';
import type { ReportedPoint, SessionSpan } from './read-registers.ts';

/** Times of points that never fall and lie inside the session; `fromMs` to `toMs` is where a point can be whose own time is not believed. */
export interface PlacedTimes {
  readonly timeMs: readonly number[];
  readonly fromMs: readonly number[];
  readonly toMs: readonly number[];
  /** All times are as reported. */
  readonly asReported: boolean;
}

/** How long a session may have lasted before what is known of it began, or goes on after it. */
export const unknownTimeMs = 12 * 3_600_000;

const places = { start: 0, update: 1, end: 2 } as const;

/**
 * Points of a transaction in the order in which they are read: the start first, the end last; between them by sequence number
 * (clocks lie, counters do not), and those without a number by their time among the others. The same for any order of the input.
 */
export function inOrder(points: readonly ReportedPoint[]): readonly ReportedPoint[] {
  let sequenced: ReportedPoint[] = [];
  let timed: ReportedPoint[] = [];
  const ordered: ReportedPoint[] = [];
  for (const kind of ['start', 'update', 'end'] as const) {
    sequenced = points.filter((point) => point.kind === kind && point.seqNo !== null).sort(bySequence);
    timed = points.filter((point) => point.kind === kind && point.seqNo === null).sort(byTime);
    let highestMs = -Infinity;
    let next = 0;
    for (const point of sequenced) {
      highestMs = Math.max(highestMs, point.timeMs);
      while (next < timed.length && (timed[next] as ReportedPoint).timeMs < highestMs) ordered.push(timed[next++] as ReportedPoint);
      ordered.push(point);
    }
    while (next < timed.length) ordered.push(timed[next++] as ReportedPoint);
  }
  return ordered;
}

function bySequence(a: ReportedPoint, b: ReportedPoint): number {
  return (a.seqNo as number) - (b.seqNo as number) || byTime(a, b);
}

function byTime(a: ReportedPoint, b: ReportedPoint): number {
  return a.timeMs - b.timeMs || places[a.kind] - places[b.kind] || (a.milliWh ?? -1) - (b.milliWh ?? -1)
    || (a.powerW ?? -1) - (b.powerW ?? -1) || stateRank(a) - stateRank(b);
}

function stateRank({ chargingState }: ReportedPoint): number {
  return chargingState === null ? -1 : chargingStateSymbols.indexOf(chargingState);
}

/**
 * Gives each point a time: its own where as many as possible agree with their order and the session's span; the others lie evenly
 * between those around them.
 */
export function placedTimes(points: readonly ReportedPoint[], span: SessionSpan): PlacedTimes {
  const untilMs = span.stopMs ?? Infinity;
  let lastMs = span.startMs;
  let asReported = true;
  const times: number[] = [];
  for (const { timeMs } of points) {
    if (timeMs < lastMs || timeMs > untilMs) asReported = false;
    lastMs = timeMs;
    times.push(timeMs);
  }
  if (asReported) return { timeMs: times, fromMs: times, toMs: times, asReported };
  const agreeing = longestRising(times, span.startMs, untilMs);
  return { ...widened(between(times, agreeing, span)), asReported };
}

/** Which of the times make the longest part that never falls, within the span; of several such parts the one that ends lowest. */
function longestRising(times: readonly number[], startMs: number, untilMs: number): ReadonlySet<number> {
  /** By length: where the part that ends lowest ends. */
  const ends: number[] = [];
  const before: number[] = [];
  times.forEach((timeMs, at) => {
    if (timeMs < startMs || timeMs > untilMs) return;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[ends[middle] as number] as number) <= timeMs) low = middle + 1;
      else high = middle;
    }
    before[at] = low === 0 ? -1 : ends[low - 1] as number;
    ends[low] = at;
  });
  const found = new Set<number>();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] as number) found.add(at);
  return found;
}

/**
 * Which of two times that disagree is the false one is a guess, so a reading may have been taken at any time
 * between those two places away.
 */
function widened({ timeMs, fromMs, toMs }: Omit<PlacedTimes, 'asReported'>): Omit<PlacedTimes, 'asReported'> {
  return {
    timeMs,
    fromMs: fromMs.map((one, at) => Math.min(one, timeMs[Math.max(0, at - 2)] as number)),
    toMs: toMs.map((one, at) => Math.max(one, timeMs[Math.min(timeMs.length - 1, at + 2)] as number)),
  };
}

function between(times: readonly number[], agreeing: ReadonlySet<number>, span: SessionSpan): Omit<PlacedTimes, 'asReported'> {
  const placed: { timeMs: number[]; fromMs: number[]; toMs: number[] } = { timeMs: [], fromMs: [], toMs: [] };
  // A stop before the start: how long it lasted is unknown.
  const stopMs = span.stopMs === null || span.stopMs < span.startMs ? null : span.stopMs;
  let previousMs = span.startMs;
  let at = 0;
  while (at < times.length) {
    let next = at;
    while (next < times.length && !agreeing.has(next)) next += 1;
    const nextMs = next < times.length ? times[next] as number : stopMs;
    const gaps = next - at + 1;
    for (let index = at; index < next; index += 1) {
      const share = (index - at + 1) / gaps;
      placed.timeMs.push(nextMs === null ? previousMs : Math.floor(previousMs + (nextMs - previousMs) * share));
      placed.fromMs.push(previousMs);
      placed.toMs.push(nextMs ?? previousMs + unknownTimeMs);
    }
    if (next < times.length) {
      previousMs = times[next] as number;
      for (const list of [placed.timeMs, placed.fromMs, placed.toMs]) list.push(previousMs);
    }
    at = next + 1;
  }
  return placed;
}

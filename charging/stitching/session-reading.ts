import { readWhole } from './read-registers.ts';
import type { RegisterLimits, RegisterReading, Segment } from './read-registers.ts';
import type { SessionClosedBy } from './session-row.ts';
import { startOf } from './session-state.ts';
import type { SessionState } from './session-state.ts';
import type { StitchLimits } from './stitch-stores.ts';

const unknownLimits: RegisterLimits = { scope: null, powerMaxW: null };

/**
 * What is known of the connector of a session. Without a transaction id and a start, it may be the rest of a transaction of which
 * nothing was heard for a while: then it is not known that its register began at zero.
 */
export function limitsOf(state: SessionState): RegisterLimits {
  const { facts } = state;
  if (facts === null) return unknownLimits;
  return state.transactionId === null && state.startMs === null ? { scope: null, powerMaxW: facts.powerMaxW } : facts;
}

/** A session that had its final row; only revisions follow. */
export function isFinal(state: SessionState): boolean {
  return !state.open;
}

/** One that gives nothing more unless evidence comes: it had its final row, or its stop is taken for another one's. */
export function isOver(state: SessionState): boolean {
  return !state.open || state.mergedInto !== null;
}

/** Until when evidence for a session that is over is waited for. */
export function dropMsOf(state: SessionState, { finishedForMs, unknownForMs, settleMs }: StitchLimits): number {
  // A session that was closed without its stop may still be under way: its stop is waited for as long as it could last.
  const overMs = state.stopMs === null ? state.lastMs + state.inactiveMs : Math.max(closesAt(state) + settleMs, state.lastMs);
  return overMs + (state.facts === null ? Math.max(finishedForMs, unknownForMs) : finishedForMs);
}

/** What closes a session of which no stop was told, but its silence, and when; null: nothing does before that. */
export function closureOf(state: SessionState): { readonly ms: number; readonly by: SessionClosedBy } | null {
  const { availableMs, nextStartMs, inactiveMs } = state;
  if (availableMs === null && nextStartMs === null) return null;
  const silentMs = state.lastMs + inactiveMs;
  if (availableMs !== null && (nextStartMs === null || availableMs <= nextStartMs)) {
    return availableMs > silentMs ? null : { ms: availableMs, by: 'StatusAvailable' };
  }
  return nextStartMs === null || nextStartMs > silentMs ? null : { ms: nextStartMs, by: 'NextStart' };
}

/** When what closes a session happens, by what is known now. */
export function closesAt(state: SessionState): number {
  if (state.stopMs !== null) return Math.max(state.stopMs, startOf(state));
  // Without an id, an event that comes just within the gap still belongs to it.
  return closureOf(state)?.ms ?? state.lastMs + state.inactiveMs + (state.transactionId === null ? 1 : 0);
}

/** How a session was closed, by what is known now; None while it runs. */
export function closedByOf(state: SessionState): SessionClosedBy {
  if (!isFinal(state)) return 'None';
  if (state.stopMs !== null) return 'TransactionEnded';
  return closureOf(state)?.by ?? (state.closedBy === 'TransactionEnded' ? 'Inactivity' : state.closedBy);
}

/**
 * When a session ended: as reported; else, once it is closed, when its connector became available, or at its last sign of life.
 * Null while it runs, and where nothing but its start is known.
 */
export function endOf(state: SessionState): number | null {
  if (state.stopMs !== null) return state.stopMs;
  if (!isFinal(state)) return null;
  if (closedByOf(state) === 'StatusAvailable' && state.availableMs !== null) return Math.max(state.availableMs, startOf(state));
  return state.events < 2 ? null : Math.max(state.lastMs, startOf(state));
}

/** What is believed of a session now. Reads all its points. */
export function readingOf(state: SessionState): RegisterReading {
  const { reading, tail } = readWhole(state.points, { startMs: startOf(state), stopMs: endOf(state) }, limitsOf(state));
  state.tail = isFinal(state) || state.stopMs !== null ? null : tail;
  state.segments = reading.segments;
  return reading;
}

const noSegments: readonly Segment[] = [];

/** The segments of a session, as its load was given; none while its stop is taken for another one's. */
export function segmentsOf(state: SessionState): readonly Segment[] {
  if (state.mergedInto !== null) return noSegments;
  return state.segments ?? readingOf(state).segments;
}

/** Sum of the time in which energy flowed. */
export function chargingMsOf(segments: readonly Segment[]): number {
  let sumMs = 0;
  for (const segment of segments) if (segment.charging) sumMs += segment.toMs - segment.fromMs;
  return sumMs;
}

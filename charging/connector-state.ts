/** A transaction on a connector, as far as neighbours must know it. */
export interface ConnectorEntry {
  readonly transactionId: string;
  readonly startMs: number | null;
  readonly stopMs: number | null;
}

/** Transactions of one connector that are open or ended lately, by start. */
export type ConnectorState = readonly ConnectorEntry[];

/** More than this many remembered neighbours on one connector are not real; the ones that ended first are forgotten. */
export const connectorEntriesMax = 64;

/** What an entry means for another one on the same connector. */
export interface NeighbourEffect {
  readonly transactionId: string;
  /** A start after its own; it closes the transaction when no stop comes. */
  readonly nextStartMs: number | null;
  readonly overlap: boolean;
}

/**
 * Puts in or replaces one entry, and forgets those that ended before `forgetBeforeMs`; but not what ended since one started
 * that is still open, if that is not longer ago than `openSinceMs`: its stop may yet show that it overlaps them.
 */
export function withEntry(state: ConnectorState, entry: ConnectorEntry, forgetBeforeMs: number, openSinceMs: number): ConnectorState {
  let fromMs = forgetBeforeMs;
  for (const { startMs, stopMs } of state) {
    if (stopMs === null && startMs !== null && startMs >= openSinceMs && startMs < fromMs) fromMs = startMs;
  }
  const kept = state.filter((one) => one.transactionId !== entry.transactionId && (one.stopMs ?? Infinity) >= fromMs);
  const all = [...kept, entry].sort((a, b) => firstMsOf(a) - firstMsOf(b) || (a.transactionId < b.transactionId ? -1 : 1));
  while (all.length > connectorEntriesMax) {
    const first = all.reduce((lowest, one) => ((one.stopMs ?? Infinity) < (lowest.stopMs ?? Infinity) ? one : lowest));
    all.splice(all.indexOf(first), 1);
  }
  return all;
}

/** Takes out a transaction whose state is dropped. */
export function withoutEntry(state: ConnectorState, transactionId: string): ConnectorState {
  return state.filter((one) => one.transactionId !== transactionId);
}

/** What each of the other entries means for `entry`, put together, and what `entry` means for each of them. */
export function effectsOf(state: ConnectorState, entry: ConnectorEntry): readonly NeighbourEffect[] {
  const effects: NeighbourEffect[] = [];
  let own: NeighbourEffect = { transactionId: entry.transactionId, nextStartMs: null, overlap: false };
  for (const other of state) {
    if (other.transactionId === entry.transactionId) continue;
    const overlap = overlaps(entry, other);
    own = { ...own, nextStartMs: lowest(own.nextStartMs, startAfter(entry, other)), overlap: own.overlap || overlap };
    const nextStartMs = startAfter(other, entry);
    if (overlap || nextStartMs !== null) effects.push({ transactionId: other.transactionId, nextStartMs, overlap });
  }
  return own.overlap || own.nextStartMs !== null ? [own, ...effects] : effects;
}

/**
 * Both on the connector at once. Touching is not overlapping; one without length overlaps when it lies inside the other; one
 * without a stop (or with a stop before its start) counts as the moment of its start.
 */
function overlaps(a: ConnectorEntry, b: ConnectorEntry): boolean {
  if (a.startMs === null || b.startMs === null) return false;
  return a.startMs < endMsOf(b) && b.startMs < endMsOf(a);
}

function endMsOf(entry: ConnectorEntry): number {
  const startMs = entry.startMs ?? 0;
  return Math.max(startMs, entry.stopMs ?? startMs);
}

function startAfter(entry: ConnectorEntry, other: ConnectorEntry): number | null {
  if (entry.startMs === null || other.startMs === null || other.startMs <= entry.startMs) return null;
  return other.startMs;
}

function firstMsOf(entry: ConnectorEntry): number {
  return entry.startMs ?? entry.stopMs ?? 0;
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

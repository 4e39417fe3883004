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
  const all: ConnectorEntry[] = [];
  let isIn = false;
  for (const one of state) {
    if (one.stopMs !== null && one.stopMs < fromMs) continue;
    if (one.transactionId === entry.transactionId) continue;
    if (!isIn && isBefore(entry, one)) {
      all.push(entry);
      isIn = true;
    }
    all.push(one);
  }
  if (!isIn) all.push(entry);
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

/**
 * What each of the other entries means for `entry`, put together, and what `entry` means for each of them. A start after one that
 * has its own stop means nothing.
 */
export function effectsOf(state: ConnectorState, entry: ConnectorEntry): readonly NeighbourEffect[] {
  const effects: NeighbourEffect[] = [];
  let ownNextStartMs: number | null = null;
  let ownOverlap = false;
  for (const other of state) {
    if (other.transactionId === entry.transactionId) continue;
    const overlap = overlaps(entry, other);
    if (overlap) ownOverlap = true;
    if (entry.stopMs === null) ownNextStartMs = lowest(ownNextStartMs, startAfter(entry, other));
    const nextStartMs = other.stopMs === null ? startAfter(other, entry) : null;
    if (overlap || nextStartMs !== null) effects.push({ transactionId: other.transactionId, nextStartMs, overlap });
  }
  if (ownOverlap || ownNextStartMs !== null) {
    effects.unshift({ transactionId: entry.transactionId, nextStartMs: ownNextStartMs, overlap: ownOverlap });
  }
  return effects;
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

/** Order by start; ids decide where that is the same. */
function isBefore(a: ConnectorEntry, b: ConnectorEntry): boolean {
  const distance = firstMsOf(a) - firstMsOf(b);
  return distance === 0 ? a.transactionId < b.transactionId : distance < 0;
}

function firstMsOf(entry: ConnectorEntry): number {
  return entry.startMs ?? entry.stopMs ?? 0;
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

import type { SessionEvent } from '../session-event.ts';

/** A session on a connector, as far as neighbours must know it. */
export interface ConnectorEntry {
  /** The session's. */
  readonly key: string;
  /** Reported or inferred; null: nothing but its stop was told. */
  readonly startMs: number | null;
  readonly stopMs: number | null;
}

/** What is known of one connector. */
export interface ConnectorState {
  /** Its sessions that are open or ended lately, by start. */
  readonly entries: readonly ConnectorEntry[];
  /** When it was said to be available, lately; ascending. */
  readonly availableMs: readonly number[];
  /** Events without a transaction id that wait for those before them, in the order in which they count. */
  readonly waiting: readonly SessionEvent[];
}

export const emptyConnector: ConnectorState = { entries: [], availableMs: [], waiting: [] };

/** More times than this at which a connector became available are not remembered. */
export const availableTimesMax = 32;

/** More than this many remembered neighbours on one connector are not real; the ones that ended first are forgotten. */
export const connectorEntriesMax = 64;

/** What an entry means for another one on the same connector. */
export interface NeighbourEffect {
  readonly key: string;
  /** A start after its own; it closes the session when no stop comes. */
  readonly nextStartMs: number | null;
  readonly overlap: boolean;
}

/**
 * Puts in or replaces one entry, and forgets those that ended before `forgetBeforeMs`; but not what ended since one started
 * that is still open, if that is not longer ago than `openSinceMs`: its stop may yet show that it overlaps them.
 */
export function withEntry(entries: readonly ConnectorEntry[], entry: ConnectorEntry, forgetBeforeMs: number, openSinceMs: number): readonly ConnectorEntry[] {
  let fromMs = forgetBeforeMs;
  for (const { startMs, stopMs } of entries) {
    if (stopMs === null && startMs !== null && startMs >= openSinceMs && startMs < fromMs) fromMs = startMs;
  }
  const all: ConnectorEntry[] = [];
  let isIn = false;
  const last = entries[entries.length - 1];
  const isLast = last === undefined || !isBefore(entry, last);
  for (const one of entries) {
    if (one.stopMs !== null && one.stopMs < fromMs) continue;
    if (one.key === entry.key) {
      // The usual stop: it stays where its start is.
      if (!isIn && firstMsOf(one) === firstMsOf(entry)) {
        all.push(entry);
        isIn = true;
      }
      continue;
    }
    if (!isIn && !isLast && isBefore(entry, one)) {
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

/** Takes out a session whose state is dropped. */
export function withoutEntry(entries: readonly ConnectorEntry[], key: string): readonly ConnectorEntry[] {
  return entries.filter((one) => one.key !== key);
}

/**
 * What each of the other entries means for `entry`, put together, and what `entry` means for each of them. A start after one that
 * has its own stop means nothing.
 */
export function effectsOf(entries: readonly ConnectorEntry[], entry: ConnectorEntry): readonly NeighbourEffect[] {
  const effects: NeighbourEffect[] = [];
  let ownNextStartMs: number | null = null;
  let ownOverlap = false;
  for (const other of entries) {
    if (other.key === entry.key) continue;
    const overlap = overlaps(entry, other);
    if (overlap) ownOverlap = true;
    if (entry.stopMs === null) ownNextStartMs = lowest(ownNextStartMs, startAfter(entry, other));
    const nextStartMs = other.stopMs === null ? startAfter(other, entry) : null;
    if (overlap || nextStartMs !== null) effects.push({ key: other.key, nextStartMs, overlap });
  }
  if (ownOverlap || ownNextStartMs !== null) {
    effects.unshift({ key: entry.key, nextStartMs: ownNextStartMs, overlap: ownOverlap });
  }
  return effects;
}

/** The earliest start of another session after this one's. */
export function nextStartAfter(entries: readonly ConnectorEntry[], entry: ConnectorEntry): number | null {
  let nextMs: number | null = null;
  for (const other of entries) if (other.key !== entry.key) nextMs = lowest(nextMs, startAfter(entry, other));
  return nextMs;
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
  return distance === 0 ? a.key < b.key : distance < 0;
}

function firstMsOf(entry: ConnectorEntry): number {
  return entry.startMs ?? entry.stopMs ?? 0;
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Puts in a time at which the connector was available, and forgets those before `forgetBeforeMs`; the same when it is known. */
export function withAvailable(times: readonly number[], timeMs: number, forgetBeforeMs: number): readonly number[] {
  if (times.includes(timeMs)) return times;
  const kept = times.filter((one) => one >= forgetBeforeMs);
  let at = kept.length;
  while (at > 0 && (kept[at - 1] as number) > timeMs) at -= 1;
  kept.splice(at, 0, timeMs);
  return kept.length > availableTimesMax ? kept.slice(1) : kept;
}

/** The first time later than `afterMs` at which the connector was available. */
export function firstAvailableAfter(times: readonly number[], afterMs: number): number | null {
  for (const timeMs of times) if (timeMs > afterMs) return timeMs;
  return null;
}

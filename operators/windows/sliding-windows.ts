import type { Timestamped } from '../../state/local/timestamped.ts';
import { wantMilliseconds, wantPositive } from './window-span.ts';

/**
 * A window for each distinct set of records of a key that lie within `timeDifferenceMs` of each other:
 * `[startMs, startMs + timeDifferenceMs]`, both ends inclusive. One ends at each record, one begins right after it.
 */
export interface SlidingWindows {
  readonly kind: 'sliding';
  readonly timeDifferenceMs: number;
  readonly graceMs: number;
}

/**
 * Windows that slide with the records (Kafka proposal KIP-450).
 *
 * @example
 * sliding({ timeDifferenceMs: 60_000, graceMs: 5_000 })
 */
export function sliding(options: { readonly timeDifferenceMs: number; readonly graceMs: number }): SlidingWindows {
  wantPositive('sliding', 'timeDifferenceMs', options.timeDifferenceMs);
  wantMilliseconds('sliding', 'graceMs', options.graceMs);
  return { kind: 'sliding', timeDifferenceMs: options.timeDifferenceMs, graceMs: options.graceMs };
}

/** A window of one key as it is held: its start, and its aggregate with the highest timestamp of its records. */
export interface HeldWindow<A> {
  readonly timeMs: number;
  readonly value: Timestamped<A>;
}

/**
 * One thing that a record does to its key's windows, in order:
 * `add` the record to a held window; `begin` one with the record alone; `extend`: a new window of earlier records and this one;
 * `copy`: a new window of later records that does not hold the record itself.
 */
export type SlidingChange<A> =
  | { readonly kind: 'add'; readonly window: HeldWindow<A> }
  | { readonly kind: 'begin'; readonly startMs: number }
  | { readonly kind: 'extend'; readonly startMs: number; readonly earlier: A }
  | { readonly kind: 'copy'; readonly startMs: number; readonly later: HeldWindow<A> };

/**
 * Tells `apply` what a record at `timestampMs` does to the windows of its key. `held` are those that start within
 * `[timestampMs - 2 * timeDifferenceMs, timestampMs + 1]`, ascending.
 */
export function slidingChanges<A>(
  differenceMs: number, timestampMs: number, held: readonly HeldWindow<A>[], apply: (change: SlidingChange<A>) => void,
): void {
  if (timestampMs < differenceMs) earlyChanges(timestampMs, held, apply);
  else laterChanges(differenceMs, timestampMs, held, apply);
}

function laterChanges<A>(
  differenceMs: number, timestampMs: number, held: readonly HeldWindow<A>[], apply: (change: SlidingChange<A>) => void,
): void {
  let previousMs: number | null = null;
  let earlier: HeldWindow<A> | null = null;
  let later: HeldWindow<A> | null = null;
  let holdsLeft = false;
  let holdsRight = false;
  // The newest window first: the first one that ends before the record tells what came before it.
  for (let at = held.length - 1; at >= 0; at -= 1) {
    const window = held[at] as HeldWindow<A>;
    const endMs = window.timeMs + differenceMs;
    if (window.timeMs === timestampMs + 1) {
      holdsRight = true;
    } else if (endMs > timestampMs) {
      later ??= window;
      apply({ kind: 'add', window });
    } else if (endMs === timestampMs) {
      holdsLeft = true;
      apply({ kind: 'add', window });
      // Another record of this very time has made all windows already.
      if (window.value.timestampMs >= timestampMs) return;
      previousMs = window.value.timestampMs;
    } else {
      earlier = window;
      previousMs = window.value.timestampMs;
      break;
    }
  }
  if (previousMs !== null && previousMs + 1 + differenceMs >= timestampMs && !startsAt(held, previousMs + 1)) {
    apply({ kind: 'begin', startMs: previousMs + 1 });
  }
  if (!holdsLeft) {
    const startMs = timestampMs - differenceMs;
    if (earlier !== null && previousMs !== null && previousMs >= startMs) apply({ kind: 'extend', startMs, earlier: earlier.value.value });
    else apply({ kind: 'begin', startMs });
  }
  if (!holdsRight && later !== null && later.value.timestampMs > timestampMs) {
    apply({ kind: 'copy', startMs: timestampMs + 1, later });
  }
}

/** Windows do not start before 0: records earlier than the difference share the window that starts there. */
function earlyChanges<A>(timestampMs: number, held: readonly HeldWindow<A>[], apply: (change: SlidingChange<A>) => void): void {
  let shared: HeldWindow<A> | null = null;
  let later: HeldWindow<A> | null = null;
  let holdsRight = false;
  for (const window of held) {
    if (window.timeMs === 0) {
      shared = window;
    } else if (window.timeMs <= timestampMs) {
      later = window;
      apply({ kind: 'add', window });
    } else {
      holdsRight = true;
    }
  }
  if (later === null && shared !== null && shared.value.timestampMs > timestampMs) later = shared;
  if (!holdsRight && later !== null && later.value.timestampMs > timestampMs) {
    apply({ kind: 'copy', startMs: timestampMs + 1, later });
  }
  if (shared !== null && shared.value.timestampMs < timestampMs && !startsAt(held, shared.value.timestampMs + 1)) {
    apply({ kind: 'begin', startMs: shared.value.timestampMs + 1 });
  }
  apply(shared === null ? { kind: 'begin', startMs: 0 } : { kind: 'add', window: shared });
}

function startsAt(held: readonly HeldWindow<unknown>[], startMs: number): boolean {
  return held.some((window) => window.timeMs === startMs);
}

import type { Timestamped } from '../../state/local/timestamped.ts';
import type { TimeKeyStore } from '../../state/local-store.ts';

/**
 * What a step keeps of a window: a `Timestamped` that no other has, so that the step may write into it. The aggregate itself
 * belongs to the user and is never written into.
 */
export interface HeldAggregate<A> {
  value: A;
  timestampMs: number;
}

/**
 * Puts an aggregate and its time where `held` was, in the same object: most windows change many times, and a new object each time
 * is one more that the collector moves and lets go.
 */
export function putIn<K, A>(
  store: TimeKeyStore<K, Timestamped<A>>, key: K, timeMs: number, held: HeldAggregate<A> | undefined, value: A, timestampMs: number,
): void {
  if (held === undefined) {
    store.put(key, timeMs, { value, timestampMs });
    return;
  }
  held.value = value;
  held.timestampMs = timestampMs;
  store.put(key, timeMs, held);
}

import type { KeyValueStore } from '../../state/local-store.ts';

/** Raises a key's progress to the timestamp when that is higher, and gives it. */
export function advanceProgress<K>(progress: KeyValueStore<K, number>, key: K, timestampMs: number): number {
  const before = progress.get(key);
  if (before !== undefined && before >= timestampMs) return before;
  progress.put(key, timestampMs);
  return timestampMs;
}

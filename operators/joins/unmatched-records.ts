import type { KeyValueStore, TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import { TimeCounts, type Side } from './time-counts.ts';

/** How long after its time a record of each side may still be matched. */
export interface OpenTimes {
  readonly leftMs: number;
  readonly rightMs: number;
}

export interface Unmatched<K> {
  readonly side: Side;
  readonly entry: TimeKeyEntry<K, readonly unknown[]>;
}

const lookName = 'look';

/**
 * Records of a left or outer join that have not met a record of the other side yet, and are joined with nothing when none can
 * come in time.
 *
 * They leave by time, the right side's first, then by key bytes and arrival. When they are looked for is Kafka Streams' rule
 * (KStreamKStreamJoin): it remembers one time, below which nothing is due, lowers it to each record that comes in, and sets it
 * at each look to the time at which the look ended. A look goes through the records in order, and ends behind the first
 * one of each side that is still open. So that time may be later than the oldest record's, and this one then waits longer than it
 * would have to. The remembered time is part of the state: it decides what comes out when.
 */
export class UnmatchedRecords<K> {
  readonly #stores: readonly [left: TimeKeyStore<K, readonly unknown[]>, right: TimeKeyStore<K, readonly unknown[]> | null];
  readonly #openMs: readonly [left: number, right: number];
  readonly #times: KeyValueStore<string, number>;
  readonly #counts = new TimeCounts();
  #lookMs: number;

  constructor(
    left: TimeKeyStore<K, readonly unknown[]>, right: TimeKeyStore<K, readonly unknown[]> | null, times: KeyValueStore<string, number>, open: OpenTimes,
  ) {
    this.#stores = [left, right];
    this.#openMs = [open.leftMs, open.rightMs];
    this.#times = times;
    this.#lookMs = times.get(lookName) ?? Number.POSITIVE_INFINITY;
    for (const { timeMs, value } of left.all()) this.#counts.add(timeMs, 0, value.length);
    if (right !== null) for (const { timeMs, value } of right.all()) this.#counts.add(timeMs, 1, value.length);
  }

  add(side: Side, key: K, value: unknown, timestampMs: number): void {
    const store = this.#stores[side] as TimeKeyStore<K, readonly unknown[]>;
    const before = store.get(key, timestampMs);
    store.put(key, timestampMs, before === undefined ? [value] : [...before, value]);
    this.#counts.add(timestampMs, side, 1);
    if (timestampMs < this.#lookMs) this.#setLook(timestampMs);
  }

  /** The records of a side with this key and time have been matched. */
  remove(side: Side, key: K, timeMs: number): void {
    const store = this.#stores[side];
    if (store === null || store.entries === 0) return;
    const values = store.get(key, timeMs);
    if (values === undefined) return;
    store.delete(key, timeMs);
    this.#counts.subtract(timeMs, side, values.length);
  }

  /** Whether a record of `side`, at the stream time, makes the step look. */
  looksAt(side: Side, streamMs: number): boolean {
    return this.#lookMs + this.#openMs[side] < streamMs;
  }

  /** Whether there are any that no record can match in time. */
  hasClosed(streamMs: number): boolean {
    return this.#stores.some((store, side) => (store?.earliestMs ?? Number.POSITIVE_INFINITY) <= this.#closedUntilMs(side as Side, streamMs));
  }

  /** Removes and gives those. */
  takeClosed(streamMs: number): readonly Unmatched<K>[] {
    const lastMs = this.#counts.lastMs;
    const left = this.#drain(0, streamMs);
    const right = this.#drain(1, streamMs);
    this.#setLook(lastMs === undefined ? Number.POSITIVE_INFINITY : this.#endOfLook(lastMs));
    return merge(left, right);
  }

  #drain(side: Side, streamMs: number): readonly TimeKeyEntry<K, readonly unknown[]>[] {
    const store = this.#stores[side];
    const untilMs = this.#closedUntilMs(side, streamMs);
    if (store === null || (store.earliestMs ?? Number.POSITIVE_INFINITY) > untilMs) return [];
    const drained = store.drain(untilMs);
    for (const { timeMs, value } of drained) this.#counts.subtract(timeMs, side, value.length);
    return drained;
  }

  #closedUntilMs(side: Side, streamMs: number): number {
    return streamMs - this.#openMs[side] - 1;
  }

  /** The time of the last record that a look sees, when it has let the closed ones go; `lastMs` is that of all before. */
  #endOfLook(lastMs: number): number {
    const leftMs = this.#stores[0].earliestMs;
    const rightMs = this.#stores[1]?.earliestMs;
    if (leftMs === undefined || rightMs === undefined) return lastMs;
    const laterMs = Math.max(leftMs, rightMs);
    // At equal times the right side's come first, so that behind the first of the left side there are others of it only.
    const there = this.#counts.at(laterMs, 0) + (leftMs < rightMs ? this.#counts.at(laterMs, 1) : 0);
    return there > 1 ? laterMs : this.#counts.nextBehind(laterMs) ?? laterMs;
  }

  #setLook(timeMs: number): void {
    if (timeMs === this.#lookMs) return;
    this.#lookMs = timeMs;
    if (timeMs === Number.POSITIVE_INFINITY) this.#times.delete(lookName);
    else this.#times.put(lookName, timeMs);
  }
}

/** Both in the order of (time, right before left, key bytes). */
function merge<K>(
  left: readonly TimeKeyEntry<K, readonly unknown[]>[], right: readonly TimeKeyEntry<K, readonly unknown[]>[],
): readonly Unmatched<K>[] {
  const merged: Unmatched<K>[] = [];
  let rightAt = 0;
  for (const entry of left) {
    for (; rightAt < right.length; rightAt += 1) {
      const other = right[rightAt] as TimeKeyEntry<K, readonly unknown[]>;
      if (other.timeMs > entry.timeMs) break;
      merged.push({ side: 1, entry: other });
    }
    merged.push({ side: 0, entry });
  }
  for (; rightAt < right.length; rightAt += 1) merged.push({ side: 1, entry: right[rightAt] as TimeKeyEntry<K, readonly unknown[]> });
  return merged;
}

import type { TimeKeyStore } from '../../state/local-store.ts';

/** What became of a record that was to be kept: `expired` is so late that Kafka Streams counts it as dropped, too. */
export type Keeping = 'kept' | 'late' | 'expired';

const segmentMsMin = 60_000;
const none: readonly never[] = [];

/**
 * The records of one side of a stream join, for as long as later records of the other side may match them.
 *
 * A side has a time of its own, the highest timestamp that it has kept; what lies `retentionMs` or more behind is gone for
 * ever. Kafka Streams' window store has the same horizon for look-ups, but counts a record as dropped only when the whole
 * segment that it belongs to is gone, hence `expired` (RocksDBWindowStore, AbstractRocksDBSegmentedBytesStore).
 */
export class KeptRecords<K, V> {
  readonly #store: TimeKeyStore<K, readonly V[]>;
  readonly #retentionMs: number;
  readonly #segmentMs: number;
  #timeMs: number;
  #earliestMs: number;

  /** `atLeastMs` is a time that the side has reached without a record, -1 when there is none. */
  constructor(store: TimeKeyStore<K, readonly V[]>, retentionMs: number, atLeastMs: number) {
    this.#store = store;
    this.#retentionMs = retentionMs;
    this.#segmentMs = Math.max(Math.floor(retentionMs / 2), segmentMsMin);
    // The newest record is never behind the horizon, so the store knows the time that it gave.
    this.#timeMs = Math.max(store.latestMs ?? -1, atLeastMs);
    this.#earliestMs = store.earliestMs ?? Number.POSITIVE_INFINITY;
  }

  get timeMs(): number {
    return this.#timeMs;
  }

  /** Keeps a record behind those of the same key and time, unless it is late. */
  keep(key: K, value: V, timestampMs: number): Keeping {
    if (timestampMs > this.#timeMs) this.advance(timestampMs);
    else if (timestampMs <= this.#timeMs - this.#retentionMs) return this.#segmentIsGone(timestampMs) ? 'expired' : 'late';
    const before = this.#store.get(key, timestampMs);
    this.#store.put(key, timestampMs, before === undefined ? [value] : [...before, value]);
    if (timestampMs < this.#earliestMs) this.#earliestMs = timestampMs;
    return 'kept';
  }

  /** Raises the side's time, and forgets what is behind its horizon then. */
  advance(timeMs: number): void {
    if (timeMs <= this.#timeMs) return;
    this.#timeMs = timeMs;
    const untilMs = timeMs - this.#retentionMs;
    if (this.#earliestMs > untilMs) return;
    this.#store.forget(untilMs);
    this.#earliestMs = this.#store.earliestMs ?? Number.POSITIVE_INFINITY;
  }

  /** Records of a key within [fromMs, toMs], by time and then arrival. */
  between(key: K, fromMs: number, toMs: number): readonly { readonly timeMs: number; readonly value: readonly V[] }[] {
    return this.#earliestMs > toMs ? none : this.#store.fetch(key, fromMs, toMs);
  }

  #segmentIsGone(timestampMs: number): boolean {
    return Math.trunc(timestampMs / this.#segmentMs) < Math.trunc((this.#timeMs - this.#retentionMs) / this.#segmentMs);
  }
}

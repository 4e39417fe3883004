/** Something held at a time, that knows its place in the bucket of that time. Both are kept up by the index. */
export interface Timed {
  readonly timeMs: number;
  place: number;
}

const emptyBucketsMax = 64;

/**
 * Which entries there are at each time: a bucket a time, and the times in a binary heap. Adding and removing costs O(1) for a
 * time that is there already and O(log times) for a new one, so that 100,000 keys in a few windows are a few heap steps.
 */
export class TimeIndex<T extends Timed> {
  readonly #buckets = new Map<number, T[]>();
  /** Min-heap of the times in `#buckets`, each once. A bucket that becomes empty stays until its time is on top. */
  #heap: number[] = [];
  #emptyBuckets = 0;
  #recentMs = Number.NaN;
  #recent: T[] = [];

  /** The lowest time that holds something. */
  get earliestMs(): number | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return undefined;
      if ((this.#buckets.get(top) as T[]).length > 0) return top;
      this.#emptyBuckets -= 1;
      this.#removeTop();
    }
  }

  /** The highest time that holds something; looks at all times. */
  get latestMs(): number | undefined {
    let latest: number | undefined;
    for (const [timeMs, bucket] of this.#buckets) if (bucket.length > 0 && !(latest !== undefined && latest > timeMs)) latest = timeMs;
    return latest;
  }

  add(entry: T): void {
    let bucket = this.#recentMs === entry.timeMs ? this.#recent : this.#buckets.get(entry.timeMs);
    if (bucket === undefined) {
      bucket = [entry];
      this.#buckets.set(entry.timeMs, bucket);
      this.#push(entry.timeMs);
      entry.place = 0;
    } else {
      if (bucket.length === 0) this.#emptyBuckets -= 1;
      entry.place = bucket.length;
      bucket.push(entry);
    }
    this.#recentMs = entry.timeMs;
    this.#recent = bucket;
  }

  remove(entry: T): void {
    const bucket = this.#buckets.get(entry.timeMs) as T[];
    const last = bucket.pop() as T;
    if (last !== entry) {
      bucket[entry.place] = last;
      last.place = entry.place;
    }
    if (bucket.length > 0) return;
    this.#emptyBuckets += 1;
    if (this.#emptyBuckets > emptyBucketsMax && this.#emptyBuckets * 2 > this.#buckets.size) this.#dropEmptyBuckets();
  }

  /** Removes and gives the entries of the lowest time when that is at most `untilMs`; in no order. */
  takeEarliest(untilMs: number): T[] | undefined {
    const earliest = this.earliestMs;
    if (earliest === undefined || earliest > untilMs) return undefined;
    const bucket = this.#buckets.get(earliest) as T[];
    this.#removeTop();
    return bucket;
  }

  /** All times in ascending order, each with its entries in no order. */
  *inOrder(): IterableIterator<readonly T[]> {
    for (const timeMs of [...this.#buckets.keys()].sort((left, right) => left - right)) {
      yield this.#buckets.get(timeMs) as T[];
    }
  }

  #dropEmptyBuckets(): void {
    for (const [timeMs, bucket] of this.#buckets) if (bucket.length === 0) this.#buckets.delete(timeMs);
    // A sorted array is a heap.
    this.#heap = [...this.#buckets.keys()].sort((left, right) => left - right);
    this.#emptyBuckets = 0;
    this.#recentMs = Number.NaN;
  }

  #push(timeMs: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timeMs);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const parentMs = heap[parent] as number;
      if (parentMs <= timeMs) break;
      heap[at] = parentMs;
      at = parent;
    }
    heap[at] = timeMs;
  }

  #removeTop(): void {
    const heap = this.#heap;
    this.#buckets.delete(heap[0] as number);
    this.#recentMs = Number.NaN;
    const moved = heap.pop() as number;
    const length = heap.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
      if ((heap[child] as number) >= moved) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moved;
  }
}

export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Piece {
  readonly upTo: number;
  readonly count: number;
  readonly dueMs: number;
}

/** Messages of one partition that have no rows yet: they get them in their order. */
class Waiting {
  readonly #pieces: Piece[] = [];
  #next = 0;
  #sent = 0;

  due(count: number, dueMs: number): void {
    this.#sent += count;
    this.#pieces.push({ upTo: this.#sent, count, dueMs });
  }

  * seen(rows: number): Generator<Piece> {
    for (let piece = this.#pieces[this.#next]; piece !== undefined && piece.upTo <= rows; piece = this.#pieces[this.#next]) {
      yield piece;
      this.#next += 1;
    }
    if (this.#next <= 10_000) return;
    this.#pieces.splice(0, this.#next);
    this.#next = 0;
  }
}

/**
 * From when messages were due to when their rows could be seen. A message that could not even be sent in time waits from when it was due: no
 * coordinated omission. Each partition is counted for itself, so that one that stands still is not hidden by others that go on. Messages of one piece count together.
 */
export class Latencies {
  readonly #waiting = new Map<number, Waiting>();
  readonly #seen: { readonly ms: number; readonly count: number }[] = [];
  #count = 0;
  /** Since `takeRecent`. */
  #recentFrom = 0;

  due(partition: number, count: number, dueMs: number): void {
    if (count === 0) return;
    const waiting = this.#waiting.get(partition) ?? new Waiting();
    this.#waiting.set(partition, waiting);
    waiting.due(count, dueMs);
  }

  /** So many of the messages of each partition have rows by now. */
  visible(rows: ReadonlyMap<number, number>, nowMs: number): void {
    for (const [partition, waiting] of this.#waiting) {
      for (const { count, dueMs } of waiting.seen(rows.get(partition) ?? 0)) {
        this.#seen.push({ ms: Math.max(0, nowMs - dueMs), count });
        this.#count += count;
      }
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Null: nothing was seen yet. */
  get figures(): LatencyFigures | null {
    return figuresOf(this.#seen);
  }

  /** The 95th percentile of what became visible since the last time. */
  takeRecent(): number | null {
    const recent = figuresOf(this.#seen.slice(this.#recentFrom));
    this.#recentFrom = this.#seen.length;
    return recent?.p95Ms ?? null;
  }
}

function figuresOf(seen: readonly { readonly ms: number; readonly count: number }[]): LatencyFigures | null {
  if (seen.length === 0) return null;
  const sorted = [...seen].sort((left, right) => left.ms - right.ms);
  const total = sorted.reduce((sum, { count }) => sum + count, 0);
  const at = (part: number): number => {
    let below = 0;
    for (const { ms, count } of sorted) {
      below += count;
      if (below >= part * total) return Math.round(ms);
    }
    return Math.round(sorted.at(-1)?.ms ?? 0);
  };
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
}

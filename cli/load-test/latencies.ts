export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * From when messages were due to when their rows could be seen. A message that could not even be sent in time waits from when it was due: no
 * coordinated omission. Messages of one piece count together.
 */
export class Latencies {
  readonly #waiting: { readonly upTo: number; readonly count: number; readonly dueMs: number }[] = [];
  readonly #seen: { readonly ms: number; readonly count: number }[] = [];
  #next = 0;
  #sent = 0;
  #count = 0;
  /** Since `takeRecent`. */
  #recentFrom = 0;

  due(count: number, dueMs: number): void {
    if (count === 0) return;
    this.#sent += count;
    this.#waiting.push({ upTo: this.#sent, count, dueMs });
  }

  /** So many of the messages have rows by now. */
  visible(rows: number, nowMs: number): void {
    for (let piece = this.#waiting[this.#next]; piece !== undefined && piece.upTo <= rows; piece = this.#waiting[this.#next]) {
      this.#seen.push({ ms: Math.max(0, nowMs - piece.dueMs), count: piece.count });
      this.#count += piece.count;
      this.#next += 1;
    }
    if (this.#next <= 10_000) return;
    this.#waiting.splice(0, this.#next);
    this.#next = 0;
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

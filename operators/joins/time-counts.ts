/** The two sides of a stream join, numbered as the inputs of its step. */
export type Side = 0 | 1;

interface TimeCount {
  readonly timeMs: number;
  /** By side. */
  readonly counts: [number, number];
}

const emptyMax = 64;

/** How many records each side of a join has at each time, with the times in order. */
export class TimeCounts {
  /** Ascending times; those without records are taken out now and then. */
  #times: TimeCount[] = [];
  #empty = 0;

  /** The highest time with a record, or undefined. */
  get lastMs(): number | undefined {
    for (;;) {
      const last = this.#times.at(-1);
      if (last === undefined || !isEmpty(last)) return last?.timeMs;
      this.#times.pop();
      this.#empty -= 1;
    }
  }

  /** Records of a side at a time. */
  at(timeMs: number, side: Side): number {
    const found = this.#times[this.#firstAtLeast(timeMs)];
    return found === undefined || found.timeMs !== timeMs ? 0 : found.counts[side];
  }

  /** The lowest time behind `timeMs` that has a record of any side. */
  nextBehind(timeMs: number): number | undefined {
    for (let place = this.#firstAtLeast(timeMs + 1); place < this.#times.length; place += 1) {
      const found = this.#times[place] as TimeCount;
      if (!isEmpty(found)) return found.timeMs;
    }
    return undefined;
  }

  add(timeMs: number, side: Side, count: number): void {
    const place = this.#firstAtLeast(timeMs);
    let found = this.#times[place];
    if (found === undefined || found.timeMs !== timeMs) {
      found = { timeMs, counts: [0, 0] };
      if (place === this.#times.length) this.#times.push(found);
      else this.#times.splice(place, 0, found);
    } else if (isEmpty(found)) {
      this.#empty -= 1;
    }
    found.counts[side] += count;
  }

  /** Takes off records that have been added. */
  subtract(timeMs: number, side: Side, count: number): void {
    const found = this.#times[this.#firstAtLeast(timeMs)] as TimeCount;
    found.counts[side] -= count;
    if (!isEmpty(found)) return;
    this.#empty += 1;
    if (this.#empty <= emptyMax || this.#empty * 2 <= this.#times.length) return;
    this.#times = this.#times.filter((one) => !isEmpty(one));
    this.#empty = 0;
  }

  /** Place of the first time at or behind `timeMs`; looks at the newest first, where most end. */
  #firstAtLeast(timeMs: number): number {
    const times = this.#times;
    let high = times.length;
    if (high === 0 || (times[high - 1] as TimeCount).timeMs < timeMs) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as TimeCount).timeMs < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isEmpty({ counts }: TimeCount): boolean {
  return counts[0] === 0 && counts[1] === 0;
}

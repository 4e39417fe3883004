/**
 * When each finished session of a station may be dropped, earliest first. A session stands here once for each time that was found for it; which of
 * them holds is for the caller to know.
 */
export class DropQueue {
  /** Ascending, and beside each the session's key; those before `#first` are taken. */
  #timesMs: number[] = [];
  #keys: string[] = [];
  #first = 0;

  /** Infinity: there is none. */
  get firstMs(): number {
    return this.#first < this.#timesMs.length ? this.#timesMs[this.#first] as number : Infinity;
  }

  get firstKey(): string {
    return this.#keys[this.#first] as string;
  }

  /** Sessions end one after the other, so that most belong at the end. */
  add(timeMs: number, key: string): void {
    const times = this.#timesMs;
    const at = this.#firstBehind(timeMs);
    // The same time is found again whenever something of the session changes.
    for (let same = at - 1; same >= this.#first && times[same] === timeMs; same -= 1) if (this.#keys[same] === key) return;
    if (at === times.length) {
      times.push(timeMs);
      this.#keys.push(key);
    } else {
      times.splice(at, 0, timeMs);
      this.#keys.splice(at, 0, key);
    }
  }

  removeFirst(): void {
    this.#first += 1;
    if (this.#first < 64 || this.#first * 2 < this.#timesMs.length) return;
    this.#timesMs = this.#timesMs.slice(this.#first);
    this.#keys = this.#keys.slice(this.#first);
    this.#first = 0;
  }

  #firstBehind(timeMs: number): number {
    const times = this.#timesMs;
    let high = times.length;
    if (high === this.#first || (times[high - 1] as number) <= timeMs) return high;
    let low = this.#first;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as number) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How it was at one time of a load test. */
export interface LoadSample {
  /** Since the first message. */
  readonly seconds: number;
  readonly sent: number;
  readonly processed: number;
  /** Messages in the log that are not processed, and those that are due and not even sent. */
  readonly lag: number;
  readonly rowsDelivered: number;
  /** Messages whose row can be seen. */
  readonly visible: number;
  /** Of those that became visible since the sample before. */
  readonly latencyP95Ms: number | null;
  /** Of this process; against servers of all pods. */
  readonly memoryMb: number;
  /** Since the beginning, of the same. */
  readonly cpuSeconds: number;
  /** Wanted, in messages a second; null: as many as can be. */
  readonly rate: number | null;
}

const SAMPLES_MAX = 2_000;

/** Samples over a run of any length: when there are too many, every second one goes, and from then on only every second one is kept. */
export class SampleSeries {
  readonly #kept: LoadSample[] = [];
  #every = 1;
  #count = 0;
  #last: LoadSample | null = null;
  #memoryPeakMb = 0;

  add(sample: LoadSample): void {
    this.#last = sample;
    this.#memoryPeakMb = Math.max(this.#memoryPeakMb, sample.memoryMb);
    if (this.#count++ % this.#every !== 0) return;
    this.#kept.push(sample);
    if (this.#kept.length < SAMPLES_MAX) return;
    const left = this.#kept.filter((_, at) => at % 2 === 0);
    this.#kept.splice(0, this.#kept.length, ...left);
    this.#every *= 2;
  }

  /** In order of time; the last one is always among them. */
  get samples(): readonly LoadSample[] {
    const last = this.#last;
    return last === null || this.#kept.at(-1) === last ? this.#kept : [...this.#kept, last];
  }

  /** Of all that were added. */
  get memoryPeakMb(): number {
    return this.#memoryPeakMb;
  }
}

/** The highest wanted rate at which what waits stayed below two seconds of it, and at all rates before; null: none was wanted. */
export function highestRateHeld(samples: readonly LoadSample[]): number | null {
  let highest: number | null = null;
  let above = 0;
  for (const { rate, lag } of samples) {
    if (rate === null) return null;
    above = lag > 2 * rate ? above + 1 : 0;
    // A single pause is none: a commit, a collection.
    if (above >= 3) break;
    if (above === 0) highest = Math.max(highest ?? 0, rate);
  }
  return highest;
}

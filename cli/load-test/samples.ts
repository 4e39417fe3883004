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
  readonly memoryMb: number;
  /** Since the beginning. */
  readonly cpuSeconds: number;
  /** Wanted, in messages a second; null: as many as can be. */
  readonly rate: number | null;
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

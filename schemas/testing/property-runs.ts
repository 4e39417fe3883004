/**
 * How property tests run: `FC_RUNS` times each (default `runs`), from `FC_SEED` when it is set. A failure prints its seed; the
 * same seed gives the same failure.
 */
export function propertyRuns(runs = 200): { readonly numRuns: number; readonly seed?: number } {
  const { FC_RUNS: wantedRuns, FC_SEED: seed } = process.env;
  return { numRuns: wantedRuns === undefined ? runs : Number(wantedRuns), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

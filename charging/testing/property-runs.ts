/** How often a property runs: as said, or as FC_RUNS says; FC_SEED repeats a run that failed. */
export function propertyRuns(runs = 200): { readonly numRuns: number; readonly seed?: number } {
  const { FC_RUNS: wantedRuns, FC_SEED: seed } = process.env;
  return { numRuns: wantedRuns === undefined ? runs : Number(wantedRuns), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

/** How often properties are tried: FC_RUNS and FC_SEED of the environment, else as often as the test says, by a fixed seed. */
export function propertyRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Number(process.env['FC_RUNS'] ?? usual), seed: Number(process.env['FC_SEED'] ?? 20_250_324) };
}

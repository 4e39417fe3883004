import { propertyRuns as runs } from '../../schemas/testing/property-runs.ts';

/** How often properties are tried: as everywhere, but by a fixed seed where FC_SEED names no other. */
export function propertyRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { seed: 20_250_324, ...runs(usual) };
}

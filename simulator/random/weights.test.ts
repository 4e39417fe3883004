import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../testing/property-runs.ts';
import { chiSquare, chiSquareCritical } from '../testing/statistics.ts';
import { Random } from './random.ts';
import { Weights } from './weights.ts';

function picked(weights: readonly number[], size: number, seed: string): readonly number[] {
  const random = new Random(seed);
  const picker = new Weights(weights);
  const counts = weights.map(() => 0);
  for (let at = 0; at < size; at += 1) {
    const place = picker.pick(random);
    counts[place] = (counts[place] as number) + 1;
  }
  return counts;
}

describe('weights', () => {
  it.each([[[1, 2, 3, 4]], [[0.5, 0.5]], [[100, 1, 1, 1, 1, 1, 1]], [[5]]])('%j are picked in proportion', (weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const statistic = chiSquare(picked(weights, 100_000, 'weights'), weights.map((weight) => (weight * 100_000) / total));
    expect(statistic).toBeLessThan(weights.length === 1 ? 1e-9 : chiSquareCritical(weights.length - 1));
  });

  it('of 0 are never picked', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(0, 0, 1, 2.5, 1e-9), { minLength: 1, maxLength: 12 }).filter((weights) => weights.some((weight) => weight > 0)), fc.string(), (weights, seed) => {
      for (const [at, count] of picked(weights, 50, seed).entries()) if (weights[at] === 0) expect(count).toBe(0);
    }), propertyRuns(200));
  });

  it.each([[[]], [[0, 0]], [[1, -1]], [[Number.NaN]]])('%j are refused', (weights) => {
    expect(() => new Weights(weights)).toThrow(RangeError);
  });
});

import { describe, expect, it } from 'vitest';
import { chiSquare, chiSquareCritical, chiSquareLower, kolmogorovSmirnov, kolmogorovSmirnovCritical, normalCumulative } from '../testing/statistics.ts';
import { Random } from './random.ts';

const SIZE = 100_000;

function drawn(seed: string, draw: (random: Random) => number, size = SIZE): readonly number[] {
  const random = new Random(seed);
  return Array.from({ length: size }, () => draw(random));
}

describe('random numbers', () => {
  it('are the same for the same seed, and others for a seed that differs in one letter', () => {
    expect(drawn('a/1', (random) => random.word(), 20)).toEqual(drawn('a/1', (random) => random.word(), 20));
    const other = new Set(drawn('a/2', (random) => random.word(), 1_000));
    const together = drawn('a/1', (random) => random.word(), 1_000).filter((word) => other.has(word));
    expect(together.length).toBeLessThan(3);
    expect(drawn('a/1', (random) => random.word(), 3)).toEqual([1_729_217_438, 1_934_038_129, 61_207_745]);
  });

  it('are spread evenly, alone and in pairs', () => {
    const counts = Array.from({ length: 256 }, () => 0);
    const pairs = Array.from({ length: 256 }, () => 0);
    let before = 0;
    for (const part of drawn('even', (random) => random.part())) {
      counts[Math.floor(part * 256)] = (counts[Math.floor(part * 256)] as number) + 1;
      const pair = before * 16 + Math.floor(part * 16);
      pairs[pair] = (pairs[pair] as number) + 1;
      before = Math.floor(part * 16);
    }
    for (const observed of [counts, pairs]) {
      const statistic = chiSquare(observed, observed.map(() => SIZE / 256));
      expect(statistic).toBeLessThan(chiSquareCritical(255));
      expect(statistic).toBeGreaterThan(chiSquareLower(255));
    }
  });

  it.each(['x/district/0', 'x/district/1', 'x/district/2', 'x/district/10'])('of the neighbour of %s do not go with its own', (seed) => {
    const own = drawn(seed, (random) => random.part());
    const other = drawn(`${seed}0`, (random) => random.part());
    const mean = own.reduce((sum, part, at) => sum + (part - 0.5) * ((other[at] as number) - 0.5), 0) / SIZE;
    // The variance of a product of two even ones is 1/144.
    expect(Math.abs(mean) * 12 * Math.sqrt(SIZE)).toBeLessThan(4);
  });

  it.each([
    ['exponential', (random: Random) => random.exponential(7), (value: number) => 1 - Math.exp(-value / 7)],
    ['normal', (random: Random) => random.normal(), normalCumulative],
    ['log-normal', (random: Random) => random.logNormal(40, 0.6), (value: number) => normalCumulative(Math.log(value / 40) / 0.6)],
    ['even', (random: Random) => random.between(3, 9), (value: number) => (value - 3) / 6],
  ] as const)('are %s where that is asked for', (_name, draw, cumulative) => {
    expect(kolmogorovSmirnov(drawn('fit', draw), cumulative)).toBeLessThan(kolmogorovSmirnovCritical(SIZE));
  });

  it('are refused by the same test where they are something else', () => {
    expect(kolmogorovSmirnov(drawn('fit', (random) => random.normal() * 1.03), normalCumulative)).toBeGreaterThan(kolmogorovSmirnovCritical(SIZE));
  });

  it('stay within their bounds', () => {
    expect(drawn('below', (random) => random.below(3)).every((value) => value === 0 || value === 1 || value === 2)).toBe(true);
    expect(drawn('wait', (random) => random.exponential(1)).every((value) => value > 0 && value < 23)).toBe(true);
    expect(drawn('never', (random) => (random.chance(0) ? 1 : 0)).includes(1)).toBe(false);
    expect(drawn('always', (random) => (random.chance(1) ? 1 : 0)).includes(0)).toBe(false);
  });
});

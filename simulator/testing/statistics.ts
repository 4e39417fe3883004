/**
 * Critical values of tests of fit. Seeds of the tests are fixed, so that they pass always or never; the level is that of one sound generator in ten
 * thousand being refused, when somebody changes what is drawn.
 */
const NORMAL_QUANTILE = 3.719_016_485;
/** Of Kolmogorov's distribution at the same level: sqrt(-ln(0.0001 / 2) / 2). */
const KOLMOGOROV_QUANTILE = 2.225_251_5;

/** Pearson's statistic: squares of differences over what was expected, which should be 5 or more everywhere. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, at) => sum + (count - (expected[at] as number)) ** 2 / (expected[at] as number), 0);
}

/** The value that chi-square with these degrees of freedom passes once in ten thousand times: Wilson and Hilferty's approximation. */
export function chiSquareCritical(degrees: number): number {
  const ninth = 2 / (9 * degrees);
  return degrees * (1 - ninth + NORMAL_QUANTILE * Math.sqrt(ninth)) ** 3;
}

/** The value that it stays below once in ten thousand times: less spread than chance has. */
export function chiSquareLower(degrees: number): number {
  const ninth = 2 / (9 * degrees);
  return degrees * (1 - ninth - NORMAL_QUANTILE * Math.sqrt(ninth)) ** 3;
}

/** The largest distance between the distribution of a sample and a continuous one. */
export function kolmogorovSmirnov(sample: readonly number[], cumulative: (value: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  let distance = 0;
  for (const [at, value] of sorted.entries()) {
    const part = cumulative(value);
    distance = Math.max(distance, part - at / sorted.length, (at + 1) / sorted.length - part);
  }
  return distance;
}

/** The largest distance between the distributions of two samples. */
export function kolmogorovSmirnovOfTwo(left: readonly number[], right: readonly number[]): number {
  const one = Float64Array.from(left).sort();
  const other = Float64Array.from(right).sort();
  let distance = 0;
  let at = 0;
  let next = 0;
  while (at < one.length && next < other.length) {
    const value = Math.min(one[at] as number, other[next] as number);
    while (at < one.length && (one[at] as number) <= value) at += 1;
    while (next < other.length && (other[next] as number) <= value) next += 1;
    distance = Math.max(distance, Math.abs(at / one.length - next / other.length));
  }
  return distance;
}

/** The distance that a sample of this size passes once in ten thousand times. */
export function kolmogorovSmirnovCritical(size: number): number {
  return KOLMOGOROV_QUANTILE / Math.sqrt(size);
}

/** Of the standard normal distribution: the error function by Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
export function normalCumulative(value: number): number {
  const x = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.327_591_1 * x);
  const tail = t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429)))) * Math.exp(-x * x);
  return value >= 0 ? 1 - tail / 2 : tail / 2;
}

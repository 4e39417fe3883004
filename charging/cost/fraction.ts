/** An exact number that is not negative. In lowest terms, so that sums of many stay short. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const zero: Fraction = { numerator: 0n, denominator: 1n };

/** Of two whole numbers. */
export function fraction(numerator: bigint, denominator: bigint = 1n): Fraction {
  if (denominator === 1n) return { numerator, denominator };
  const shared = greatestDivisor(numerator, denominator);
  return { numerator: numerator / shared, denominator: denominator / shared };
}

export function plus(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator) return fraction(a.numerator + b.numerator, a.denominator);
  return fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function minus(a: Fraction, b: Fraction): Fraction {
  return plus(a, { numerator: -b.numerator, denominator: b.denominator });
}

export function times(a: Fraction, factor: bigint): Fraction {
  return fraction(a.numerator * factor, a.denominator);
}

/** The smallest multiple of `step` that is not less. */
export function upToStep(a: Fraction, step: bigint): Fraction {
  const width = a.denominator * step;
  return fraction(((a.numerator + width - 1n) / width) * step);
}

/** The nearest whole number to `a` divided by `divisor`; the upper one of two that are as near. */
export function roundHalfUp(a: Fraction, divisor: bigint): bigint {
  const denominator = a.denominator * divisor;
  return (2n * a.numerator + denominator) / (2n * denominator);
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

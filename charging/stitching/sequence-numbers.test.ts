import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { addNumber, hasNumber, numbersMissing, sequenceSpansMax } from './sequence-numbers.ts';

describe('sequence numbers', () => {
  it('are those that were put in, in any order, and count what is missing between them', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1 }), (numbers) => {
      const seen: number[] = [];
      for (const number of numbers) if (!hasNumber(seen, number)) addNumber(seen, number);
      const found = Array.from({ length: 62 }, (_, number) => number).filter((number) => hasNumber(seen, number));
      expect(found).toEqual(numbers.toSorted((a, b) => a - b));
      expect(numbersMissing(seen)).toBe(Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.length);
      expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
    }), propertyRuns());
  });

  it('have a limit of spans: then the lowest two are taken for one', () => {
    const seen: number[] = [];
    for (let number = 0; number <= sequenceSpansMax; number += 1) addNumber(seen, number * 2);
    expect([seen.length, seen.slice(0, 4)]).toEqual([2 * sequenceSpansMax, [0, 2, 4, 4]]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../testing/property-runs.ts';
import type { PowerWish } from './site-power.ts';
import { sharePower } from './site-power.ts';

const wishes = fc.array(fc.record({ wantsW: fc.integer({ min: 0, max: 300_000 }), leavesMs: fc.nat(20) }), { maxLength: 30 });
const sharings = fc.constantFrom('equal' as const, 'first-come' as const, 'earliest-departure' as const);

describe('the power of a site', () => {
  it('is never given out beyond what there is or is wanted, and never kept back', () => {
    fc.assert(fc.property(wishes, fc.integer({ min: 500, max: 2_000_000 }), sharings, (all, totalW, sharing) => {
      const given = [...sharePower(all, totalW, sharing)];
      const wantedW = all.reduce((sum, { wantsW }) => sum + wantsW, 0);
      const sumW = given.reduce((sum, powerW) => sum + powerW, 0);
      expect(given.filter((powerW, at) => !(powerW >= 0 && powerW <= (all[at] as PowerWish).wantsW))).toEqual([]);
      expect(sumW).toBeLessThanOrEqual(totalW * (1 + 1e-12));
      expect(Math.abs(sumW - Math.min(totalW, wantedW))).toBeLessThan(1e-6);
    }), propertyRuns(1_000));
  });

  it('shared equally leaves nobody with less than another who wants no more', () => {
    fc.assert(fc.property(wishes, fc.integer({ min: 500, max: 2_000_000 }), (all, totalW) => {
      const given = sharePower(all, totalW, 'equal');
      const highestW = Math.max(0, ...given);
      for (const [at, { wantsW }] of all.entries()) expect(given[at]).toBeGreaterThanOrEqual(Math.min(wantsW, highestW) - 1e-6);
    }), propertyRuns(500));
  });

  it('goes by order where order counts', () => {
    const all = [{ wantsW: 50, leavesMs: 9 }, { wantsW: 60, leavesMs: 1 }, { wantsW: 70, leavesMs: 5 }];
    expect([...sharePower(all, 100, 'first-come')]).toEqual([50, 50, 0]);
    expect([...sharePower(all, 100, 'earliest-departure')]).toEqual([0, 60, 40]);
    expect([...sharePower(all, 150, 'equal')]).toEqual([50, 50, 50]);
    expect([...sharePower(all, 170, 'equal')]).toEqual([50, 60, 60]);
  });
});

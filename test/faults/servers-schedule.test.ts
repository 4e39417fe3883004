import { describe, expect, it } from 'vitest';
import { randomFrom } from '../seeded-random.ts';
import type { Fault, FaultKind } from './servers-schedule.ts';
import { faultKinds, faultText, schedule } from './servers-schedule.ts';

function first(count: number, seed: number, kinds: readonly FaultKind[] = faultKinds): readonly Fault[] {
  return schedule({ pods: 3, kinds: new Set(kinds), gapMsMax: 1_000, outageMs: 30_000 }, randomFrom(seed)).take(count).toArray();
}

describe('schedule', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(first(100, 7)).toEqual(first(100, 7));
    expect(first(100, 7)).not.toEqual(first(100, 8));
  });

  it('has every kind in every round, and Redis is copied before it is put back', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const round = first(17, seed).map(({ kind }) => kind);
      expect(new Set(round)).toEqual(new Set(faultKinds));
      expect(round.indexOf('copy Redis')).toBeLessThan(round.indexOf('rewind Redis'));
    }
  });

  it('has only the kinds that are wanted', () => {
    expect(new Set(first(50, 3, ['zombie', 'insert']).map(({ kind }) => kind))).toEqual(new Set(['zombie', 'insert']));
    expect(() => first(1, 3, [])).toThrow('no kind of fault is wanted');
  });

  it('is told in words', () => {
    for (const fault of first(34, 5)) expect(faultText(fault)).not.toContain('undefined');
  });
});

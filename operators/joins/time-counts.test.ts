import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { TimeCounts, type Side } from './time-counts.ts';

it('counts as a list of all records does', () => {
  const step = fc.record({ timeMs: fc.nat(200), side: fc.constantFrom<Side>(0, 1), adds: fc.nat(2).map((drawn) => drawn > 0) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: -1, max: 201 }), (steps, askedMs) => {
    const counts = new TimeCounts();
    const held: { readonly timeMs: number; readonly side: Side }[] = [];
    for (const { timeMs, side, adds } of steps) {
      if (adds) {
        counts.add(timeMs, side, 1);
        held.push({ timeMs, side });
        continue;
      }
      const taken = held.splice(timeMs % Math.max(held.length, 1), 1)[0];
      if (taken !== undefined) counts.subtract(taken.timeMs, taken.side, 1);
    }
    const times = held.map(({ timeMs }) => timeMs);
    const behind = times.filter((timeMs) => timeMs > askedMs);
    expect(counts.nextBehind(askedMs)).toBe(behind.length === 0 ? undefined : Math.min(...behind));
    expect(counts.lastMs).toBe(times.length === 0 ? undefined : Math.max(...times));
    for (const side of [0, 1] as const) expect(counts.at(askedMs, side)).toBe(held.filter((one) => one.timeMs === askedMs && one.side === side).length);
  }), propertyRuns());
});

it('takes out empty times when they are many: the order of the others stays', () => {
  const counts = new TimeCounts();
  for (let timeMs = 0; timeMs < 1_000; timeMs += 1) counts.add(timeMs, 0, 1);
  for (let timeMs = 0; timeMs < 1_000; timeMs += 1) if (timeMs % 10 !== 3) counts.subtract(timeMs, 0, 1);
  expect(counts.nextBehind(-1)).toBe(3);
  expect(counts.nextBehind(3)).toBe(13);
  expect(counts.at(993, 0)).toBe(1);
  expect(counts.lastMs).toBe(993);
});

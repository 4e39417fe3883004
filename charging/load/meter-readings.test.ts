import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertReading, noReadings, readingsKeptMs } from './meter-readings.ts';

const reading = (seqNo: number | null, timestampMs: number, meterWh: number | null) => ({ seqNo, timestampMs, meterWh });

/** Energy by time, as sums of everything that the readings gave. */
function energies(list: readonly ReturnType<typeof reading>[]): Record<number, number> {
  const sums: Record<number, number> = {};
  let readings = noReadings;
  const add = (timeMs: number, milliWh: number) => { sums[timeMs] = (sums[timeMs] ?? 0) + milliWh; };
  for (const one of list) {
    const inserted = insertReading(readings, one);
    readings = inserted.readings;
    add(one.timestampMs, inserted.ownMilliWh);
    if (inserted.behind !== null) add(inserted.behind.timeMs, inserted.behind.changeMilliWh);
  }
  return sums;
}

describe('insertReading', () => {
  it('gives each reading the difference to the one before it, in whole mWh', () => {
    expect(energies([reading(0, 0, 100), reading(1, 10, 100.25), reading(2, 20, 101)])).toEqual({ 0: 0, 10: 250, 20: 750 });
  });

  it('splits the difference of the reading behind one that comes late', () => {
    expect(energies([reading(0, 0, 0), reading(2, 20, 300), reading(1, 10, 100)])).toEqual({ 0: 0, 10: 100_000, 20: 200_000 });
    expect(energies([reading(1, 10, 100), reading(0, 0, 40)])).toEqual({ 0: 0, 10: 60_000 });
  });

  it('counts a reading once, and passes over events without a register', () => {
    expect(energies([reading(0, 0, 0), reading(1, 10, 5), reading(1, 10, 5), reading(2, 15, null)])).toEqual({ 0: 0, 10: 5000, 15: 0 });
  });

  it('delivers nothing where a register goes back', () => {
    expect(energies([reading(0, 0, 0), reading(1, 10, 500), reading(2, 20, 100), reading(3, 30, 150)])).toEqual({ 0: 0, 10: 500_000, 20: 0, 30: 50_000 });
  });

  it('gives the same energies for any order, and their sum is last less first', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 11 });
    fc.assert(fc.property(steps, fc.boolean(), fc.integer(), (list, numbered, seed) => {
      let meter = 7;
      const sorted = list.map((step, index) => reading(numbered ? index : null, index * 60_000, (meter += step / 1000)));
      const shuffled = [...sorted].sort((a, b) => Math.sin(seed * (a.timestampMs + 1)) - Math.sin(seed * (b.timestampMs + 1)));
      expect(energies(shuffled)).toEqual(energies(sorted));
      const total = Object.values(energies(sorted)).reduce((sum, one) => sum + one, 0);
      expect(total).toBe(Math.round((sorted.at(-1)?.meterWh ?? 0) * 1000) - Math.round((sorted[0]?.meterWh ?? 0) * 1000));
    }));
  });

  it('forgets old readings, and takes no energy twice when one of that time comes', () => {
    let readings = noReadings;
    for (let index = 0; index < 100; index += 1) readings = insertReading(readings, reading(index, index * 300_000, index * 100)).readings;
    expect(readings.forgotten).toBe(true);
    expect(readings.kept.length).toBeLessThanOrEqual(readingsKeptMs / 300_000 + 2);
    expect(insertReading(readings, reading(null, 150_000, 50))).toMatchObject({ ownMilliWh: 0, behind: null, isNew: true });
  });
});

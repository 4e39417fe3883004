import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../testing/property-runs.ts';
import { quarterLoadCodec } from './quarter-codec.ts';
import { emptyQuarter } from './quarter-load.ts';
import type { QuarterLoad } from './quarter-load.ts';

const whole = fc.oneof(fc.constantFrom(0, 60_000, -1, 127, 128, 2 ** 31, -(2 ** 51), 2 ** 51), fc.integer({ min: -1e9, max: 1e9 }));
const ofMinutes = fc.oneof(fc.constant(Array.from({ length: 15 }, () => 60_000)), fc.array(whole, { minLength: 15, maxLength: 15 }), fc.constant(Array.from({ length: 15 }, () => 0)));
const text = fc.option(fc.oneof(fc.constantFrom('', 'Dundee', 'Köln 🚗', 'x'.repeat(300)), fc.string()));
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const quarters: fc.Arbitrary<QuarterLoad> = fc.record({
  minutesMilliWh: ofMinutes, minutesOccupiedMs: ofMinutes, minutesChargingMs: ofMinutes, samples: fc.nat(500), sessionsStarted: fc.nat(9), sessionsEnded: fc.nat(9),
  errors: fc.nat(9), peakPowerW: fc.option(fc.double({ noNaN: true })), siteId: text, city: text, operator: text, stationValidFromMs: fc.constantFrom(-2, -1, 0, Date.UTC(2024, 0, 1)),
}).map((quarter) => ({
  ...quarter, energyMilliWh: total(quarter.minutesMilliWh), occupiedMs: total(quarter.minutesOccupiedMs), chargingMs: total(quarter.minutesChargingMs),
  peakMinuteMilliWh: Math.max(0, ...quarter.minutesMilliWh),
}));

describe('the codec of a quarter’s load', () => {
  it('gives back what it wrote', () => {
    fc.assert(fc.property(quarters, (quarter) => {
      expect(quarterLoadCodec.decode(quarterLoadCodec.encode(quarter))).toEqual(quarter);
    }), propertyRuns());
  });

  it('is small: nothing happened in 15 bytes, a charging session takes some 70 and its names', () => {
    expect(quarterLoadCodec.encode(emptyQuarter).length).toBe(15);
    const charging = { ...emptyQuarter, minutesMilliWh: Array.from({ length: 15 }, (_, at) => 120_000 + at), minutesOccupiedMs: Array.from({ length: 15 }, () => 60_000) };
    expect(quarterLoadCodec.encode(charging).length).toBeLessThan(80);
  });

  it('refuses bytes that it did not write', () => {
    const bytes = quarterLoadCodec.encode({ ...emptyQuarter, siteId: 'Site', peakPowerW: 7_000 });
    for (let length = 0; length < bytes.length; length += 1) expect(() => quarterLoadCodec.decode(bytes.subarray(0, length))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => quarterLoadCodec.decode(Uint8Array.of(...bytes, 0))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => quarterLoadCodec.decode(new Uint8Array(40).fill(255))).toThrow(/DESERIALISATION_FAILED/);
  });

  it('refuses what is no whole number of a sensible size, which would be our mistake', () => {
    for (const wrong of [Number.NaN, 2 ** 52]) expect(() => quarterLoadCodec.encode({ ...emptyQuarter, samples: wrong })).toThrow(/whole number/);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { hourLoadCodec } from './hour-codec.ts';
import { emptyHour, never } from './hour-load.ts';
import type { HourLoad } from './hour-load.ts';
import { compact } from './hour-minutes.ts';

const whole = fc.oneof(fc.constantFrom(0, 60_000, -1, 127, 128, 2 ** 31, -(2 ** 51), 2 ** 51), fc.integer({ min: -1e9, max: 1e9 }));
const ofMinutes = fc.oneof(fc.constantFrom([], [60_000], [-7]), fc.array(whole, { minLength: 60, maxLength: 60 }).map(compact));
const counts = fc.oneof(fc.constant(never), fc.array(fc.integer({ min: -1, max: 500 }), { minLength: 4, maxLength: 4 }).map((list) => (list.every((count) => count === 0) ? never : list)));
const text = fc.option(fc.oneof(fc.constantFrom('', 'Dundee', 'Köln 🚗', 'x'.repeat(300)), fc.string()));
const spans = fc.array(fc.tuple(whole, whole, whole, fc.integer({ min: -4, max: 4 })), { maxLength: 16 }).map((list) => list.flat());

const hours: fc.Arbitrary<HourLoad> = fc.record({
  energyMilliWh: whole, occupiedMs: whole, chargingMs: whole, samples: counts, sessionsStarted: counts, sessionsEnded: counts, errors: counts,
  powersW: fc.oneof(fc.constant([]), fc.array(fc.option(fc.double({ noNaN: true })), { minLength: 4, maxLength: 4 })), spans,
  minutes: fc.option(fc.record({ milliWh: ofMinutes, occupiedMs: ofMinutes, chargingMs: ofMinutes })),
  facts: fc.record({ siteId: text, city: text, operator: text, stationValidFromMs: fc.constantFrom(-2, -1, 0, Date.UTC(2024, 0, 1)) }),
  peakMinuteMilliWh: fc.constant(-1),
});

describe('the codec of an hour’s load', () => {
  it('gives back what it wrote, but for the highest minute, which is made again', () => {
    fc.assert(fc.property(hours, fc.nat(), (hour, peakMinuteMilliWh) => {
      expect(hourLoadCodec.decode(hourLoadCodec.encode({ ...hour, peakMinuteMilliWh }))).toEqual(hour);
    }), propertyRuns());
  });

  it('is small: nothing happened in 9 bytes, an hour of charging takes some 20 and its names, one of 60 meter values below 270', () => {
    expect(hourLoadCodec.encode(emptyHour).length).toBe(9);
    const charging = { ...emptyHour, energyMilliWh: 7_000_000, occupiedMs: 3_600_000, chargingMs: 3_600_000, spans: [-600_000, 5_000_000, 10_000_000, 4] };
    expect(hourLoadCodec.encode(charging).length).toBeLessThan(35);
    const metered = { ...emptyHour, minutes: { milliWh: Array.from({ length: 60 }, (_, at) => 120_000 + (at % 2)), occupiedMs: [60_000], chargingMs: [60_000] } };
    expect(hourLoadCodec.encode(metered).length).toBeLessThan(270);
  });

  it('refuses bytes that it did not write', () => {
    const bytes = hourLoadCodec.encode({ ...emptyHour, facts: { ...emptyHour.facts, siteId: 'Site' }, powersW: [null, 7_000, null, null], spans: [0, 1, 2, 3] });
    for (let length = 0; length < bytes.length; length += 1) expect(() => hourLoadCodec.decode(bytes.subarray(0, length))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => hourLoadCodec.decode(Uint8Array.of(...bytes, 0))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => hourLoadCodec.decode(new Uint8Array(40).fill(255))).toThrow(/DESERIALISATION_FAILED/);
  });

  it('refuses what is no whole number of a sensible size, which would be our mistake', () => {
    for (const wrong of [Number.NaN, 2 ** 52]) expect(() => hourLoadCodec.encode({ ...emptyHour, energyMilliWh: wrong })).toThrow(/whole number/);
  });
});

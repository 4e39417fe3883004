import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { priceSession, priceSessionExactly } from './price-session.ts';
import type { Cost } from './price-session.ts';
import type { MeterSample, PricedSession } from './priced-session.ts';
import { plainTariff, pricedCase } from './testing/arbitraries.ts';
import { costByTicks } from './testing/tick-model.ts';

const minuteMs = 60_000;
const amountsOf = ({ startFeeMinor, energyMinor, chargingMinor, idleMinor }: Cost) => ({ startFeeMinor, energyMinor, chargingMinor, idleMinor });

describe('priceSession', () => {
  it('is what a model that looks at the clock every minute adds up, up to a day and a half', () => {
    fc.assert(fc.property(pricedCase(minuteMs, 2160), ({ session, tariff }) => {
      expect(amountsOf(priceSession(session, tariff))).toEqual(costByTicks(session, tariff, minuteMs));
    }), propertyRuns(100));
  }, 900_000);

  it('is what a model that looks at the clock every second adds up, within the minutes around a change', () => {
    fc.assert(fc.property(pricedCase(1000, 400), ({ session, tariff }) => {
      expect(amountsOf(priceSession(session, tariff))).toEqual(costByTicks(session, tariff, 1000));
    }), propertyRuns(200));
  }, 900_000);

  it('takes a short way for the usual session, with the same result as the exact one', () => {
    const factor = fc.oneof(fc.constant(1), fc.constantFrom(3, 10, 1_001, 65_536, 1_000_003, 2 ** 26, 2 ** 31));
    fc.assert(fc.property(pricedCase(1, 200_000_000), factor, factor, fc.boolean(), ({ session, tariff }, energyFactor, priceFactor, plain) => {
      const larger = { ...session, samples: session.samples.map(({ timeMs, milliWh }) => ({ timeMs, milliWh: milliWh * energyFactor })) };
      const dearer = {
        ...tariff, startFeeMicro: tariff.startFeeMicro * priceFactor, energyPerKwhMicro: tariff.energyPerKwhMicro * priceFactor,
        idlePerMinuteMicro: tariff.idlePerMinuteMicro * priceFactor, rates: plain ? [] : tariff.rates,
      };
      expect(priceSession(larger, dearer)).toEqual(priceSessionExactly(larger, dearer));
    }), propertyRuns());
  }, 300_000);

  it('is changed by no reading on the line between two others', () => {
    const place = fc.tuple(fc.nat(), fc.nat());
    fc.assert(fc.property(pricedCase(1, 200_000_000), fc.array(place, { minLength: 1, maxLength: 8 }), ({ session, tariff }, places) => {
      // A whole number of mWh every millisecond, so that there are readings on the line at any time.
      const steep = { ...session, samples: session.samples.map(({ timeMs }) => ({ timeMs, milliWh: (timeMs - session.startMs) * 3 })) };
      const finer = { ...steep, samples: withReadings(steep.samples, places, (ms) => ms * 3) };
      expect(priceSession(finer, tariff)).toEqual(priceSession(steep, tariff));
    }), propertyRuns());
  }, 300_000);

  it('is changed by no more than a step and a rounding by readings that are rounded to mWh', () => {
    const place = fc.tuple(fc.nat(), fc.nat());
    fc.assert(fc.property(pricedCase(1, 200_000_000), fc.array(place, { minLength: 1, maxLength: 8 }), ({ session, tariff }, places) => {
      const finer = { ...session, samples: withRoundedReadings(session.samples, places) };
      const [a, b] = [priceSession(session, tariff), priceSession(finer, tariff)];
      const boundMinor = minorOf((tariff.energyStepWh + 0.016) / 1000 * highestPrice(tariff), tariff) + 1;
      expect(Math.abs((a.energyMinor ?? 0) - (b.energyMinor ?? 0))).toBeLessThanOrEqual(boundMinor);
      expect({ ...a, energyMinor: 0, totalMinor: 0, billedEnergyWh: 0 }).toEqual({ ...b, energyMinor: 0, totalMinor: 0, billedEnergyWh: 0 });
    }), propertyRuns());
  }, 300_000);

  it('counts differences of the register only', () => {
    fc.assert(fc.property(pricedCase(1, 200_000_000), fc.integer({ min: -(2 ** 40), max: 2 ** 50 }), ({ session, tariff }, shift) => {
      const shifted = { ...session, samples: session.samples.map(({ timeMs, milliWh }) => ({ timeMs, milliWh: milliWh + shift })) };
      expect(priceSession(shifted, tariff)).toEqual(priceSession(session, tariff));
    }), propertyRuns());
  }, 300_000);
});

describe('more energy', () => {
  const more = fc.array(fc.integer({ min: 0, max: 30_000_000 }), { minLength: 6, maxLength: 6 });
  const withMore = (samples: readonly MeterSample[], added: readonly number[]): readonly MeterSample[] => {
    let sum = 0;
    return samples.map(({ timeMs, milliWh }, index) => ({ timeMs, milliWh: milliWh + (sum += added[index] ?? 0) }));
  };

  it('never costs less where energy has one price', () => {
    fc.assert(fc.property(pricedCase(1, 200_000_000), more, ({ session, tariff }, added) => {
      const onePrice = { ...tariff, rates: tariff.rates.map((rate) => ({ ...rate, energyPerKwhMicro: null })) };
      const fuller = { ...session, samples: withMore(session.samples, added) };
      const [less, moreCost] = [priceSession(session, onePrice), priceSession(fuller, onePrice)];
      expect(moreCost.energyMinor ?? 0).toBeGreaterThanOrEqual(less.energyMinor ?? 0);
    }), propertyRuns());
  }, 300_000);

  it('costs less by one step at the difference of the prices at most, where the step moves into a cheaper hour', () => {
    fc.assert(fc.property(pricedCase(1, 200_000_000), more, ({ session, tariff }, added) => {
      const fuller = { ...session, samples: withMore(session.samples, added) };
      const [less, moreCost] = [priceSession(session, tariff), priceSession(fuller, tariff)];
      const boundMinor = minorOf((tariff.energyStepWh / 1000) * highestPrice(tariff), tariff) + 1;
      expect((moreCost.energyMinor ?? 0) - (less.energyMinor ?? 0)).toBeGreaterThanOrEqual(-boundMinor);
    }), propertyRuns());
  }, 300_000);
});

describe('zones', () => {
  it('change nothing where a rate holds all day, whatever the clock does', () => {
    fc.assert(fc.property(pricedCase(1, 200_000_000), fc.integer({ min: 0, max: 1439 }), ({ session, tariff }, fromMinute) => {
      const { energyPerKwhMicro, chargingPerMinuteMicro, idlePerMinuteMicro } = tariff;
      const always = { fromMinute, toMinute: fromMinute === 0 ? 1440 : fromMinute, weekdays: [], energyPerKwhMicro, chargingPerMinuteMicro, idlePerMinuteMicro };
      const byRate = { ...tariff, energyPerKwhMicro: 1, chargingPerMinuteMicro: 2, idlePerMinuteMicro: 3, rates: [always] };
      expect(priceSession(session, byRate)).toEqual(priceSession(session, { ...tariff, rates: [] }));
    }), propertyRuns());
  }, 300_000);

  it('give the same cost to the same times of the clock, a week later, too, where no clock is changed', () => {
    const zones = fc.constantFrom(['UTC', 0], ['Asia/Tokyo', 9], ['America/Sao_Paulo', -3], ['Asia/Kathmandu', 5.75], ['Africa/Lagos', 1]);
    fc.assert(fc.property(pricedCase(1, 200_000_000), zones, fc.integer({ min: 0, max: 3 }), ({ session, tariff }, [zone, hours], weeks) => {
      const toMonday = Date.UTC(2026, 5, 1) - Math.floor(session.startMs / 86_400_000) * 86_400_000;
      const inUtc = { ...shifted(session, toMonday), timeZone: 'UTC' };
      const there = { ...shifted(inUtc, weeks * 604_800_000 - Number(hours) * 3_600_000), timeZone: String(zone) };
      expect(priceSession(there, tariff)).toEqual(priceSession(inUtc, tariff));
    }), propertyRuns());
  }, 300_000);
});

describe('impossible input', () => {
  const odd = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(Number.NaN, Infinity, -1, 0, 1, 2 ** 53, 8.64e15, 2 ** 31), fc.integer({ min: 0, max: 2000 }));
  const oddTariff: fc.Arbitrary<Tariff> = fc.record({
    tariffId: fc.string(), currency: fc.oneof(fc.constantFrom('EUR', 'JPY', 'KWD'), fc.string()), validFromMs: odd, startFeeMicro: odd,
    energyPerKwhMicro: odd, chargingPerMinuteMicro: odd, idlePerMinuteMicro: odd, idleFreeMinutes: odd, energyStepWh: odd, timeStepSeconds: odd,
    rates: fc.array(fc.record({
      fromMinute: odd, toMinute: odd, weekdays: fc.array(odd, { maxLength: 3 }),
      energyPerKwhMicro: fc.option(odd), chargingPerMinuteMicro: fc.option(odd), idlePerMinuteMicro: fc.option(odd),
    }), { maxLength: 2 }),
  });
  const oddSession: fc.Arbitrary<PricedSession> = fc.record({
    startMs: odd, stopMs: fc.option(odd), timeZone: fc.oneof(fc.constantFrom('UTC', 'Europe/Berlin'), fc.string()),
    samples: fc.array(fc.record({ timeMs: odd, milliWh: odd }), { maxLength: 4 }),
    charging: fc.option(fc.array(fc.record({ fromMs: odd, toMs: odd }), { maxLength: 3 })),
  });
  const sound = pricedCase(1, 200_000_000);

  it('gives reasons, and never a negative, broken or partly added amount', () => {
    const sessions = fc.oneof(oddSession, sound.map(({ session }) => session));
    const tariffs = fc.oneof(oddTariff, sound.map(({ tariff }) => tariff), oddTariff.map(({ rates: _rates, ...rest }) => ({ ...plainTariff, ...rest, rates: [] })));
    fc.assert(fc.property(sessions, tariffs, (session, tariff) => {
      const cost = priceSession(session, tariff);
      expect(cost).toEqual(priceSessionExactly(session, tariff));
      const amounts = Object.values(amountsOf(cost));
      for (const amount of [...amounts, cost.totalMinor]) expect(amount === null || (Number.isSafeInteger(amount) && amount >= 0)).toBe(true);
      expect(cost.totalMinor === null).toBe(cost.flags.length > 0);
      if (cost.totalMinor !== null) expect(cost.totalMinor).toBe(amounts.reduce<number>((sum, amount) => sum + (amount ?? Number.NaN), 0));
    }), propertyRuns());
  }, 300_000);
});

function shifted(session: PricedSession, ms: number): PricedSession {
  return {
    ...session,
    startMs: session.startMs + ms,
    stopMs: session.stopMs === null ? null : session.stopMs + ms,
    samples: session.samples.map(({ timeMs, milliWh }) => ({ timeMs: timeMs + ms, milliWh })),
    charging: session.charging?.map(({ fromMs, toMs }) => ({ fromMs: fromMs + ms, toMs: toMs + ms })) ?? null,
  };
}

/** In currency units: the highest price that a kWh can have. */
function highestPrice({ energyPerKwhMicro, rates }: Tariff): number {
  return Math.max(energyPerKwhMicro, ...rates.map((rate) => rate.energyPerKwhMicro ?? 0)) / 1e6;
}

function minorOf(amount: number, { currency }: Tariff): number {
  return Math.ceil(amount * (currency === 'JPY' ? 1 : currency === 'KWD' ? 1000 : 100));
}

type Places = readonly (readonly [number, number])[];

/** More readings, each anywhere between two that there are; `valueAt` says how high the line is. */
function withReadings(samples: readonly MeterSample[], places: Places, valueAt: (sinceFirstMs: number) => number): readonly MeterSample[] {
  const [first] = samples as readonly [MeterSample];
  const base = first.milliWh;
  return placed(samples, places, (_before, _after, timeMs) => base + valueAt(timeMs - first.timeMs));
}

function withRoundedReadings(samples: readonly MeterSample[], places: Places): readonly MeterSample[] {
  return placed(samples, places, (before, after, timeMs) =>
    before.milliWh + Math.round(((after.milliWh - before.milliWh) * (timeMs - before.timeMs)) / Math.max(1, after.timeMs - before.timeMs)));
}

function placed(
  samples: readonly MeterSample[], places: Places, valueAt: (before: MeterSample, after: MeterSample, timeMs: number) => number,
): readonly MeterSample[] {
  const added = places.map(([segment, place]) => {
    const index = segment % (samples.length - 1);
    const [before, after] = [samples[index] as MeterSample, samples[index + 1] as MeterSample];
    const timeMs = before.timeMs + (place % (after.timeMs - before.timeMs + 1));
    return { timeMs, milliWh: after.timeMs === before.timeMs ? before.milliWh : valueAt(before, after, timeMs) };
  });
  return [...samples, ...added].sort((a, b) => a.timeMs - b.timeMs || a.milliWh - b.milliWh);
}

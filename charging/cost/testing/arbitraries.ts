import fc from 'fast-check';
import type { Tariff, TariffRate } from '../../../schemas/generated/tariff.ts';
import type { MeterSample, PricedSession, TimeSpan } from '../priced-session.ts';

export const plainTariff: Tariff = {
  tariffId: 't', currency: 'EUR', validFromMs: 0, startFeeMicro: 0, energyPerKwhMicro: 0, chargingPerMinuteMicro: 0, idlePerMinuteMicro: 0,
  idleFreeMinutes: 0, energyStepWh: 1, timeStepSeconds: 1, rates: [],
};

/** Changes of clocks by an hour and half an hour, offsets of three quarters, a day that was left out, and none of it. */
const moments: readonly (readonly [zone: string, aroundMs: number])[] = [
  ['Europe/Berlin', Date.UTC(2026, 2, 29, 1)], ['Europe/Berlin', Date.UTC(2026, 9, 25, 1)], ['Europe/London', Date.UTC(2017, 9, 29, 1)],
  ['America/New_York', Date.UTC(2026, 2, 8, 7)], ['America/St_Johns', Date.UTC(2026, 10, 1, 4, 30)],
  ['Australia/Lord_Howe', Date.UTC(2026, 3, 4, 15)], ['Australia/Lord_Howe', Date.UTC(2026, 9, 3, 15, 30)],
  ['Asia/Kathmandu', Date.UTC(2026, 4, 14, 18, 15)], ['Pacific/Apia', Date.UTC(2011, 11, 30, 10)], ['UTC', Date.UTC(1969, 11, 31, 23)],
  ['America/Sao_Paulo', Date.UTC(2018, 10, 4, 3)], ['Asia/Tokyo', Date.UTC(2026, 11, 31, 15)],
];

/** 0, prices as they are, and ones with all their digits. */
const price = fc.oneof(fc.constantFrom(0, 0, 250_000, 300_000, 20_000, 1_000_000), fc.integer({ min: 0, max: 3_000_000 }));

function rateAround(minuteOfDay: number, reachMinutes: number): fc.Arbitrary<TariffRate> {
  const minute = fc.integer({ min: -2, max: reachMinutes }).map((offset) => (minuteOfDay + offset + 1440) % 1440);
  const own = fc.option(price, { nil: null });
  return fc.record({
    fromMinute: minute,
    toMinute: minute.map((at) => (at === 0 ? 1440 : at)),
    weekdays: fc.oneof(fc.constant([]), fc.subarray([1, 2, 3, 4, 5, 6, 7])),
    energyPerKwhMicro: own, chargingPerMinuteMicro: own, idlePerMinuteMicro: own,
  });
}

export function tariffAround(minuteOfDay: number, reachMinutes: number): fc.Arbitrary<Tariff> {
  return fc.record({
    tariffId: fc.constant('t'),
    currency: fc.constantFrom('EUR', 'EUR', 'JPY', 'KWD'),
    validFromMs: fc.constant(0),
    startFeeMicro: price, energyPerKwhMicro: price, chargingPerMinuteMicro: price, idlePerMinuteMicro: price,
    idleFreeMinutes: fc.constantFrom(0, 0, 1, 15, 120),
    energyStepWh: fc.constantFrom(1, 1, 7, 500, 1000),
    timeStepSeconds: fc.constantFrom(1, 1, 60, 420, 900),
    rates: fc.array(rateAround(minuteOfDay, reachMinutes), { maxLength: 4 }),
  });
}

export type StoppedSession = PricedSession & { readonly stopMs: number };

/** A session in which all happens at whole ticks, around a change of the clock, and a tariff that changes while it lasts. */
export function pricedCase(tickMs: number, ticksMax: number): fc.Arbitrary<{ readonly session: StoppedSession; readonly tariff: Tariff }> {
  return fc.tuple(fc.constantFrom(...moments), fc.integer({ min: 0, max: ticksMax }), fc.integer({ min: 0, max: ticksMax })).chain(
    ([[timeZone, aroundMs], before, length]) => {
      const startMs = aroundMs - before * tickMs;
      const clock = Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(timeZone);
      const tick = fc.integer({ min: 0, max: length });
      const cuts = (maxLength: number): fc.Arbitrary<number[]> => fc.array(tick, { maxLength }).map((all) => all.sort((a, b) => a - b));
      return fc.record({
        session: fc.record({
          samples: fc.tuple(cuts(4), tick, tick, fc.array(energyStep, { minLength: 6, maxLength: 6 })).map(([inner, a, b, steps]) =>
            samplesAt([...inner, a, b].sort((x, y) => x - y), steps, startMs, tickMs)),
          charging: cuts(6).map((all) => spansOf(all, startMs, tickMs)),
        }).map((parts) => ({ startMs, stopMs: startMs + length * tickMs, timeZone, ...parts })),
        tariff: tariffAround(clock.hour * 60 + clock.minute, Math.max(2, Math.ceil((length * tickMs) / 60_000))),
      });
    },
  );
}

const energyStep = fc.oneof(fc.constantFrom(0, 500_000, 1_000_000), fc.integer({ min: 0, max: 40_000_000 }));

function samplesAt(ticks: readonly number[], steps: readonly number[], startMs: number, tickMs: number): readonly MeterSample[] {
  let milliWh = 12_345;
  return ticks.map((tick, index) => {
    milliWh += steps[index] ?? 0;
    return { timeMs: startMs + tick * tickMs, milliWh };
  });
}

function spansOf(cuts: readonly number[], startMs: number, tickMs: number): readonly TimeSpan[] {
  const spans: TimeSpan[] = [];
  for (let index = 0; index + 1 < cuts.length; index += 2) {
    spans.push({ fromMs: startMs + (cuts[index] ?? 0) * tickMs, toMs: startMs + (cuts[index + 1] ?? 0) * tickMs });
  }
  return spans;
}

import type { Tariff, TariffRate } from '../../schemas/generated/tariff.ts';
import { minorUnitDigits } from './currencies.ts';
import { pricedDimensions } from './price-periods.ts';
import type { PricedSession } from './priced-session.ts';

/** Why a cost, or a part of it, is not known. In code-point order, as they stand on a row. */
export const costFlags = {
  'falling-register': 'a reading is lower than the one before it',
  'impossible-charging-times': 'charging times overlap, are out of order or lie outside the session',
  'impossible-readings': 'readings are no whole mWh, out of order or outside the session',
  'impossible-times': 'the stop is before the start, or a time is no whole millisecond',
  'invalid-tariff': 'the tariff has a price, step or rate that cannot be (negative, not whole, out of range)',
  'no-tariff': 'no tariff is named, or it was not valid yet when the session began',
  'not-stopped': 'the session goes on, or when it ended is unknown',
  'too-large': 'the amount does not fit into a whole number without loss',
  'too-long': 'the session lasted longer than a year',
  'unknown-charging-time': 'the tariff has prices for time, and when energy flowed is unknown',
  'unknown-currency': 'the currency is not in ISO 4217',
  'unknown-energy': 'the tariff has a price for energy, and there are fewer than two readings that can be believed',
  'unknown-time-zone': 'the tariff has prices by the time of day, and the zone is not known',
} as const;
export type CostFlag = keyof typeof costFlags;

/** The longest session that is priced. The longest real one that we know lasted 1,074 hours. */
export const sessionMsMax = 366 * 86_400_000;

/** Of a register: 2^52 mWh are 4.5 TWh, and the difference of two is still a whole number without loss. */
export const milliWhMax = 2 ** 52;
/** Steps and free minutes are Avro's `int`. */
const intMax = 2 ** 31 - 1;

/** Tariffs that were looked at: the same few price all sessions. */
const soundTariffs = new WeakSet<Tariff>();

/** Why nothing of a session can be priced with a tariff; null when it can. */
export function reasonForNothing(session: PricedSession, tariff: Tariff): CostFlag | null {
  const { startMs, stopMs } = session;
  if (minorUnitDigits(tariff.currency) === undefined) return 'unknown-currency';
  if (!soundTariffs.has(tariff)) {
    if (!isTariff(tariff)) return 'invalid-tariff';
    soundTariffs.add(tariff);
  }
  if (stopMs === null) return 'not-stopped';
  if (!isTime(startMs) || !isTime(stopMs) || stopMs < startMs) return 'impossible-times';
  return stopMs - startMs > sessionMsMax ? 'too-long' : null;
}

/** Why a session's energy cannot be priced; null when it can. */
export function reasonAgainstEnergy({ startMs, stopMs, samples }: PricedSession): CostFlag | null {
  if (samples.length < 2) return 'unknown-energy';
  let before = samples[0];
  for (const sample of samples) {
    const inside = startMs <= sample.timeMs && sample.timeMs <= (stopMs ?? startMs);
    if (!Number.isSafeInteger(sample.milliWh) || Math.abs(sample.milliWh) > milliWhMax || !isTime(sample.timeMs) || !inside) return 'impossible-readings';
    if (before !== undefined && sample.timeMs < before.timeMs) return 'impossible-readings';
    if (before !== undefined && sample.milliWh < before.milliWh) return 'falling-register';
    before = sample;
  }
  return null;
}

/** Why a session's times of charging and idling cannot be priced; null when they can. */
export function reasonAgainstTimes({ startMs, stopMs, charging }: PricedSession): CostFlag | null {
  if (charging === null) return 'unknown-charging-time';
  let sinceMs = startMs;
  for (const { fromMs, toMs } of charging) {
    const possible = isTime(fromMs) && isTime(toMs) && sinceMs <= fromMs && fromMs <= toMs && toMs <= (stopMs ?? startMs);
    if (!possible) return 'impossible-charging-times';
    sinceMs = toMs;
  }
  return null;
}

/** Years 0 to about 275,000: what the calendar knows. */
function isTime(timeMs: number): boolean {
  return Number.isSafeInteger(timeMs) && Math.abs(timeMs) <= 8.6e15;
}

function isTariff(tariff: Tariff): boolean {
  const { startFeeMicro, idleFreeMinutes, energyStepWh, timeStepSeconds, rates } = tariff;
  const prices = [startFeeMicro, ...pricedDimensions.map((dimension) => tariff[dimension])];
  const small = [idleFreeMinutes, energyStepWh - 1, timeStepSeconds - 1];
  return prices.every(isPrice) && small.every((value) => isPrice(value) && value < intMax) && rates.every(isRate);
}

function isRate(rate: TariffRate): boolean {
  const { fromMinute, toMinute, weekdays } = rate;
  const inDay = isPrice(fromMinute) && fromMinute < 1440 && isPrice(toMinute - 1) && toMinute <= 1440;
  const days = weekdays.every((day) => Number.isInteger(day) && day >= 1 && day <= 7);
  return inDay && days && pricedDimensions.every((dimension) => rate[dimension] === null || isPrice(rate[dimension]));
}

function isPrice(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

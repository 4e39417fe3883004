import type { Tariff } from '../../schemas/generated/tariff.ts';
import type { CostFlag } from './cost-flags.ts';
import { reasonAgainstEnergy, reasonAgainstTimes, reasonForNothing } from './cost-flags.ts';
import { minorUnitDigits } from './currencies.ts';
import { fraction, minus, plus, roundHalfUp, times, upToStep, zero } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import { pricePeriods } from './price-periods.ts';
import type { PricedDimension, PricePeriod } from './price-periods.ts';
import { afterFree, energyIn, restOf, timeIn } from './priced-session.ts';
import type { PricedSession } from './priced-session.ts';
import { quickCost } from './quick-cost.ts';

/** What a session costs. Amounts are whole minor units of the currency (cents; ISO 4217); null where they cannot be known, and `flags` say why. */
export interface Cost {
  readonly tariffId: string | null;
  readonly currency: string | null;
  readonly startFeeMinor: number | null;
  readonly energyMinor: number | null;
  readonly chargingMinor: number | null;
  readonly idleMinor: number | null;
  /** The sum of the four; null when one of them is. */
  readonly totalMinor: number | null;
  /** What has a price and was billed, steps included. */
  readonly billedEnergyWh: number | null;
  readonly billedChargingMs: number | null;
  readonly billedIdleMs: number | null;
  readonly flags: readonly CostFlag[];
}

/** Prices are in millionths of the currency's unit. */
const microPerUnit = 1_000_000n;
const milliWhPerKwh = 1_000_000n;
const milliWhPerWh = 1000n;
const msPerMinute = 60_000n;
const msPerSecond = 1000n;

/**
 * What a session costs by a tariff: start fee, energy, charging time and idle time, each exact and rounded half up once, to whole
 * minor units.
 *
 * Energy is spread evenly between two samples. Step sizes are taken once per session: on its energy, and on its idle time where
 * idle time is billed, else on its charging time; what a step adds has the price of the last time that was billed (OCPI 2.3.0,
 * CDR: step_size). What has no price is neither billed nor counted to a step, and need not be known. The idle time that is free is
 * the session's first.
 *
 * Nothing is thrown for input that cannot be: the amounts that hang on it are null, and flags say why. No amount is negative.
 */
export function priceSession(session: PricedSession, tariff: Tariff): Cost {
  return priced(session, tariff, quickCost);
}

/** `priceSession` without its short way for the usual session, to be compared with. */
export function priceSessionExactly(session: PricedSession, tariff: Tariff): Cost {
  return priced(session, tariff, () => null);
}

function priced(session: PricedSession, tariff: Tariff, quick: typeof quickCost): Cost {
  const digits = minorUnitDigits(tariff.currency);
  const reason = reasonForNothing(session, tariff);
  const { startMs, stopMs } = session;
  if (reason !== null || digits === undefined || stopMs === null) return withoutCost(tariff, reason ?? 'not-stopped');
  const periods = pricePeriods(tariff, session.timeZone, startMs, stopMs);
  if (periods === null) return withoutCost(tariff, 'unknown-time-zone');
  return quick(session, stopMs, tariff, periods, digits) ?? exactCost(session, stopMs, tariff, periods, digits);
}

function exactCost(session: PricedSession, stopMs: number, tariff: Tariff, periods: readonly PricePeriod[], digits: number): Cost {
  const flags = new Set<CostFlag>();
  const perUnit = 10n ** BigInt(digits);
  const minor = ({ amount }: Billed, unit: bigint): number | null =>
    safe(roundHalfUp(times(amount, perUnit), unit * microPerUnit), flags);
  const energy = billedEnergy(session, tariff, periods, flags);
  const time = billedTime(session, stopMs, tariff, periods, flags);
  const amounts = {
    startFeeMinor: minor({ ...nothingBilled, amount: fraction(BigInt(tariff.startFeeMicro)) }, 1n),
    energyMinor: energy === null ? null : minor(energy, milliWhPerKwh),
    chargingMinor: time === null ? null : minor(time.charging, msPerMinute),
    idleMinor: time === null ? null : minor(time.idle, msPerMinute),
  };
  return {
    tariffId: tariff.tariffId,
    currency: tariff.currency,
    ...amounts,
    totalMinor: sum(Object.values(amounts), flags),
    billedEnergyWh: energy === null ? null : Number(energy.quantity.numerator / milliWhPerWh),
    billedChargingMs: time === null ? null : Number(time.charging.quantity.numerator),
    billedIdleMs: time === null ? null : Number(time.idle.quantity.numerator),
    flags: [...flags].sort(),
  };
}

/** A cost of which nothing is known, and why. */
export function withoutCost({ tariffId, currency }: Pick<Cost, 'tariffId' | 'currency'>, flag: CostFlag): Cost {
  return {
    tariffId, currency, startFeeMinor: null, energyMinor: null, chargingMinor: null,
    idleMinor: null, totalMinor: null, billedEnergyWh: null, billedChargingMs: null, billedIdleMs: null, flags: [flag],
  };
}

/** What has a price, with its step; and the price times it, in micro times the unit of the quantity. */
interface Billed {
  readonly quantity: Fraction;
  readonly amount: Fraction;
}

const nothingBilled: Billed = { quantity: zero, amount: zero };

function billedEnergy(session: PricedSession, tariff: Tariff, periods: readonly PricePeriod[], flags: Set<CostFlag>): Billed | null {
  if (!hasPrice(periods, 'energyPerKwhMicro')) return nothingBilled;
  const reason = reasonAgainstEnergy(session);
  if (reason !== null) {
    flags.add(reason);
    return null;
  }
  return bill(energyIn(periods, session.samples), pricesOf(periods, 'energyPerKwhMicro'), BigInt(tariff.energyStepWh) * milliWhPerWh);
}

function billedTime(
  session: PricedSession, stopMs: number, tariff: Tariff, periods: readonly PricePeriod[], flags: Set<CostFlag>,
): { readonly charging: Billed; readonly idle: Billed } | null {
  if (!hasPrice(periods, 'chargingPerMinuteMicro') && !hasPrice(periods, 'idlePerMinuteMicro')) {
    return { charging: nothingBilled, idle: nothingBilled };
  }
  const reason = reasonAgainstTimes(session);
  if (reason !== null || session.charging === null) {
    flags.add(reason ?? 'unknown-charging-time');
    return null;
  }
  const stepMs = BigInt(tariff.timeStepSeconds) * msPerSecond;
  const idleSpans = afterFree(restOf(session.startMs, stopMs, session.charging), tariff.idleFreeMinutes * 60_000);
  const idle = bill(timeIn(periods, idleSpans), pricesOf(periods, 'idlePerMinuteMicro'), stepMs);
  // One step for both: it is taken on idle time, and on charging time only where no idle time is billed.
  const chargingStepMs = idle.quantity.numerator === 0n ? stepMs : 1n;
  return { charging: bill(timeIn(periods, session.charging), pricesOf(periods, 'chargingPerMinuteMicro'), chargingStepMs), idle };
}

/** Adds up what has a price, rounds it up to whole steps, and prices what the step added as the last of it. */
function bill(quantities: readonly Fraction[], prices: readonly bigint[], step: bigint): Billed {
  let [quantity, amount, lastPrice] = [zero, zero, 0n];
  for (const [index, part] of quantities.entries()) {
    const price = prices[index] ?? 0n;
    if (price === 0n || part.numerator === 0n) continue;
    quantity = plus(quantity, part);
    amount = plus(amount, times(part, price));
    lastPrice = price;
  }
  const stepped = upToStep(quantity, step);
  return { quantity: stepped, amount: plus(amount, times(minus(stepped, quantity), lastPrice)) };
}

function hasPrice(periods: readonly PricePeriod[], dimension: PricedDimension): boolean {
  return periods.some(({ prices }) => prices[dimension] > 0);
}

function pricesOf(periods: readonly PricePeriod[], dimension: PricedDimension): readonly bigint[] {
  return periods.map(({ prices }) => BigInt(prices[dimension]));
}

function sum(amounts: readonly (number | null)[], flags: Set<CostFlag>): number | null {
  let total = 0n;
  for (const amount of amounts) {
    if (amount === null) return null;
    total += BigInt(amount);
  }
  return safe(total, flags);
}

function safe(amount: bigint, flags: Set<CostFlag>): number | null {
  if (amount <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(amount);
  flags.add('too-large');
  return null;
}

import type { Tariff } from '../../schemas/generated/tariff.ts';
import { reasonAgainstEnergy, reasonAgainstTimes } from './cost-flags.ts';
import type { PricedDimension, PricePeriod } from './price-periods.ts';
import type { Cost } from './price-session.ts';
import type { MeterSample, PricedSession } from './priced-session.ts';

/** Twice it is a whole number without loss, and so is every quotient and remainder on the way. */
const amountMax = 2 ** 52;

/**
 * The same as the exact arithmetic gives, in plain numbers, for what most sessions are: each dimension has one price from start
 * to stop, and every product is a whole number without loss. Null for all others, and where something is not known.
 */
export function quickCost(session: PricedSession, stopMs: number, tariff: Tariff, periods: readonly PricePeriod[], digits: number): Cost | null {
  const energyPrice = onePrice(periods, 'energyPerKwhMicro');
  const chargingPrice = onePrice(periods, 'chargingPerMinuteMicro');
  const idlePrice = onePrice(periods, 'idlePerMinuteMicro');
  if (energyPrice < 0 || chargingPrice < 0 || idlePrice < 0) return null;

  let milliWh = 0;
  if (energyPrice > 0) {
    if (reasonAgainstEnergy(session) !== null) return null;
    const { samples } = session;
    milliWh = upToStep((samples[samples.length - 1] as MeterSample).milliWh - (samples[0] as MeterSample).milliWh, tariff.energyStepWh * 1000);
  }
  let chargingMs = 0;
  let idleMs = 0;
  if (chargingPrice > 0 || idlePrice > 0) {
    if (session.charging === null || reasonAgainstTimes(session) !== null) return null;
    for (const { fromMs, toMs } of session.charging) chargingMs += toMs - fromMs;
    const stepMs = tariff.timeStepSeconds * 1000;
    const leftMs = stopMs - session.startMs - chargingMs - tariff.idleFreeMinutes * 60_000;
    idleMs = idlePrice > 0 && leftMs > 0 ? upToStep(leftMs, stepMs) : 0;
    // One step for both, as in the exact arithmetic.
    chargingMs = chargingPrice > 0 ? upToStep(chargingMs, idleMs === 0 ? stepMs : 1) : 0;
  }
  const microPerMinor = 1_000_000 / 10 ** digits;
  const [energy, charging, idle] = [milliWh * energyPrice, chargingMs * chargingPrice, idleMs * idlePrice];
  if (!(tariff.startFeeMicro <= amountMax && energy <= amountMax && charging <= amountMax && idle <= amountMax)) return null;
  const startFeeMinor = roundHalfUp(tariff.startFeeMicro, microPerMinor);
  const energyMinor = roundHalfUp(energy, 1_000_000 * microPerMinor);
  const chargingMinor = roundHalfUp(charging, 60_000 * microPerMinor);
  const idleMinor = roundHalfUp(idle, 60_000 * microPerMinor);
  return {
    tariffId: tariff.tariffId, currency: tariff.currency, startFeeMinor, energyMinor, chargingMinor, idleMinor,
    totalMinor: startFeeMinor + energyMinor + chargingMinor + idleMinor, billedEnergyWh: milliWh / 1000, billedChargingMs: chargingMs, billedIdleMs: idleMs,
    flags: noFlags,
  };
}

const noFlags: readonly never[] = [];

/** The price of a dimension when it is the same in all periods; -1 when it is not. */
function onePrice(periods: readonly PricePeriod[], dimension: PricedDimension): number {
  const price = (periods[0] as PricePeriod).prices[dimension];
  for (let index = 1; index < periods.length; index++) if ((periods[index] as PricePeriod).prices[dimension] !== price) return -1;
  return price;
}

/** The smallest multiple of `step` that is not less. */
function upToStep(quantity: number, step: number): number {
  const over = quantity % step;
  return over === 0 ? quantity : quantity - over + step;
}

/** By the remainder, which is exact; a quotient of such numbers is not. */
function roundHalfUp(amount: number, divisor: number): number {
  const rest = amount % divisor;
  return (amount - rest) / divisor + (2 * rest >= divisor ? 1 : 0);
}

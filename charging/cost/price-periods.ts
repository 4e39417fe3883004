import type { Tariff, TariffRate } from '../../schemas/generated/tariff.ts';
import { offsetSpan } from './zone-offsets.ts';

export const pricedDimensions = ['energyPerKwhMicro', 'chargingPerMinuteMicro', 'idlePerMinuteMicro'] as const;
export type PricedDimension = (typeof pricedDimensions)[number];
export type Prices = Readonly<Record<PricedDimension, number>>;

/** A time in which no price changes: `[fromMs, toMs)`. */
export interface PricePeriod {
  readonly fromMs: number;
  readonly toMs: number;
  readonly prices: Prices;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * Prices of a tariff from start to stop, in adjoining periods; null when the zone is needed and is not known.
 *
 * A rate holds while the local clock shows a time from its first minute to before its last: on the day when the clock goes back it
 * may hold an hour longer, and what the clock skips it does not hold. Of a rate across midnight, the weekday is that of the
 * calendar day on which it begins. Per dimension the first rate that holds and has a price decides (OCPI 2.3.0, Tariff: elements),
 * else the tariff's own price. A session without length has one period without length.
 */
export function pricePeriods(tariff: Tariff, timeZone: string, startMs: number, stopMs: number): readonly PricePeriod[] | null {
  if (tariff.rates.length === 0) return [{ fromMs: startMs, toMs: stopMs, prices: tariff }];
  const cutMinutes = cutMinutesOf(tariff);
  const periods: PricePeriod[] = [];
  let fromMs = startMs;
  do {
    const span = offsetSpan(timeZone, fromMs);
    if (span === null) return null;
    const toMs = Math.min(stopMs, span.toMs, nextCutMs(cutMinutes, fromMs + span.offsetMs) - span.offsetMs);
    append(periods, { fromMs, toMs, prices: pricesAt(tariff, fromMs + span.offsetMs) });
    fromMs = toMs;
  } while (fromMs < stopMs);
  return periods;
}

const cutMinutesByTariff = new WeakMap<Tariff, readonly number[]>();

/** Minutes of the day at which a price may change, midnight among them; ascending. */
function cutMinutesOf(tariff: Tariff): readonly number[] {
  let found = cutMinutesByTariff.get(tariff);
  if (found === undefined) {
    found = [...new Set([0, ...tariff.rates.flatMap(({ fromMinute, toMinute }) => [fromMinute, toMinute % 1440])])].sort((a, b) => a - b);
    cutMinutesByTariff.set(tariff, found);
  }
  return found;
}

/** `localMs`: what the clock shows, as if it were UTC. */
function nextCutMs(cutMinutes: readonly number[], localMs: number): number {
  const midnightMs = Math.floor(localMs / dayMs) * dayMs;
  const next = cutMinutes.find((minute) => midnightMs + minute * minuteMs > localMs);
  return midnightMs + (next === undefined ? dayMs : next * minuteMs);
}

function pricesAt(tariff: Tariff, localMs: number): Prices {
  const day = Math.floor(localMs / dayMs);
  const minute = Math.floor((localMs - day * dayMs) / minuteMs);
  let [energyPerKwhMicro, chargingPerMinuteMicro, idlePerMinuteMicro]: (number | null)[] = [null, null, null];
  for (const rate of tariff.rates) {
    if (!holds(rate, day, minute)) continue;
    energyPerKwhMicro ??= rate.energyPerKwhMicro;
    chargingPerMinuteMicro ??= rate.chargingPerMinuteMicro;
    idlePerMinuteMicro ??= rate.idlePerMinuteMicro;
  }
  return {
    energyPerKwhMicro: energyPerKwhMicro ?? tariff.energyPerKwhMicro,
    chargingPerMinuteMicro: chargingPerMinuteMicro ?? tariff.chargingPerMinuteMicro,
    idlePerMinuteMicro: idlePerMinuteMicro ?? tariff.idlePerMinuteMicro,
  };
}

function holds({ fromMinute, toMinute, weekdays }: TariffRate, day: number, minute: number): boolean {
  const beginsOn = (begin: number): boolean => weekdays.length === 0 || weekdays.includes(isoWeekday(begin));
  if (fromMinute < toMinute) return fromMinute <= minute && minute < toMinute && beginsOn(day);
  return (minute >= fromMinute && beginsOn(day)) || (minute < toMinute && beginsOn(day - 1));
}

/** The first day of 1970 was a Thursday. */
function isoWeekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

function append(periods: PricePeriod[], period: PricePeriod): void {
  const last = periods.at(-1);
  const goesOn = last !== undefined && pricedDimensions.every((dimension) => last.prices[dimension] === period.prices[dimension]);
  if (goesOn) periods[periods.length - 1] = { ...last, toMs: period.toMs };
  else periods.push(period);
}

import type { ArrivalsProfile } from '../profile.ts';
import type { Random } from '../random/random.ts';
import type { LocalTime } from './local-time.ts';

const HOUR_MS = 3_600_000;
/** Zones change their clocks at quarters of an hour. */
const QUARTER_MS = HOUR_MS / 4;
const QUARTERS_OF_A_WEEK = 7 * 24 * 4;

/**
 * When vehicles arrive at a site: a Poisson process whose rate is that of the hour and weekday of the site's clock, so that numbers in hours are Poisson
 * with the profile's mean, and independent. Within a quarter of an hour the rate is one; a wait that passes its end is drawn anew from there, which
 * is exact, as waits have no memory.
 */
export class Arrivals {
  readonly #local: LocalTime;
  /** Mean arrivals an hour by hour of the week. */
  readonly #perHour: Float64Array;

  constructor({ perConnectorDay, byHour, byWeekday }: ArrivalsProfile, connectors: number, local: LocalTime) {
    this.#local = local;
    const hours = byHour.reduce((sum, weight) => sum + weight, 0);
    const weekdays = byWeekday.reduce((sum, weight) => sum + weight, 0) / 7;
    this.#perHour = Float64Array.from({ length: 168 }, (_, at) =>
      (perConnectorDay * connectors * (byHour[at % 24] as number) * (byWeekday[Math.floor(at / 24)] as number)) / hours / weekdays);
  }

  /** Mean arrivals an hour at a time. */
  perHour(timeMs: number): number {
    return this.#perHour[this.#local.weekday(timeMs) * 24 + this.#local.hour(timeMs)] as number;
  }

  /** The first after a time; infinite when nobody ever comes. */
  nextMs(afterMs: number, random: Random): number {
    let atMs = afterMs;
    for (let quarter = 0; quarter <= QUARTERS_OF_A_WEEK; quarter += 1) {
      const endMs = atMs - (atMs % QUARTER_MS) + QUARTER_MS;
      const rate = this.perHour(atMs);
      if (rate > 0) {
        const comesMs = atMs + random.exponential(HOUR_MS / rate);
        if (comesMs < endMs) return comesMs;
        quarter = 0;
      }
      atMs = endMs;
    }
    return Number.POSITIVE_INFINITY;
  }
}

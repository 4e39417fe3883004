import type { ArrivalsProfile } from '../profile.ts';
import type { Random } from '../random/random.ts';
import type { LocalTime } from './local-time.ts';

const HOUR_MS = 3_600_000;
/** Zones change their clocks at quarters of an hour. */
const QUARTER_MS = HOUR_MS / 4;
const QUARTERS_OF_A_WEEK = 7 * 24 * 4;

/**
 * When vehicles arrive at a site: a Poisson process whose rate is that of the hour and weekday of the site's clock, so that numbers in hours are Poisson
 * with the profile's mean, and independent. Between two arrivals the rate, summed over time, is exponential with mean 1: that sum is drawn, and time
 * goes on, a quarter of an hour of one rate after the other, until it is reached. Stateless: one for all sites of a kind in a zone.
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

  /** The first after a time; infinite when nobody ever comes. */
  nextMs(afterMs: number, random: Random): number {
    let left = random.exponential(1);
    let atMs = afterMs;
    for (let quiet = 0; quiet <= QUARTERS_OF_A_WEEK; quiet += 1) {
      const endMs = atMs - (atMs % QUARTER_MS) + QUARTER_MS;
      const rate = this.#perHour[this.#local.hourOfWeek(atMs)] as number;
      if (rate > 0) {
        const expected = (rate * (endMs - atMs)) / HOUR_MS;
        if (expected > left) return atMs + (left / rate) * HOUR_MS;
        left -= expected;
        quiet = 0;
      }
      atMs = endMs;
    }
    return Number.POSITIVE_INFINITY;
  }
}

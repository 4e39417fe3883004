import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.ts';
import { chiSquare, chiSquareCritical, chiSquareLower, kolmogorovSmirnov, kolmogorovSmirnovCritical } from '../testing/statistics.ts';
import { Arrivals } from './arrivals.ts';
import { LocalTime } from './local-time.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const byHour = [1, 0.6, 0.4, 0.3, 0.3, 0.5, 1, 1.2, 1, 0.8, 0.8, 1, 1.2, 1.2, 1.4, 2, 3.2, 5, 6, 5.2, 4, 3, 2.4, 1.6];
const byWeekday = [1, 1.02, 1.03, 1.05, 1.1, 0.95, 0.85];
const monday = Date.parse('2025-06-02T00:00:00Z');

function times(arrivals: Arrivals, fromMs: number, untilMs: number, seed: string): readonly number[] {
  const random = new Random(seed);
  const all: number[] = [];
  for (let at = arrivals.nextMs(fromMs, random); at < untilMs; at = arrivals.nextMs(at, random)) all.push(at);
  return all;
}

/** Arrivals by hour of the week, over weeks. */
function counted(all: readonly number[], weeks: number): { readonly ofWeek: readonly number[]; readonly single: readonly number[] } {
  const single = Array.from({ length: 168 * weeks }, () => 0);
  for (const at of all) {
    const hour = Math.floor((at - monday) / HOUR_MS);
    single[hour] = (single[hour] as number) + 1;
  }
  return { single, ofWeek: Array.from({ length: 168 }, (_, hour) => single.reduce((sum, count, at) => sum + (at % 168 === hour ? count : 0), 0)) };
}

describe('arrivals', () => {
  const weeks = 40;
  const arrivals = new Arrivals({ perConnectorDay: 6, byHour, byWeekday }, 10, new LocalTime('UTC'));
  const total = byHour.reduce((sum, weight) => sum + weight, 0);
  const mean = (hour: number): number => (60 * (byHour[hour % 24] as number) * (byWeekday[Math.floor(hour / 24) % 7] as number)) / total;
  const all = times(arrivals, monday, monday + weeks * 7 * DAY_MS, 'arrivals');
  const { ofWeek, single } = counted(all, weeks);

  it('come by the profile of hours and weekdays', () => {
    const statistic = chiSquare(ofWeek, ofWeek.map((_, hour) => mean(hour) * weeks));
    expect(statistic).toBeLessThan(chiSquareCritical(168));
    expect(statistic).toBeGreaterThan(chiSquareLower(168));
  });

  it('are Poisson in each hour: their numbers spread as much as their mean', () => {
    const statistic = chiSquare(single, single.map((_, hour) => mean(hour)));
    // Means are small, so that chi-square's own distribution is not to be had; each term has mean 1 and variance 2 + 1/mean.
    const variance = single.reduce((sum, _, hour) => sum + 2 + 1 / mean(hour), 0);
    expect(Math.abs(statistic - single.length)).toBeLessThan(4 * Math.sqrt(variance));
    const none = single.filter((count, hour) => byHour[hour % 24] === 0.3 && count === 0).length;
    const expected = single.reduce((sum, _, hour) => sum + (byHour[hour % 24] === 0.3 ? Math.exp(-mean(hour)) : 0), 0);
    expect(Math.abs(none - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it('have exponential waits where the rate is one', () => {
    const even = new Arrivals({ perConnectorDay: 24, byHour: byHour.map(() => 1), byWeekday: [1, 1, 1, 1, 1, 1, 1] }, 1, new LocalTime('UTC'));
    const at = times(even, monday, monday + 800 * DAY_MS, 'waits');
    const waits = at.slice(1).map((time, index) => time - (at[index] as number));
    expect(kolmogorovSmirnov(waits, (wait) => 1 - Math.exp(-wait / HOUR_MS))).toBeLessThan(kolmogorovSmirnovCritical(waits.length));
  });

  it('follow the clock of the site across the change to summer time', () => {
    const atEight = byHour.map((_, hour) => (hour === 8 ? 1 : 0));
    const berlin = new Arrivals({ perConnectorDay: 50, byHour: atEight, byWeekday: [1, 1, 1, 1, 1, 1, 1] }, 1, new LocalTime('Europe/Berlin'));
    const utcHours = (day: string): readonly number[] =>
      [...new Set(times(berlin, Date.parse(`${day}T00:00:00Z`), Date.parse(`${day}T23:00:00Z`), day).map((at) => new Date(at).getUTCHours()))];
    expect([utcHours('2025-03-29'), utcHours('2025-03-30'), utcHours('2025-10-26')]).toEqual([[7], [6], [7]]);
  });

  it('never end in a search where nobody comes', () => {
    const nobody = new Arrivals({ perConnectorDay: 0, byHour, byWeekday }, 10, new LocalTime('UTC'));
    expect(nobody.nextMs(monday, new Random('nobody'))).toBe(Number.POSITIVE_INFINITY);
    const sundays = new Arrivals({ perConnectorDay: 10, byHour, byWeekday: [0, 0, 0, 0, 0, 0, 1] }, 1, new LocalTime('UTC'));
    expect(new Date(sundays.nextMs(monday, new Random('sunday'))).getUTCDay()).toBe(0);
  });
});

import type { ClimateProfile } from '../profile.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365.2425 * DAY_MS;
/** Days of the year and hours of the day at which it is warmest. */
const WARMEST_DAY = 200;
const WARMEST_HOUR = 15;

/** Temperature in degrees Celsius: a wave a year and a wave a day. */
export function temperatureC({ meanC, yearC, dayC }: ClimateProfile, timeMs: number): number {
  const year = ((timeMs % YEAR_MS) / YEAR_MS - WARMEST_DAY / 365) * 2 * Math.PI;
  const day = ((timeMs % DAY_MS) / DAY_MS - WARMEST_HOUR / 24) * 2 * Math.PI;
  return meanC + yearC * Math.cos(year) + dayC * Math.cos(day);
}

/** Part of its curve that a battery takes at direct current when it is that cold or hot: all from 18 to 35 degrees, two fifths at -10. */
export function batteryPart(celsius: number): number {
  if (celsius < 18) return Math.max(0.4, 1 - (18 - celsius) * (0.6 / 28));
  return celsius > 35 ? Math.max(0.7, 1 - (celsius - 35) * 0.03) : 1;
}

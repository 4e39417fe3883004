import { describe, expect, it } from 'vitest';
import { placesByCountry, zoneByCountry } from './country-zones.ts';
import { timeZoneOf } from './time-zone.ts';

const at = (country: string | null, region: string | null, latitude: number | null, longitude: number | null) =>
  timeZoneOf({ country, region, latitude, longitude });

describe('timeZoneOf', () => {
  it('names zones that exist', () => {
    const zones = [...zoneByCountry.values(), ...[...placesByCountry.values()].flat().map(({ zone }) => zone)];
    expect(zones.length).toBeGreaterThan(350);
    for (const zone of zones) expect(new Intl.DateTimeFormat('en', { timeZone: zone }).format(0), zone).not.toBe('');
  });

  it('is exact where a country keeps one time', () => {
    expect(at('DE', null, null, null)).toEqual({ zone: 'Europe/Berlin', exact: true });
    expect(at('IN', null, 18, 73)).toEqual({ zone: 'Asia/Kolkata', exact: true });
    expect(at('GB', 'Scotland', 56, -3)).toEqual({ zone: 'Europe/London', exact: true });
  });

  it('goes by the state in the United States', () => {
    expect(at('US', 'NY', 40.7, -74)).toEqual({ zone: 'America/New_York', exact: true });
    expect(at('US', 'CA', null, null)).toEqual({ zone: 'America/Los_Angeles', exact: true });
    expect(at('US', 'AZ', 33.4, -112)).toEqual({ zone: 'America/Phoenix', exact: true });
  });

  it.each([
    ['Nashville', 'TN', 36.16, -86.78, 'America/Chicago'], ['Knoxville', 'TN', 35.96, -83.92, 'America/New_York'],
    ['Chattanooga', 'TN', 35.05, -85.31, 'America/New_York'], ['Cookeville', 'TN', 36.16, -85.5, 'America/Chicago'],
    ['Pensacola', 'FL', 30.42, -87.2, 'America/Chicago'], ['Miami', 'FL', 25.76, -80.19, 'America/New_York'],
    ['El Paso', 'TX', 31.76, -106.49, 'America/Denver'], ['Houston', 'TX', 29.76, -95.37, 'America/Chicago'],
    ['Gary', 'IN', 41.6, -87.34, 'America/Chicago'], ['Indianapolis', 'IN', 39.77, -86.16, 'America/New_York'],
    ['Paducah', 'KY', 37.08, -88.6, 'America/Chicago'], ['Louisville', 'KY', 38.25, -85.76, 'America/New_York'],
    ['Coeur d’Alene', 'ID', 47.68, -116.78, 'America/Los_Angeles'], ['Boise', 'ID', 43.62, -116.2, 'America/Denver'],
    ['Rapid City', 'SD', 44.08, -103.23, 'America/Denver'],
  ])('%s, in a state with two zones, is a guess', (_city, state, latitude, longitude, zone) => {
    expect(at('US', state, latitude, longitude)).toEqual({ zone, exact: false });
  });

  it.each([
    ['CA', 43.65, -79.38, 'America/Toronto'], ['CA', 49.28, -123.12, 'America/Vancouver'], ['AU', -31.95, 115.86, 'Australia/Perth'],
    ['PT', 37.74, -25.67, 'Atlantic/Azores'], ['ES', 36.72, -4.42, 'Europe/Madrid'], ['ES', 28.12, -15.43, 'Atlantic/Canary'],
    ['RU', 55.75, 37.62, 'Europe/Moscow'],
  ])('takes the nearest known place in a country with several zones: %s at %f, %f', (country, latitude, longitude, zone) => {
    expect(at(country, null, latitude, longitude)).toEqual({ zone, exact: false });
  });

  it('falls back to the longitude, and to UTC', () => {
    expect(at(null, null, -33, 77.9)).toEqual({ zone: 'Etc/GMT-5', exact: false });
    expect(at(null, null, 0, -150)).toEqual({ zone: 'Etc/GMT+10', exact: false });
    expect(at(null, null, null, null)).toEqual({ zone: 'UTC', exact: false });
    expect(at('XX', null, 1, 2)).toEqual({ zone: 'UTC', exact: false });
  });
});

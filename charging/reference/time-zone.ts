import { placesByCountry, zoneByCountry } from './country-zones.ts';
import type { ZonePlace } from './country-zones.ts';
import { zoneInUnitedStates } from './united-states-zones.ts';

export interface PlaceFacts {
  /** ISO 3166-1 alpha-2 code. */
  readonly country: string | null;
  /** State or region; the United States' as two letters. */
  readonly region: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export interface FoundZone {
  /** IANA name. */
  readonly zone: string;
  /** False when the zone is a guess: a state with two zones, the nearest known place of the country, or the longitude alone. */
  readonly exact: boolean;
}

/**
 * Time zone of a station whose source names none. Exact for countries with one zone and for states of the United States with one.
 * Elsewhere in a country with several zones it is that of the nearest place of the tz database's table; without a country it
 * is the nautical one of the longitude (no daylight saving), and UTC when nothing is known.
 */
export function timeZoneOf({ country, region, latitude, longitude }: PlaceFacts): FoundZone {
  if (country === 'US') {
    const found = zoneInUnitedStates(region, latitude, longitude);
    if (found !== null) return found;
  }
  const single = country === null ? undefined : zoneByCountry.get(country);
  if (single !== undefined) return { zone: single, exact: true };
  const places = country === null ? undefined : placesByCountry.get(country);
  if (places !== undefined) return { zone: nearest(places, latitude, longitude), exact: false };
  return { zone: longitude === null ? 'UTC' : nautical(longitude), exact: false };
}

/** Without coordinates the first place: the table names the zone of the capital or largest city first. */
function nearest(places: readonly ZonePlace[], latitude: number | null, longitude: number | null): string {
  const distance = (place: ZonePlace): number =>
    (latitude === null || longitude === null ? 0 : angle(latitude, longitude, place.latitude, place.longitude));
  return places.reduce((best, place) => (distance(place) < distance(best) ? place : best)).zone;
}

const radians = Math.PI / 180;

/** The angle between two places as seen from the centre of the earth, in radians. */
function angle(latitudeA: number, longitudeA: number, latitudeB: number, longitudeB: number): number {
  const haversine = (degrees: number): number => Math.sin((degrees * radians) / 2) ** 2;
  const parallel = Math.cos(latitudeA * radians) * Math.cos(latitudeB * radians);
  return 2 * Math.asin(Math.sqrt(haversine(latitudeB - latitudeA) + parallel * haversine(longitudeB - longitudeA)));
}

/** The sign of `Etc/GMT` names is turned round: `Etc/GMT-5` is five hours ahead of UTC. */
function nautical(longitude: number): string {
  const hours = Math.round(longitude / 15);
  return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
}

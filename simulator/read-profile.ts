import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { VoltstreamError } from '../errors.ts';
import { faultPart, messageClasses } from './faults/message-faults.ts';
import type { FaultKind, FaultRates, Profile } from './profile.ts';
import { faultKinds, sitePrefixPattern, yearlyFaults } from './profile.ts';
import { vehicleModels } from './vehicles/vehicle-models.ts';

const folder = join(import.meta.dirname, 'profiles');

/** Names of the shipped profiles. */
export function shippedProfiles(): readonly string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json')).sort();
}

/**
 * Reads a profile: a shipped one by its name, else a JSON file by its path. Faults that it does not name are 0. Throws PROFILE_INVALID with all
 * that is wrong at once: field, what was wanted, what it has.
 */
export function readProfile(nameOrPath: string): Profile {
  const isShipped = shippedProfiles().includes(nameOrPath);
  const path = isShipped ? join(folder, `${nameOrPath}.json`) : nameOrPath;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new VoltstreamError('PROFILE_INVALID', 'the profile cannot be read', {
      where: path, wanted: `a JSON file, or one of ${shippedProfiles().join(', ')}`, got: error instanceof Error ? error.message : String(error), cause: error,
    });
  }
  const reader = new FieldReader(value);
  const profile = profileOf(reader);
  if (reader.complaints.length > 0) {
    throw new VoltstreamError('PROFILE_INVALID', 'the profile has fields that cannot be', { where: path, got: reader.complaints.join('; ') });
  }
  return profile;
}

function profileOf(root: FieldReader): Profile {
  const sites = root.list('sites');
  root.check('sites', sites.length > 0, 'at least one kind of site');
  const profile = root.value as Profile;
  root.text('name');
  root.text('description');
  root.check('startsAt', Number.isFinite(Date.parse(root.text('startsAt'))), 'an ISO time');
  root.number('days', 0.001, 3_660);
  const prefix = root.at('sitePrefix');
  root.check('sitePrefix', prefix === undefined || (typeof prefix === 'string' && sitePrefixPattern.test(prefix)), 'up to 32 letters, digits, dots, dashes');
  root.whole('vehicles.count', 1, 100_000_000);
  const classes = new Set(vehicleModels().map((model) => model.class));
  const wanted = root.list('vehicles.classes');
  root.check('vehicles.classes', wanted.length > 0 && wanted.every((name) => classes.has(name as string)), `at least one of ${[...classes].sort().join(', ')}`);
  root.number('vehicles.kmPerHour.median', 0, 200);
  root.number('vehicles.kmPerHour.spread', 0, 3);
  root.number('vehicles.chargesBelowSoc', 0, 100);
  root.number('vehicles.roamingPart', 0, 1);
  for (const at of sites.keys()) siteOf(root, `sites.${at}`);
  root.whole('reporting.sampleEverySeconds', 1, 86_400);
  root.check('reporting.clockAligned', typeof root.at('reporting.clockAligned') === 'boolean', 'true or false');
  root.number('reporting.heartbeatEveryMinutes', 0.1, 100_000);
  root.number('reporting.delayMilliseconds.median', 0, 3_600_000);
  root.number('reporting.delayMilliseconds.spread', 0, 3);
  root.oneOf('reporting.registers', ['lifetime', 'session']);
  for (const name of ['meanC', 'yearC', 'dayC']) root.number(`climate.${name}`, -60, 60);
  return { ...profile, faults: faultsOf(root) };
}

function siteOf(root: FieldReader, site: string): void {
  root.oneOf(`${site}.type`, ['home', 'workplace', 'street', 'hub', 'depot']);
  root.whole(`${site}.count`, 0, 10_000_000);
  root.whole(`${site}.stations`, 1, 1_000);
  root.whole(`${site}.connectorsPerStation`, 1, 50);
  root.oneOf(`${site}.current`, ['AC', 'DC']);
  root.number(`${site}.powerMaxW`, 500, 5_000_000);
  root.text(`${site}.standard`);
  if (root.at(`${site}.sitePowerMaxW`) !== null) root.number(`${site}.sitePowerMaxW`, 500, 1e9);
  root.oneOf(`${site}.sharing`, ['equal', 'first-come', 'earliest-departure']);
  root.text(`${site}.operator`);
  root.oneOf(`${site}.access`, ['public', 'private', 'restricted']);
  root.check(`${site}.open24Hours`, typeof root.at(`${site}.open24Hours`) === 'boolean', 'true or false');
  const places = root.list(`${site}.places`);
  root.check(`${site}.places`, places.length > 0, 'at least one place');
  for (const at of places.keys()) {
    for (const name of ['city', 'country', 'timeZone']) root.text(`${site}.places.${at}.${name}`);
    root.check(`${site}.places.${at}.timeZone`, isTimeZone(root.at(`${site}.places.${at}.timeZone`)), 'a time zone, such as Europe/Berlin');
    root.number(`${site}.places.${at}.latitude`, -90, 90);
    root.number(`${site}.places.${at}.longitude`, -180, 180);
  }
  root.number(`${site}.arrivals.perConnectorDay`, 0, 1_000);
  for (const [name, length] of [['byHour', 24], ['byWeekday', 7]] as const) {
    const weights = root.list(`${site}.arrivals.${name}`);
    const isSound = weights.length === length && weights.every((weight) => typeof weight === 'number' && weight >= 0) && weights.some((weight) => weight !== 0);
    root.check(`${site}.arrivals.${name}`, isSound, `${length} weights, at least 0, not all 0`);
  }
  root.number(`${site}.stay.medianMinutes`, 1, 100_000);
  root.number(`${site}.stay.spread`, 0, 3);
  root.number(`${site}.stay.leavesWhenFullPart`, 0, 1);
  const visits = root.at(`${site}.stay.visits`);
  const areSound = visits === undefined || (Array.isArray(visits) && visits.length > 0 && visits.every(isVisit));
  root.check(`${site}.stay.visits`, areSound, 'pairs of minutes above 0 and Wh from 0');
  root.whole(`${site}.queue.max`, 0, 1_000);
  root.number(`${site}.queue.patienceMinutes`, 0, 10_000);
  const tariff = root.at(`${site}.tariffId`);
  root.check(`${site}.tariffId`, tariff === null || typeof tariff === 'string', 'a text or null');
}

function faultsOf(root: FieldReader): FaultRates {
  const given = (root.at('faults') ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) root.check(`faults.${name}`, name in faultKinds, `one of ${Object.keys(faultKinds).join(', ')}`);
  const rates = Object.fromEntries((Object.keys(faultKinds) as FaultKind[]).map((kind) => {
    if (given[kind] !== undefined) root.number(`faults.${kind}`, 0, yearlyFaults.has(kind) ? 100_000 : 1);
    return [kind, given[kind] ?? 0];
  })) as FaultRates;
  for (const name of messageClasses) root.check('faults', !(faultPart(rates, name) > 1), `at most 1 for all that happens to one ${name} message`);
  for (const [one, other] of [['lost-start', 'lost-stop'], ['meter-reset', 'meter-roll-over']] as const) {
    root.check('faults', !(rates[one] + rates[other] > 1), `at most 1 for ${one} and ${other} together`);
  }
  return rates;
}

function isVisit(pair: unknown): boolean {
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'number' && pair[0] > 0 && pair[0] <= 100_000 && typeof pair[1] === 'number' && pair[1] >= 0;
}

function isTimeZone(name: unknown): boolean {
  try {
    return typeof name === 'string' && new Intl.DateTimeFormat('en-GB', { timeZone: name }).format(0) !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Looks fields up by their path, and collects what is wrong. */
class FieldReader {
  readonly value: unknown;
  readonly complaints: string[] = [];

  constructor(value: unknown) {
    this.value = value;
  }

  at(path: string): unknown {
    let value = this.value;
    for (const name of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    return value;
  }

  check(path: string, isSound: boolean, wanted: string): void {
    if (!isSound) this.complaints.push(`${path}: wanted ${wanted}, got ${JSON.stringify(this.at(path)) ?? 'nothing'}`);
  }

  text(path: string): string {
    const value = this.at(path);
    this.check(path, typeof value === 'string' && value !== '', 'a text');
    return typeof value === 'string' ? value : '';
  }

  number(path: string, from: number, to: number): void {
    const value = this.at(path);
    this.check(path, typeof value === 'number' && value >= from && value <= to, `a number from ${from} to ${to}`);
  }

  whole(path: string, from: number, to: number): void {
    this.number(path, from, to);
    this.check(path, Number.isInteger(this.at(path)), 'a whole number');
  }

  oneOf(path: string, values: readonly string[]): void {
    this.check(path, values.includes(this.at(path) as string), `one of ${values.join(', ')}`);
  }

  list(path: string): readonly unknown[] {
    const value = this.at(path);
    this.check(path, Array.isArray(value), 'a list');
    return Array.isArray(value) ? value : [];
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { connectorCount, districtCount } from './network/network.ts';
import { MessageFaults } from './faults/message-faults.ts';
import { faultKinds } from './profile.ts';
import { Random } from './random/random.ts';
import { readProfile, shippedProfiles } from './read-profile.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-profile-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(value: unknown): string {
  const path = join(folder, 'profile.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

function complaint(value: unknown): string {
  try {
    readProfile(written(value));
  } catch (error) {
    if (error instanceof VoltstreamError && error.code === 'PROFILE_INVALID') return error.message;
    throw error;
  }
  return '';
}

/** A copy of a shipped profile with a field changed. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(readProfile('city')) as unknown as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() as string;
  let at = copy;
  for (const name of names) at = at[name] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

describe('the shipped profiles', () => {
  it('are those that the docs name', () => {
    expect(shippedProfiles()).toEqual(expect.arrayContaining(['blackout', 'city', 'dirty-data', 'fleet-depot', 'million', 'morning-rush', 'motorway']));
  });

  it.each(shippedProfiles())('%s is sound', (name) => {
    const profile = readProfile(name);
    expect(profile.name).toBe(name);
    expect(districtCount(profile)).toBeGreaterThan(0);
    expect(() => new MessageFaults(profile.faults, new Random('profile'))).not.toThrow();
  });

  it('have a million connectors where they say so, and one in ten messages broken where they say that', () => {
    const connectors = connectorCount(readProfile('million').sites);
    expect(connectors).toBeGreaterThanOrEqual(1_000_000);
    const { faults } = readProfile('dirty-data');
    expect(Object.keys(faultKinds).filter((kind) => !(faults[kind as keyof typeof faults] > 0))).toEqual([]);
  });
});

describe('a profile', () => {
  it.each([
    ['name', 7], ['description', ''], ['startsAt', 'soon'], ['days', 0], ['sitePrefix', 'a b'], ['vehicles.count', 1.5], ['vehicles.classes', []], ['vehicles.classes', ['car', 'ship']], ['vehicles.kmPerHour.median', -1],
    ['vehicles.kmPerHour.spread', 'wide'], ['vehicles.chargesBelowSoc', 101], ['vehicles.roamingPart', 2], ['sites.0.type', 'moon'], ['sites.0.count', -1],
    ['sites.0.stations', 0], ['sites.0.connectorsPerStation', 51], ['sites.0.current', 'EC'], ['sites.0.powerMaxW', 100], ['sites.0.standard', null],
    ['sites.0.sitePowerMaxW', 'all'], ['sites.0.sharing', 'by lot'], ['sites.0.operator', undefined], ['sites.0.access', 'secret'], ['sites.0.open24Hours', 'yes'],
    ['sites.0.places', []], ['sites.0.places.0.latitude', 91], ['sites.0.places.0.longitude', null], ['sites.0.places.0.timeZone', 'Mars/Base'],
    ['sites.0.arrivals.perConnectorDay', -1], ['sites.0.arrivals.byHour', [1, 2]], ['sites.0.arrivals.byWeekday', [0, 0, 0, 0, 0, 0, 0]],
    ['sites.0.stay.medianMinutes', 0], ['sites.0.stay.spread', 9], ['sites.0.stay.visits', []], ['sites.0.stay.visits', [[5, -1]]], ['sites.0.stay.visits', [[0, 5]]], ['sites.0.stay.leavesWhenFullPart', -0.1], ['sites.0.queue.max', 0.5],
    ['sites.0.queue.patienceMinutes', 'long'], ['sites.0.tariffId', 5], ['reporting.sampleEverySeconds', 0], ['reporting.clockAligned', 1],
    ['reporting.heartbeatEveryMinutes', 0], ['reporting.delayMilliseconds.median', -1], ['reporting.delayMilliseconds.spread', 4],
    ['reporting.registers', 'none'], ['climate.meanC', 'warm'], ['climate.yearC', 100], ['climate.dayC', undefined], ['faults.lost-stop', 2],
    ['faults.gremlins', 0.5], ['faults.duplicate', 'often'],
  ])('with a %s of %j is refused by that name', (path, value) => {
    expect(complaint(changed(path, value))).toContain(`${path}: wanted`);
  });

  it('is told all that is wrong with it at once', () => {
    const text = complaint({ name: 'x', sites: [{ type: 'hub' }], faults: { gremlins: 1 } });
    for (const field of ['description', 'startsAt', 'days', 'vehicles.count', 'sites.0.count', 'sites.0.places', 'reporting.registers', 'climate.meanC', 'faults.gremlins']) expect(text).toContain(`${field}: wanted`);
  });

  it('whose faults of one message are more than certain is refused', () => {
    expect(complaint({ ...(changed('days', 1) as object), faults: { duplicate: 0.7, 'out-of-order': 0.5 } })).toContain('faults: wanted at most 1 for all');
    expect(complaint({ ...(changed('days', 1) as object), faults: { 'lost-start': 0.7, 'lost-stop': 0.5 } })).toContain('lost-start and lost-stop');
  });

  it('that names no faults has none', () => {
    expect(Object.values(readProfile(written(changed('faults', undefined))).faults).every((rate) => rate === 0)).toBe(true);
  });

  it.each([['{', 'a JSON file'], ['[]', 'sites'], ['null', 'sites'], ['7', 'sites']])('of %j is refused', (text, part) => {
    expect(complaint(text)).toContain(part);
  });

  it('that is not there is refused with the names of those that are', () => {
    expect(() => readProfile(join(folder, 'none.json'))).toThrow(/city/);
  });
});

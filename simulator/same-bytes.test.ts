import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connectorCount, districtCount, DISTRICT_CONNECTORS } from './network/network.ts';
import type { Profile } from './profile.ts';
import { readProfile, shippedProfiles } from './read-profile.ts';
import { simulate } from './simulation.ts';

/** A network of the same kind with four districts. */
function inDistricts(profile: Profile): Profile {
  const factor = (3.5 * DISTRICT_CONNECTORS) / connectorCount(profile.sites);
  return { ...profile, sites: profile.sites.map((site) => ({ ...site, count: Math.ceil(site.count * factor) })), vehicles: { ...profile.vehicles, count: 20_000 } };
}

async function fingerprint(profile: Profile, workers: number, slicesAtOnce?: number): Promise<string> {
  const hash = createHash('sha256');
  const form = { kind: 'records', ids: { event: 7, station: 8 } } as const;
  for await (const { number, districts } of simulate({ profile, seed: 'same', days: 12 / 1_440, form, ledger: true, workers, ...(slicesAtOnce === undefined ? {} : { slicesAtOnce }) })) {
    hash.update(`${number}`);
    for (const { segment, ledger } of districts) for (const bytes of [segment.stations, segment.events, ledger?.sessions, ledger?.statuses, ledger?.faults]) hash.update(bytes ?? '');
  }
  return hash.digest('hex');
}

describe.each(shippedProfiles())('profile %s', (name) => {
  it('gives the same bytes on any number of threads, in steps of any size', async () => {
    const profile = inDistricts(readProfile(name));
    expect(districtCount(profile)).toBe(4);
    const own = await fingerprint(profile, 0);
    expect(await fingerprint(profile, 0, 5)).toBe(own);
    expect(await fingerprint(profile, 2)).toBe(own);
    expect(await fingerprint(profile, 3, 1)).toBe(own);
  }, 60_000);
});

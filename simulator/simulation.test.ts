import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { OutputForm } from './district-group.ts';
import { readRecords } from './messages/record-encoder.ts';
import { districtCount } from './network/network.ts';
import type { Profile } from './profile.ts';
import { readProfile } from './read-profile.ts';
import { simulate, sliceCount } from './simulation.ts';

const city = readProfile('city');
/** Four districts of the dirtiest kind, with few vehicles and much going on. */
const four: Profile = {
  ...readProfile('dirty-data'), sites: city.sites.map((site) => ({ ...site, count: site.count * 5 })), vehicles: { ...city.vehicles, count: 30_000 },
};
const minutes = (count: number): number => count / 1_440;

async function fingerprint(seed: string, workers: number, form: OutputForm): Promise<{ readonly hash: string; readonly messages: number }> {
  const hash = createHash('sha256');
  let messages = 0;
  for await (const { number, districts } of simulate({ profile: four, seed, days: minutes(20), form, ledger: true, workers })) {
    hash.update(`${number}`);
    for (const { segment, ledger } of districts) {
      messages += segment.messages;
      for (const bytes of [segment.stations, segment.events, ledger?.sessions, ledger?.statuses, ledger?.faults]) hash.update(bytes ?? '');
    }
  }
  return { hash: hash.digest('hex'), messages };
}

describe('a simulation', () => {
  it.each([{ kind: 'records', ids: { event: 7, station: 8 } } as const, { kind: 'json-lines' } as const])('gives the same bytes on 0, 1, 2 and 3 threads, and others for another seed, as $kind', async (form) => {
    expect(districtCount(four)).toBeGreaterThanOrEqual(4);
    const own = await fingerprint('seed', 0, form);
    expect(own.messages).toBeGreaterThan(1_000);
    for (const workers of [0, 1, 2, 3]) expect(await fingerprint('seed', workers, form)).toEqual(own);
    expect((await fingerprint('sede', 0, form)).hash).not.toBe(own.hash);
  });

  it('has slices one behind the other, each with what was received in it', async () => {
    const startMs = Date.parse(city.startsAt);
    let number = 0;
    for await (const slice of simulate({ profile: city, seed: 's', days: minutes(50), form: { kind: 'records', ids: { event: 1, station: 2 } }, ledger: false, workers: 0 })) {
      expect([slice.number, slice.timeMs]).toEqual([number, startMs + (number + 1) * 60_000]);
      const times = slice.districts.flatMap(({ segment }) => [...readRecords(segment.events)].map(({ timestampMs }) => timestampMs));
      // A message is sent when it happens, and is received a moment later; the end of all sets free what was on its way.
      if (number < 49) expect(times.filter((time) => time < slice.timeMs - 60_000 || time > slice.timeMs + 60_000)).toEqual([]);
      expect(slice.districts.every(({ ledger }) => ledger === null)).toBe(true);
      number += 1;
    }
    expect(number).toBe(sliceCount({ profile: city, days: minutes(50) }));
  });

  it('ends its threads when nobody asks any more', async () => {
    for await (const slice of simulate({ profile: four, seed: 's', days: 1, form: { kind: 'json-lines' }, ledger: false, workers: 2 })) if (slice.number === 3) break;
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length).toBeLessThan(3);
  });

  it('has at least one slice, and as many as its time has minutes', () => {
    expect(sliceCount({ profile: city, days: 1 })).toBe(1_440);
    expect(sliceCount({ profile: city, days: 0.000_01 })).toBe(1);
    expect(sliceCount({ profile: city })).toBe(city.days * 1_440);
  });
});

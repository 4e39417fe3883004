import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Of profile million every 20th district, up to eight in the evening (most are connected then): bytes that are in use for each connector. */
const script = `
import { DistrictGroup } from '${join(import.meta.dirname, 'district-group.ts')}';
import { DISTRICT_CONNECTORS } from '${join(import.meta.dirname, 'network', 'network.ts')}';
import { readProfile } from '${join(import.meta.dirname, 'read-profile.ts')}';
const used = () => { gc(); gc(); const { heapUsed, arrayBuffers } = process.memoryUsage(); return heapUsed + arrayBuffers; };
const profile = readProfile('million');
const options = { seed: 'memory', startMs: Date.parse(profile.startsAt), slices: 1440, workers: 125, worker: 0, ledger: true, form: { kind: 'records', ids: { event: 1, station: 2 } } };
// Whatever is there once for all: code, models, buffers.
const one = new DistrictGroup({ ...options, profile: readProfile('city'), workers: 1 });
one.advance(60);
const before = used();
const group = new DistrictGroup({ ...options, profile });
const built = used() - before;
group.advance(60);
const night = used() - before;
group.advance(19 * 60);
const connectors = 5 * DISTRICT_CONNECTORS;
process.stdout.write(JSON.stringify({ built: built / connectors, night: night / connectors, evening: (used() - before) / connectors, messages: group.figures.messages, one: one.figures.messages }));
`;

describe('the memory of a network', () => {
  it('is less than two kilobytes for each connector, whatever it is doing: a million are less than 2 GB', () => {
    const out = execFileSync(process.execPath, ['--expose-gc', '--input-type=module-typescript', '-e', script], { encoding: 'utf8' });
    const { built, night, evening, messages } = JSON.parse(out) as { readonly built: number; readonly night: number; readonly evening: number; readonly messages: number };
  
    expect(messages).toBeGreaterThan(100_000);
    expect(built).toBeLessThan(900);
    expect(night).toBeLessThan(1_000);
    expect(evening).toBeLessThan(1_600);
  }, 120_000);
});

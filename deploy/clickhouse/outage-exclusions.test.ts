import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadReference } from '../../charging/reference/load-reference.ts';
import { knownVersions } from '../../charging/reference/known-versions.ts';
import { outageExclusionsTopic } from '../../charging/reference/reference-topics.ts';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import { outageExclusion } from '../../schemas/generated/outage-exclusion.ts';

describe('outage exclusions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-outage-exclusions-'));
  const log = new MemoryLog();
  const registry = new FileRegistry({ folder });
  const nowMs = Date.UTC(2026, 5, 1);

  beforeAll(async () => {
    await log.open();
    await registry.open();
    await log.createTopics([{ topic: outageExclusionsTopic, partitions: 1, settings: {} }]);
  });

  afterAll(async () => {
    await registry.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });

  const load = async (withdraw: boolean, ...lines: readonly string[]) => {
    const text = ['exclusion_id,station_id,evse_id,from,to,reason', ...lines].join('\n');
    const [outcome] = await loadReference({
      files: [{ name: 'mine.csv', text, contentHash: text, encoding: 'utf-8' }], format: null, log, registry, nowMs, validFromMs: null, withdraw, dryRun: false,
    });
    return outcome;
  };
  const newest = async (id: string) => (await knownVersions(log, registry, outageExclusionsTopic, outageExclusion)).get(id)?.versions.at(-1)?.value;

  it('are loaded once, corrected by their id, and withdrawn when they are claimed no longer', async () => {
    const [a, b] = ['A,s1,1,2026-03-01T10:00:00Z,2026-03-01T12:00:00Z,Vandalism', 'B,s2,,2026-03-02,2026-03-03,ScheduledMaintenance'];
    expect(await load(false, a, b)).toMatchObject({ added: 2, changed: 0, unchanged: 0 });
    expect(await load(false, a, b)).toMatchObject({ added: 0, changed: 0, unchanged: 2 });
    expect(await load(false, a.replace('12:00', '13:00'))).toMatchObject({ added: 0, changed: 1, withdrawn: 0, missing: 1 });
    expect(await newest('A')).toMatchObject({ toMs: Date.UTC(2026, 2, 1, 13), withdrawn: false, validFromMs: nowMs });
    expect(await load(true, a.replace('12:00', '13:00'))).toMatchObject({ changed: 0, withdrawn: 1, unchanged: 1 });
    expect(await newest('B')).toMatchObject({ stationId: 's2', withdrawn: true });
    expect(await load(false, b)).toMatchObject({ added: 0, changed: 1 });
    expect(await newest('B')).toMatchObject({ withdrawn: false });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stationKind, tariffKind, vehicleKind } from '../charging/reference/kinds.ts';
import { knownVersions } from '../charging/reference/known-versions.ts';
import { loadReference } from '../charging/reference/load-reference.ts';
import type { ReferenceLoad } from '../charging/reference/load-reference.ts';
import type { ReferenceFile } from '../charging/reference/reference-file.ts';
import { tariffsTopic } from '../charging/reference/reference-topics.ts';
import { chargingTopics } from '../charging/topics.ts';
import { MemoryLog } from '../runtime/log/memory-log.ts';
import { FileRegistry } from '../schemas/file-registry.ts';

const now = Date.UTC(2026, 5, 1);
const table = (...lines: readonly string[]): ReferenceFile => text(['tariff_id,currency,valid_from,energy_per_kwh,from,to', ...lines].join('\n'));
const json = (...all: readonly object[]): ReferenceFile => text(JSON.stringify(all));
const text = (content: string): ReferenceFile => ({ name: 'file', text: content, contentHash: content, encoding: 'utf-8' });

describe('reference data of one’s own', () => {
  let folder: string;
  let log: MemoryLog;
  let registry: FileRegistry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'voltstream-own-reference-'));
    log = new MemoryLog();
    registry = new FileRegistry({ folder });
    await log.open();
    await registry.open();
    const topics = chargingTopics(2);
    await log.createTopics(topics.some(({ topic }) => topic === tariffsTopic) ? topics : [...topics, { topic: tariffsTopic, partitions: 2, settings: {} }]);
  });

  afterEach(async () => {
    await registry.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });

  const load = async (file: ReferenceFile, options: Partial<ReferenceLoad> = {}) => {
    const [outcome] = await loadReference({ files: [file], format: null, log, registry, nowMs: now, validFromMs: null, withdraw: false, dryRun: false, ...options });
    return outcome;
  };
  const prices = async (id: string): Promise<readonly string[]> =>
    ((await knownVersions(log, registry, tariffsTopic, tariffKind.form)).get(id)?.versions ?? [])
      .map(({ validFromMs, value }) => `${new Date(validFromMs).toISOString().slice(0, 10)} ${value === null ? 'gone' : value.energyPerKwhMicro}`);

  it('has versions of a tariff from the times that it names, in whatever order they come, and takes each once', async () => {
    const history = table('t,EUR,2026-01-01,0.45,,', 't,EUR,2024-01-01,0.40,,', 't,EUR,2025-01-01,0.45,,');
    expect(await load(history)).toMatchObject({ added: 1, changed: 2, quarantined: 0 });
    expect(await prices('t')).toEqual(['2024-01-01 400000', '2025-01-01 450000', '2026-01-01 450000']);
    expect(await load(history)).toMatchObject({ added: 0, changed: 0, unchanged: 3 });
    // A year in between that was left out: the version behind it stays what it was said to be.
    expect(await load(table('t,EUR,2025-07-01,0.99,,'))).toMatchObject({ changed: 1, changes: [{ fields: [{ field: 'energyPerKwhMicro', before: '450000', after: '990000' }] }] });
    expect(await prices('t')).toEqual(['2024-01-01 400000', '2025-01-01 450000', '2025-07-01 990000', '2026-01-01 450000']);
    expect(await load(table('t,EUR,2025-07-01,0.98,,'))).toMatchObject({ changed: 1 });
    expect((await prices('t'))[2]).toBe('2025-07-01 980000');
  });

  it('holds for ever when the first version names no time, and from now when a later one does not', async () => {
    await load(table('t,EUR,,0.40,,'));
    await load(table('t,EUR,,0.50,,', 't,,,0.30,22:00,06:00'));
    expect(await prices('t')).toEqual(['1970-01-01 400000', '2026-06-01 500000']);
    expect(await load(table('t,EUR,,0.50,,', 't,,,0.30,22:00,06:00'))).toMatchObject({ unchanged: 1, other: 1 });
    expect(await load(table('u,EUR,,1,,'), { withdraw: true })).toMatchObject({ added: 1, withdrawn: 1 });
    expect((await prices('t')).at(-1)).toBe('2026-06-01 gone');
  });

  it('sets aside two rows that say different things of one time', async () => {
    expect(await load(table('t,EUR,2024-01-01,0.40,,', 't,EUR,2024-01-01,0.41,,', 't,EUR,2024-01-01,0.40,,'))).toMatchObject({ added: 1, quarantined: 1, other: 1 });
  });

  it('gives a tariff to a station and leaves the rest as it was', async () => {
    const station = { stationId: 's1', city: 'Cologne', country: 'DE', validFrom: '2024-01-01', evses: [{ evseId: 1, connectors: [{ connectorId: 1, current: 'AC', powerMaxW: 22_000 }] }] };
    await load(json(station));
    expect(await load(json({ stationId: 's1', tariffId: 'city', validFrom: '2025-01-01' }))).toMatchObject({ changed: 1, changes: [{ fields: [{ field: 'tariffId' }] }] });
    const versions = (await knownVersions(log, registry, stationKind.topic, stationKind.form)).get('s1')?.versions ?? [];
    expect(versions.map(({ value }) => [value?.validFromMs, value?.tariffId, value?.city, value?.timeZone, value?.siteId, value?.evses.length])).toEqual([
      [Date.UTC(2024, 0, 1), null, 'Cologne', 'Europe/Berlin', 's1', 1], [Date.UTC(2025, 0, 1), 'city', 'Cologne', 'Europe/Berlin', 's1', 1],
    ]);
    expect(await load(json({ stationId: 's1', withdrawn: true, validFrom: '2026-01-01' }))).toMatchObject({ withdrawn: 1 });
    expect(await load(json({ stationId: 's2', withdrawn: true }))).toMatchObject({ withdrawn: 0, unchanged: 1 });
  });

  it('knows a vehicle as of the time that it names', async () => {
    await load(json({ model: 'Zoe', batteryWh: 52_000, validFrom: '2020-01-01' }, { model: 'Zoe', batteryWh: 41_000 }));
    const versions = (await knownVersions(log, registry, vehicleKind.topic, vehicleKind.form)).get('Zoe')?.versions ?? [];
    expect(versions.map(({ validFromMs, value }) => [validFromMs, value?.batteryWh])).toEqual([[0, 41_000], [Date.UTC(2020, 0, 1), 52_000]]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../runtime/log/memory-log.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import { station } from '../schemas/generated/station.ts';
import { vehicle } from '../schemas/generated/vehicle.ts';
import { quarantineTopic } from '../charging/ingest/quarantine.ts';
import { chargingTopics } from '../charging/topics.ts';
import { knownVersions } from '../charging/reference/known-versions.ts';
import { loadReference } from '../charging/reference/load-reference.ts';
import type { ReferenceLoad } from '../charging/reference/load-reference.ts';
import { readReferenceFile, textOf } from '../charging/reference/reference-file.ts';
import type { ReferenceFile } from '../charging/reference/reference-file.ts';

const data = join(import.meta.dirname, '..', 'charging', 'reference', 'data');
const now = Date.UTC(2025, 5, 1);
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);

const header = 'ID,Fuel Type Code,Station Name,State,EV Level1 EVSE Num,EV Level2 EVSE Num,EV DC Fast Count,EV Network,Latitude,Longitude,Updated At,Open Date,EV Connector Types,Access Code,Status Code';
function edition(name: string, ...rows: readonly string[]): ReferenceFile {
  const text = [header, ...rows].join('\n');
  return { name, text, contentHash: text, encoding: 'utf-8' };
}
const row = (id: string, network: string, updated: string, rest = '2016-03-01,J1772,public,E'): string => `${id},ELEC,Name,NY,,2,,${network},40.7,-74,${updated} 12:00:00 UTC,${rest}`;

describe('loadReference', () => {
  let folder: string;
  let log: MemoryLog;
  let registry: FileRegistry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'voltstream-reference-'));
    log = new MemoryLog();
    registry = new FileRegistry({ folder });
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(2));
  });

  afterEach(async () => {
    await registry.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });

  const load = (files: readonly ReferenceFile[], options: Partial<ReferenceLoad> = {}) =>
    loadReference({ files, format: null, log, registry, nowMs: now, validFromMs: null, withdraw: false, dryRun: false, ...options });
  const versions = async (id: string): Promise<readonly (readonly [string, string | null, number])[]> =>
    ((await knownVersions(log, registry, 'stations', station)).get(id)?.versions ?? [])
      .map(({ validFromMs, value }) => [new Date(validFromMs).toISOString(), value?.operator ?? null, value?.evses.length ?? -1] as const);
  const records = async (topic: string): Promise<number> => {
    let sum = 0;
    for (let partition = 0; partition < 2; partition++) sum += (await log.bounds({ topic, partition })).end;
    return sum;
  };

  it('takes each sample once, and the same files again not at all', async () => {
    const files = await Promise.all(['afdc-2025', 'afdc-2019', 'bundesnetzagentur-koeln-2022', 'bundesnetzagentur-berlin-2018']
      .map((name) => readReferenceFile(join(data, `${name}.csv.gz`))));
    const first = await load(files);
    for (const one of first) expect(one.added + one.changed + one.withdrawn + one.unchanged + one.older + one.other + one.quarantined, one.files.join()).toBe(one.rows);
    expect(first.map(({ files: names, added }) => [names.join(), added])).toEqual([
      ['afdc-2019.csv.gz', 215], ['afdc-2025.csv.gz', expect.any(Number)], ['bundesnetzagentur-koeln-2022.csv.gz,bundesnetzagentur-berlin-2018.csv.gz', 622],
    ]);
    const appended = await records('stations');
    const again = await load([...files].reverse());
    expect(again.every(({ added, changed, withdrawn }) => added + changed + withdrawn === 0)).toBe(true);
    expect(await records('stations')).toBe(appended);
  });

  it('writes a change as a version from the time of the source, and says which fields are others', async () => {
    await load([edition('a.csv', row('1', 'Old', '2019-05-14'), row('2', 'Same', '2019-05-14'))]);
    const [outcome] = await load([edition('b.csv', row('1', 'New', '2025-02-12'), row('2', 'Same', '2025-02-12'))]);
    expect(outcome).toMatchObject({ added: 0, changed: 1, unchanged: 1, missing: 0 });
    expect(outcome?.changes).toEqual([{ kind: 'changed', id: 'afdc-1', validFromMs: Date.UTC(2025, 1, 12, 12), sourceMs: Date.UTC(2025, 1, 12, 12),
      fields: [{ field: 'operator', before: '"Old"', after: '"New"' }] }]);
    expect(await versions('afdc-1')).toEqual([['2016-03-01T05:00:00.000Z', 'Old', 2], ['2025-02-12T12:00:00.000Z', 'New', 2]]);
  });

  it('gives the same versions whichever edition is named first, and leaves an old one alone that comes late', async () => {
    const [older, newer] = [edition('a.csv', row('1', 'Old', '2019-05-14')), edition('b.csv', row('1', 'New', '2025-02-12'))];
    await load([newer, older]);
    const both = await versions('afdc-1');
    expect(both.map(([, operator]) => operator)).toEqual(['Old', 'New']);
    const [late] = await load([edition('c.csv', row('1', 'Older still', '2018-01-01'))]);
    expect(late).toMatchObject({ changed: 0, older: 1 });
    expect(await versions('afdc-1')).toEqual(both);
  });

  it('corrects the past with a valid-from, without touching what holds later', async () => {
    await load([edition('a.csv', row('1', 'Old', '2019-05-14')), edition('b.csv', row('1', 'New', '2025-02-12'))]);
    const correction = [edition('c.csv', row('1', 'Between', '2021-01-01'))];
    expect((await load(correction, { validFromMs: day('2021-01-01') }))[0]).toMatchObject({ changed: 1 });
    expect((await versions('afdc-1')).map(([from, operator]) => [from.slice(0, 10), operator])).toEqual([['2016-03-01', 'Old'], ['2021-01-01', 'Between'], ['2025-02-12', 'New']]);
    expect((await load(correction, { validFromMs: day('2021-01-01') }))[0]).toMatchObject({ changed: 0, unchanged: 1 });
  });

  it('withdraws what is missing only when told to, and only in regions of the file', async () => {
    await load([edition('a.csv', row('1', 'Net', '2019-05-14'), row('2', 'Net', '2019-05-14'), row('3', 'Net', '2019-05-14').replace(',NY,', ',CA,'))]);
    const next = [edition('b.csv', row('1', 'Net', '2025-02-12'))];
    expect((await load(next))[0]).toMatchObject({ missing: 1, withdrawn: 0 });
    expect((await load(next, { withdraw: true }))[0]).toMatchObject({ missing: 1, withdrawn: 1 });
    expect(await versions('afdc-2')).toEqual([['2016-03-01T05:00:00.000Z', 'Net', 2], ['2025-02-12T12:00:00.000Z', 'Net', 0]]);
    expect(await versions('afdc-3')).toHaveLength(1);
    expect((await load(next, { withdraw: true }))[0]).toMatchObject({ missing: 0, withdrawn: 0 });
  });

  it('withdraws a station that its source calls planned again, and takes it back', async () => {
    await load([edition('a.csv', row('1', 'Net', '2019-05-14'))]);
    expect((await load([edition('b.csv', row('1', 'Net', '2020-01-01', '2016-03-01,J1772,public,P'))]))[0]).toMatchObject({ withdrawn: 1 });
    expect((await load([edition('c.csv', row('1', 'Net', '2021-01-01'))]))[0]?.changes[0]).toMatchObject({ kind: 'changed', fields: [{ field: 'evses' }] });
    expect((await versions('afdc-1')).map(([, , places]) => places)).toEqual([2, 0, 2]);
  });

  it('sets bad rows aside with file, line, column and reason, once', async () => {
    const files = [edition('bad.csv', row('1', 'Net', '2019-05-14'), row('2', 'Net', '2019-05-14').replace('40.7', '140.7'), '7,ELEC',
      row('1', 'Other', '2019-05-14'), row('4', 'Net', '2019-05-14').replace(',2,', ',two,'), row('', 'Net', '2019-05-14'))];
    const [outcome] = await load(files);
    expect(outcome).toMatchObject({ added: 1, quarantined: 5 });
    expect(outcome?.bad.map(({ file, line, column, reason }) => `${file}:${line}:${column}: ${reason}`)).toEqual([
      'bad.csv:3:Latitude: not from -90 to 90: 140.7', "bad.csv:4:: 2 columns instead of the header's 15", 'bad.csv:5:id: the id afdc-1 occurred before, in bad.csv:2',
      'bad.csv:6:EV Level2 EVSE Num: not a number: "two"', 'bad.csv:7:ID: it is empty',
    ]);
    expect(await records(quarantineTopic)).toBe(5);
    await load(files);
    expect(await records(quarantineTopic)).toBe(5);
  });

  it('writes nothing in a trial run, and says what it would', async () => {
    expect((await load([edition('a.csv', row('1', 'Net', '2019-05-14'), '7')], { dryRun: true }))[0]).toMatchObject({ added: 1, quarantined: 1 });
    expect(await records('stations') + await records(quarantineTopic)).toBe(0);
  });

  it('keeps tariff and register scope that were set elsewhere', async () => {
    await load([edition('a.csv', row('1', 'Old', '2019-05-14'))]);
    const producer = await log.producer();
    const writer = await registry.writer('stations-value', station);
    const before = (await knownVersions(log, registry, 'stations', station)).get('afdc-1')?.versions.at(-1)?.value;
    if (before === undefined || before === null) throw new Error('the station is known');
    await producer.append([{ topic: 'stations', key: new TextEncoder().encode('afdc-1'), timestampMs: 0,
      value: writer.encode({ ...before, validFromMs: day('2020-01-01'), tariffId: 'night', registerScope: 'session' }) }]);
    await load([edition('b.csv', row('1', 'New', '2025-02-12'))]);
    const known = (await knownVersions(log, registry, 'stations', station)).get('afdc-1');
    expect(known?.versions.at(-1)?.value).toMatchObject({ operator: 'New', tariffId: 'night', registerScope: 'session' });
  });

  it('deletes vehicles that are no longer listed', async () => {
    const vehicles = (...models: readonly string[]): ReferenceFile => {
      const text = JSON.stringify({ data: models.map((model) => ({ brand: 'B', model, release_year: 2020, usable_battery_size: 50, ac_charger: { max_power: 11 } })) });
      return { name: 'v.json', text, contentHash: text, encoding: 'utf-8' };
    };
    await load([vehicles('one', 'two')]);
    expect((await load([vehicles('two')], { withdraw: true }))[0]).toMatchObject({ withdrawn: 1, unchanged: 1 });
    const known = await knownVersions(log, registry, 'vehicles', vehicle);
    expect([known.get('B one 2020')?.versions.at(-1)?.value, known.get('B two 2020')?.versions.at(-1)?.value?.batteryWh]).toEqual([null, 50_000]);
  });

  it('refuses a file of no known form, by name and by content', async () => {
    const other = { ...edition('x.csv'), text: 'a,b\n1,2' };
    await expect(load([other])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await expect(load([other], { format: 'afdc' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await expect(load([other], { format: 'none' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });
});

describe('readReferenceFile', () => {
  it('reads German text in either encoding, and refuses a file that is not there', async () => {
    expect(textOf(Buffer.from('\ufeffKöln'))).toEqual({ text: 'Köln', encoding: 'utf-8' });
    expect(textOf(Buffer.from('Köln', 'latin1'))).toEqual({ text: 'Köln', encoding: 'windows-1252' });
    await expect(readReferenceFile(join(data, 'none.csv'))).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });
});

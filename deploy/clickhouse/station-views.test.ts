import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadReference } from '../../charging/reference/load-reference.ts';
import { knownVersions } from '../../charging/reference/known-versions.ts';
import { readReferenceFile } from '../../charging/reference/reference-file.ts';
import { stationVersionRow, stationVersionsTable } from '../../charging/reference/station-version-row.ts';
import { chargingTopics } from '../../charging/topics.ts';
import { migrate } from '../../runtime/migrations.ts';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { checkTable } from '../../runtime/sinks/clickhouse/check-table.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../runtime/sinks/clickhouse/row-buffer.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { station } from '../../schemas/generated/station.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import type { ColumnType, ColumnValue } from '../../topology/sink.ts';

type Raw = Readonly<Record<string, string>>;

const data = join(import.meta.dirname, '..', '..', 'charging', 'reference', 'data');
const database = 'voltstream';

/** The source's own rows, read here without any of the product's code; of columns of one name the last. */
function rawRows(file: string, delimiter: string): readonly Raw[] {
  return parse(gunzipSync(readFileSync(join(data, file))), { bom: true, columns: true, delimiter, relax_column_count: true }) as Raw[];
}

const old = rawRows('afdc-2019.csv.gz', ',').filter((row) => row['Fuel Type Code'] === 'ELEC');
const recent = rawRows('afdc-2025.csv.gz', ',').filter((row) => row['Fuel Type Code'] === 'ELEC');
const cologne = rawRows('bundesnetzagentur-koeln-2022.csv.gz', ';');
const berlin = rawRows('bundesnetzagentur-berlin-2018.csv.gz', ',');
const recentIds = new Set(recent.map((row) => row['ID']));
/** What is there when both editions were loaded: the recent edition, and what only the old one has. */
const american = [...recent, ...old.filter((row) => !recentIds.has(row['ID']))];

describe('views on stations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-station-views-'));
  const warehouse = new ChdbWarehouse({ folder: join(folder, 'clickhouse') });

  beforeAll(async () => {
    const log = new MemoryLog();
    const registry = new FileRegistry({ folder: join(folder, 'schemas') });
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(2));
    const files = await Promise.all(['afdc-2019', 'afdc-2025', 'bundesnetzagentur-berlin-2018', 'bundesnetzagentur-koeln-2022']
      .map((name) => readReferenceFile(join(data, `${name}.csv.gz`))));
    await loadReference({ files, format: null, log, registry, nowMs: Date.UTC(2025, 5, 1), validFromMs: null, withdraw: false, dryRun: false });
    const histories = await knownVersions(log, registry, 'stations', station);
    await warehouse.open();
    await migrate(warehouse, { folder: import.meta.dirname, database });
    const table = stationVersionsTable(database);
    const encode = rowEncoder<Record<string, ColumnValue>>(table.columns as Readonly<Record<string, ColumnType>>);
    const buffer = new RowBuffer();
    const rows = [...histories.values()].flatMap(({ versions }) => versions).flatMap(({ value }) => (value === null ? [] : [stationVersionRow(value)]));
    const bytes = rows.map((row, ordinal) => {
      encode(row, buffer);
      writeRowVersion(buffer, 1, ordinal);
      return buffer.take();
    });
    await new PieceDelivery({ warehouse, table }).deliver([sealedPiece('', bytes, new Uint8Array(16).fill(7))], { mayBePresent: false });
    await registry.close();
    await log.close();
  }, 60_000);

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  const shares = async (dimension: string, filter: string): Promise<Readonly<Record<string, unknown>>> => {
    const rows = await warehouse.query<Record<string, unknown>>(`SELECT * FROM ${database}.station_shares WHERE dimension = '${dimension}' AND ${filter}`);
    expect(rows).toHaveLength(1);
    return rows[0] ?? {};
  };

  it('stand on a table as the topology defines it', async () => {
    const table = stationVersionsTable(database) as unknown as Parameters<typeof checkTable>[1];
    expect(await checkTable(warehouse, table)).toEqual({ engine: 'ReplacingMergeTree', replicated: false });
  });

  it('count stations and charging places as the sources do', async () => {
    const places = american.reduce((sum, row) =>
      sum + Math.max(1, Number(row['EV Level1 EVSE Num']) + Number(row['EV Level2 EVSE Num']) + Number(row['EV DC Fast Count'])), 0);
    expect(await shares('country', `country = 'US'`)).toMatchObject({ stations: String(american.length), places: String(places) });
    const german = [...berlin, ...cologne];
    const described = (row: Raw): number => Object.entries(row).filter(([column, plugs]) => column.startsWith('Steckertypen') && plugs !== '').length;
    const germanPlaces = german.reduce((sum, row) => sum + Math.max(Number(row['Anzahl Ladepunkte']), described(row)), 0);
    expect(await shares('country', `country = 'DE'`)).toMatchObject({ stations: String(german.length), places: String(germanPlaces) });
  });

  it('fast-charging share: the register itself says which stations are fast', async () => {
    const fast = cologne.filter((row) => row['Art der Ladeeinrichung'] === 'Schnellladeeinrichtung').length;
    const { fast_charging_share: found } = await shares('region', `region = 'Nordrhein-Westfalen'`);
    expect(found).toBeCloseTo(fast / cologne.length, 9);
    const { fast_charging_share: inAmerica } = await shares('country', `country = 'US'`);
    expect(inAmerica).toBeCloseTo(american.filter((row) => Number(row['EV DC Fast Count']) > 0).length / american.length, 9);
  });

  it('24/7 share and public share', async () => {
    const found = await shares('country', `country = 'US'`);
    expect(found['open_always_share']).toBeCloseTo(american.filter((row) => row['Access Days Time']?.toLowerCase().startsWith('24 hours daily')).length / american.length, 9);
    expect(found['public_share']).toBeCloseTo(american.filter((row) => row['Access Code'] === 'public' && row['Restricted Access'] !== 'true').length / american.length, 9);
  });

  it('connector diversity: the chance that two standards drawn differ', async () => {
    const offered = cologne.flatMap((row) => [...new Set(['Steckertypen1', 'Steckertypen2', 'Steckertypen3', 'Steckertypen4']
      .flatMap((column) => (row[column] ?? '').split(',')).map((plug) => plug.trim().replace('Kupplung Typ', 'Steckdose Typ')).filter((plug) => plug !== ''))]);
    // Two different draws by index, all pairs, a drawn one put back.
    let different = 0;
    for (const one of offered) for (const other of offered) if (one !== other) different++;
    const found = await shares('region', `region = 'Nordrhein-Westfalen'`);
    expect(found['connector_diversity']).toBeCloseTo(different / offered.length ** 2, 9);
    expect(found['connector_standards_count']).toBe(String(new Set(offered).size));
  });

  it('shares by operator, city and over all add up', async () => {
    const total = await shares('all', '1');
    expect(Number(total['stations'])).toBe(american.length + berlin.length + cologne.length);
    for (const dimension of ['country', 'region', 'city', 'operator']) {
      const [row] = await warehouse.query<{ sum: string }>(`SELECT sum(stations) AS sum FROM ${database}.station_shares WHERE dimension = '${dimension}'`);
      expect(row?.sum, dimension).toBe(total['stations']);
    }
    const energie = cologne.filter((row) => row['Betreiber'] === 'Rheinenergie AG').length;
    expect(await shares('operator', `operator = 'Rheinenergie AG'`)).toMatchObject({ stations: String(energie) });
  });

  it('nearest stations to a point: the cathedral of Cologne', async () => {
    const at = { latitude: 50.9413, longitude: 6.9583 };
    const radians = Math.PI / 180;
    // On so short a way the earth is flat.
    const distance = (row: Raw): number => Math.hypot(
      (Number(row['Breitengrad']?.replace(',', '.')) - at.latitude) * 111_230,
      (Number(row['Längengrad']?.replace(',', '.')) - at.longitude) * 111_320 * Math.cos(at.latitude * radians),
    );
    const nearest = cologne.map((row) => ({ address: `${row['Straße']} ${row['Hausnummer']}`.trim(), distance: distance(row) })).sort((a, b) => a.distance - b.distance);
    const sql = `SELECT address, distance_m FROM ${database}.nearest_stations(at_latitude = ${at.latitude}, at_longitude = ${at.longitude}) LIMIT 5`;
    const found = await warehouse.query<{ address: string; distance_m: number }>(sql);
    expect(found.map(({ address }) => address)).toEqual(nearest.slice(0, 5).map(({ address }) => address));
    for (const [index, { distance_m: metres }] of found.entries()) expect(Math.abs(metres / (nearest[index]?.distance ?? 0) - 1)).toBeLessThan(0.01);
  });

  it('history: a station as of a time is what the edition of that time says', async () => {
    const both = recent.filter((row) => old.some((before) => before['ID'] === row['ID']));
    const changed = both.find((row) => old.some((before) => before['ID'] === row['ID'] && before['Station Name'] !== row['Station Name']));
    const before = old.find((row) => row['ID'] === changed?.['ID']);
    const asOf = (time: string): string => `SELECT name, valid_to IS NULL AS last FROM ${database}.station_history
      WHERE station_id = 'afdc-${changed?.['ID'] ?? ''}' AND valid_from <= '${time}' AND (valid_to IS NULL OR valid_to > '${time}')`;
    expect(await warehouse.query(asOf('2020-01-01 00:00:00'))).toEqual([{ name: before?.['Station Name'], last: 0 }]);
    expect(await warehouse.query(asOf('2025-05-01 00:00:00'))).toEqual([{ name: changed?.['Station Name'], last: 1 }]);
    const [holes] = await warehouse.query(`SELECT countIf(valid_to <= valid_from) AS wrong, countIf(valid_to IS NULL) AS last, uniqExact(station_id) AS stations FROM ${database}.station_history`);
    const stations = String(american.length + berlin.length + cologne.length);
    expect(holes).toEqual({ wrong: '0', last: stations, stations });
  });
});

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stationVersionRow, stationVersionsTable } from '../../charging/reference/station-version-row.ts';
import type { SessionEvent } from '../../charging/session-event.ts';
import { isUsable } from '../../charging/status/connector-interval.ts';
import { connectorsNowRow, connectorStatusRow, outageExclusionRow, statusTables } from '../../charging/status/status-tables.ts';
import { driving, statusAlone } from '../../charging/status/testing/drive-status.ts';
import { charging, station } from '../../charging/testing/events.ts';
import { migrate } from '../../runtime/migrations.ts';
import { checkTable } from '../../runtime/sinks/clickhouse/check-table.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../runtime/sinks/clickhouse/row-buffer.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { OutageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { ColumnType, ColumnValue, TableDefinition } from '../../topology/sink.ts';

const database = 'voltstream';
const time = (text: string): number => Date.parse(`${text}Z`);

/** Three stations on two sites of two operators; what happens there is on whole minutes, so that the model can count minutes. */
const stations: readonly Station[] = [
  { ...station, stationId: 's1', siteId: 'north', operator: 'First', city: 'Cologne', latitude: 50.94, longitude: 6.96, evses: [place(1, 'IEC_62196_T2_COMBO', 150_000), place(2, 'IEC_62196_T2', 22_000)] },
  { ...station, stationId: 's2', siteId: 'north', operator: 'First', city: 'Cologne', latitude: 50.95, longitude: 6.96, evses: [place(1, 'CHADEMO', 50_000)] },
  { ...station, stationId: 's3', siteId: 'south', operator: 'Second', city: 'Bonn', latitude: 50.73, longitude: 7.1, evses: [place(1, 'IEC_62196_T2_COMBO', 50_000)] },
];

function place(evseId: number, standard: string, powerMaxW: number): Station['evses'][number] {
  return { evseId, connectors: [1, 2].map((connectorId) => ({ connectorId, standard, current: null, powerMaxW })) };
}

function told(stationId: string, number: readonly [number, number], at: string | number, status: string, fields: Partial<ChargingEvent> = {}): SessionEvent {
  const timestampMs = typeof at === 'string' ? time(at) : at;
  const found = stations.find((each) => each.stationId === stationId) ?? null;
  const type = status === 'lost' ? 'ConnectionLost' : status === 'restored' ? 'ConnectionRestored' : 'StatusChanged';
  return { ...charging({ type, stationId, evseId: number[0], connectorId: number[1], timestampMs, status: type === 'StatusChanged' ? status : null, ...fields }), station: found, clock: 'device' };
}

function exclusion(fields: Partial<OutageExclusion> & Pick<OutageExclusion, 'exclusionId'>, from: string, to: string | null): OutageExclusion {
  return {
    stationId: null, evseId: null, siteId: null, operator: null, fromMs: time(from), toMs: to === null ? null : time(to), reason: 'UtilityInterruption', note: null,
    withdrawn: false, validFromMs: 0, ...fields,
  };
}

const first: readonly [number, number] = [1, 1];

/** By hand: what the cases of docs/connector-status.md are. */
const byHand: readonly SessionEvent[] = [
  // A fault over the border of a month, in a leap year, of the only connector heard of.
  told('s1', first, '2023-11-15T00:00', 'Available'),
  told('s1', first, '2024-01-31T22:00', 'Faulted'), told('s1', first, '2024-02-01T03:00', 'Available'),
  // Two connectors of a place: it is up as long as one of them can be used.
  told('s1', [2, 1], '2023-12-01T00:00', 'Available'), told('s1', [2, 2], '2023-12-01T00:00', 'Available'),
  told('s1', [2, 1], '2024-03-05T00:00', 'Faulted'), told('s1', [2, 2], '2024-03-05T06:00', 'Unavailable'),
  told('s1', [2, 2], '2024-03-05T07:30', 'Occupied'), told('s1', [2, 1], '2024-03-06T00:00', 'Available'),
  // Without connection when the clocks in Europe were changed.
  told('s2', first, '2024-02-29T12:00', 'Available'), told('s2', first, '2024-03-31T00:30', 'lost'), told('s2', first, '2024-03-31T02:30', 'restored'),
  // Broken for good.
  told('s3', first, '2024-05-01T00:00', 'Available'), told('s3', first, '2024-06-10T00:00', 'Faulted'),
];

const exclusions: readonly OutageExclusion[] = [
  // These two overlap; together they cover 23:00 to 02:00.
  exclusion({ exclusionId: 'a', stationId: 's1' }, '2024-01-31T23:00', '2024-02-01T01:00'),
  exclusion({ exclusionId: 'b', stationId: 's1', evseId: 1, reason: 'Vandalism' }, '2024-02-01T00:00', '2024-02-01T02:00'),
  exclusion({ exclusionId: 'c', stationId: 's1', evseId: 2 }, '2024-01-31T00:00', '2024-02-02T00:00'),
  exclusion({ exclusionId: 'd', siteId: 'north', reason: 'NaturalDisaster' }, '2024-03-31T01:00', '2024-03-31T02:00'),
  exclusion({ exclusionId: 'e', operator: 'Second', reason: 'ScheduledMaintenance' }, '2024-06-30T00:00', '2024-07-02T00:00'),
  exclusion({ exclusionId: 'f', stationId: 's3', withdrawn: true }, '2024-06-01T00:00', null),
  // Names an operator that the station is not of.
  exclusion({ exclusionId: 'g', stationId: 's3', operator: 'First' }, '2024-06-01T00:00', null),
];

describe('views on statuses of connectors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-status-views-'));
  const warehouse = new ChdbWarehouse({ folder: join(folder, 'clickhouse') });
  const tables = statusTables(database);
  let pieces = 0;

  /** As a sink inserts them: pieces of one partition, later rows with higher versions. */
  async function insert<Row>(table: TableDefinition<Row>, rows: readonly Row[], into = database): Promise<void> {
    const target = { ...table, database: into };
    const encode = rowEncoder<Record<string, ColumnValue>>(target.columns as Readonly<Record<string, ColumnType>>);
    const buffer = new RowBuffer();
    const byPartition = Map.groupBy(rows.map((row, ordinal) => ({ row, ordinal })), ({ row }) => target.partitionOf(row));
    for (const [partition, own] of byPartition) {
      const bytes = own.map(({ row, ordinal }) => {
        encode(row as Record<string, ColumnValue>, buffer);
        writeRowVersion(buffer, 1, ordinal);
        return buffer.take();
      });
      const batch = new Uint8Array(16);
      new DataView(batch.buffer).setUint32(0, ++pieces);
      await new PieceDelivery({ warehouse, table: target as never }).deliver([sealedPiece(partition, bytes, batch)], { mayBePresent: false });
    }
  }

  async function fill(name: string, events: readonly SessionEvent[], excluded: readonly OutageExclusion[]): Promise<void> {
    const files = join(folder, `migrations-${name}`);
    for (const file of ['0005-station-versions.sql', '0006-connector-status.sql']) cpSync(join(import.meta.dirname, file), join(files, file));
    await migrate(warehouse, { folder: files, database: name });
    const { driver, push, intervals, now } = driving(new TopologyTestDriver(statusAlone(), { commit: 'manual' }));
    push(...[...events].sort((a, b) => a.timestampMs - b.timestampMs));
    driver.commit();
    const rows = intervals();
    await insert(tables.connectorStatus, rows.map(connectorStatusRow), name);
    await insert(tables.connectorOutages, rows.filter((row) => !isUsable(row)).map(connectorStatusRow), name);
    await insert(tables.connectorsNow, now().map(connectorsNowRow), name);
    await insert(tables.outageExclusions, excluded.map(outageExclusionRow), name);
    await insert(stationVersionsTable(name), stations.map(stationVersionRow), name);
  }

  beforeAll(async () => {
    await warehouse.open();
    await fill(database, byHand, exclusions);
  }, 60_000);

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  const ask = (sql: string): Promise<readonly Record<string, unknown>[]> => warehouse.query<Record<string, unknown>>(sql);
  const uptime = (port: string, month: string): Promise<readonly Record<string, unknown>[]> => ask(`SELECT minutes, outage_minutes, excluded_minutes, offline_minutes, uptime_percent
    FROM ${database}.port_uptime_until(until = '2024-12-10 12:00:00') WHERE (station_id, evse_id) = (${port}) AND month = '${month}'`);

  it.each(Object.values(tables))('stand on tables as the topology defines them: $table', async (table) => {
    expect(await checkTable(warehouse, table as never)).toEqual({ engine: 'ReplacingMergeTree', replicated: false });
  });

  it('uptime: a month of 31 days with an outage of 2 hours, one of them excluded', async () => {
    expect(await uptime(`'s1', 1`, '2024-01-01')).toEqual([
      { minutes: 44_640, outage_minutes: 120, excluded_minutes: 60, offline_minutes: 0, uptime_percent: (44_640 - (120 - 60)) / 44_640 * 100 },
    ]);
  });

  it('uptime: the rest of the outage lies in February of a leap year, and exclusions that overlap exclude once', async () => {
    expect(await uptime(`'s1', 1`, '2024-02-01')).toEqual([
      { minutes: 29 * 1440, outage_minutes: 180, excluded_minutes: 120, offline_minutes: 0, uptime_percent: (41_760 - 60) / 41_760 * 100 },
    ]);
  });

  it('uptime: a port counts from the first time it was heard of, and what lasts lasts until the given time', async () => {
    expect(await uptime(`'s1', 1`, '2023-11-01')).toMatchObject([{ minutes: 16 * 1440, outage_minutes: 0 }]);
    expect(await uptime(`'s1', 1`, '2023-10-01')).toEqual([]);
    expect(await uptime(`'s3', 1`, '2024-12-01')).toMatchObject([{ minutes: 9.5 * 1440, outage_minutes: 9.5 * 1440, excluded_minutes: 0, uptime_percent: 0 }]);
    expect(await uptime(`'s3', 1`, '2025-01-01')).toEqual([]);
  });

  it('uptime: a place is up as long as one of its connectors can be used', async () => {
    expect(await uptime(`'s1', 2`, '2024-03-01')).toMatchObject([{ minutes: 44_640, outage_minutes: 90, excluded_minutes: 0 }]);
  });

  it('uptime: months are those of UTC, also when clocks change, and a lost connection is an outage', async () => {
    expect(await uptime(`'s2', 1`, '2024-03-01')).toMatchObject([{ minutes: 44_640, outage_minutes: 120, excluded_minutes: 60, offline_minutes: 120 }]);
  });

  it('uptime: an exclusion of an operator is one of all its ports; a withdrawn one, or one of another, of none', async () => {
    expect(await uptime(`'s3', 1`, '2024-06-01')).toMatchObject([{ outage_minutes: 21 * 1440, excluded_minutes: 1440 }]);
    expect(await uptime(`'s3', 1`, '2024-07-01')).toMatchObject([{ outage_minutes: 31 * 1440, excluded_minutes: 1440 }]);
  });

  it('uptime of a year: twelve months that end with each, of what is known and by the letter of the rule', async () => {
    const [row] = await ask(`SELECT year_minutes, year_outage_minutes, year_excluded_minutes, year_uptime_percent, rule_uptime_percent, above_97
      FROM ${database}.port_uptime_until(until = '2024-12-10 12:00:00') WHERE station_id = 's1' AND evse_id = 1 AND month = '2024-11-01'`);
    const minutes = 366 * 1440;
    expect(row).toEqual({
      year_minutes: minutes, year_outage_minutes: 300, year_excluded_minutes: 180, year_uptime_percent: (minutes - 120) / minutes * 100,
      rule_uptime_percent: (525_600 - 120) / 525_600 * 100, above_97: 1,
    });
    const [later] = await ask(`SELECT year_outage_minutes FROM ${database}.port_uptime_until(until = '2025-03-10') WHERE (station_id, evse_id) = ('s1', 1) AND month = '2025-02-01'`);
    expect(later).toEqual({ year_outage_minutes: 0 });
  });

  it('uptime of any span: a month by the clock of the site', async () => {
    // March in Berlin has an hour less, of which the outage keeps its two.
    const [row] = await ask(`SELECT minutes, outage_minutes, excluded_minutes FROM ${database}.port_uptime_between(since = '2024-02-29 23:00:00', until = '2024-03-31 22:00:00') WHERE station_id = 's2'`);
    expect(row).toEqual({ minutes: 743 * 60, outage_minutes: 120, excluded_minutes: 60 });
    const [outage] = await ask(`SELECT toString(min(from_time)) AS since, toString(max(to_time)) AS until, sum(minutes) AS minutes
      FROM ${database}.port_segments(since = '2024-01-31 22:30:00', until = '2024-02-01 02:30:00') WHERE NOT up`);
    expect(outage).toEqual({ since: '2024-01-31 22:30:00.000', until: '2024-02-01 02:30:00.000', minutes: 240 });
  });

  it('uptime: of random histories as a model that looks at every minute', async () => {
    const random = seeded(7);
    const events: SessionEvent[] = [];
    for (const { stationId, evses } of stations) {
      for (const { evseId } of evses) {
        for (const connectorId of [1, 2]) {
          let atMs = time('2023-12-20T00:00') + random(40_000) * 60_000;
          for (let left = 80; left > 0; left--, atMs += random(5_000) * 60_000) {
            events.push(told(stationId, [evseId, connectorId], atMs, ['Available', 'Occupied', 'Reserved', 'Faulted', 'Unavailable'][random(5)] ?? ''));
          }
        }
      }
      for (let left = 25; left > 0; left--) {
        const lostMs = time('2023-12-20T00:00') + random(400_000) * 60_000;
        events.push(told(stationId, first, lostMs, 'lost'), told(stationId, first, lostMs + random(3_000) * 60_000, 'restored'));
      }
    }
    const reasons = Array.from({ length: 60 }, (_, index) => {
      const from = time('2023-12-01T00:00') + random(450_000) * 60_000;
      const scopes = [{ stationId: 's1' }, { stationId: 's1', evseId: 2 }, { stationId: 's2' }, { siteId: 'north' }, { siteId: 'south' }, { operator: 'First' }, { stationId: 's3', operator: 'First' }] as const;
      return { ...exclusion({ exclusionId: String(index), ...scopes[random(scopes.length)], withdrawn: random(5) === 0 }, '2024-01-01', null), fromMs: from, toMs: from + random(4_000) * 60_000 };
    });
    await fill('random', events, reasons);
    const until = '2024-11-17T05:00';
    const rows = await ask(`SELECT station_id, evse_id, toString(month) AS month, minutes, outage_minutes, excluded_minutes, offline_minutes
      FROM random.port_uptime_until(until = '${until.replace('T', ' ')}:00') ORDER BY station_id, evse_id, month`);
    expect(rows).toEqual(minuteByMinute(events, reasons, time(until)));

    // The network's months are made in another way than those of its ports: they must add up, in every dimension and month, also of a month that has just ended.
    for (const moment of [until.replace('T', ' '), '2024-11-01 00:00', '2024-02-01 00:00']) {
      const figures = (columns: string): string => `dimension, operator, city, site_id, station_id, toString(month) AS month, ${columns}`;
      const network = await ask(`SELECT ${figures(`ports, round(minutes, 3) AS minutes, round(outage_minutes, 3) AS outage, round(excluded_minutes, 3) AS excluded,
          round(uptime_percent, 6) AS uptime, round(year_uptime_percent, 6) AS year, ports_above_97 AS above`)}
        FROM random.network_uptime_until(until = '${moment}:00') ORDER BY ALL`);
      const ports = await ask(`SELECT ${figures(`count() AS ports, round(sum(p.minutes), 3) AS minutes, round(sum(p.outage_minutes), 3) AS outage, round(sum(p.excluded_minutes), 3) AS excluded,
          round((1 - (sum(p.outage_minutes) - sum(p.excluded_minutes)) / sum(p.minutes)) * 100, 6) AS uptime,
          round((1 - (sum(p.year_outage_minutes) - sum(p.year_excluded_minutes)) / sum(p.year_minutes)) * 100, 6) AS year, countIf(p.above_97) AS above`)}
        FROM (
          SELECT arrayJoin(['all', 'station', 'site', 'city', 'operator']) AS dimension, if(dimension = 'operator', u.operator, '') AS operator, if(dimension = 'city', u.city, '') AS city,
            if(dimension = 'site', u.site_id, '') AS site_id, if(dimension = 'station', u.station_id, '') AS station_id, month, minutes, outage_minutes, excluded_minutes,
            year_minutes, year_outage_minutes, year_excluded_minutes, above_97
          FROM random.port_uptime_until(until = '${moment}:00') AS u
        ) AS p
        GROUP BY dimension, operator, city, site_id, station_id, month ORDER BY ALL`);
      expect(network.length).toBeGreaterThan(5);
      expect(network).toEqual(ports);
    }
  }, 60_000);

  it('uptime of the network adds up the ports', async () => {
    const rows = await ask(`SELECT dimension, operator, site_id, station_id, ports, minutes, outage_minutes, excluded_minutes, ports_above_97
      FROM ${database}.network_uptime_until(until = '2024-12-10 12:00:00') WHERE month = '2024-06-01' ORDER BY dimension, operator, site_id, station_id, ports`);
    const month = 30 * 1440;
    const sound = { minutes: month, outage_minutes: 0, excluded_minutes: 0, ports_above_97: '1' };
    const broken = { minutes: month, outage_minutes: 21 * 1440, excluded_minutes: 1440, ports_above_97: '0' };
    const empty = { operator: '', site_id: '', station_id: '' };
    expect(rows).toEqual([
      { dimension: 'all', ...empty, ports: '4', ...broken, minutes: 4 * month, ports_above_97: '3' },
      { dimension: 'city', ...empty, ports: '1', ...broken },
      { dimension: 'city', ...empty, ports: '3', ...sound, minutes: 3 * month, ports_above_97: '3' },
      { dimension: 'operator', ...empty, operator: 'First', ports: '3', ...sound, minutes: 3 * month, ports_above_97: '3' },
      { dimension: 'operator', ...empty, operator: 'Second', ports: '1', ...broken },
      { dimension: 'site', ...empty, site_id: 'north', ports: '3', ...sound, minutes: 3 * month, ports_above_97: '3' },
      { dimension: 'site', ...empty, site_id: 'south', ports: '1', ...broken },
      { dimension: 'station', ...empty, station_id: 's1', ports: '2', ...sound, minutes: 2 * month, ports_above_97: '2' },
      { dimension: 'station', ...empty, station_id: 's2', ports: '1', ...sound },
      { dimension: 'station', ...empty, station_id: 's3', ports: '1', ...broken },
    ].map((row) => expect.objectContaining(row)));
  });

  it('answer until now without being told a time', async () => {
    const [row] = await ask(`SELECT max(month) >= '2024-12-01' AS recent FROM ${database}.port_uptime`);
    expect(row).toEqual({ recent: 1 });
    expect((await ask(`SELECT dimension FROM ${database}.network_uptime WHERE month = '2024-06-01' AND dimension = 'all'`)).length).toBe(1);
  });

  it('intervals that have ended, and the one that lasts', async () => {
    const rows = await ask(`SELECT toString(from_time) AS since, toString(to_time) AS until, status, source, usable FROM ${database}.connector_intervals WHERE station_id = 's3' ORDER BY from_time`);
    expect(rows).toEqual([
      { since: '2024-05-01 00:00:00.000', until: '2024-06-10 00:00:00.000', status: 'Available', source: 'status', usable: true },
      { since: '2024-06-10 00:00:00.000', until: null, status: 'Faulted', source: 'status', usable: false },
    ]);
  });

  it('occupancy now, and the share of connectors that can be used', async () => {
    const rows = await ask(`SELECT operator, connectors, available, occupied, faulted, unavailable, offline, occupied_share, operational_rate
      FROM ${database}.occupancy_now WHERE dimension = 'operator' ORDER BY operator`);
    expect(rows).toEqual([
      { operator: 'First', connectors: '4', available: '3', occupied: '1', faulted: '0', unavailable: '0', offline: '0', occupied_share: 0.25, operational_rate: 1 },
      { operator: 'Second', connectors: '1', available: '0', occupied: '0', faulted: '1', unavailable: '0', offline: '0', occupied_share: 0, operational_rate: 0 },
    ]);
    expect(await ask(`SELECT connectors, operational, operational_rate FROM ${database}.operational_rate WHERE dimension = 'all'`)).toEqual([
      { connectors: '5', operational: '4', operational_rate: 0.8 },
    ]);
  });

  it('occupancy hour by hour', async () => {
    const rows = await ask(`SELECT station_id, toString(hour) AS hour, connector_seconds, occupied_seconds, free_seconds, offline_seconds
      FROM ${database}.occupancy_hours(since = '2024-03-05 05:30:00', until = '2024-03-05 08:00:00') WHERE station_id = 's1' ORDER BY hour`);
    // Three connectors are known there: one Available, one Faulted, and one that goes from Available to Unavailable to Occupied.
    expect(rows).toEqual([
      { station_id: 's1', hour: '2024-03-05 05:00:00.000', connector_seconds: 5400, occupied_seconds: 0, free_seconds: 3600, offline_seconds: 0 },
      { station_id: 's1', hour: '2024-03-05 06:00:00.000', connector_seconds: 10_800, occupied_seconds: 0, free_seconds: 3600, offline_seconds: 0 },
      { station_id: 's1', hour: '2024-03-05 07:00:00.000', connector_seconds: 10_800, occupied_seconds: 1800, free_seconds: 3600, offline_seconds: 0 },
    ]);
    const [offline] = await ask(`SELECT sum(offline_seconds) AS seconds FROM ${database}.occupancy_hours(since = '2024-03-30', until = '2024-04-02')`);
    expect(offline).toEqual({ seconds: 7200 });
  });

  it('nearest free stations: with a place that is free now, and what it must offer', async () => {
    const near = (view: string): Promise<readonly Record<string, unknown>[]> => ask(`SELECT station_id, free_places, round(distance_m) AS metres FROM ${database}.${view}`);
    // Place 2 of s1 has an occupied connector, so that its other one is of no use.
    expect(await near('nearest_free_stations(at_latitude = 50.94, at_longitude = 6.96)')).toEqual([
      { station_id: 's1', free_places: '1', metres: 0 }, { station_id: 's2', free_places: '1', metres: expect.closeTo(1112, -1) as number },
    ]);
    const asking = (standard: string, powerW: number): string => `nearest_free_stations_with(at_latitude = 50.96, at_longitude = 6.96, standard = '${standard}', power_w = ${powerW})`;
    expect((await near(asking('', 0))).map((row) => row['station_id'])).toEqual(['s2', 's1']);
    expect((await near(asking('', 100_000))).map((row) => row['station_id'])).toEqual(['s1']);
    expect((await near(asking('CHADEMO', 0))).map((row) => row['station_id'])).toEqual(['s2']);
    expect(await near(asking('IEC_62196_T2', 0))).toEqual([]);
  });
});

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

/** Uptime by asking at each minute what was told last of every connector; for events on whole minutes, each told while it happened. */
function minuteByMinute(events: readonly SessionEvent[], excluded: readonly OutageExclusion[], untilMs: number): readonly unknown[] {
  const found: unknown[] = [];
  for (const { stationId, evses, siteId, operator } of stations) {
    const ofStation = events.filter((event) => event.stationId === stationId).sort((a, b) => a.timestampMs - b.timestampMs || rank(a) - rank(b));
    for (const { evseId } of evses) {
      const own = ofStation.filter((event) => event.evseId === evseId || event.type !== 'StatusChanged');
      const claims = excluded.filter((claim) => !claim.withdrawn && (claim.stationId === null || claim.stationId === stationId)
        && (claim.evseId === null || claim.evseId === evseId) && (claim.siteId === null || claim.siteId === siteId) && (claim.operator === null || claim.operator === operator));
      const last = new Map<number, { readonly status: string; lostMs: number | null }>();
      let stationLostMs: number | null = null;
      let next = 0;
      let month = { station_id: stationId, evse_id: evseId, month: '', minutes: 0, outage_minutes: 0, excluded_minutes: 0, offline_minutes: 0 };
      for (let nowMs = Math.min(...own.map(({ timestampMs }) => timestampMs)); nowMs < untilMs; nowMs += 60_000) {
        for (let event = own[next]; event !== undefined && event.timestampMs <= nowMs; event = own[++next]) {
          if (event.type === 'ConnectionLost') {
            for (const each of last.values()) each.lostMs ??= event.timestampMs;
            stationLostMs ??= event.timestampMs;
          } else if (event.type === 'ConnectionRestored') {
            for (const each of last.values()) each.lostMs = null;
            stationLostMs = null;
          } else {
            const before = last.get(event.connectorId);
            const lostMs = before === undefined ? stationLostMs : before.lostMs;
            last.set(event.connectorId, { status: event.status ?? '', lostMs: lostMs !== null && event.timestampMs < lostMs + 60_000 ? lostMs : null });
          }
        }
        if (last.size === 0) continue;
        const name = `${new Date(nowMs).toISOString().slice(0, 7)}-01`;
        if (month.month !== name) found.push(month = { station_id: stationId, evse_id: evseId, month: name, minutes: 0, outage_minutes: 0, excluded_minutes: 0, offline_minutes: 0 });
        month.minutes++;
        const heard = [...last.values()].filter(({ lostMs }) => lostMs === null);
        if (heard.length === 0) month.offline_minutes++;
        if (heard.some(({ status }) => ['Available', 'Occupied', 'Reserved'].includes(status))) continue;
        month.outage_minutes++;
        if (claims.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < (toMs ?? Infinity))) month.excluded_minutes++;
      }
    }
  }
  return found;
}

/** Of one minute: restored, told, lost. */
function rank({ type }: SessionEvent): number {
  return ['ConnectionRestored', 'StatusChanged', 'ConnectionLost'].indexOf(type);
}

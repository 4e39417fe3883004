import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadChange } from '../../charging/load/load-change.ts';
import { loadTables } from '../../charging/load/load-tables.ts';
import { emptyChange, loadTopology, runLoad } from '../../charging/load/testing/drive-load.ts';
import { stationVersionRow, stationVersionsTable } from '../../charging/reference/station-version-row.ts';
import { hours, minutes, station } from '../../charging/testing/events.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../runtime/sinks/clickhouse/row-buffer.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { ColumnType, ColumnValue, TableDefinition } from '../../topology/sink.ts';

const database = 'voltstream';

const summer = Date.UTC(2018, 2, 25);
const winter = Date.UTC(2018, 9, 28);

const span = (stationId: string, fromMs: number, toMs: number, wattHours: number, more: Partial<LoadChange> = {}): LoadChange => ({
  ...emptyChange, stationId, fromMs, toMs, energyMilliWh: wattHours * 1000, occupied: 1, charging: 1, siteId: stationId === 'far' ? 'Other site' : 'Site', city: 'City', ...more,
});

/** What happened, by hand, in London's clock; its day of 25 March 2018 has 23 hours, that of 28 October 25. */
const changes: readonly LoadChange[] = [
  // The whole of the 25th in London, from midnight (UTC) to midnight (23:00 UTC), 100 Wh an hour; and the hour behind it.
  span('s1', summer, summer + hours(23), 2300, { sessionsStarted: 1 }),
  span('s1', summer + hours(23), summer + hours(24), 100, { sessionsEnded: 1 }),
  // The whole of the 28th of October, from 23:00 UTC the day before to midnight UTC.
  span('s1', winter - hours(1), winter + hours(24), 2500, { sessionsStarted: 1 }),
  // Another station at the site in the same hour, 40 minutes at 3 kW and then idle; and one elsewhere.
  span('s2', summer + hours(10), summer + hours(10) + minutes(40), 2000, { powerW: 3100 }),
  span('s2', summer + hours(10) + minutes(40), summer + hours(11), 0, { charging: 0 }),
  span('far', summer + hours(10), summer + hours(10) + minutes(30), 500),
  // Two hours at one power over midnight in Kathmandu, which is at 18:15 UTC: 75 minutes before it, 45 behind.
  span('east', summer + hours(17), summer + hours(19), 1200, { siteId: 'Other site', sessionsEnded: 1 }),
];

describe('views on the load of stations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-load-views-'));
  const warehouse = new ChdbWarehouse({ folder });
  const ask = (sql: string): Promise<readonly Record<string, unknown>[]> => warehouse.query<Record<string, unknown>>(sql.replaceAll('{database}', database));

  const deliver = async <Row extends object>(table: TableDefinition<Row>, rows: readonly Row[]): Promise<void> => {
    const encode = rowEncoder<Row>(table.columns as Readonly<Record<string, ColumnType>>);
    const pieces = new Map<string, Uint8Array[]>();
    rows.forEach((row, ordinal) => {
      const buffer = new RowBuffer();
      encode(row, buffer);
      writeRowVersion(buffer, 1, ordinal);
      const partition = table.partitionOf(row);
      pieces.set(partition, [...(pieces.get(partition) ?? []), buffer.take()]);
    });
    const delivery = new PieceDelivery({ warehouse, table: table as unknown as TableDefinition<Record<string, ColumnValue>> });
    let number = 0;
    for (const [partition, bytes] of pieces) await delivery.deliver([sealedPiece(partition, bytes, new Uint8Array(16).fill((number += 1)))], { mayBePresent: false });
  };

  beforeAll(async () => {
    await warehouse.open();
    await migrate(warehouse, { folder: import.meta.dirname, database });
    const run = runLoad(new TopologyTestDriver(loadTopology(), { commit: 'manual' }));
    for (const [part, change] of changes.entries()) run.push({ ...change, part }, change.toMs);
    run.end();
    expect(run.late()).toEqual([]);
    const tables = loadTables(database);
    // Every row that was ever given, so that FINAL has something to do.
    run.hours();
    run.days();
    await deliver(tables.hours, run.given.hours);
    await deliver(tables.days, run.given.days);
    await deliver(stationVersionsTable(database), [
      stationVersionRow({ ...station, stationId: 's1', siteId: 'Site', timeZone: 'Europe/London', validFromMs: 0 }),
      stationVersionRow({ ...station, stationId: 'east', siteId: 'Other site', timeZone: 'Asia/Kathmandu', validFromMs: 0 }),
    ]);
  }, 60_000);

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  it('have the same sums of quarters, hours, days and minutes', async () => {
    const wanted = { wh: 2300 + 100 + 2500 + 2000 + 500 + 1200 };
    for (const table of ['station_hours FINAL', 'station_days FINAL', 'station_quarters', 'station_minutes']) {
      expect(await ask(`SELECT sum(energy_milli_wh) / 1000 AS wh FROM {database}.${table}`), table).toEqual([wanted]);
    }
    expect(await ask('SELECT round(sum(occupied_s)) AS occupied, round(sum(charging_s)) AS charging FROM {database}.station_minutes'))
      .toEqual(await ask('SELECT sum(occupied_ms) / 1000 AS occupied, sum(charging_ms) / 1000 AS charging FROM {database}.station_days FINAL'));
  });

  it('station_minutes: one row a minute, with power and times', async () => {
    const rows = await ask(`SELECT toUnixTimestamp(minute) AS at, energy_wh, mean_power_w, occupied_s, charging_s FROM {database}.station_minutes
      WHERE station_id = 's2' AND hour = '2018-03-25 10:00:00' AND minute >= '2018-03-25 10:30:00' AND minute < '2018-03-25 10:45:00' ORDER BY minute`);
    const first = (summer + hours(10) + minutes(30)) / 1000;
    expect(rows).toEqual(Array.from({ length: 15 }, (_, at) => ({
      at: first + at * 60, energy_wh: at < 10 ? 50 : 0, mean_power_w: at < 10 ? 3000 : 0, occupied_s: 60, charging_s: at < 10 ? 60 : 0,
    })));
  });

  it('station_quarters: those in which something happened, with their minutes', async () => {
    const rows = await ask(`SELECT toString(quarter) AS quarter, energy_wh, mean_power_w, peak_minute_w, peak_power_w, occupied_s, charging_s,
        arrayMap(x -> x / 1000, minutes_energy_milli_wh) AS minutes
      FROM {database}.station_quarters WHERE station_id = 's2' AND hour >= '2018-03-25 10:00:00' AND hour < '2018-03-25 11:00:00' ORDER BY quarter`);
    const whole = { energy_wh: 750, mean_power_w: 3000, peak_minute_w: 3000, peak_power_w: null, occupied_s: 900, charging_s: 900, minutes: Array.from({ length: 15 }, () => 50) };
    expect(rows).toEqual([
      { ...whole, quarter: '2018-03-25 10:00:00' },
      { ...whole, quarter: '2018-03-25 10:15:00' },
      // The power is that of the event behind the 40 minutes.
      { ...whole, quarter: '2018-03-25 10:30:00', energy_wh: 500, mean_power_w: 2000, peak_power_w: 3100, charging_s: 600, minutes: Array.from({ length: 15 }, (_, at) => (at < 10 ? 50 : 0)) },
      { quarter: '2018-03-25 10:45:00', energy_wh: 0, mean_power_w: 0, peak_minute_w: 0, peak_power_w: null, occupied_s: 900, charging_s: 0, minutes: Array.from({ length: 15 }, () => 0) },
    ]);
    const [far] = await ask(`SELECT toInt32(count()) AS quarters, toInt32(sum(sessions_ended)) AS ended FROM {database}.station_quarters WHERE station_id IN ('far', 'east')`);
    // Two of the first, eight of the other and none between.
    expect(far).toEqual({ quarters: 10, ended: 1 });
  });

  it('station_hours and station_days: mean and peak power, sessions and seconds', async () => {
    expect(await ask(`SELECT energy_wh, mean_power_w, peak_minute_w, peak_power_w, occupied_s, charging_s FROM {database}.station_hours FINAL
      WHERE station_id = 's2' AND energy_milli_wh > 0`)).toEqual([{ energy_wh: 2000, mean_power_w: 2000, peak_minute_w: 3000, peak_power_w: 3100, occupied_s: 3600, charging_s: 2400 }]);
    expect(await ask(`SELECT toString(day) AS day, energy_wh, mean_power_w, sessions_started, sessions_ended, occupied_s FROM {database}.station_days FINAL
      WHERE station_id = 's1' ORDER BY day`)).toEqual([
      { day: '2018-03-25', energy_wh: 2400, mean_power_w: 100, sessions_started: 1, sessions_ended: 1, occupied_s: 86_400 },
      { day: '2018-10-27', energy_wh: 100, mean_power_w: 100 / 24, sessions_started: 1, sessions_ended: 0, occupied_s: 3600 },
      { day: '2018-10-28', energy_wh: 2400, mean_power_w: 100, sessions_started: 0, sessions_ended: 0, occupied_s: 86_400 },
    ]);
  });

  it('station_local_days: 23 and 25 hours long when clocks are changed', async () => {
    expect(await ask(`SELECT toString(day) AS day, energy_wh, occupied_s, time_zone FROM {database}.station_local_days WHERE station_id = 's1' ORDER BY day`)).toEqual([
      { day: '2018-03-25', energy_wh: 2300, occupied_s: 23 * 3600, time_zone: 'Europe/London' },
      { day: '2018-03-26', energy_wh: 100, occupied_s: 3600, time_zone: 'Europe/London' },
      { day: '2018-10-28', energy_wh: 2500, occupied_s: 25 * 3600, time_zone: 'Europe/London' },
    ]);
    // Quarters of an hour where the clock is not whole hours from UTC.
    expect(await ask(`SELECT toString(day) AS day, energy_wh, occupied_s, toInt32(sessions_ended) AS ended, time_zone FROM {database}.station_local_days WHERE station_id = 'east' ORDER BY day`)).toEqual([
      { day: '2018-03-25', energy_wh: 750, occupied_s: 75 * 60, ended: 1, time_zone: 'Asia/Kathmandu' },
      { day: '2018-03-26', energy_wh: 450, occupied_s: 45 * 60, ended: 0, time_zone: 'Asia/Kathmandu' },
    ]);
    expect(await ask(`SELECT toString(day) AS day, energy_wh, time_zone FROM {database}.station_local_days WHERE station_id = 'far'`))
      .toEqual([{ day: '2018-03-25', energy_wh: 500, time_zone: 'UTC' }]);
  });

  it('by site, city and operator: energy and times add up; peaks say whose they are', async () => {
    const at = "hour = '2018-03-25 10:00:00'";
    expect(await ask(`SELECT site_id, toUInt32(stations) AS stations, energy_wh, mean_power_w, highest_station_peak_w, round(sum_of_station_peaks_w) AS sum_of_peaks_w, occupied_s
      FROM {database}.site_hours WHERE ${at} ORDER BY site_id`)).toEqual([
      { site_id: 'Other site', stations: 1, energy_wh: 500, mean_power_w: 500, highest_station_peak_w: 1000.02, sum_of_peaks_w: 1000, occupied_s: 1800 },
      { site_id: 'Site', stations: 2, energy_wh: 2100, mean_power_w: 2100, highest_station_peak_w: 3000, sum_of_peaks_w: 3100, occupied_s: 7200 },
    ]);
    for (const [view, dimension] of [['city_hours', 'city'], ['operator_hours', 'operator']] as const) {
      expect(await ask(`SELECT ${dimension} AS name, energy_wh, charging_s FROM {database}.${view} WHERE ${at}`), view)
        .toEqual([{ name: dimension === 'city' ? 'City' : 'Operator', energy_wh: 2600, charging_s: 3600 + 2400 + 1800 }]);
    }
    for (const [view, dimension] of [['site_days', 'site_id'], ['city_days', 'city'], ['operator_days', 'operator']] as const) {
      expect(await ask(`SELECT sum(view.energy_wh) AS energy_wh, toUInt32(countDistinct(${dimension})) AS names FROM {database}.${view} AS view`), view)
        .toEqual([{ energy_wh: 8600, names: view === 'site_days' ? 2 : 1 }]);
    }
  });
});

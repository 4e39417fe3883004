import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';

/**
 * Sums of months (session_hours and its like) give the same answers as the sessions, before they were ever made, made, and out of date. What they
 * must say is asked of charging_sessions here, in other words than the views'.
 */
const folder = mkdtempSync(join(tmpdir(), 'voltstream-sums-'));
const warehouse = new ChdbWarehouse({ folder });
const sums = ['session_hours', 'session_months', 'session_flag_months', 'visit_months'] as const;

beforeAll(async () => {
  await warehouse.open();
  await migrate(warehouse, { folder: import.meta.dirname, database: 'db' });
});

afterAll(async () => {
  await warehouse.close();
  rmSync(folder, { recursive: true });
});

/** Sessions `from` to `to` (five an hour from 1 January 2024 on), each with its number plus `wh` as energy; one in seven has none. */
async function insert(from: number, to: number, version: number, wh: number, inserted: string): Promise<void> {
  await warehouse.command(`
    INSERT INTO db.charging_sessions (station_id, opened_time, session_id, revision, start_time, stop_time, utc_offset_seconds, complete, closed_by, evse_id, connector_id,
      site_id, city, region, country, operator, time_zone, tariff_id, currency, cost_minor, energy_wh, charging_ms, idle_ms, flags, successful, event_count,
      duplicates, sequence_gaps, cost_flags, _version, _batch, _inserted)
    SELECT concat('s', toString(number % 11)), toDateTime64('2024-01-01 00:00:00', 3, 'UTC') + number * 720 AS opened, toString(number), ${version},
      opened - 60 * ${version}, if(number % 5 = 0, NULL, opened + number % 7000), 3600, true, 'TransactionEnded', number % 3, 1,
      'site', if(number % 11 < 6, 'A', 'B'), '', '', 'o', 'Europe/Berlin', if(number % 2 = 0, NULL, 't'), if(number % 3 = 0, NULL, 'EUR'),
      if(number % 3 = 0 OR number % 7 = 0, NULL, number), if(number % 7 = 0, NULL, number + ${wh}), number, if(number % 4 = 0, NULL, 1), if(number % 10 < 2, ['a', 'b'], []),
      number % 6 != 0, 3, 0, 0, [], ${version}, 'b', ${inserted} FROM numbers(${from}, ${to - from})`);
  await warehouse.command(`
    INSERT INTO db.charging_visits (site_id, id_token, opened_time, visit_id, station_id, city, operator, start_time, utc_offset_seconds, attempts, successes, successful,
      first_attempt_successful, energy_wh, session_ids, _version, _batch, _inserted)
    SELECT site_id, 'k', opened_time, session_id, station_id, city, operator, start_time, 3600, toUInt64(session_id) % 4 * (1 - ${version} % 2), 1, successful, evse_id = 1, 0, [],
      ${version}, 'b', ${inserted} FROM db.charging_sessions WHERE _version = ${version} AND toUInt64(session_id) >= ${from} AND toUInt64(session_id) < ${to}`);
}

const asked: Readonly<Record<(typeof sums)[number], readonly [string, string]>> = {
  session_hours: [
    `SELECT toString(local_day) AS day, hour, currency, sum(sessions) AS n, sum(energy_wh) AS wh, sum(revenue_minor) AS minor, sum(unpriced_sessions) AS unpriced
     FROM db.session_hours_now GROUP BY ALL ORDER BY ALL`,
    `SELECT toString(toDate(start_time + INTERVAL 1 HOUR)) AS day, toHour(start_time + INTERVAL 1 HOUR) AS hour, coalesce(currency, '') AS currency, count() AS n,
       sum(coalesce(energy_wh, 0)) AS wh, sum(coalesce(cost_minor, 0)) AS minor, count() - count(cost_minor) AS unpriced
     FROM db.charging_sessions FINAL GROUP BY ALL ORDER BY ALL`,
  ],
  session_months: [
    `SELECT station_id, tariff_id, currency, sum(sessions) AS n, sum(energy_wh) AS wh, sum(stay_ms) AS stay, sum(sessions_with_stay) AS stays, sum(idle_ms) AS idle,
       sum(sessions_with_idle) AS idles, arraySort(groupUniqArrayArray(places_used)) AS places, min(first_start) AS first, max(last_start) AS last, max(last_used) AS used,
       sum(priced_minor) AS minor, sum(sessions_priced) AS priced, sum(priced_energy_wh) AS priced_wh
     FROM db.session_months_now GROUP BY ALL ORDER BY ALL`,
    `SELECT station_id, coalesce(tariff_id, '') AS tariff_id, coalesce(s.currency, '') AS currency, count() AS n, sum(coalesce(energy_wh, 0)) AS wh,
       sum(coalesce(dateDiff('millisecond', start_time, stop_time), 0)) AS stay, count(stop_time) AS stays, sum(coalesce(idle_ms, 0)) AS idle, count(idle_ms) AS idles,
       arraySort(groupUniqArray(evse_id)) AS places, min(start_time) AS first, max(start_time) AS last, max(coalesce(stop_time, start_time)) AS used,
       sum(if(energy_wh IS NULL OR cost_minor IS NULL, 0, cost_minor)) AS minor, countIf(energy_wh IS NOT NULL AND cost_minor IS NOT NULL) AS priced,
       sum(if(energy_wh IS NULL OR cost_minor IS NULL, 0, energy_wh)) AS priced_wh
     FROM db.charging_sessions AS s FINAL GROUP BY ALL ORDER BY ALL`,
  ],
  session_flag_months: [
    'SELECT flag, sum(sessions) AS n FROM db.session_flag_months_now GROUP BY flag ORDER BY flag',
    `SELECT arrayJoin(if(empty(flags), [''], flags)) AS flag, count() AS n FROM db.charging_sessions FINAL GROUP BY flag ORDER BY flag`,
  ],
  visit_months: [
    `SELECT toString(local_month) AS month, station_id, city, sum(visits) AS n, sum(visit_attempts) AS attempts, sum(successful_visits) AS successes, sum(first_time_visits) AS first
     FROM db.visit_months_now GROUP BY ALL ORDER BY ALL`,
    `SELECT toString(toStartOfMonth(toDate(start_time + INTERVAL 1 HOUR))) AS month, station_id, city, count() AS n, sum(v.attempts) AS attempts, sum(successful) AS successes,
       sum(first_attempt_successful) AS first
     FROM db.charging_visits AS v FINAL WHERE v.attempts != 0 GROUP BY ALL ORDER BY ALL`,
  ],
};

async function expectAnswers(): Promise<void> {
  for (const [said, wanted] of Object.values(asked)) expect(await warehouse.query(said)).toEqual(await warehouse.query(wanted));
}

async function make(): Promise<void> {
  for (const name of sums) {
    await warehouse.command(`SYSTEM REFRESH VIEW db.${name}_made`);
    await warehouse.command(`SYSTEM WAIT VIEW db.${name}_made`);
  }
}

async function monthsThatHold(name: string): Promise<readonly string[]> {
  const rows = await warehouse.query<{ readonly months: readonly string[] }>(`SELECT arraySort(months) AS months FROM db.${name}_hold`);
  return rows[0]?.months ?? [];
}

const longAgo = "toDateTime64('2024-06-01 00:00:00', 3, 'UTC')";
const days = (count: number): number => count * 120;

describe('sums of months', () => {
  it('are right while they are empty', async () => {
    await expectAnswers();
    await insert(0, days(100), 0, 0, longAgo);
    await expectAnswers();
    for (const name of sums) expect(await monthsThatHold(name)).toEqual([]);
  });

  it('are right when they were made, and stand for all months', async () => {
    await make();
    for (const name of sums) expect(await monthsThatHold(name)).toEqual(['202401', '202402', '202403', '202404']);
    await expectAnswers();
  });

  it('give way to the sessions of those months into which something was inserted since', async () => {
    await insert(days(35), days(36), 1, 500, "now64(3, 'UTC')");
    await insert(days(100), days(130), 0, 0, "now64(3, 'UTC')");
    for (const name of sums) expect(await monthsThatHold(name)).toEqual(['202401', '202403']);
    await expectAnswers();
  });

  it('do not stand for months of inserts that may have been under way when they were made', async () => {
    await make();
    for (const name of sums) expect(await monthsThatHold(name)).toEqual(['202401', '202403']);
    await expectAnswers();
  });

  it('give the recent sessions, in whatever months they lie', async () => {
    const recent = await warehouse.query<{ readonly session_id: string }>('SELECT session_id FROM db.recent_sessions');
    expect(recent.map(({ session_id }) => Number(session_id))).toEqual(Array.from({ length: 100 }, (_, index) => days(130) - 1 - index));
  });
});

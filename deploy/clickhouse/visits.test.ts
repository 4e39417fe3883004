import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutCost } from '../../charging/cost/price-session.ts';
import { liveSessionsTable, liveTableRow, sessionsTable, sessionTableRow } from '../../charging/session-tables.ts';
import type { SessionRow } from '../../charging/stitching/session-row.ts';
import { hours, minutes, ten } from '../../charging/testing/events.ts';
import { finalRow, liveRow } from '../../charging/testing/session-rows.ts';
import { groupAttempts, noVisit, visitOf } from '../../charging/visits/group-attempts.ts';
import { attemptOf } from '../../charging/visits/visit-attempt.ts';
import { visitsTable, visitTableRow } from '../../charging/visits/visit-table.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../runtime/sinks/clickhouse/row-buffer.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import type { TableDefinition } from '../../topology/sink.ts';

const database = 'voltstream';
const cost = withoutCost({ tariffId: null, currency: null }, 'no-tariff');

/** Months of attempts: station, driver, begin in minutes, energy in Wh. */
const sessions: readonly SessionRow[] = [
  ['s1', 'anna', 0, 0], ['s2', 'anna', 5, 9_000], ['s1', 'ben', 100, 7_000], ['s2', 'ben', 200, 100], ['s1', null, 300, null], ['s2', 'ben', 60 * 24 * 40, 100.5],
  // Half past eleven in the evening of 31 May in UTC is June in London.
  ['s2', 'carl', (Date.UTC(2018, 4, 31, 23, 30) - ten) / 60_000, 0],
].map(([stationId, idToken, minute, energyWh], index) => finalRow({
  sessionId: `x${index}`, stationId: String(stationId), idToken: idToken as string | null, startMs: ten + minutes(Number(minute)), stopMs: ten + minutes(Number(minute) + 2),
  energyWh: energyWh as number | null, operator: stationId === 's1' ? 'One' : 'Two',
}));

describe('views on visits and live sessions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-visits-'));
  const warehouse = new ChdbWarehouse({ folder });
  let pieces = 0;

  async function insert<Row>(table: TableDefinition<Row>, rows: readonly Row[]): Promise<void> {
    const encode = rowEncoder<Row>(table.columns);
    const buffer = new RowBuffer();
    for (const row of rows) {
      encode(row, buffer);
      writeRowVersion(buffer, 1, ++pieces);
      const piece = sealedPiece(table.partitionOf(row), [buffer.take()], new Uint8Array(16).fill(pieces));
      await new PieceDelivery({ warehouse, table }).deliver([piece], { mayBePresent: false });
    }
  }

  beforeAll(async () => {
    await warehouse.open();
    await migrate(warehouse, { folder: import.meta.dirname, database });
    await insert(sessionsTable(database), [
      ...sessions.map((session) => sessionTableRow({ session: { ...session, energyWh: 0 }, vehicle: null, cost })),
      ...sessions.map((session) => sessionTableRow({ session: { ...session, revision: 1 }, vehicle: null, cost })),
    ]);
    const byToken = Map.groupBy(sessions, ({ idToken, sessionId }) => idToken ?? sessionId);
    const visits = [...byToken.values()].flatMap((own) => groupAttempts(own.map(attemptOf), 600_000, 100).map((attempts) => visitOf('Site', own[0]?.idToken ?? null, attempts)));
    const [second] = sessions.slice(1).map(attemptOf);
    const former = second === undefined ? [] : [visitOf('Site', 'anna', [second]), noVisit('Site', 'anna', second, 'x0')];
    await insert(visitsTable(database), [...former, ...visits].map(visitTableRow));
  }, 60_000);

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  const rates = (where: string): Promise<readonly Record<string, unknown>[]> => warehouse.query(
    `SELECT toString(month) AS month, station_id, site_id, city, operator, toUInt32(attempts) AS attempts, round(attempt_rate, 4) AS attempt_rate,
       toUInt32(visits) AS visits, round(visit_rate, 4) AS visit_rate, round(first_time_rate, 4) AS first_time_rate, attempts_per_visit
     FROM ${database}.success_rates WHERE ${where} ORDER BY month, station_id, operator`);

  it('say how many attempts and visits succeeded in a month', async () => {
    // In May: x1 and x2 of five attempts; visits anna (x0, x1), ben (x2), ben (x3), and x4 of nobody.
    expect(await rates(`dimension = 'all'`)).toEqual([
      { month: '2018-05-01', station_id: '', site_id: '', city: '', operator: '', attempts: 5, attempt_rate: 0.4, visits: 4, visit_rate: 0.5, first_time_rate: 0.25, attempts_per_visit: 1.25 },
      { month: '2018-06-01', station_id: '', site_id: '', city: '', operator: '', attempts: 2, attempt_rate: 0.5, visits: 2, visit_rate: 0.5, first_time_rate: 0.5, attempts_per_visit: 1 },
    ]);
  });

  it('count an attempt where it was, and a visit where it began', async () => {
    expect(await rates(`dimension = 'station' AND month = '2018-05-01'`)).toMatchObject([
      { station_id: 's1', attempts: 3, attempt_rate: 0.3333, visits: 3, visit_rate: 0.6667, first_time_rate: 0.3333 },
      { station_id: 's2', attempts: 2, attempt_rate: 0.5, visits: 1, visit_rate: 0 },
    ]);
    expect(await rates(`dimension = 'operator' AND month = '2018-05-01'`)).toMatchObject([{ operator: 'One', attempts: 3 }, { operator: 'Two', attempts: 2 }]);
    for (const [dimension, column, name] of [['site', 'site_id', 'Site'], ['city', 'city', 'City']] as const) {
      expect(await rates(`dimension = '${dimension}' AND month = '2018-05-01'`)).toMatchObject([{ [column]: name, attempts: 5, visits: 4 }]);
    }
  });

  it('show sessions under way, and no longer when they have ended', async () => {
    const table = liveSessionsTable(database);
    const [going, over] = [liveRow({ sessionId: 'going' }), liveRow({ sessionId: 'over' })];
    await insert(table, [going, over].map((session) => liveTableRow({ session, vehicle: null, cost }, 's1', ten + minutes(5))));
    const now = `SELECT session_id, energy_wh FROM ${database}.sessions_now ORDER BY session_id`;
    expect(await warehouse.query(now)).toHaveLength(2);
    await insert(table, [
      liveTableRow({ session: { ...going, energyWh: 12_000 }, vehicle: null, cost }, 's1', ten + minutes(9)),
      liveTableRow({ session: finalRow({ sessionId: 'over' }), vehicle: null, cost }, 's1', ten + hours(2)),
    ]);
    expect(await warehouse.query(now)).toEqual([{ session_id: 'going', energy_wh: 12_000 }]);
    expect(await warehouse.query(`SELECT open, closed_by FROM ${database}.live_sessions FINAL WHERE session_id = 'over'`)).toEqual([{ open: false, closed_by: 'TransactionEnded' }]);
  });
});

import type { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { networkStatements } from './network.ts';
import type { NetworkOptions } from './network.ts';
import { insertSelect, sessionColumns, sessionFacts, slotPlan, statusColumns, visitColumns } from './sessions.ts';
import type { SlotPlan } from './sessions.ts';

type Log = (line: string) => void;

/** Sessions of one INSERT, by what the engine's memory holds of wide rows; the newest come in smaller ones. */
const sessionsPerInsert = 90_000;
const tables = ['charging_sessions', 'charging_visits', 'connector_status'];
/** Months whose parts are left as they were inserted, revisions and all: what is still being merged in a live system. */
const unmergedMonths = 2;

/** Fills the shipped tables, which must be there and empty, with merges stopped. Months are merged but for the last two. */
export async function generate(warehouse: ChdbWarehouse, options: NetworkOptions, log: Log): Promise<void> {
  for (const statement of networkStatements(options)) await warehouse.command(statement);
  const [row] = await warehouse.query<{ readonly connectors: string }>('SELECT count() AS connectors FROM bench.connectors');
  const plan = slotPlan(options, Number(row?.connectors ?? 0));
  log(`${options.stations} stations, ${plan.connectors} connectors, one session each ${(plan.slotMs / 86_400_000).toFixed(2)} days`);
  await generateSessions(warehouse, options, plan, log);
  const places = 'station_id, evse_id, connector_id';
  await warehouse.command(`INSERT INTO voltstream.connectors_now
      (${places}, first_time, since, status, online, error_code, source, transaction_id, site_id, city, operator, _version, _batch, _inserted)
    SELECT ${places}, fromUnixTimestamp64Milli(toInt64(${plan.fromMs}), 'UTC'), max(from_time) AS since, argMax(status, from_time), argMax(online, from_time),
      argMax(error_code, from_time), 'transaction', NULL, any(site_id), any(city), any(operator), 1, 'bench', max(from_time)
    FROM voltstream.connector_status WHERE from_time > fromUnixTimestamp64Milli(${options.untilMs - 30 * 86_400_000}) GROUP BY ${places}`);
  const columns = `${places}, from_time, to_time, status, online, error_code, source, transaction_id, site_id, city, operator, _version, _batch, _inserted`;
  await warehouse.command(`INSERT INTO voltstream.connector_outages (${columns}) SELECT ${columns} FROM voltstream.connector_status WHERE status = 'Faulted' OR NOT online`);
}

async function generateSessions(warehouse: ChdbWarehouse, options: NetworkOptions, plan: SlotPlan, log: Log): Promise<void> {
  const total = plan.slots * plan.connectors;
  let step = 0;
  let merged = false;
  for (let first = 0; first < total; first += step) {
    const begunMs = plan.fromMs + Math.floor(first / plan.connectors) * plan.slotMs;
    const recent = options.untilMs - begunMs < (unmergedMonths + 1) * 31 * 86_400_000;
    if (recent && !merged) for (const table of tables) await mergeParts(warehouse, table);
    merged ||= recent;
    step = Math.min(recent ? sessionsPerInsert / 3 : sessionsPerInsert, total - first);
    const facts = sessionFacts(plan, first, step, options.untilMs);
    await warehouse.command(insertSelect('charging_sessions', sessionColumns(0), facts));
    // Three in a hundred come again, corrected.
    await warehouse.command(insertSelect('charging_sessions', sessionColumns(1), facts, 'WHERE n % 33 = 0'));
    await warehouse.command(insertSelect('charging_visits', visitColumns, facts, 'WHERE n % 10 != 1'));
    for (const occupied of [true, false]) await warehouse.command(insertSelect('connector_status', statusColumns(occupied, options.untilMs), facts));
    if (!recent && (first / step) % 10 === 9) log(`${Math.round((first / total) * 100)} % of the sessions`);
  }
}

/** Makes each partition one part, as months are that nothing was inserted into for a while. */
async function mergeParts(warehouse: ChdbWarehouse, table: string): Promise<void> {
  const partitions = await warehouse.query<{ readonly partition_id: string }>(
    `SELECT DISTINCT partition_id FROM system.parts WHERE active AND database = 'voltstream' AND table = '${table}' ORDER BY 1`,
  );
  await warehouse.command(`SYSTEM START MERGES voltstream.${table}`);
  for (const { partition_id: id } of partitions) await warehouse.command(`OPTIMIZE TABLE voltstream.${table} PARTITION ID '${id}' FINAL`);
  await warehouse.command(`SYSTEM STOP MERGES voltstream.${table}`);
}

import { offsetSecondsAt } from '../cost/zone-offsets.ts';
import type { ColumnType, TableDefinition } from '../engine.ts';
import { monthOf, storableMs } from '../month-partition.ts';
import type { Visit } from './visit.ts';
import { text, time } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

const visitColumns = {
  site_id: text, id_token: 'String', opened_time: time, visit_id: 'String', station_id: 'String', city: text, operator: text, start_time: time,
  stop_time: `Nullable(${time})`, utc_offset_seconds: 'Int32', attempts: 'UInt32', successes: 'UInt32', successful: 'Bool', first_attempt_successful: 'Bool', energy_wh: 'Float64',
  session_ids: 'Array(String)', merged_into: 'Nullable(String)',
} as const satisfies Readonly<Record<string, ColumnType>>;
export type VisitTableRow = TableRow<typeof visitColumns>;

/** The table of visits, as `deploy/clickhouse/` creates it. */
export function visitsTable(database: string): TableDefinition<VisitTableRow> {
  return { database, table: 'charging_visits', columns: visitColumns, partitionOf: (row) => monthOf(row.opened_time) };
}

export function visitTableRow(visit: Visit): VisitTableRow {
  return {
    site_id: visit.siteId ?? '', id_token: visit.idToken ?? '', opened_time: storableMs(visit.openedMs), visit_id: visit.visitId,
    station_id: visit.stationId, city: visit.city ?? '', operator: visit.operator ?? '', start_time: storableMs(visit.startMs),
    stop_time: visit.stopMs === null ? null : storableMs(visit.stopMs), utc_offset_seconds: offsetSecondsAt(visit.timeZone, storableMs(visit.startMs)),
    attempts: visit.attempts, successes: visit.successes,
    successful: visit.successful, first_attempt_successful: visit.firstAttemptSuccessful, energy_wh: visit.energyWh,
    session_ids: visit.sessionIds, merged_into: visit.mergedInto,
  };
}

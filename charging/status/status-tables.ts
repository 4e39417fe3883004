import type { OutageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import type { ColumnType, TableDefinition } from '../engine.ts';
import { monthOf, storableMs } from '../month-partition.ts';
import type { ConnectorInterval } from './connector-interval.ts';
import type { ConnectorNow } from './connector-now.ts';
import { text, time } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

const standing = {
  status: text, online: 'Bool', error_code: 'LowCardinality(Nullable(String))', source: text, transaction_id: 'Nullable(String)',
  site_id: text, city: text, operator: text,
} as const;

const intervalColumns = {
  station_id: 'String', evse_id: 'Int32', connector_id: 'Int32', from_time: time, to_time: time, ...standing,
} as const satisfies Readonly<Record<string, ColumnType>>;
export type ConnectorStatusTableRow = TableRow<typeof intervalColumns>;

const nowColumns = { station_id: 'String', evse_id: 'Int32', connector_id: 'Int32', first_time: time, since: time, ...standing, stay_transaction_id: 'Nullable(String)' } as const satisfies Readonly<Record<string, ColumnType>>;
export type ConnectorsNowTableRow = TableRow<typeof nowColumns>;

const exclusionColumns = {
  exclusion_id: 'String', station_id: 'Nullable(String)', evse_id: 'Nullable(Int32)', site_id: 'Nullable(String)', operator: 'Nullable(String)',
  from_time: time, to_time: `Nullable(${time})`, reason: text, note: 'Nullable(String)', withdrawn: 'Bool', valid_from: time,
} as const satisfies Readonly<Record<string, ColumnType>>;
export type OutageExclusionTableRow = TableRow<typeof exclusionColumns>;

export interface StatusTables {
  readonly connectorStatus: TableDefinition<ConnectorStatusTableRow>;
  /** Those of the intervals in which the connector could not be used (`isUsable`), for uptime. */
  readonly connectorOutages: TableDefinition<ConnectorStatusTableRow>;
  readonly connectorsNow: TableDefinition<ConnectorsNowTableRow>;
  readonly outageExclusions: TableDefinition<OutageExclusionTableRow>;
}

/** The tables of statuses, as `deploy/clickhouse/0006-connector-status.sql` creates them. */
export function statusTables(database: string): StatusTables {
  return {
    connectorStatus: { database, table: 'connector_status', columns: intervalColumns, partitionOf: (row) => monthOf(row.from_time) },
    connectorOutages: { database, table: 'connector_outages', columns: intervalColumns, partitionOf: () => '' },
    connectorsNow: { database, table: 'connectors_now', columns: nowColumns, partitionOf: () => '', versions: 'by clock' },
    outageExclusions: { database, table: 'outage_exclusions', columns: exclusionColumns, partitionOf: () => '' },
  };
}

export function connectorStatusRow(interval: ConnectorInterval): ConnectorStatusTableRow {
  return {
    station_id: interval.stationId, evse_id: interval.evseId, connector_id: interval.connectorId, from_time: interval.fromMs, to_time: interval.toMs,
    status: interval.status, online: interval.online, error_code: interval.errorCode, source: interval.source, transaction_id: interval.transactionId,
    site_id: interval.siteId ?? '', city: interval.city ?? '', operator: interval.operator ?? '',
  };
}

export function connectorsNowRow(now: ConnectorNow): ConnectorsNowTableRow {
  return {
    station_id: now.stationId, evse_id: now.evseId, connector_id: now.connectorId, first_time: now.firstMs, since: now.sinceMs, status: now.status, online: now.online,
    error_code: now.errorCode, source: now.source, transaction_id: now.transactionId, stay_transaction_id: now.stayTransactionId, site_id: now.siteId ?? '', city: now.city ?? '',
    operator: now.operator ?? '',
  };
}

export function outageExclusionRow(exclusion: OutageExclusion): OutageExclusionTableRow {
  return {
    exclusion_id: exclusion.exclusionId, station_id: exclusion.stationId, evse_id: exclusion.evseId, site_id: exclusion.siteId,
    operator: exclusion.operator, from_time: storableMs(exclusion.fromMs), to_time: exclusion.toMs === null ? null : storableMs(exclusion.toMs), reason: exclusion.reason,
    note: exclusion.note, withdrawn: exclusion.withdrawn, valid_from: storableMs(exclusion.validFromMs),
  };
}

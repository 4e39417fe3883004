import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import type { DeadLetter, RecordOrigin, TableDefinition } from './engine.ts';
import { monthOf, storableMs } from './month-partition.ts';
import { eventTimeOf } from './session-event.ts';
import { liveSessionsTable, sessionsTable } from './session-tables.ts';
import type { LiveTableRow, SessionTableRow } from './session-tables.ts';
import { loadTables } from './load/load-tables.ts';
import type { LoadTables } from './load/load-tables.ts';
import { statusTables } from './status/status-tables.ts';
import type { StatusTables } from './status/status-tables.ts';
import { visitsTable } from './visits/visit-table.ts';
import type { VisitTableRow } from './visits/visit-table.ts';
import { optionalText, text, time } from './table-columns.ts';
import type { TableRow } from './table-columns.ts';

export type { LiveTableRow, SessionTableRow } from './session-tables.ts';
export type { VisitTableRow } from './visits/visit-table.ts';

const eventColumns = {
  station_id: 'String', event_time: time, topic: text, partition: 'UInt32', offset: 'UInt64', event_id: 'String', type: text,
  evse_id: 'Int32', connector_id: 'Int32', timestamp_ms: 'Int64', received_ms: 'Nullable(Int64)',
  transaction_id: 'Nullable(String)', seq_no: 'Nullable(Int32)', offline: 'Bool', id_token: 'Nullable(String)',
  partner: optionalText, vehicle_model: optionalText, meter_wh: 'Nullable(Float64)', meter_export_wh: 'Nullable(Float64)',
  power_w: 'Nullable(Float64)', soc: 'Nullable(Float64)', charging_state: optionalText, status: optionalText,
  error_code: optionalText, trigger_reason: optionalText, stop_reason: optionalText, edition: 'Int32',
} as const;
export type EventTableRow = TableRow<typeof eventColumns>;

const deadLetterColumns = {
  topic: text, partition: 'UInt32', offset: 'UInt64', step: text, number: 'UInt32', stage: text, reason: text, error: 'String', record_time: time,
  key: 'Nullable(String)', value: 'Nullable(String)', value_bytes: 'UInt64', header_keys: 'Array(String)', header_values: 'Array(String)',
} as const;
export type DeadLetterTableRow = TableRow<typeof deadLetterColumns>;

const lateColumns = {
  topic: text, partition: 'UInt32', offset: 'UInt64', step: text, number: 'UInt32', key: 'String', record_time: time,
  station_id: text, event_id: 'String', energy_wh: 'Float64', value: 'String',
} as const;
export type LateTableRow = TableRow<typeof lateColumns>;

/** Something that came too late for the step that wanted it. */
export interface LateRecord {
  readonly step: string;
  /** Tells apart what one record left behind in one step. */
  readonly number: number;
  readonly stationId: string;
  readonly eventId: string;
  readonly energyWh: number;
  /** The whole of it as JSON. */
  readonly json: string;
}

export interface ChargingTables extends LoadTables, StatusTables {
  readonly events: TableDefinition<EventTableRow>;
  readonly sessions: TableDefinition<SessionTableRow>;
  readonly live: TableDefinition<LiveTableRow>;
  readonly visits: TableDefinition<VisitTableRow>;
  readonly deadLetters: TableDefinition<DeadLetterTableRow>;
  readonly late: TableDefinition<LateTableRow>;
}

export function chargingTables(database: string): ChargingTables {
  const notPartitioned = () => '';
  return {
    events: { database, table: 'charging_events', columns: eventColumns, partitionOf: (row) => monthOf(row.event_time) },
    sessions: sessionsTable(database),
    live: liveSessionsTable(database),
    visits: visitsTable(database),
    ...loadTables(database),
    ...statusTables(database),
    deadLetters: { database, table: 'dead_letters', columns: deadLetterColumns, partitionOf: notPartitioned },
    late: { database, table: 'late_records', columns: lateColumns, partitionOf: notPartitioned },
  };
}

/** A raw event as it came. Where its time is absurd, the log's timestamp sorts it. */
export function eventRow(event: ChargingEvent, _key: string, _timestampMs: number, origin: RecordOrigin): EventTableRow {
  const found = eventTimeOf(event);
  return {
    station_id: event.stationId, event_time: storableMs(found.kind === 'unknown' ? origin.timestampMs : found.ms),
    topic: origin.topic, partition: origin.partition, offset: origin.offset, event_id: event.eventId, type: event.type,
    evse_id: event.evseId, connector_id: event.connectorId, timestamp_ms: event.timestampMs, received_ms: event.receivedMs,
    transaction_id: event.transactionId, seq_no: event.seqNo, offline: event.offline, id_token: event.idToken,
    partner: event.partner, vehicle_model: event.vehicleModel, meter_wh: event.meterWh, meter_export_wh: event.meterExportWh,
    power_w: event.powerW, soc: event.soc, charging_state: event.chargingState, status: event.status,
    error_code: event.errorCode, trigger_reason: event.triggerReason, stop_reason: event.stopReason, edition: event.edition,
  };
}

/** Bytes of a dead letter's value that the table keeps; the whole length stands beside them. */
export const deadLetterBytesMax = 65_536;

/** A letter that is no input record's (an empty topic) has the offset 0 there, and its key and value are JSON text. */
export function deadLetterRow(letter: DeadLetter): DeadLetterTableRow {
  return {
    topic: letter.topic, partition: letter.partition, offset: Math.max(letter.offset, 0), step: letter.step, number: letter.index, stage: letter.stage,
    reason: letter.reason, error: letter.message, record_time: storableMs(letter.timestampMs), key: letter.key,
    value: letter.value?.subarray(0, deadLetterBytesMax) ?? null, value_bytes: letter.value?.length ?? 0,
    header_keys: letter.headers.map((header) => header.key),
    header_values: letter.headers.map((header) => header.value),
  };
}

/** What came late of no input record (its topic is empty: idle sources) has the time that it came at for an offset. */
export function lateRow(late: LateRecord, key: string, timestampMs: number, origin: RecordOrigin): LateTableRow {
  return {
    topic: origin.topic, partition: Math.max(origin.partition, 0), offset: origin.offset < 0 ? storableMs(origin.timestampMs) : origin.offset, step: late.step, number: late.number, key,
    record_time: storableMs(timestampMs), station_id: late.stationId, event_id: late.eventId, energy_wh: late.energyWh,
    value: late.json,
  };
}

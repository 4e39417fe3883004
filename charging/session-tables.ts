import { offsetSecondsAt } from './cost/zone-offsets.ts';
import type { PricedSessionRow } from './cost/priced-session-row.ts';
import type { TableDefinition } from './engine.ts';
import { monthOf, storableMs } from './month-partition.ts';
import { isSuccessful } from './visits/successful-attempt.ts';
import { optionalText, text, time } from './table-columns.ts';
import type { TableRow } from './table-columns.ts';

const sessionColumns = {
  station_id: 'String', opened_time: time, session_id: 'String', revision: 'UInt32', start_time: time, stop_time: `Nullable(${time})`,
  utc_offset_seconds: 'Int32', complete: 'Bool', closed_by: text, evse_id: 'Int32', connector_id: 'Int32', transaction_id: 'Nullable(String)',
  id_token: 'Nullable(String)', site_id: text, city: text, region: text, country: text, operator: text, time_zone: text,
  connector_standard: optionalText, current: optionalText, power_max_w: 'Nullable(Float64)', partner: optionalText, vehicle_model: optionalText,
  vehicle_class: optionalText, vehicle_battery_wh: 'Nullable(Float64)', energy_wh: 'Nullable(Float64)', register_wh: 'Nullable(Float64)',
  export_wh: 'Nullable(Float64)', charging_ms: 'Nullable(Int64)', idle_ms: 'Nullable(Int64)', mean_power_w: 'Nullable(Float64)',
  peak_power_w: 'Nullable(Float64)', soc_from: 'Nullable(Float64)', soc_to: 'Nullable(Float64)', successful: 'Bool', stop_reason: optionalText,
  flags: `Array(${text})`, event_count: 'UInt32', duplicates: 'UInt32', sequence_gaps: 'UInt32', tariff_id: optionalText, currency: optionalText,
  cost_minor: 'Nullable(Int64)', start_fee_minor: 'Nullable(Int64)', energy_cost_minor: 'Nullable(Int64)', charging_cost_minor: 'Nullable(Int64)',
  idle_cost_minor: 'Nullable(Int64)', cost_flags: `Array(${text})`,
} as const;
export type SessionTableRow = TableRow<typeof sessionColumns>;

const liveColumns = {
  station_id: 'String', session_id: 'String', open: 'Bool', updated_time: time, start_time: time, stop_time: `Nullable(${time})`, closed_by: text,
  evse_id: 'Int32', connector_id: 'Int32', transaction_id: 'Nullable(String)', id_token: 'Nullable(String)', site_id: text, city: text, region: text,
  country: text, operator: text, connector_standard: optionalText, current: optionalText, power_max_w: 'Nullable(Float64)', partner: optionalText,
  vehicle_model: optionalText, vehicle_class: optionalText, vehicle_battery_wh: 'Nullable(Float64)', energy_wh: 'Nullable(Float64)',
  charging_ms: 'Nullable(Int64)', idle_ms: 'Nullable(Int64)', mean_power_w: 'Nullable(Float64)', peak_power_w: 'Nullable(Float64)',
  soc_from: 'Nullable(Float64)', soc_to: 'Nullable(Float64)', flags: `Array(${text})`, event_count: 'UInt32', tariff_id: optionalText,
  currency: optionalText, cost_minor: 'Nullable(Int64)', cost_flags: `Array(${text})`,
} as const;
export type LiveTableRow = TableRow<typeof liveColumns>;

/** Sessions that have ended, by the month in which their first event was. */
export function sessionsTable(database: string): TableDefinition<SessionTableRow> {
  return { database, table: 'charging_sessions', columns: sessionColumns, partitionOf: (row) => monthOf(row.opened_time) };
}

/** Sessions under way, and how they ended. */
export function liveSessionsTable(database: string): TableDefinition<LiveTableRow> {
  return { database, table: 'live_sessions', columns: liveColumns, partitionOf: () => '', versions: 'by clock' };
}

/** A final row of a session; live ones (revision -1) have a table of their own. */
export function sessionTableRow({ session, vehicle, cost }: PricedSessionRow): SessionTableRow {
  return {
    station_id: session.stationId, opened_time: storableMs(session.openedMs), session_id: session.sessionId, revision: session.revision,
    start_time: storableMs(session.startMs), stop_time: session.stopMs === null ? null : storableMs(session.stopMs),
    utc_offset_seconds: offsetSecondsAt(session.timeZone, storableMs(session.startMs)), complete: session.complete, closed_by: session.closedBy,
    evse_id: session.evseId, connector_id: session.connectorId, transaction_id: session.transactionId, id_token: session.idToken,
    site_id: session.siteId ?? '', city: session.city ?? '', region: session.region ?? '', country: session.country ?? '',
    operator: session.operator ?? '', time_zone: session.timeZone ?? '', connector_standard: session.connectorStandard, current: session.current,
    power_max_w: session.powerMaxW, partner: session.partner, vehicle_model: session.vehicleModel, vehicle_class: vehicle?.vehicleClass ?? null,
    vehicle_battery_wh: vehicle?.batteryWh ?? null, energy_wh: session.energyWh, register_wh: session.registerWh, export_wh: session.exportWh,
    charging_ms: session.chargingMs, idle_ms: session.idleMs, mean_power_w: session.meanPowerW, peak_power_w: session.peakPowerW,
    soc_from: session.socFrom, soc_to: session.socTo, successful: isSuccessful(session), stop_reason: session.stopReason, flags: session.flags,
    event_count: session.eventCount, duplicates: session.duplicates, sequence_gaps: session.sequenceGaps, tariff_id: session.tariffId,
    currency: cost.currency, cost_minor: cost.totalMinor, start_fee_minor: cost.startFeeMinor, energy_cost_minor: cost.energyMinor,
    charging_cost_minor: cost.chargingMinor, idle_cost_minor: cost.idleMinor, cost_flags: cost.flags,
  };
}

/** A live or a final row, as the live table has them. `timestampMs`: of the record, how far the session's station was. */
export function liveTableRow({ session, vehicle, cost }: PricedSessionRow, _key: string, timestampMs: number): LiveTableRow {
  return {
    station_id: session.stationId, session_id: session.sessionId, open: session.closedBy === 'None', updated_time: storableMs(timestampMs),
    start_time: storableMs(session.startMs), stop_time: session.stopMs === null ? null : storableMs(session.stopMs), closed_by: session.closedBy,
    evse_id: session.evseId, connector_id: session.connectorId, transaction_id: session.transactionId, id_token: session.idToken,
    site_id: session.siteId ?? '', city: session.city ?? '', region: session.region ?? '', country: session.country ?? '',
    operator: session.operator ?? '', connector_standard: session.connectorStandard, current: session.current, power_max_w: session.powerMaxW,
    partner: session.partner, vehicle_model: session.vehicleModel, vehicle_class: vehicle?.vehicleClass ?? null,
    vehicle_battery_wh: vehicle?.batteryWh ?? null, energy_wh: session.energyWh, charging_ms: session.chargingMs, idle_ms: session.idleMs,
    mean_power_w: session.meanPowerW, peak_power_w: session.peakPowerW, soc_from: session.socFrom, soc_to: session.socTo, flags: session.flags,
    event_count: session.eventCount, tariff_id: session.tariffId, currency: cost.currency, cost_minor: cost.totalMinor, cost_flags: cost.flags,
  };
}

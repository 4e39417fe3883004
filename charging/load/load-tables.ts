import type { TableDefinition, Windowed } from '../engine.ts';
import { monthOf } from '../month-partition.ts';
import { none, whole } from './quarter-load.ts';
import type { LoadSums, QuarterLoad } from './quarter-load.ts';
import { text } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

const time = "DateTime('UTC')";

const sumColumns = {
  site_id: text, city: text, operator: text, energy_milli_wh: 'Int64', occupied_ms: 'Int64', charging_ms: 'Int64', peak_minute_milli_wh: 'Int64',
  peak_power_w: 'Nullable(Float64)', samples: 'Int32', sessions_started: 'Int32', sessions_ended: 'Int32', errors: 'Int32',
} as const;

const quarterColumns = {
  station_id: 'String', quarter: time, ...sumColumns, minutes_energy_milli_wh: 'Array(Int64)', minutes_occupied_ms: 'Array(Int32)',
  minutes_charging_ms: 'Array(Int32)',
} as const;
export type QuarterTableRow = TableRow<typeof quarterColumns>;

const hourColumns = { station_id: 'String', hour: time, ...sumColumns } as const;
export type HourTableRow = TableRow<typeof hourColumns>;

const dayColumns = { station_id: 'String', day: 'Date', ...sumColumns } as const;
export type DayTableRow = TableRow<typeof dayColumns>;

export interface LoadTables {
  readonly quarters: TableDefinition<QuarterTableRow>;
  readonly hours: TableDefinition<HourTableRow>;
  readonly days: TableDefinition<DayTableRow>;
}

/** Load of stations by quarter of an hour, hour and UTC day; the minutes are a view. */
export function loadTables(database: string): LoadTables {
  return {
    quarters: { database, table: 'station_quarters', columns: quarterColumns, partitionOf: (row) => monthOf(row.quarter) },
    hours: { database, table: 'station_hours', columns: hourColumns, partitionOf: (row) => monthOf(row.hour) },
    days: { database, table: 'station_days', columns: dayColumns, partitionOf: (row) => monthOf(row.day) },
  };
}

export function quarterRow(load: QuarterLoad, { key, startMs }: Windowed<string>): QuarterTableRow {
  return {
    station_id: key, quarter: startMs, site_id: load.siteId ?? '', city: load.city ?? '', operator: load.operator ?? '',
    energy_milli_wh: load.energyMilliWh, occupied_ms: load.occupiedMs, charging_ms: load.chargingMs, peak_minute_milli_wh: load.peakMinuteMilliWh,
    peak_power_w: load.peakPowerW, samples: load.samples, sessions_started: load.sessionsStarted, sessions_ended: load.sessionsEnded,
    errors: load.errors, minutes_energy_milli_wh: minutesOf(load.minutesMilliWh), minutes_occupied_ms: minutesOf(load.minutesOccupiedMs),
    minutes_charging_ms: minutesOf(load.minutesChargingMs),
  };
}

const allTheMinute: readonly number[] = [whole[0] as number];
const nothing: readonly number[] = [];

/** Most arrays are the same 15 times: none is nothing in every minute, one value is that in every minute. */
function minutesOf(values: readonly number[]): readonly number[] {
  return values === none ? nothing : values === whole ? allTheMinute : values;
}

export function hourRow(load: LoadSums, { key, startMs }: Windowed<string>): HourTableRow {
  return {
    station_id: key, hour: startMs, site_id: load.siteId ?? '', city: load.city ?? '', operator: load.operator ?? '',
    energy_milli_wh: load.energyMilliWh, occupied_ms: load.occupiedMs, charging_ms: load.chargingMs, peak_minute_milli_wh: load.peakMinuteMilliWh,
    peak_power_w: load.peakPowerW, samples: load.samples, sessions_started: load.sessionsStarted, sessions_ended: load.sessionsEnded, errors: load.errors,
  };
}

export function dayRow(load: LoadSums, { key, startMs }: Windowed<string>): DayTableRow {
  return {
    station_id: key, day: startMs, site_id: load.siteId ?? '', city: load.city ?? '', operator: load.operator ?? '',
    energy_milli_wh: load.energyMilliWh, occupied_ms: load.occupiedMs, charging_ms: load.chargingMs, peak_minute_milli_wh: load.peakMinuteMilliWh,
    peak_power_w: load.peakPowerW, samples: load.samples, sessions_started: load.sessionsStarted, sessions_ended: load.sessionsEnded, errors: load.errors,
  };
}

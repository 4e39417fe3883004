import type { TableDefinition, Windowed } from '../engine.ts';
import { monthOf } from '../month-partition.ts';
import { highestOf, minutesOf, never, totalOf } from './hour-load.ts';
import type { HourLoad, LoadSums } from './hour-load.ts';
import { text } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

const time = "DateTime('UTC')";

const sumColumns = {
  site_id: text, city: text, operator: text, energy_milli_wh: 'Int64', occupied_ms: 'Int64', charging_ms: 'Int64', peak_minute_milli_wh: 'Int64',
  peak_power_w: 'Nullable(Float64)', samples: 'Int32', sessions_started: 'Int32', sessions_ended: 'Int32', errors: 'Int32',
} as const;

const hourColumns = {
  station_id: 'String', hour: time, ...sumColumns, minutes_energy_milli_wh: 'Array(Int64)', minutes_occupied_ms: 'Array(Int32)', minutes_charging_ms: 'Array(Int32)',
  quarters_peak_power_w: 'Array(Nullable(Float64))', quarters_samples: 'Array(Int32)', quarters_sessions_started: 'Array(Int32)',
  quarters_sessions_ended: 'Array(Int32)', quarters_errors: 'Array(Int32)',
} as const;
export type HourTableRow = TableRow<typeof hourColumns>;

const dayColumns = { station_id: 'String', day: 'Date', ...sumColumns } as const;
export type DayTableRow = TableRow<typeof dayColumns>;

export interface LoadTables {
  readonly hours: TableDefinition<HourTableRow>;
  readonly days: TableDefinition<DayTableRow>;
}

/** Load of stations by hour and UTC day; minutes and quarters of an hour are views of the hours. */
export function loadTables(database: string): LoadTables {
  return {
    hours: { database, table: 'station_hours', columns: hourColumns, partitionOf: (row) => monthOf(row.hour) },
    days: { database, table: 'station_days', columns: dayColumns, partitionOf: (row) => monthOf(row.day) },
  };
}

export function hourRow(load: HourLoad, { key, startMs }: Windowed<string>): HourTableRow {
  const { milliWh, occupiedMs, chargingMs } = minutesOf(load);
  const { facts, powersW, samples, sessionsStarted, sessionsEnded, errors } = load;
  return {
    station_id: key, hour: startMs, site_id: facts.siteId ?? '', city: facts.city ?? '', operator: facts.operator ?? '',
    energy_milli_wh: load.energyMilliWh, occupied_ms: load.occupiedMs, charging_ms: load.chargingMs, peak_minute_milli_wh: load.peakMinuteMilliWh,
    peak_power_w: highestOf(powersW), samples: totalOf(samples), sessions_started: totalOf(sessionsStarted), sessions_ended: totalOf(sessionsEnded),
    errors: totalOf(errors), minutes_energy_milli_wh: milliWh, minutes_occupied_ms: occupiedMs, minutes_charging_ms: chargingMs,
    quarters_peak_power_w: powersW, quarters_samples: byQuarter(samples), quarters_sessions_started: byQuarter(sessionsStarted),
    quarters_sessions_ended: byQuarter(sessionsEnded), quarters_errors: byQuarter(errors),
  };
}

const nothing: readonly number[] = [];

/** None is 0 in every quarter. */
function byQuarter(counts: readonly number[]): readonly number[] {
  return counts === never ? nothing : counts;
}

export function dayRow(load: LoadSums, { key, startMs }: Windowed<string>): DayTableRow {
  const { facts } = load;
  return {
    station_id: key, day: startMs, site_id: facts.siteId ?? '', city: facts.city ?? '', operator: facts.operator ?? '',
    energy_milli_wh: load.energyMilliWh, occupied_ms: load.occupiedMs, charging_ms: load.chargingMs, peak_minute_milli_wh: load.peakMinuteMilliWh,
    peak_power_w: load.peakPowerW, samples: load.samples, sessions_started: load.sessionsStarted, sessions_ended: load.sessionsEnded, errors: load.errors,
  };
}

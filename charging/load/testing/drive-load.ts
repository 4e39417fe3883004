import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { logTopic, Topology } from '../../engine.ts';
import type { LateRecord } from '../../tables.ts';
import type { LoadChange } from '../load-change.ts';
import { loadSteps } from '../load-steps.ts';
import { loadTables } from '../load-tables.ts';
import type { DayTableRow, HourTableRow } from '../load-tables.ts';
import type { StationLoadOptions } from '../station-load.ts';

/** A change that changes nothing; only carries its time. */
export const emptyChange: LoadChange = {
  stationId: 's1', eventId: 'e', part: 0, fromMs: 0, toMs: 0, energyMilliWh: 0, occupied: 0, charging: 0, samples: 0, powerW: null,
  sessionsStarted: 0, sessionsEnded: 0, errors: 0, siteId: 'Site', city: 'City', operator: 'Operator', stationValidFromMs: 0,
};

/** The load steps in a topology of their own, fed with changes. */
export function loadTopology(options: StationLoadOptions = {}): Topology {
  const topology = new Topology('load');
  const changes = topology.stream('changes', { key: utf8, value: json<LoadChange>('change') });
  loadSteps(changes, loadTables('db'), options).to(logTopic('late', { key: utf8, value: json<LateRecord>('late') }));
  return topology;
}

/** The 60 minutes of a column of hours, as the view of minutes has them. */
export function minutesIn(values: unknown): readonly number[] {
  const list = values as readonly number[];
  return list.length === 60 ? list : Array.from({ length: 60 }, () => list[0] ?? 0);
}

/** A quarter of an hour, as the rows of hours have it; those of an hour have its station's facts. */
export interface QuarterOfRow {
  readonly station_id: string;
  readonly quarter: number;
  readonly energy_milli_wh: number;
  readonly occupied_ms: number;
  readonly charging_ms: number;
  readonly peak_power_w: number | null;
  readonly samples: number;
  readonly sessions_started: number;
  readonly sessions_ended: number;
  readonly errors: number;
  readonly minutes_energy_milli_wh: readonly number[];
  readonly minutes_occupied_ms: readonly number[];
  readonly minutes_charging_ms: readonly number[];
}

/** The quarters in which something happened, read from rows of hours minute by minute. */
export function quartersIn(hours: readonly HourTableRow[]): readonly QuarterOfRow[] {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return hours.flatMap((row) => [0, 1, 2, 3].map((at): QuarterOfRow => {
    const minutes = (values: unknown): readonly number[] => minutesIn(values).filter((_, minute) => Math.floor(minute / 15) === at);
    const count = (values: unknown): number => (values as readonly number[])[at] ?? 0;
    const [energy, occupied, charging] = [row.minutes_energy_milli_wh, row.minutes_occupied_ms, row.minutes_charging_ms].map(minutes) as [readonly number[], readonly number[], readonly number[]];
    return {
      station_id: String(row.station_id), quarter: Number(row.hour) + at * 900_000, energy_milli_wh: sum(energy), occupied_ms: sum(occupied), charging_ms: sum(charging),
      peak_power_w: (row.quarters_peak_power_w as readonly (number | null)[])[at] ?? null, samples: count(row.quarters_samples),
      sessions_started: count(row.quarters_sessions_started), sessions_ended: count(row.quarters_sessions_ended), errors: count(row.quarters_errors),
      minutes_energy_milli_wh: energy, minutes_occupied_ms: occupied, minutes_charging_ms: charging,
    };
  })).filter((quarter) => quarter.samples !== 0 || quarter.sessions_started !== 0 || quarter.sessions_ended !== 0 || quarter.errors !== 0 || quarter.peak_power_w !== null
    || [...quarter.minutes_energy_milli_wh, ...quarter.minutes_occupied_ms, ...quarter.minutes_charging_ms].some((value) => value !== 0));
}

/** What is used of a test driver, which commits when it is told to. */
export interface LoadDriver {
  push(topic: string, key: string, value: LoadChange, timestampMs: number): void;
  commit(): void;
  restart(): void;
  take<K, V>(sink: string): readonly { readonly key: K; readonly value: V }[];
}

export type LoadRun = ReturnType<typeof runLoad>;

export function runLoad(driver: LoadDriver) {
  const stations = new Set<string>();
  const newest = <Row extends { readonly station_id: unknown }>(sink: string, time: (row: Row) => unknown) => {
    const rows = new Map<string, Row>();
    const given: Row[] = [];
    return {
      /** The newest row of each station and time, in the order of these. */
      rows: (): readonly Row[] => {
        driver.commit();
        for (const { value } of driver.take<unknown, Row>(sink)) {
          given.push(value);
          rows.set(`${String(value.station_id)}/${String(time(value)).padStart(15, '0')}`, value);
        }
        return [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
      },
      given,
    };
  };
  const hours = newest<HourTableRow>('station_hours', (row) => row.hour);
  const days = newest<DayTableRow>('station_days', (row) => row.day);
  const late: LateRecord[] = [];
  return {
    push: (change: LoadChange, eventMs: number): void => {
      stations.add(change.stationId);
      driver.push('changes', change.stationId, change, eventMs);
    },
    commit: () => driver.commit(),
    /** Commits, loses its memory, and goes on from what is committed. */
    restart: (): void => {
      driver.commit();
      driver.restart();
    },
    /** Long after all: every day closes. */
    end: (): void => {
      for (const stationId of stations) driver.push('changes', stationId, { ...emptyChange, stationId, fromMs: endMs, toMs: endMs }, endMs);
    },
    hours: hours.rows, days: days.rows,
    quarters: () => quartersIn(hours.rows()),
    /** Every row that was given, in order. */
    given: { hours: hours.given, days: days.given },
    late: (): readonly LateRecord[] => {
      driver.commit();
      late.push(...driver.take<string, LateRecord>('late').map(({ value }) => value));
      return late;
    },
  };
}

const endMs = Date.UTC(2019, 0, 1);

import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { logTopic, Topology } from '../../engine.ts';
import type { LateRecord } from '../../tables.ts';
import type { LoadChange } from '../load-change.ts';
import { loadSteps } from '../load-steps.ts';
import { loadTables } from '../load-tables.ts';
import type { DayTableRow, HourTableRow, QuarterTableRow } from '../load-tables.ts';
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

/** The 15 minutes of a column of quarters, as the view of minutes has them. */
export function minutesIn(values: unknown): readonly number[] {
  const list = values as readonly number[];
  return list.length === 15 ? list : Array.from({ length: 15 }, () => list[0] ?? 0);
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
  const quarters = newest<QuarterTableRow>('station_quarters', (row) => row.quarter);
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
    quarters: quarters.rows, hours: hours.rows, days: days.rows,
    /** Every row that was given, in order. */
    given: { quarters: quarters.given, hours: hours.given, days: days.given },
    late: (): readonly LateRecord[] => {
      driver.commit();
      late.push(...driver.take<string, LateRecord>('late').map(({ value }) => value));
      return late;
    },
  };
}

const endMs = Date.UTC(2019, 0, 1);

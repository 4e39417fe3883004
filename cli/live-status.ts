import type { StatusReport, StatusTable } from '../console/status.ts';
import type { Configuration } from '../runtime/configuration.ts';
import type { EngineMetrics } from '../runtime/metrics.ts';
import type { Ports } from '../runtime/ports.ts';
import type { RunningTask } from '../runtime/task/running-task.ts';

export interface StatusSources {
  readonly configuration: Configuration;
  readonly pod: string;
  readonly ports: Ports;
  readonly metrics: EngineMetrics;
  readonly tasks: readonly RunningTask[];
  readonly startedAtMs: number;
}

interface Figures {
  readonly sessions: string;
  readonly energy_kwh: number | null;
  readonly stations: string;
}

/** What the live page shows: totals, tasks, and the last sessions. */
export async function chargingStatus(sources: StatusSources): Promise<StatusReport> {
  const { configuration, pod, ports, metrics, tasks, startedAtMs } = sources;
  const { database } = configuration.warehouse;
  const [figures] = await ports.warehouse.query<Figures>(
    `SELECT count() AS sessions, sum(energy_wh) / 1000 AS energy_kwh, uniqExact(station_id) AS stations FROM ${database}.charging_sessions FINAL`,
  );
  return {
    application: configuration.applicationId,
    pod,
    nowMs: Date.now(),
    startedAtMs,
    totals: metrics.totals(),
    tasks: tasks.map((task) => ({
      task: task.id,
      lagRecords: task.queues.reduce((sum, queue) => sum + Math.max(0, queue.endOffset - queue.position), 0),
      streamTimeMs: task.queues.reduce((highest, queue) => Math.max(highest, queue.headTimestampMs), -1),
      pausedBy: task.pausedBy,
    })),
    figures: figures === undefined ? [] : [
      { label: 'Sessions', text: Number(figures.sessions).toLocaleString('en-US') },
      { label: 'Energy', text: `${Math.round(figures.energy_kwh ?? 0).toLocaleString('en-US')} kWh` },
      { label: 'Stations', text: figures.stations },
    ],
    tables: [await lastSessions(ports, database)],
  };
}

interface LastSession {
  readonly station_id: string;
  readonly site_id: string;
  readonly start_time: string;
  readonly stop_time: string | null;
  readonly energy_kwh: number | null;
  readonly closed_by: string | null;
}

async function lastSessions(ports: Ports, database: string): Promise<StatusTable> {
  const rows = await ports.warehouse.query<LastSession>(
    `SELECT station_id, site_id, toString(start_time) AS start_time, toString(stop_time) AS stop_time, round(energy_wh / 1000, 2) AS energy_kwh, closed_by
     FROM ${database}.charging_sessions FINAL ORDER BY start_time DESC, session_id LIMIT 12`,
  );
  return {
    title: 'Last sessions',
    columns: ['station', 'site', 'start (UTC)', 'stop (UTC)', 'kWh', 'closed by'],
    rows: rows.map((row) => [row.station_id, row.site_id, row.start_time.slice(0, 16), row.stop_time?.slice(0, 16) ?? '', row.energy_kwh, row.closed_by ?? 'open']),
  };
}

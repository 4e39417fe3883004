import { thousands } from '../../progress.ts';

/** A pod that was killed. */
export interface Kill {
  readonly pod: string;
  /** Since the first message. */
  readonly seconds: number;
  /** Messages that had rows by then. */
  readonly visible: number;
}

/** What a part of the whole has used; null: not known, because it does not run on this machine. */
export interface PartUse {
  readonly part: string;
  readonly cpuSeconds: number | null;
  readonly memoryMb: number | null;
}

/** What only a load test against servers can tell. Counters of servers are of all that they did meanwhile, for whomever. */
export interface ServersReport {
  readonly run: string;
  readonly pods: number;
  readonly partitions: number;
  readonly kills: readonly Kill[];
  /** Lives of pods beyond the first, those that were killed on purpose among them. */
  readonly restarts: number;
  /** Messages in the topic of events beyond the offsets of the group, at most. */
  readonly kafkaLagMax: number;
  readonly commits: number;
  /** Null: this user may not ask. */
  readonly redis: {
    readonly commands: number;
    readonly roundTrips: number;
    readonly roundTripsPerCommit: number;
    readonly receivedBytes: number;
    readonly sentBytes: number;
    readonly usedBytes: number;
    readonly peakBytes: number;
  } | null;
  readonly clickhouse: { readonly inserts: number; readonly insertedRows: number; readonly mergedRows: number };
  readonly parts: readonly PartUse[];
}

/** Names and values, for the terminal and the page. */
export function serversFigures(report: ServersReport): readonly (readonly [string, string])[] {
  const { redis, clickhouse, kills } = report;
  const mb = (bytes: number): string => thousands(bytes / 1_048_576);
  return [
    ['pods', `${report.pods} on ${report.partitions} partitions; ${kills.length === 0 ? 'none was killed' : `killed: ${kills.map(({ pod, seconds }) => `${pod} after ${seconds.toFixed(0)} s`).join(', ')}`}; ` +
      `${report.restarts} started again`],
    ['Kafka', `${thousands(report.kafkaLagMax)} messages of lag at most`],
    ['Redis', redis === null ? `${thousands(report.commits)} commits; this user may not ask for counters` : `${thousands(report.commits)} commits, ` +
      `${redis.roundTripsPerCommit.toFixed(2)} round trips each; ${thousands(redis.commands)} commands, ${mb(redis.receivedBytes)} MB in, ${mb(redis.sentBytes)} MB out, ${mb(redis.peakBytes)} MB of memory at most`],
    ['ClickHouse meanwhile', `${thousands(clickhouse.inserts)} inserts of ${thousands(clickhouse.insertedRows)} rows, ${thousands(clickhouse.mergedRows)} rows merged`],
    ['CPU by part', report.parts.map(({ part, cpuSeconds, memoryMb }) =>
      `${part} ${cpuSeconds === null ? 'not on this machine' : `${cpuSeconds.toFixed(1)} s`}${memoryMb === null ? '' : ` and ${thousands(memoryMb)} MB`}`).join(', ')],
  ];
}

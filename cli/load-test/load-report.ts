import type { LedgerVerdict } from '../../simulator/ledger/verify-ledger.ts';
import { verdictText } from '../../simulator/ledger/verify-ledger.ts';
import { thousands } from '../progress.ts';
import type { LatencyFigures } from './latencies.ts';
import type { LoadPace } from './load-test-options.ts';
import type { LoadSample } from './samples.ts';
import type { ServersReport } from './servers/servers-report.ts';
import { serversFigures } from './servers/servers-report.ts';

/** What a load test came to. */
export interface LoadReport {
  readonly profile: string;
  readonly seed: string;
  /** Simulated. */
  readonly days: number;
  readonly pace: LoadPace;
  /** False: somebody ended it. */
  readonly complete: boolean;
  readonly messages: number;
  readonly sessions: number;
  /** From the first message until everything was in the tables. */
  readonly seconds: number;
  readonly perSecond: number;
  /** From when a message was due to when its row could be seen; null: none could. */
  readonly latency: LatencyFigures | null;
  /** Of a ramp or a fixed rate, in messages a second; null: none was wanted, or held. */
  readonly highestRateHeld: number | null;
  /** Embedded, of this process: the product, the embedded ClickHouse and the simulator. Against servers, of all pods. */
  readonly cpuSecondsPerMillion: number;
  readonly memoryPeakMb: number;
  readonly tables: { readonly rows: number; readonly bytes: number; readonly parts: number; readonly rowsDelivered: number };
  /** Null: embedded. */
  readonly servers: ServersReport | null;
  /** Null: it was not compared with the ledger, and so has failed. */
  readonly verdict: LedgerVerdict | null;
  readonly samples: readonly LoadSample[];
}

export function isPassed({ verdict }: LoadReport): boolean {
  return verdict?.ok === true;
}

/** Names and values, for the terminal and the page. */
export function reportFigures(report: LoadReport): readonly (readonly [string, string])[] {
  const { latency, tables, servers } = report;
  return [
    ['messages', `${thousands(report.messages)} of ${thousands(report.sessions)} sessions in ${report.days.toFixed(2)} simulated days`],
    ['until all was in the tables', `${report.seconds.toFixed(1)} s, ${thousands(report.perSecond)} messages/s`],
    ['message due to row visible', latency === null ? 'nothing became visible' : `p50 ${thousands(latency.p50Ms)} ms, p95 ${thousands(latency.p95Ms)}, p99 ${thousands(latency.p99Ms)}, max ${thousands(latency.maxMs)}`],
    ...(report.highestRateHeld === null ? [] : [['highest rate held', `${thousands(report.highestRateHeld)} messages/s`] as const]),
    ['CPU', `${report.cpuSecondsPerMillion.toFixed(1)} s per million messages, ${servers === null ? 'simulator included' : 'of the pods'}`],
    ['memory', `${thousands(report.memoryPeakMb)} MB at most${servers === null ? '' : ', all pods together'}`],
    ['ClickHouse', `${thousands(tables.rows)} rows in ${thousands(tables.bytes / 1_048_576)} MB and ${thousands(tables.parts)} parts; ${thousands(tables.rowsDelivered)} rows delivered`],
    ...(servers === null ? [] : serversFigures(servers)),
  ];
}

export function reportText(report: LoadReport): string {
  const lines = reportFigures(report).map(([name, value]) => `${name.padEnd(30)}${value}`);
  const correctness = report.verdict === null ? 'NOT compared with the ledger: the run was ended early, and counts as failed' : verdictText(report.verdict);
  return `${[`load test: profile ${report.profile}, seed ${report.seed}`, ...lines, '', correctness].join('\n')}\n`;
}

/** The whole product in one process, as `voltstream run --exit` does it, over files of choice and with points at which it dies. */
import { writeFile } from 'node:fs/promises';
import { ingestJsonLines } from '../../charging/ingest/ingest-json-lines.ts';
import { ingestSessionLog } from '../../charging/ingest/ingest-session-log.ts';
import { dundeeMapping } from '../../charging/session-log/dundee.mapping.ts';
import { chargingTopics } from '../../charging/topics.ts';
import { chargingTopology, sessionsTopic } from '../../charging/topology.ts';
import { StopSignals } from '../../cli/stop-signals.ts';
import { closePorts, openPorts } from '../../cli/workplace.ts';
import { Application } from '../../runtime/application.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import type { Ports } from '../../runtime/ports.ts';
import { observe } from './embedded-observation.ts';
import type { KillPoint } from './embedded-points.ts';
import { KillSwitch, withKillPoints } from './embedded-points.ts';

export interface EmbeddedRun {
  readonly data: string;
  /** Session logs in Dundee's form, taken first. */
  readonly sessionLogs: readonly string[];
  /** Files of events, taken after them. */
  readonly jsonLines: readonly string[];
  readonly kill?: { readonly point: KillPoint; readonly nth: number };
  /** Where to write what there is in the end. */
  readonly observeInto?: string;
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** How far a process has come; one a line on standard output. */
export const phases = ['opened', 'ready', 'ingested', 'drained', 'stopped'] as const;
export type Phase = (typeof phases)[number];

/** A run is chosen by the minute, and ingestion stamps what it sets aside; here both must be the same in every run. */
const fixedRun = 1;
const fixedNowMs = Date.UTC(2020, 0, 1);

const tables = ['charging_events', 'charging_sessions', 'station_hours', 'station_days', 'dead_letters', 'late_records'];

function tell(phase: Phase): void {
  process.stdout.write(`${phase}\n`);
}

/** Merges are off in the tables themselves, so that not even the moment after opening can hide a duplicate. */
async function stopMerges(ports: Ports, database: string): Promise<void> {
  const found = await ports.warehouse.query<{ name: string; create_table_query: string }>(
    `SELECT name, create_table_query FROM system.tables WHERE database = '${database}'`);
  for (const { name, create_table_query: definition } of found) {
    if (!tables.includes(name) || definition.includes('max_bytes_to_merge_at_max_space_in_pool')) continue;
    await ports.warehouse.command(`ALTER TABLE ${database}.${name} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, ` +
      'max_bytes_to_merge_at_min_space_in_pool = 1, parts_to_delay_insert = 100000, parts_to_throw_insert = 100000');
  }
  await ports.warehouse.command('SYSTEM STOP MERGES');
}

async function ingest(ports: Ports, run: EmbeddedRun, signal: AbortSignal, retrying: (error: Error) => void): Promise<void> {
  const producer = await ports.log.producer();
  const common = { producer, registry: ports.registry, nowMs: () => fixedNowMs, signal, retrying };
  if (run.sessionLogs.length > 0) await ingestSessionLog({ ...common, files: run.sessionLogs, mapping: dundeeMapping });
  for (const file of run.jsonLines) await ingestJsonLines({ ...common, file });
  await producer.close();
}

async function main(run: EmbeddedRun): Promise<void> {
  const configuration = loadConfiguration({
    flags: { data: run.data, 'commit.intervalMs': 20, 'poll.waitMs': 10, 'outbox.sealAgeMs': 60, 'outbox.sealRowsMax': 3_000, logLevel: 'warn', partitions: 4, ...run.flags },
  });
  const { database } = configuration.warehouse;
  const stop = new StopSignals(process.stderr);
  const opened = await openPorts(configuration);
  await stopMerges(opened, database);
  tell('opened');
  const ports = withKillPoints(opened, new KillSwitch(run.kill?.point ?? null, run.kill?.nth ?? 0));
  const application = new Application({
    configuration, ports, metrics: new EngineMetrics(), logger: createLogger({ level: configuration.logLevel }), newRun: () => fixedRun,
    topology: chargingTopology({ database }), topics: chargingTopics(configuration.partitions),
  });
  await application.start();
  tell('ready');
  const work = ingest(ports, run, stop.signal, (error) => application.retrying('ingest', error)).then(async () => {
    tell('ingested');
    await application.drained(stop.signal);
    tell('drained');
  });
  await Promise.race([work, application.failed]).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  await application.stop();
  tell('stopped');
  if (run.observeInto !== undefined) {
    await writeFile(run.observeInto, JSON.stringify(await observe(opened.warehouse, opened.log, database, [sessionsTopic])));
  }
  stop.release();
  await closePorts(opened);
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? '{}') as EmbeddedRun);

import { setInterval as every } from 'node:timers/promises';
import { join } from 'node:path';
import { chargingTopics } from '../../charging/topics.ts';
import { chargingTopology } from '../../charging/topology.ts';
import { Application } from '../../runtime/application.ts';
import type { Configuration } from '../../runtime/configuration.ts';
import { readLedger } from '../../simulator/ledger/ledger-book.ts';
import type { LedgerVerdict } from '../../simulator/ledger/verify-ledger.ts';
import type { Profile } from '../../simulator/profile.ts';
import { simulate } from '../../simulator/simulation.ts';
import { Pod } from '../pod.ts';
import { productOptions } from '../product-options.ts';
import { LedgerFolder } from '../simulate/ledger-folder.ts';
import { schemaIds } from '../simulate/reference-records.ts';
import { verdictBy } from '../verify-ledger.ts';
import { closePorts, openPorts } from '../workplace.ts';
import { Feed } from './feed.ts';
import { Latencies } from './latencies.ts';
import { LogFeed } from './log-feed.ts';
import { rateAt } from './load-test-options.ts';
import type { LoadTestOptions } from './load-test-options.ts';
import type { LoadReport } from './load-report.ts';
import type { LoadSample } from './samples.ts';
import { highestRateHeld } from './samples.ts';

const SAMPLE_MS = 500;
/** This thread is busy with the product: it takes from the simulator what lasts for a while. */
const MESSAGES_AT_ONCE = 5_000;

export interface EmbeddedRun {
  readonly configuration: Configuration;
  readonly profile: Profile;
  readonly days: number;
  readonly options: LoadTestOptions;
  readonly progress: (sample: LoadSample) => void;
}

/** Runs the product in this process over what a simulation in a thread sends; ends when all of it is in the tables, and compares them with the ledger. */
export async function runEmbedded(run: EmbeddedRun): Promise<LoadReport> {
  const { configuration, options } = run;
  const pod = new Pod(configuration, { exit: true, sample: false, json: true, worker: null });
  try {
    const ports = await openPorts(configuration);
    try {
      const application: Application = new Application({
        configuration, ports, metrics: pod.metrics, logger: pod.logger, topology: chargingTopology(productOptions(configuration)), topics: chargingTopics(configuration.partitions),
        memoryFull: () => memory.paused,
      });
      const memory = pod.memoryGuard(() => application.memoryUse);
      memory.start();
      try {
        await application.start();
        return await measured(run, application, ports, pod);
      } finally {
        memory.stop();
        await application.stop();
      }
    } finally {
      await closePorts(ports);
    }
  } finally {
    pod.release();
    if (pod.stop.signal.aborted && !options.quiet) process.stderr.write('Ended early: what was sent is in the report, and cannot be compared with a ledger that is not complete.\n');
  }
}

async function measured(run: EmbeddedRun, application: Application, ports: Awaited<ReturnType<typeof openPorts>>, pod: Pod): Promise<LoadReport> {
  const { configuration, profile, days, options } = run;
  const { database } = configuration.warehouse;
  const seed = options.seed;
  const startMs = Date.parse(profile.startsAt);
  const latencies = new Latencies();
  const feed = new Feed(options.pace, latencies, () => application.figures.lag);
  const folder = join(configuration.dataFolder, 'ledger', `${profile.name}-${seed}`);
  const about = { profile: profile.name, seed, startsAt: profile.startsAt, days, registers: profile.reporting.registers, faults: profile.faults };
  const output = await LedgerFolder.open(folder, about, new LogFeed(await ports.log.producer()));
  const slicesAtOnce = Math.min(1_440, Math.max(15, Math.ceil((MESSAGES_AT_ONCE * days * 1_440) / options.events)));
  const samples: LoadSample[] = [];
  const cpuAtStart = process.cpuUsage();
  const rowsOf = async (): Promise<number> => {
    const counts = await ports.warehouse.query<{ readonly rows: string }>(`SELECT count() AS rows FROM ${database}.charging_events UNION ALL SELECT count() FROM ${database}.dead_letters`);
    return counts.reduce((sum, { rows }) => sum + Number(rows), 0);
  };
  const sample = async (): Promise<void> => {
    const visible = await rowsOf();
    latencies.visible(visible, performance.now());
    const { user, system } = process.cpuUsage(cpuAtStart);
    const { processed, lag, rowsDelivered } = application.figures;
    const seconds = feed.seconds;
    const one: LoadSample = {
      seconds, sent: feed.sent, processed, lag: lag + feed.overdue(options.events), rowsDelivered, visible, latencyP95Ms: latencies.takeRecent(),
      memoryMb: process.memoryUsage.rss() / 1_048_576, cpuSeconds: (user + system) / 1e6, rate: feed.done ? null : rateAt(options.pace, seconds),
    };
    samples.push(one);
    run.progress(one);
  };
  const sampling = new AbortController();
  const watching = watch(sample, sampling.signal);
  const slices = simulate({ profile, seed, startMs, days, form: { kind: 'records', ids: await schemaIds(ports.registry) }, ledger: true, workers: 1, slicesAtOnce });
  let isComplete = false;
  try {
    isComplete = await Promise.race([feed.run(slices, output, pod.stop.signal), application.failed]);
    await Promise.race([application.drained(new AbortController().signal), application.failed]);
  } finally {
    sampling.abort();
    await watching;
  }
  await sample();
  const drainedSeconds = feed.seconds;
  const sizes = await ports.warehouse.query<{ readonly rows: string; readonly bytes: string }>(
    `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = '${database}'`);
  const verdict: LedgerVerdict | null = isComplete ? await verdictBy(await readLedger(folder), database, (sql, format) => ports.warehouse.stream(sql, format)) : null;
  const last = samples.at(-1) as LoadSample;
  return {
    profile: profile.name, seed, days, pace: options.pace, complete: isComplete, messages: feed.sent, sessions: feed.sessions, seconds: drainedSeconds,
    perSecond: feed.sent / drainedSeconds, latency: latencies.figures, highestRateHeld: highestRateHeld(samples.filter(({ rate }) => rate !== null)),
    cpuSecondsPerMillion: (last.cpuSeconds / Math.max(1, feed.sent)) * 1e6, memoryPeakMb: Math.max(...samples.map(({ memoryMb }) => memoryMb)),
    tables: { rows: Number(sizes[0]?.rows ?? 0), bytes: Number(sizes[0]?.bytes ?? 0), rowsDelivered: last.rowsDelivered }, verdict, samples,
  };
}

async function watch(sample: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of every(SAMPLE_MS, undefined, { signal })) await sample();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

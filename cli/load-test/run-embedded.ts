import { join } from 'node:path';
import { chargingTopics } from '../../charging/topics.ts';
import { chargingTopology } from '../../charging/topology.ts';
import { Application } from '../../runtime/application.ts';
import type { Configuration } from '../../runtime/configuration.ts';
import type { Ports } from '../../runtime/ports.ts';
import { readLedger } from '../../simulator/ledger/ledger-book.ts';
import type { LedgerVerdict } from '../../simulator/ledger/verify-ledger.ts';
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
import { aboutSimulation, feedReferences, slicesAtOnce } from './load-run.ts';
import type { LoadRun } from './load-run.ts';
import type { LoadReport } from './load-report.ts';
import type { LoadSample } from './samples.ts';
import { highestRateHeld, SampleSeries } from './samples.ts';
import { sumOf, tableSizes, visibleRows, watch } from './visible-rows.ts';

/** Enough that nobody waits for them, few enough that they are soon done. */
const WAITING_MAX = 60_000;

export interface EmbeddedRun extends LoadRun {
  readonly configuration: Configuration;
}

/** Runs the product in this process over what a simulation in a thread sends; ends when all of it is in the tables, and compares them with the ledger. */
export async function runEmbedded(run: EmbeddedRun): Promise<LoadReport> {
  const { configuration, options, profile } = run;
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
        await feedReferences(ports, configuration, profile);
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

async function measured(run: EmbeddedRun, application: Application, ports: Ports, pod: Pod): Promise<LoadReport> {
  const { configuration, profile, days, options } = run;
  const { database } = configuration.warehouse;
  const latencies = new Latencies();
  const feed: Feed = new Feed({ pace: options.pace, waiting: () => application.figures.lag, waitingMax: WAITING_MAX });
  const ledgerFolder = join(configuration.dataFolder, 'ledger', `${profile.name}-${options.seed}`);
  const into = new LogFeed(await ports.log.producer(), configuration.partitions, (counts) => counts.forEach((count, partition) => latencies.due(partition, count, feed.dueMs)));
  const output = await LedgerFolder.open(ledgerFolder, aboutSimulation(run), into);
  const series = new SampleSeries();
  const cpuAtStart = process.cpuUsage();
  const sample = async (): Promise<void> => {
    const rows = await visibleRows(ports.warehouse, database);
    latencies.visible(rows, performance.now());
    const { user, system } = process.cpuUsage(cpuAtStart);
    const { processed, lag, rowsDelivered } = application.figures;
    const one: LoadSample = {
      seconds: feed.seconds, sent: feed.sent, processed, lag: lag + feed.overdue(options.events), rowsDelivered, visible: sumOf(rows), latencyP95Ms: latencies.takeRecent(),
      memoryMb: process.memoryUsage.rss() / 1_048_576, cpuSeconds: (user + system) / 1e6, rate: feed.done ? null : rateAt(options.pace, feed.seconds),
    };
    series.add(one);
    run.progress(one);
  };
  const sampling = new AbortController();
  const watching = watch(sample, sampling.signal);
  const form = { kind: 'records', ids: await schemaIds(ports.registry) } as const;
  const slices = simulate({ profile, seed: options.seed, days, form, ledger: true, workers: 1, slicesAtOnce: slicesAtOnce(run) });
  let isComplete = false;
  try {
    isComplete = await Promise.race([feed.run(slices, output, pod.stop.signal), application.failed]);
    await Promise.race([application.drained(new AbortController().signal), application.failed]);
  } finally {
    sampling.abort();
    await watching;
  }
  await sample();
  const { seconds, sent, sessions } = feed;
  const sizes = await tableSizes(ports.warehouse, database);
  const verdict: LedgerVerdict | null = isComplete ? await verdictBy(await readLedger(ledgerFolder), database, (sql, format) => ports.warehouse.stream(sql, format)) : null;
  const { samples } = series;
  const last = samples.at(-1) as LoadSample;
  return {
    profile: profile.name, seed: options.seed, days, pace: options.pace, complete: isComplete, messages: sent, sessions, seconds, perSecond: sent / seconds,
    latency: latencies.figures, highestRateHeld: highestRateHeld(samples.filter(({ rate }) => rate !== null)), cpuSecondsPerMillion: (last.cpuSeconds / Math.max(1, sent)) * 1e6,
    memoryPeakMb: series.memoryPeakMb, tables: { ...sizes, rowsDelivered: last.rowsDelivered }, servers: null, verdict, samples,
  };
}

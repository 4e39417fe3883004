import { join } from 'node:path';
import type { ConfigurationSources } from '../../../runtime/configuration.ts';
import type { Ports } from '../../../runtime/ports.ts';
import { readLedger } from '../../../simulator/ledger/ledger-book.ts';
import { StopSignals } from '../../stop-signals.ts';
import { verdictBy } from '../../verify-ledger.ts';
import { closePorts, openPorts } from '../../workplace.ts';
import { checkedCount } from '../../workers/run-workers.ts';
import type { LoadReport } from '../load-report.ts';
import { aboutSimulation, feedReferences, slicesAtOnce } from '../load-run.ts';
import type { LoadRun } from '../load-run.ts';
import type { LoadSample } from '../samples.ts';
import { highestRateHeld } from '../samples.ts';
import { tableSizes } from '../visible-rows.ts';
import { FeedThread } from './feed-thread.ts';
import { isolated, namesOf, refuseTaken, removeIsolated, runNameOf, withIsolatedPorts } from './isolated.ts';
import type { Isolated } from './isolated.ts';
import { PodsUnderTest } from './pods-under-test.ts';
import { ServerCounters } from './server-counters.ts';
import { ServersWatch } from './servers-watch.ts';

/** What pods may have before them when messages come as fast as they can: more than they do between two offsets that the group is told. */
const WAITING_MAX_PER_POD = 60_000;

export interface ServersRun extends LoadRun {
  readonly sources: ConfigurationSources;
  /** For the ledger and the lines of pods. */
  readonly folder: string;
  readonly tell: (text: string) => void;
}

/**
 * Runs the product in processes against the servers of the configuration, under names of its own, over what a simulation in a thread sends; ends when all of it
 * is in the tables, compares them with the ledger, and deletes what it has made.
 */
export async function runServers(run: ServersRun): Promise<LoadReport> {
  const { options, folder, tell } = run;
  const own = isolated(run.sources, runNameOf(options.run, new Date()), { folder, pods: options.pods });
  const { configuration } = own;
  checkedCount(configuration, { workers: String(options.pods), exit: false });
  await withIsolatedPorts(own, (ports) => refuseTaken(own, ports));
  // Without a time for it: pods have one, and what was made must be deleted.
  const stop = new StopSignals(process.stderr, { tell });
  try {
    const ports = await openPorts(configuration);
    try {
      await feedReferences(ports, configuration, run.profile);
      return await withPods(run, own, ports, stop);
    } finally {
      if (options.keep) tell(`kept: ${namesOf(own)}`);
      else await removeIsolated(own, ports);
      await closePorts(ports);
    }
  } finally {
    stop.release();
    if (stop.signal.aborted) tell('Ended early: what was sent is in the report, and cannot be compared with a ledger that is not complete.');
  }
}

async function withPods(run: ServersRun, own: Isolated, ports: Ports, stop: StopSignals): Promise<LoadReport> {
  const { options, folder, tell } = run;
  const logFile = join(folder, 'pods.log');
  const pods = new PodsUnderTest(own.configuration, own.sources, { count: options.pods, logFile, seed: options.seed });
  const killAll = (): void => pods.killAll();
  process.once('exit', killAll);
  try {
    tell(`run ${own.run}: ${namesOf(own)}`);
    tell(`${options.pods} pods start; their lines are in ${logFile}`);
    await pods.start(stop.signal);
    return await measured(run, own, ports, stop, pods);
  } finally {
    await pods.stop();
    process.off('exit', killAll);
  }
}

async function measured(run: ServersRun, own: Isolated, ports: Ports, { signal }: StopSignals, pods: PodsUnderTest): Promise<LoadReport> {
  const { options, profile, days, folder } = run;
  const { configuration } = own;
  const { database } = configuration.warehouse;
  const counters = await ServerCounters.open(configuration, ports);
  try {
    const ledgerFolder = join(folder, 'ledger', `${profile.name}-${options.seed}`);
    const order = {
      configuration, profile, seed: options.seed, days, pace: options.pace, slicesAtOnce: slicesAtOnce(run), waitingMax: WAITING_MAX_PER_POD * options.pods, ledgerFolder,
      about: aboutSimulation(run),
    };
    await pods.begin();
    await counters.begin();
    const feed = new FeedThread(order, (counts, dueMs) => watching.due(counts, dueMs));
    const watching = new ServersWatch({ run, configuration, ports, pods, feed });
    const stopFeed = (): void => feed.stop();
    signal.addEventListener('abort', stopFeed, { once: true });
    if (signal.aborted) stopFeed();
    let isComplete: boolean;
    try {
      isComplete = await watching.run(signal);
    } finally {
      signal.removeEventListener('abort', stopFeed);
      await feed.close();
    }
    const use = await counters.end(pods.counters, pods.memoryMb);
    await pods.stop();
    const verdict = isComplete ? await verdictBy(await readLedger(ledgerFolder), database, (sql, format) => ports.warehouse.stream(sql, format)) : null;
    const { samples, memoryPeakMb } = watching.series;
    const last = samples.at(-1) as LoadSample;
    const { seconds, latency, kills, kafkaLagMax } = watching;
    return {
      profile: profile.name, seed: options.seed, days, pace: options.pace, complete: isComplete, messages: feed.sent, sessions: feed.sessions, seconds, perSecond: feed.sent / seconds,
      latency, highestRateHeld: highestRateHeld(samples.filter(({ rate }) => rate !== null)), cpuSecondsPerMillion: (last.cpuSeconds / Math.max(1, feed.sent)) * 1e6, memoryPeakMb,
      tables: { ...await tableSizes(ports.warehouse, database), rowsDelivered: last.rowsDelivered },
      servers: { run: own.run, pods: options.pods, partitions: configuration.partitions, kills, restarts: pods.restarts, kafkaLagMax, ...use }, verdict, samples,
    };
  } finally {
    await counters.close();
  }
}

/** Deletes what a run has made that could not do it itself. */
export async function removeRun(sources: ConfigurationSources, run: string, folder: string): Promise<string> {
  const own = isolated(sources, runNameOf(run, new Date()), { folder, pods: 1 });
  checkedCount(own.configuration, { workers: '1', exit: false });
  await withIsolatedPorts(own, (ports) => removeIsolated(own, ports));
  return namesOf(own);
}

import type { SessionLogOutcome } from '../charging/ingest/ingest-session-log.ts';
import { keepRawEvents } from '../charging/retention.ts';
import { chargingStatus } from './live-status.ts';
import { askSummary, summaryText } from '../charging/summary.ts';
import { chargingTopics } from '../charging/topics.ts';
import { chargingTopology } from '../charging/topology.ts';
import { startHttpServer } from '../console/http-server.ts';
import type { HttpServer } from '../console/http-server.ts';
import { Application } from '../runtime/application.ts';
import { loadConfiguration, printConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import type { MemoryGuard } from '../runtime/memory/memory-guard.ts';
import type { Ports } from '../runtime/ports.ts';
import { Pod } from './pod.ts';
import { productOptions } from './product-options.ts';
import { Progress } from './progress.ts';
import { takeSample } from './sample-thread.ts';
import { simulateLive } from './simulate/live-thread.ts';
import { stateAnswers } from './state.ts';
import { announce, closePorts, openPorts } from './workplace.ts';

export interface RunOptions {
  /** End when the input is done. */
  readonly exit: boolean;
  /** Take the shipped data set. */
  readonly sample: boolean;
  /** After it go on with simulated stations, live; only where the log is embedded. */
  readonly live: boolean;
  readonly reset: boolean;
  readonly printConfig: boolean;
  readonly json: boolean;
  /** So many processes of the group, supervised by this one; null: this process does the work itself. */
  readonly workers: string | null;
  /** Name among the processes of a supervisor, which started this one; null: there is none. */
  readonly worker: string | null;
}

/** The main job. Ends by itself with `exit`, else by SIGINT or SIGTERM: what is there is committed and delivered first. */
export async function run(sources: ConfigurationSources, options: RunOptions): Promise<void> {
  const configuration = loadConfiguration(sources);
  if (options.printConfig) {
    process.stdout.write(`${printConfiguration(configuration)}\n`);
    return;
  }
  if (options.workers !== null) return (await import('./workers/run-workers.ts')).runWorkers(configuration, sources, options);
  const pod = new Pod(configuration, options);
  try {
    await withPorts(configuration, options, pod);
  } catch (error) {
    // For people the command says it; for whoever collects lines it must be one.
    if (pod.prose) throw error;
    pod.logger.fatal({ err: error }, 'failed');
    process.exitCode = 1;
  } finally {
    pod.release();
  }
}

async function withPorts(configuration: Configuration, options: RunOptions, pod: Pod): Promise<void> {
  const { log, state, warehouse, registry } = configuration;
  pod.logger.info({ log: log.kind, state: state.kind, warehouse: warehouse.kind, registry: registry.kind }, 'opening log, state, registry and warehouse');
  const ports = await pod.unlessStopped(openPorts(configuration, () => pod.logger.info('another process brings the database up to date: waiting for it')));
  try {
    if (pod.stop.signal.aborted) return;
    await keepRawEvents(ports.warehouse, configuration.warehouse.database, configuration.warehouse.rawEventsDays);
    await work(configuration, options, ports, pod);
  } finally {
    await closePorts(ports);
  }
}

async function work(configuration: Configuration, options: RunOptions, ports: Ports, pod: Pod): Promise<void> {
  const { metrics, logger, stop } = pod;
  const application: Application = new Application({
    configuration, ports, metrics, logger, reset: options.reset,
    topology: chargingTopology(productOptions(configuration)),
    topics: chargingTopics(configuration.partitions),
    memoryFull: () => memory.paused,
  });
  const memory = pod.memoryGuard(() => application.memoryUse);
  const http = await startHttp(configuration, options, ports, pod, application);
  const withdraw = options.worker === null ? await announce(configuration.dataFolder, http.url) : async () => undefined;
  let toCome = 0;
  const failure = new AbortController();
  const ending = AbortSignal.any([stop.signal, failure.signal]);
  let taking: Promise<SessionLogOutcome | null> = Promise.resolve(null);
  let live: Promise<void> = Promise.resolve();
  const progress = new Progress(process.stderr, () => ({ ...application.figures, toCome }));
  try {
    await begin(application, memory, http, pod);
    if (pod.prose) progress.start();
    if (options.sample) {
      taking = takeSample(configuration, ending, (rest) => {
        toCome = rest;
      }, (error) => application.retrying('take the data set', error));
    }
    if (pod.prose) {
      await Promise.race([done(application, taking, stop.signal), application.failed]);
      if (!stop.signal.aborted) await report(configuration, options, ports, progress, application);
    }
    if (!options.exit && !stop.signal.aborted) {
      if (pod.prose) process.stderr.write(`\nLive page: ${http.url}   Stop with Ctrl-C.\n`);
      if (options.sample && options.live && configuration.log.kind === 'embedded') {
        if (pod.prose) process.stderr.write('Simulated stations (live-...) go on from here; --no-live leaves them out.\n');
        live = taking.then(() => simulateLive(configuration, ending, (messages) => metrics.simulated(messages), (error) => application.retrying('tell of live stations', error)));
      }
      await Promise.race([stop.requested, application.failed, Promise.all([taking, live]).then(() => stop.requested)]);
    }
  } finally {
    progress.stop();
    memory.stop();
    failure.abort(new Error('the process ends'));
    await Promise.allSettled([taking, live]);
    await application.stop();
    await withdraw();
    await http.close();
    logger.info('stopped');
  }
}

async function begin(application: Application, memory: MemoryGuard, http: HttpServer, pod: Pod): Promise<void> {
  memory.start();
  pod.logger.info({ url: http.url, memoryLimitMb: Math.round(memory.limitBytes / 1_048_576) }, 'starting');
  if (process.connected) process.send?.({ kind: 'listening', url: http.url });
  await Promise.race([application.start(), pod.stop.requested]);
}

function startHttp(configuration: Configuration, options: RunOptions, ports: Ports, pod: Pod, application: Application): Promise<HttpServer> {
  const startedAtMs = Date.now();
  const { metrics } = pod;
  return startHttpServer({
    host: configuration.http.host,
    port: options.exit ? 0 : configuration.http.port,
    metrics,
    redact: (text) => pod.redaction.text(text),
    notReadyBecause: () => application.notReadyBecause,
    status: () => chargingStatus({ configuration, pod: pod.id, ports, metrics, tasks: application.tasks, startedAtMs }),
    query: (sql, format) => ports.warehouse.queryText(sql, format),
    export: (sql, format) => ports.warehouse.stream(sql, format),
    state: stateAnswers(configuration, ports.store),
  });
}

/** The input has been taken and everything that follows from it is in the tables; or somebody wants us to stop. */
async function done(application: Application, taking: Promise<SessionLogOutcome | null>, signal: AbortSignal): Promise<void> {
  try {
    await taking;
    await application.drained(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function report(
  configuration: Configuration, options: RunOptions, ports: Ports, progress: Progress, application: Application,
): Promise<void> {
  const { elapsedMs } = progress;
  progress.stop();
  const answers = await askSummary((sql) => ports.warehouse.query(sql), configuration.warehouse.database);
  const run = {
    // They are in the table of dead letters by now, and are counted there.
    processedEvents: application.figures.processed, elapsedMs, colour: process.stdout.isTTY,
  };
  process.stdout.write(options.json ? `${JSON.stringify({ ...answers, run })}\n` : `\n${summaryText(answers, run)}\n`);
}

import type { SessionLogOutcome } from '../charging/ingest/ingest-session-log.ts';
import { keepRawEvents } from '../charging/retention.ts';
import { chargingStatus } from './live-status.ts';
import { askSummary, summaryText } from '../charging/summary.ts';
import { chargingTopics } from '../charging/topics.ts';
import { chargingTopology } from '../charging/topology.ts';
import { startHttpServer } from '../console/http-server.ts';
import { Application } from '../runtime/application.ts';
import { loadConfiguration, printConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { createLogger } from '../runtime/logger.ts';
import type { Logger } from '../runtime/logger.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import type { Ports } from '../runtime/ports.ts';
import { productOptions } from './product-options.ts';
import { Progress } from './progress.ts';
import { takeSample } from './sample-thread.ts';
import { stateAnswers } from './state.ts';
import { StopSignals } from './stop-signals.ts';
import { announce, closePorts, openPorts } from './workplace.ts';

export interface RunOptions {
  /** End when the input is done. */
  readonly exit: boolean;
  /** Take the shipped data set. */
  readonly sample: boolean;
  readonly reset: boolean;
  readonly printConfig: boolean;
  readonly json: boolean;
}

/** The main job. Ends by itself with `exit`, else by SIGINT or SIGTERM: what is there is committed and delivered first. */
export async function run(sources: ConfigurationSources, options: RunOptions): Promise<void> {
  const configuration = loadConfiguration(sources);
  if (options.printConfig) {
    process.stdout.write(`${printConfiguration(configuration)}\n`);
    return;
  }
  const stop = new StopSignals(process.stderr);
  const logger = createLogger({ level: logLevel(configuration), fields: { application: configuration.applicationId } });
  const ports = await openPorts(configuration);
  try {
    await keepRawEvents(ports.warehouse, configuration.warehouse.database, configuration.warehouse.rawEventsDays);
    await work(configuration, options, ports, logger, stop);
  } finally {
    stop.release();
    await closePorts(ports);
  }
}

/** On a terminal the progress line is enough, unless somebody has asked for more. */
function logLevel(configuration: Configuration): Configuration['logLevel'] {
  return process.stderr.isTTY && configuration.logLevel === 'info' ? 'warn' : configuration.logLevel;
}

async function work(configuration: Configuration, options: RunOptions, ports: Ports, logger: Logger, stop: StopSignals): Promise<void> {
  const metrics = new EngineMetrics();
  const application = new Application({
    configuration, ports, metrics, logger, reset: options.reset,
    topology: chargingTopology(productOptions(configuration)),
    topics: chargingTopics(configuration.partitions),
  });
  const startedAtMs = Date.now();
  const http = await startHttpServer({
    host: configuration.http.host,
    port: options.exit ? 0 : configuration.http.port,
    metrics,
    notReadyBecause: () => (application.ready ? [] : ['tasks are being claimed and restored']),
    status: () => chargingStatus({ configuration, ports, metrics, tasks: application.tasks, startedAtMs }),
    query: (sql, format) => ports.warehouse.queryText(sql, format),
    export: (sql, format) => ports.warehouse.stream(sql, format),
    state: stateAnswers(configuration, ports.store),
  });
  const withdraw = await announce(configuration.dataFolder, http.url);
  let toCome = 0;
  const failure = new AbortController();
  const ending = AbortSignal.any([stop.signal, failure.signal]);
  let taking: Promise<SessionLogOutcome | null> = Promise.resolve(null);
  const progress = new Progress(process.stderr, () => ({ ...application.figures, toCome }));
  try {
    await Promise.race([application.start(), stop.requested]);
    progress.start();
    if (options.sample) {
      taking = takeSample(configuration, ending, (rest) => {
        toCome = rest;
      }, (error) => application.retrying('take the data set', error));
    }
    await Promise.race([done(application, taking, stop.signal), application.failed]);
    if (!stop.signal.aborted) await report(configuration, options, ports, progress, application);
    if (!options.exit && !stop.signal.aborted) {
      process.stderr.write(`\nLive page: ${http.url}   Stop with Ctrl-C.\n`);
      await Promise.race([stop.requested, application.failed]);
    }
  } finally {
    progress.stop();
    failure.abort(new Error('the process ends'));
    await Promise.allSettled([taking]);
    await application.stop();
    await withdraw();
    await http.close();
  }
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

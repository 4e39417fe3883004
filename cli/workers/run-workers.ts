import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { VoltstreamError } from '../../errors.ts';
import { startHttpServer } from '../../console/http-server.ts';
import { settingEntries } from '../../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../../runtime/configuration.ts';
import { memoryLimitOf } from '../../runtime/memory/limit.ts';
import { portsOf } from '../../runtime/ports.ts';
import type { Ports } from '../../runtime/ports.ts';
import { Pod, podLines } from '../pod.ts';
import type { RunOptions } from '../run.ts';
import { stateAnswers } from '../state.ts';
import { announce } from '../workplace.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerCommand } from './worker-process.ts';

const WORKERS_MAX = 256;
const program = join(import.meta.dirname, '..', 'voltstream.ts');

/** `run --workers N`: N processes of the group on this machine behind one address, until a signal comes. */
export async function runWorkers(configuration: Configuration, sources: ConfigurationSources, options: RunOptions): Promise<void> {
  const count = checkedCount(configuration, options);
  const pod = new Pod(configuration, { ...options, prose: false });
  const { logger } = pod;
  const commands = workerCommands(count, configuration, sources, options, pod.id);
  const supervisor = new Supervisor({ commands, logger, metrics: pod.metrics, writeLine: podLines(configuration) });
  const memory = pod.memoryGuard(() => ({ stores: new Map(), outboxBytes: 0, bufferedRecords: 0 }));
  memory.start();
  const killAll = (): void => supervisor.kill();
  process.once('exit', killAll);
  const ports = await portsOf(configuration);
  try {
    await ports.warehouse.open();
    await ports.store.open();
    if (count > configuration.partitions) {
      logger.warn({ workers: count, partitions: configuration.partitions }, 'more workers than partitions: some will have nothing to do but stand by');
    }
    await supervise(configuration, ports, pod, supervisor);
  } catch (error) {
    logger.fatal({ err: error }, 'failed');
    process.exitCode = 1;
  } finally {
    await supervisor.stop(configuration.shutdownTimeoutMs);
    memory.stop();
    process.off('exit', killAll);
    await ports.store.close();
    await ports.warehouse.close();
    pod.release();
    logger.info('stopped');
  }
}

async function supervise(configuration: Configuration, ports: Ports, pod: Pod, supervisor: Supervisor): Promise<void> {
  const startedAtMs = Date.now();
  const http = await startHttpServer({
    host: configuration.http.host, port: configuration.http.port,
    metrics: { text: () => supervisor.metricsText(), contentType: pod.metrics.contentType },
    redact: (text) => pod.redaction.text(text),
    notReadyBecause: () => supervisor.notReadyBecause,
    status: () => supervisor.status(configuration.applicationId, pod.id, startedAtMs),
    query: (sql, format) => ports.warehouse.queryText(sql, format),
    export: (sql, format) => ports.warehouse.stream(sql, format),
    state: stateAnswers(configuration, ports.store),
  });
  await mkdir(configuration.dataFolder, { recursive: true });
  const withdraw = await announce(configuration.dataFolder, http.url);
  pod.logger.info({ url: http.url, workers: supervisor.workers.map(({ name }) => name) }, 'starting workers');
  try {
    supervisor.start();
    await Promise.race([pod.stop.requested, supervisor.hopeless]);
  } finally {
    await supervisor.stop(configuration.shutdownTimeoutMs);
    await withdraw();
    await http.close();
  }
}

/** Throws CONFIGURATION_INVALID where several processes cannot share the work. */
export function checkedCount(configuration: Configuration, { workers, exit }: Pick<RunOptions, 'workers' | 'exit'>): number {
  const refuse = (what: string, wanted: string, got: string): never => {
    throw new VoltstreamError('CONFIGURATION_INVALID', what, { where: '--workers', wanted, got });
  };
  const count = Number(workers);
  if (!Number.isInteger(count) || count < 1 || count > WORKERS_MAX) refuse('this is no number of workers', `a whole number from 1 to ${WORKERS_MAX}`, String(workers));
  const embedded = [['log.kind', configuration.log.kind, 'kafka'], ['state.kind', configuration.state.kind, 'redis'], ['warehouse.kind', configuration.warehouse.kind, 'server']]
    .filter(([, kind, shared]) => kind !== shared);
  if (embedded.length > 0) {
    refuse('several processes cannot share what is embedded: one process works on a data folder',
      embedded.map(([name, , shared]) => `${name} ${shared}`).join(', '), embedded.map(([name, kind]) => `${name} ${kind}`).join(', '));
  }
  if (exit) refuse('--exit is for one process, which can tell when all is done', '--workers without --exit', '--exit');
  return count;
}

/** What starts each worker. Settings go by environment variables, so that passwords given to us stand in no other command line. */
export function workerCommands(
  count: number, configuration: Configuration, sources: ConfigurationSources, options: RunOptions, pod: string,
): ReadonlyMap<string, WorkerCommand> {
  const memory = memoryLimitOf({ configuredMb: configuration.memory.limitMb, constrainedBytes: process.constrainedMemory(), machineBytes: totalmem() });
  const given = Object.fromEntries(Object.entries(sources.flags ?? {}).filter(([, value]) => value !== undefined).map(([name, value]) =>
    [settingEntries.find(({ path, setting }) => path === name || setting.alias === name)?.environment ?? name, String(value)]));
  return new Map(Array.from({ length: count }, (_unused, index) => {
    const name = `w${index + 1}`;
    const environment = {
      ...sources.environment, ...(sources.file === undefined ? {} : { VOLTSTREAM_CONFIG: sources.file }), ...given,
      VOLTSTREAM_POD_ID: `${pod}-${name}`, VOLTSTREAM_HTTP_HOST: '127.0.0.1', VOLTSTREAM_HTTP_PORT: '0',
      VOLTSTREAM_MEMORY_LIMIT_MB: String(Math.max(64, Math.floor(memory.bytes / count / 1_048_576))),
    };
    // One takes the data set: its marks in the log keep two from taking it twice, but two would wait for each other.
    const words = [...process.execArgv, program, 'run', '--worker', name, ...(options.sample && index === 0 ? [] : ['--no-sample']), ...(options.reset ? ['--reset'] : [])];
    return [name, { command: process.execPath, words, environment }] as const;
  }));
}

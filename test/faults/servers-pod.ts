/** One process of the product on Kafka, Redis and ClickHouse, led by the fault run that has forked it. */
import { chargingTopics } from '../../charging/topics.ts';
import { eventsTopic } from '../../charging/topology.ts';
import { closePorts, openPorts } from '../../cli/workplace.ts';
import { Application } from '../../runtime/application.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import { fixedRun } from './servers-run-number.ts';
import { judgedTopology } from './servers-tables.ts';

export interface PodOptions {
  readonly name: string;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Told every 100 ms. */
export interface PodStatus {
  readonly kind: 'status';
  readonly tasks: readonly string[];
  readonly ready: boolean;
  /** Positions in the topic of events, by task. */
  readonly positions: Readonly<Record<string, number>>;
  readonly outboxRows: number;
  readonly waiting: readonly string[];
}

export type PodMessage = PodStatus
  /** Everything in the log is processed, committed and delivered, as far as this process's tasks go. */
  | { readonly kind: 'drained'; readonly tasks: readonly string[] }
  | { readonly kind: 'failed'; readonly error: string };

export type PodOrder = 'drain' | 'stop';

const { name, flags } = JSON.parse(process.argv[2] ?? '{}') as PodOptions;

/** A session ends after seconds; a tenth of the shortest. */
const holdTold = 600;

function tell(message: PodMessage): void {
  if (process.connected) process.send?.(message);
}

const configuration = loadConfiguration({ flags });
const logger = createLogger({ level: configuration.logLevel, fields: { pod: name, life: Number(process.argv[3]) } });
const ports = await openPorts(configuration);
const application = new Application({
  configuration, ports, metrics: new EngineMetrics(), logger, newRun: () => fixedRun,
  topology: judgedTopology(configuration.warehouse.database),
  topics: chargingTopics(configuration.partitions),
});

application.failed.catch((error: unknown) => {
  logger.fatal({ err: error }, 'failed');
  tell({ kind: 'failed', error: error instanceof Error ? `${error.stack}` : String(error) });
  setTimeout(() => process.exit(1), 200);
});

function status(): PodStatus {
  const { tasks } = application;
  return {
    kind: 'status', tasks: tasks.map((task) => task.id).sort(), ready: application.ready, outboxRows: application.figures.outboxRows,
    positions: Object.fromEntries(tasks.flatMap((task) => task.queues.filter((queue) => queue.source.topic === eventsTopic).map((queue) => [task.id, queue.position]))),
    waiting: tasks.filter((task) => !task.settled || !task.queues.every((queue) => queue.atEnd))
      .map((task) => `${task.id}${task.pausedBy === null ? '' : ` (${task.pausedBy})`} ${task.queues
        .map((queue) => `${queue.source.topic}@${queue.position}/${queue.endOffset}+${queue.buffered}`).join(' ')}`),
  };
}

async function stop(): Promise<void> {
  await application.stop();
  await closePorts(ports);
  process.exit(0);
}

async function drained(): Promise<void> {
  await application.drained(new AbortController().signal);
  tell({ kind: 'drained', tasks: status().tasks });
}

/** Tells when the process was held: by work in one piece (processor time is near the whole), or by a machine that had none for it. */
function watchHolds(): void {
  let lastMs = performance.now();
  let last = process.cpuUsage();
  setInterval(() => {
    const heldMs = performance.now() - lastMs;
    const { user, system } = process.cpuUsage(last);
    if (heldMs > holdTold) logger.info({ heldMs: Math.round(heldMs), processorMs: Math.round((user + system) / 1_000) }, 'held');
    lastMs = performance.now();
    last = process.cpuUsage();
  }, 50);
}

process.on('message', (order: PodOrder) => void (order === 'stop' ? stop() : drained()));
process.once('disconnect', () => process.exit(2));
watchHolds();
await application.start();
setInterval(() => tell(status()), 100);

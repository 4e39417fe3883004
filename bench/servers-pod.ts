/** One process of `bench/servers.ts`, forked with its options as JSON: the whole product, or one windowed aggregation. */
import '../cli/thread-pool.ts';
import { chargingTopics } from '../charging/topics.ts';
import { chargingTopology } from '../charging/topology.ts';
import { closePorts, openPorts } from '../cli/workplace.ts';
import { windowAggregate } from '../operators/window-aggregate.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { Application } from '../runtime/application.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import { createLogger } from '../runtime/logger.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import { Topology } from '../topology/topology.ts';

export const windowsTopic = 'bench.events';

export interface BenchPodOptions {
  readonly work: 'product' | 'windows';
  readonly flags: Readonly<Record<string, unknown>>;
}

export type BenchPodMessage =
  | { readonly kind: 'tasks'; readonly tasks: number; readonly processed: number }
  | { readonly kind: 'drained' }
  | { readonly kind: 'commits'; readonly commits: number };

function tell(message: BenchPodMessage): void {
  if (process.connected) process.send?.(message);
}

/** Sums of power by station and minute; the results stay in the state. */
function windowsTopology(): Topology {
  const topology = new Topology('windows');
  topology.stream<string, ChargingEvent>(windowsTopic, { key: utf8, value: chargingEvent, timestampOf: (event) => event.timestampMs })
    .pipe(windowAggregate('station-minute', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
      key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (sum, event: ChargingEvent) => sum + (event.powerW ?? 0),
    }));
  return topology;
}

async function main(text: string): Promise<void> {
  const { work, flags } = JSON.parse(text) as BenchPodOptions;
  const configuration = loadConfiguration({ flags });
  const ports = await openPorts(configuration);
  const metrics = new EngineMetrics({ nodeMetrics: false });
  const application = new Application({
    configuration, ports, metrics, logger: createLogger({ level: 'error' }),
    topology: work === 'product' ? chargingTopology({ database: configuration.warehouse.database }) : windowsTopology(),
    topics: work === 'product' ? chargingTopics(configuration.partitions) : [],
  });
  application.failed.catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
  process.once('disconnect', () => process.exit(2));
  process.on('message', (order: 'drain' | 'commits' | 'stop') => {
    if (order === 'drain') void application.drained(new AbortController().signal).then(() => tell({ kind: 'drained' }));
    else if (order === 'commits') void commits(metrics).then((count) => tell({ kind: 'commits', commits: count }));
    else void application.stop().then(() => closePorts(ports)).then(() => process.exit(0));
  });
  await application.start();
  tellTasks(application);
}

/** Often until the first record, by which the clock starts; seldom afterwards, so that it costs nothing. */
function tellTasks(application: Application): void {
  const { tasks } = application;
  const processed = tasks.flatMap((task) => task.queues).reduce((sum, queue) => sum + queue.accepted - queue.buffered, 0);
  tell({ kind: 'tasks', tasks: tasks.length, processed });
  setTimeout(() => tellTasks(application), processed === 0 || tasks.length === 0 ? 20 : 1_000);
}

async function commits(metrics: EngineMetrics): Promise<number> {
  const text = await metrics.registry.metrics();
  return [...text.matchAll(/^voltstream_commit_duration_seconds_count\S* (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

if (import.meta.main) await main(process.argv[2] ?? '{}');

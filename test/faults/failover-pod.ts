/** One of two processes that count records by key, for `failover.ts`: `node failover-pod.ts OPTIONS` as JSON, forked. */
import { closePorts } from '../../cli/workplace.ts';
import { Application } from '../../runtime/application.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';
import { portsOf } from '../../runtime/ports.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { Topology } from '../../topology/topology.ts';

export const failoverTopic = 'failover.records';

export interface FailoverPodOptions {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly partitions: number;
}

export type FailoverMessage =
  | { readonly kind: 'tasks'; readonly tasks: readonly string[]; readonly processed: number; readonly settled: boolean }
  /** A task's first record since its claim; `atMs` by the wall clock. */
  | { readonly kind: 'first record'; readonly task: string; readonly atMs: number }
  /** The group has said which tasks are ours. */
  | { readonly kind: 'assigned'; readonly atMs: number }
  /** A task is ready to process; `restoreMs` is what its claim took. */
  | { readonly kind: 'claimed'; readonly task: string; readonly atMs: number; readonly restoreMs: number };

const nothing: Warehouse = {
  open: () => Promise.resolve(), query: () => Promise.resolve([]), queryText: () => Promise.resolve(''), async* stream() {},
  command: () => Promise.resolve(), insert: () => Promise.resolve(), close: () => Promise.resolve(),
};

function tell(message: FailoverMessage): void {
  if (process.connected) process.send?.(message);
}

/** Passes on what lines of the log tell of claims; errors stay errors. */
function hear(line: string): void {
  const { level, msg, task = '', restoreMs = 0 } = JSON.parse(line) as { readonly level: string; readonly msg: string; readonly task?: string; readonly restoreMs?: number };
  if (level === 'error' || level === 'fatal') process.stderr.write(line);
  if (msg === 'tasks assigned') tell({ kind: 'assigned', atMs: Date.now() });
  else if (msg === 'task claimed') tell({ kind: 'claimed', task, atMs: Date.now(), restoreMs });
}

async function main(text: string): Promise<void> {
  const { flags, partitions } = JSON.parse(text) as FailoverPodOptions;
  const configuration = loadConfiguration({ flags });
  const ports = { ...await portsOf(configuration), warehouse: nothing };
  for (const port of [ports.log, ports.store, ports.registry]) await port.open();
  const topology = new Topology('failover');
  topology.stream<string, string>(failoverTopic, { key: utf8, value: utf8 }).groupByKey({ key: utf8, value: utf8 }).count('by-key');
  const application = new Application({
    configuration, ports, topology, metrics: new EngineMetrics({ nodeMetrics: false }), logger: createLogger({ level: 'info', destination: { write: hear } }),
    topics: [{ topic: failoverTopic, partitions }],
  });
  application.failed.catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
  process.once('disconnect', () => process.exit(2));
  process.once('message', () => void application.stop().then(() => closePorts(ports)).then(() => process.exit(0)));
  await application.start();

  let lastTold = 0;
  const running = new Set<object>();
  setInterval(() => {
    for (const task of application.tasks) {
      const processed = task.queues.reduce((sum, queue) => sum + queue.accepted - queue.buffered, 0);
      if (processed === 0 || running.has(task)) continue;
      running.add(task);
      tell({ kind: 'first record', task: task.id, atMs: Date.now() });
    }
    if (performance.now() - lastTold < 200) return;
    lastTold = performance.now();
    const { tasks } = application;
    tell({
      kind: 'tasks', tasks: tasks.map((task) => task.id), processed: tasks.flatMap((task) => task.queues).reduce((sum, queue) => sum + queue.position, 0),
      settled: tasks.every((task) => task.settled),
    });
  }, 2);
}

if (import.meta.main) await main(process.argv[2] ?? '{}');

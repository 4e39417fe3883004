import { MemoryStateStore } from '../../../state/memory-state-store.ts';
import { FileRegistry } from '../../../schemas/file-registry.ts';
import type { SchemaRegistry } from '../../../schemas/codec.ts';
import type { Topology } from '../../../topology/topology.ts';
import { Application } from '../../application.ts';
import { loadConfiguration } from '../../configuration.ts';
import { createLogger } from '../../logger.ts';
import type { TopicDefinition } from '../../log/log.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { EngineMetrics } from '../../metrics.ts';
import type { Ports } from '../../ports.ts';
import { FakeWarehouse } from './fake-warehouse.ts';
import { FaultyPorts } from './faulty-ports.ts';
import type { Fault } from './faulty-ports.ts';

export const tableColumns = { text: 'String' } as const;

/** A table of the fake warehouse; rows lie in the partition of their first letter. */
export const tableOf = (table: string) => ({
  database: 'voltstream', table, columns: tableColumns, partitionOf: (row: { readonly text: string }) => row.text.slice(0, 1),
});

export interface World extends Ports {
  readonly log: MemoryLog;
  readonly store: MemoryStateStore;
  readonly warehouse: FakeWarehouse;
}

/** What outlives a process: a log, a store, a registry and a warehouse. */
export async function worldOf(folder: string, topics: readonly TopicDefinition[] = []): Promise<World> {
  const registry = new FileRegistry({ folder });
  await registry.open();
  const log = new MemoryLog();
  await log.createTopics(topics);
  return { log, store: new MemoryStateStore(), registry, warehouse: new FakeWarehouse(tableColumns) };
}

export interface StartOptions {
  readonly faultAt?: number;
  readonly fault?: Fault;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly reset?: boolean;
  readonly partitions?: number;
  readonly registry?: SchemaRegistry;
  /** Run of tasks without state. */
  readonly run?: number;
  readonly memoryFull?: () => boolean;
}

/** Commits, polls and seals as fast as a test wants. */
const quick = { 'commit.intervalMs': 1, 'outbox.sealAgeMs': 1, 'poll.waitMs': 1, shutdownTimeoutMs: 2_000 };

export interface Process {
  readonly application: Application;
  readonly ports: FaultyPorts;
  readonly metrics: EngineMetrics;
  /** Lines of its log at level warn and above. */
  readonly lines: { readonly msg: string; readonly err?: { readonly code?: string } }[];
  /** Everything processed, committed and delivered; rejects when the application fails. */
  drained(timeoutMs?: number): Promise<void>;
}

/** One process of the topology; `application.start()` is the caller's. */
export function processOf(world: Ports, topology: Topology, options: StartOptions = {}): Process {
  const inner = options.registry === undefined ? world : { ...world, registry: options.registry };
  const ports = new FaultyPorts(inner, options.faultAt, options.fault ?? null);
  const metrics = new EngineMetrics({ nodeMetrics: false });
  const lines: { readonly msg: string; readonly err?: { readonly code?: string } }[] = [];
  const application = new Application({
    configuration: loadConfiguration({ flags: { ...quick, partitions: options.partitions ?? 2, ...options.flags } }),
    topology, ports, metrics, topics: [], random: () => 0, newRun: () => options.run ?? 1,
    logger: createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }),
    ...(options.reset === undefined ? {} : { reset: options.reset }), ...(options.memoryFull === undefined ? {} : { memoryFull: options.memoryFull }),
  });
  return {
    application, ports, metrics, lines,
    drained: (timeoutMs = 10_000) => Promise.race([application.drained(AbortSignal.timeout(timeoutMs)), application.failed]),
  };
}

/** Starts a process and waits until it has done all there is to do. */
export async function ran(world: Ports, topology: Topology, options: StartOptions = {}): Promise<Process> {
  const running = processOf(world, topology, options);
  await running.application.start();
  await running.drained();
  return running;
}

/** Values of a topic, partition by partition. */
export async function textsIn(world: World, topic: string): Promise<string[][]> {
  const partitions = await world.log.partitionCount(topic) ?? 0;
  const texts: string[][] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await world.log.bounds({ topic, partition });
    const own: string[] = [];
    for await (const batch of world.log.read({ topic, partition }, start, end)) {
      for (const { value } of batch.records) own.push(Buffer.from(value ?? []).toString());
    }
    texts.push(own);
  }
  return texts;
}

/** Group offsets of the main tasks. */
export async function groupOffsetsOf(world: World, topic: string): Promise<readonly (number | null)[]> {
  const partitions = await world.log.partitionCount(topic) ?? 0;
  return world.log.consumer({ group: 'voltstream', tasks: [] })
    .committedOffsets(Array.from({ length: partitions }, (_unused, partition) => ({ topic, partition })));
}

/** Appends texts, keyed by their first letter. */
export async function append(world: World, topic: string, texts: readonly string[], timestampMs = 0): Promise<void> {
  const producer = await world.log.producer();
  await producer.append(texts.map((text, index) => ({
    topic, key: Buffer.from(text.slice(0, 1)), value: Buffer.from(text), timestampMs: timestampMs + index,
  })));
}

import { VoltstreamError } from '../errors.ts';
import type { BuiltTopology, SinkNode } from '../topology/graph.ts';
import type { Topology } from '../topology/topology.ts';
import type { WarehouseSink } from '../topology/sink.ts';
import { ArchiveFactory } from './archive/archive-factory.ts';
import type { Configuration } from './configuration.ts';
import type { DeliveryTask, SinkDelivery } from './delivery/delivery.ts';
import { RepartitionDelivery, TopicDelivery } from './delivery/log-delivery.ts';
import { sinkEncoders, warehouseEncoder } from './delivery/sink-encoders.ts';
import { WarehouseDelivery } from './delivery/warehouse-delivery.ts';
import { GlobalTables } from './global-tables.ts';
import { ownInternalTopics } from './internal-topics.ts';
import type { TopicDefinition } from './log/log.ts';
import type { Logger } from './logger.ts';
import type { MemoryUse } from './memory/memory-guard.ts';
import type { EngineMetrics } from './metrics.ts';
import { archiveTasksOf, internalTopicsOf, tasksOf } from './partition-counts.ts';
import type { Ports } from './ports.ts';
import { checkTable } from './sinks/clickhouse/check-table.ts';
import type { TableFacts } from './sinks/clickhouse/check-table.ts';
import { FailurePolicies } from './task/error-policy.ts';
import type { RunningTask } from './task/running-task.ts';
import type { SinkEncoder } from './task/task-core.ts';
import { checkStoredTasks } from './stored-tasks.ts';
import { watchStore } from './store-health.ts';
import { createTopicsAtStart } from './topics-at-start.ts';
import { claimPatiently } from './worker/patient-claim.ts';
import { TaskRegister } from './worker/task-register.ts';
import { TaskFactory } from './worker/task-factory.ts';
import type { PositionPolicy } from './worker/positions.ts';
import { Worker } from './worker/worker.ts';
import type { TaskSource } from './worker/worker.ts';

export interface ApplicationOptions {
  readonly configuration: Configuration;
  readonly topology: Topology;
  /** Open already; closed by whoever opened them. */
  readonly ports: Ports;
  readonly metrics: EngineMetrics;
  readonly logger: Logger;
  /** Topics of the product, created when they are missing. */
  readonly topics: readonly TopicDefinition[];
  /** Start over where state is missing. */
  readonly reset?: boolean;
  /** True while tasks must take no further input, because there is no memory for it. */
  readonly memoryFull?: () => boolean;
  readonly nowMs?: () => number;
  readonly random?: () => number;
  /** Run of tasks that have no state yet; by the clock (minutes since 2024) when left out. */
  readonly newRun?: () => number;
}

type AnyWarehouseSink = WarehouseSink<unknown, unknown, Readonly<Record<string, never>>>;

/** Runs begin at least a minute apart, and 24 bits of minutes last until 2055. */
const RUN_EPOCH_MS = Date.UTC(2024, 0, 1);
const GLOBAL_TABLE_REFRESH_MS = 1_000;
/** The archive waits a little longer than an outbox for a full insert: its rows are the most by far. */
const ARCHIVE_BYTES_MAX = 9_000_000;

/** A topology at work in this process: topics, global tables, workers. Scales by starting more processes of the same name. */
export class Application {
  readonly #options: ApplicationOptions;
  readonly #topology: BuiltTopology;
  readonly #abort = new AbortController();
  readonly #tables = new Map<string, TableFacts>();
  readonly #register: TaskRegister;
  readonly #failures: FailurePolicies;
  readonly #failure = Promise.withResolvers<never>();
  #workers: readonly Worker[] = [];
  #globalTables: GlobalTables | null = null;
  #starting: Promise<void> | null = null;
  #draining = false;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#topology = ownInternalTopics(options.topology.build(), options.configuration.applicationId);
    this.#failures = new FailurePolicies(this.#topology, (task, letter) => this.#register.deadLetter(task, letter));
    this.#register = new TaskRegister({
      application: options.configuration.applicationId, metrics: options.metrics, logger: options.logger,
      stopped: (task, error) => this.#taskStopped(task, error),
    });
    this.#failure.promise.catch(() => undefined);
  }

  /** Rejects with the error that no further claim can cure; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  get ready(): boolean {
    return this.#workers.length > 0 && this.#workers.every((worker) => worker.ready);
  }

  /** Why this process should get no traffic and counts as not up, as sentences for people; empty when it is ready. */
  get notReadyBecause(): readonly string[] {
    if (this.#draining) return ['draining: what is there is committed and delivered, then the process ends'];
    if (this.#workers.length === 0) return ['starting: topics, tables and global tables are checked'];
    const reasons: string[] = [];
    const claiming = this.#workers.map((worker) => worker.claiming);
    if (claiming.includes(null)) reasons.push('joining: the log has not said yet which tasks are ours');
    const tasks = claiming.flatMap((one) => one ?? []);
    if (tasks.length > 0) reasons.push(`claiming and restoring ${tasks.slice(0, 5).join(', ')}${tasks.length > 5 ? ` and ${tasks.length - 5} more` : ''}`);
    if (this.#options.memoryFull?.() === true) reasons.push('memory is full: tasks read no input');
    for (const { id, pausedBy } of this.tasks) if (pausedBy?.includes('is full') === true) reasons.push(`task ${id}: ${pausedBy}`);
    return reasons;
  }

  /** What takes memory, as far as the engine can tell. */
  get memoryUse(): MemoryUse {
    const { stores, outboxBytes } = this.#options.metrics.memoryUse();
    const bufferedRecords = this.tasks.reduce((sum, task) => sum + task.queues.reduce((records, queue) => records + queue.buffered, 0), 0);
    return { stores, outboxBytes, bufferedRecords };
  }

  /** True when everything in the log up to its end has been processed, committed and delivered. */
  get caughtUp(): boolean {
    return this.ready && this.#workers.every((worker) => worker.caughtUp);
  }

  /**
   * Waits until everything that is in the log now, and what follows from it, is processed, committed and delivered; while the log is away, too.
   */
  async drained(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.caughtUp && await claimPatiently(() => this.#atEnd(), signal, (_operation, error) => this.retrying('look at the end of the log', error))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sums for progress lines; archives read what the tasks read, and are left out of `processed` and `lag`. */
  get figures(): { readonly processed: number; readonly lag: number; readonly rowsDelivered: number; readonly outboxRows: number } {
    let processed = 0;
    let lag = 0;
    for (const task of this.#workers[0]?.tasks ?? []) {
      for (const queue of task.queues) {
        processed += queue.accepted - queue.buffered;
        lag += Math.max(0, queue.endOffset - queue.position);
      }
    }
    const totals = this.#options.metrics.totals();
    return { processed, lag, rowsDelivered: totals.deliveredRows, outboxRows: totals.outboxRows };
  }

  get tasks(): readonly RunningTask[] {
    return this.#workers.flatMap((worker) => worker.tasks);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { configuration, ports, topics } = this.#options;
    const { signal } = this.#abort;
    await this.#createTopics(topics);
    await this.#createTopics(await internalTopicsOf(this.#topology, ports.log, configuration.partitions));
    await claimPatiently(() => this.#checkStoredTasks(), signal, (operation, error) => this.retrying(operation, error));
    await claimPatiently(() => this.#checkTables(), signal, (operation, error) => this.retrying(operation, error));
    await watchStore(ports.store, this.#options.metrics, this.#options.logger, signal);
    signal.throwIfAborted();
    const globalTables = new GlobalTables({
      tables: this.#topology.globalTables, log: ports.log, registry: ports.registry, refreshMs: GLOBAL_TABLE_REFRESH_MS, signal,
      problem: (message, error) => this.#options.logger.warn({ err: error }, message),
    });
    this.#globalTables = globalTables;
    await globalTables.start();
    const workers = [await this.#mainWorker(globalTables)];
    for (const archive of this.#topology.archives) workers.push(await this.#archiveWorker(archive));
    signal.throwIfAborted();
    this.#workers = workers;
    await Promise.all(workers.map((worker) => worker.start()));
  }

  /** A failure of somebody who works beside the tasks, which is tried again: counted and told like theirs. */
  retrying(operation: string, error: unknown): void {
    this.#register.retrying(operation, error);
  }

  /**
   * Takes no further input, commits and delivers what is there within the time of the configuration, leaves the groups, so that others take over at
   * once, and lets go of everything. What could not be delivered stays in the outbox for the next owner. Also ends a start that is under way.
   */
  async stop(): Promise<void> {
    const { shutdownTimeoutMs } = this.#options.configuration;
    this.#draining = true;
    if (this.#workers.length === 0) this.#abort.abort(new Error('the application was stopped'));
    await Promise.all(this.#workers.map((worker) => worker.stop(shutdownTimeoutMs)));
    this.#tellWhatStays();
    this.#abort.abort(new Error('the application was stopped'));
    await Promise.allSettled([this.#starting]);
    await this.#globalTables?.stop();
  }

  #tellWhatStays(): void {
    const { outboxRows, outboxBytes } = this.#options.metrics.totals();
    if (outboxRows === 0 || this.#workers.length === 0) return;
    this.#options.logger.warn({ outboxRows, outboxBytes }, 'not all rows could be delivered in time: those that are committed stay in the outbox for the next owner of their tasks');
  }

  #createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    return createTopicsAtStart(this.#options.ports.log, topics, this.#abort.signal, (operation, error) => this.retrying(operation, error));
  }

  async #atEnd(): Promise<boolean> {
    for (const task of this.tasks) {
      for (const queue of task.queues) {
        const { end } = await this.#options.ports.log.bounds({ topic: queue.source.topic, partition: queue.partition });
        if (queue.position < end) return false;
      }
    }
    return this.caughtUp;
  }

  /** Before anything is claimed: state that this topology would leave behind, or half a savepoint. */
  async #checkStoredTasks(): Promise<void> {
    const { log, store } = this.#options.ports;
    const parts = await Promise.all(this.#topology.subTopologies.map((part) => tasksOf(part, log)));
    const archives = await Promise.all(this.#topology.archives.map((archive) => archiveTasksOf(archive, log)));
    await checkStoredTasks(this.#topology, new Set([...parts, ...archives].flat().map(({ task }) => task)), store);
  }

  async #mainWorker(globalTables: GlobalTables): Promise<Worker> {
    const { configuration, ports } = this.#options;
    const parts = this.#topology.subTopologies;
    const sinks = [...parts.flatMap((part) => part.sinks), ...(this.#topology.deadLetters === null ? [] : [this.#topology.deadLetters])];
    const tasks = (await Promise.all(parts.map((part) => tasksOf(part, ports.log)))).flat();
    const source = new TaskFactory({
      partitionsOf: (part) => tasks.filter((task) => task.task.slice(0, task.task.lastIndexOf('_')) === part.name).length,
      topology: this.#topology, log: ports.log, store: ports.store, limits: configuration, maxTaskIdleMs: configuration.maxTaskIdleMs,
      wallClock: configuration.wallClock === 'on',
      readers: new Map(parts.flatMap((part) => part.sources).map((node) => [node.name, this.#readersOf(node.form)])),
      encoders: await sinkEncoders(sinks, ports.registry, this.#nowMs),
      globalStores: globalTables.stores, failures: this.#failures,
      deliveryOf: (sink, task) => this.#deliveryOf(sink, task),
      positions: this.#positions(),
      listener: this.#register,
      claimed: (task, restoreMs) => this.#register.claimed(task, restoreMs),
      retrying: (operation, error) => this.#register.retrying(operation, error),
      newRun: () => this.#newRun(), nowMs: this.#nowMs, signal: this.#abort.signal,
    });
    return this.#worker(configuration.applicationId, tasks, source);
  }

  async #archiveWorker(archive: BuiltTopology['archives'][number]): Promise<Worker> {
    const { configuration, ports } = this.#options;
    const sink = archive.sink as unknown as AnyWarehouseSink;
    const readByStream = this.#topology.subTopologies.some((part) => part.sources.some(({ topic }) => topic === archive.topic));
    const source = new ArchiveFactory({
      archive: { ...archive, readByStream }, application: configuration.applicationId, log: ports.log, store: ports.store, warehouse: ports.warehouse, table: sink.table,
      facts: this.#factsOf(sink), readers: this.#readersOf(archive.form), encoderOf: (run) => warehouseEncoder(sink, run, this.#nowMs),
      limits: { rowsMax: configuration.outbox.sealRowsMax, bytesMax: ARCHIVE_BYTES_MAX, ageMs: configuration.outbox.sealAgeMs },
      positions: this.#positions(), newRun: () => this.#newRun(), nowMs: this.#nowMs, signal: this.#abort.signal,
      listener: this.#register, failures: this.#failures,
      letters: await this.#archiveLetters(), deliveryOf: (node, task) => this.#deliveryOf(node, task),
    });
    const claiming: TaskSource = {
      claim: async (assignment, consumer) => {
        const startedMs = performance.now();
        const task = await source.claim(assignment, consumer);
        this.#register.archiveClaimed(task, sink.name, performance.now() - startedMs);
        return task;
      },
    };
    return this.#worker(`${configuration.applicationId}.${archive.name}`, await archiveTasksOf(archive, ports.log), claiming);
  }

  async #archiveLetters(): Promise<ConstructorParameters<typeof ArchiveFactory>[0]['letters']> {
    const { deadLetters } = this.#topology;
    if (deadLetters === null) return null;
    const encoders = await sinkEncoders([deadLetters], this.#options.ports.registry, this.#nowMs);
    return { sink: deadLetters, encoderOf: (run) => encoders(run).get(deadLetters.name) as SinkEncoder };
  }

  #worker(group: string, tasks: Awaited<ReturnType<typeof tasksOf>>, source: TaskSource): Worker {
    const { configuration, ports, logger, random } = this.#options;
    return new Worker({
      log: ports.log, group, tasks, source, pollWaitMs: configuration.poll.waitMs, bufferBytesMax: configuration.poll.bufferBytesMax,
      random: random ?? Math.random, paused: () => this.#options.memoryFull?.() ?? false,
      listener: {
        assigned: (ids) => logger.info({ group, tasks: ids }, 'tasks assigned'),
        dropped: (task, reason) => this.#register.dropped(task, reason),
        failed: (error) => this.#failure.reject(error),
        processed: (task, records, durationMs) => this.#register.processed(task, records, durationMs),
        retrying: (operation, error) => this.#register.retrying(operation, error),
        // An embedded log's group has one member.
        left: ({ finishMs, leaveMs }) => logger[configuration.log.kind === 'embedded' ? 'debug' : 'info']({ group, finishMs: Math.round(finishMs), leaveMs: Math.round(leaveMs) }, 'left the group'),
      },
    });
  }

  #deliveryOf(node: SinkNode, task: DeliveryTask): SinkDelivery {
    const { configuration, ports } = this.#options;
    const { sink } = node;
    switch (sink.kind) {
      case 'warehouse':
        return new WarehouseDelivery(ports.warehouse, configuration.applicationId, sink.table, this.#factsOf(sink), task);
      case 'log':
        return new TopicDelivery(ports.log, configuration.applicationId, sink.name, sink.topic, task);
      case 'repartition':
        return new RepartitionDelivery(ports.log, sink.topic, task);
    }
  }

  #readersOf(form: BuiltTopology['archives'][number]['form']) {
    const { registry } = this.#options.ports;
    return { key: registry.reader(form.key), value: registry.reader(form.value) };
  }

  async #checkTables(): Promise<void> {
    const sinks = [
      ...this.#topology.subTopologies.flatMap((part) => part.sinks.map((node) => node.sink)),
      ...this.#topology.archives.map((archive) => archive.sink),
      ...(this.#topology.deadLetters === null ? [] : [this.#topology.deadLetters.sink]),
    ];
    for (const sink of sinks) {
      if (sink.kind !== 'warehouse') continue;
      this.#tables.set(`${sink.table.database}.${sink.table.table}`, await checkTable(this.#options.ports.warehouse, sink.table));
    }
  }

  #factsOf(sink: { readonly table: { readonly database: string; readonly table: string } }): TableFacts {
    const facts = this.#tables.get(`${sink.table.database}.${sink.table.table}`);
    if (facts === undefined) throw new VoltstreamError('WAREHOUSE_SETTING', 'a table was not checked at start', { where: sink.table.table });
    return facts;
  }

  #positions(): PositionPolicy {
    const { configuration, logger, reset } = this.#options;
    return {
      onOffsetOutOfRange: configuration.onOffsetOutOfRange, reset: reset ?? false,
      notice: (message, facts) => logger.warn(facts, message),
    };
  }

  #taskStopped(task: RunningTask, error: unknown): void {
    for (const worker of this.#workers) worker.taskStopped(task, error);
  }

  #newRun(): number {
    return this.#options.newRun?.() ?? Math.floor((this.#nowMs() - RUN_EPOCH_MS) / 60_000);
  }

  get #nowMs(): () => number {
    return this.#options.nowMs ?? Date.now;
  }
}

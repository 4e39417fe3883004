import { VoltstreamError } from '../../errors.ts';
import type { Claim, StateStore } from '../../state/state-store.ts';
import type { SinkNode } from '../../topology/graph.ts';
import type { Configuration } from '../configuration.ts';
import type { DeliveryTask, SinkDelivery } from '../delivery/delivery.ts';
import type { LogBatch } from '../log/log.ts';
import type { RunningTask } from './running-task.ts';
import { AwaitedSchemas } from './awaited-schemas.ts';
import { CommitLoop } from './commit-loop.ts';
import type { SealedBatch } from './outbox.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { SinkDeliveries } from './sink-deliveries.ts';
import type { TaskCore } from './task-core.ts';

export type TaskLimits = Pick<Configuration, 'commit' | 'outbox'>;

/** After so long without a turn the process was stopped, or the machine asleep: that the log answers now says nothing about that time. */
const ASLEEP_MS = 2_000;

/** Sees what happens to a task, for metrics, logs and tracing. */
export interface TaskListener {
  /** Runs a commit with all its tries. */
  committing(task: RunningTask, cells: number, work: () => Promise<void>): Promise<void>;
  /** Runs the delivery of a batch with all its tries. */
  delivering(task: RunningTask, sink: string, rows: number, work: () => Promise<void>): Promise<void>;
  retrying(operation: string, error: unknown): void;
  /** The task has stopped: FENCED, REWOUND and a record to be tried again are followed by another claim, anything else ends the worker. */
  stopped(task: RunningTask, error: unknown): void;
}

export interface TaskOptions {
  readonly id: string;
  readonly store: StateStore;
  readonly limits: TaskLimits;
  readonly claim: Claim;
  /** Restored from that claim, and told where to read. */
  readonly core: TaskCore;
  readonly sinks: readonly SinkNode[];
  readonly deliveryOf: (sink: SinkNode, task: DeliveryTask) => SinkDelivery;
  readonly listener: TaskListener;
  readonly nowMs: () => number;
}

/**
 * One claim of a task: takes batches, processes, commits, delivers. When the claim is lost the object is finished; its
 * successor claims anew. All decisions about records are `TaskCore`'s; here is only what waits.
 */
export class Task implements RunningTask {
  readonly id: string;
  readonly core: TaskCore;
  readonly #options: TaskOptions;
  readonly #abort = new AbortController();
  readonly #deliveries: SinkDeliveries;
  readonly #deliveredRows = new Map<string, number>();
  readonly #commits: CommitLoop;
  readonly #schemas: AwaitedSchemas;
  #lastCommitMs = 0;
  #lastTurnMs = 0;
  #stopped = false;
  #committedPositions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[] = [];
  pausedBy: string | null = null;

  constructor(options: TaskOptions) {
    this.id = options.id;
    this.#options = options;
    this.core = options.core;
    this.#schemas = new AwaitedSchemas(this.core.queues, options.nowMs, (operation, error) => options.listener.retrying(operation, error));
    this.#commits = new CommitLoop(options.store, options.claim, this.signal, {
      retrying: (operation, error) => options.listener.retrying(operation, error),
      committing: (cells, work) => options.listener.committing(this, cells, work),
    });
    const deliveryTask: DeliveryTask = {
      id: this.id, run: this.core.run, signal: this.signal,
      verifyOwner: () => this.#commit(false),
      retrying: (operation, error) => options.listener.retrying(operation, error),
    };
    this.#deliveries = new SinkDeliveries(new Map(options.sinks.map((sink) => [sink.name, options.deliveryOf(sink, deliveryTask)])), {
      delivering: (sink, rows, work) => options.listener.delivering(this, sink, rows, work),
      delivered: (sink, batch) => this.#acknowledge(sink, batch),
      failed: (error) => this.#stop(error),
    });
  }

  get queues(): readonly PartitionQueue[] {
    return this.core.queues;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  deliveredRows(sink: string): number {
    return this.#deliveredRows.get(sink) ?? 0;
  }

  /** Positions as last committed: what group offsets may say. */
  get committedPositions(): readonly { readonly topic: string; readonly partition: number; readonly offset: number }[] {
    return this.#committedPositions;
  }

  /** Starts to deliver what was sealed before: a sink is opened with its first batch, which fences what an earlier owner left there. */
  begin(due: readonly { readonly sink: string; readonly batch: SealedBatch }[]): void {
    this.#lastCommitMs = this.#options.nowMs();
    this.#deliveries.push(due);
  }

  accept(batch: LogBatch): boolean {
    return !this.#stopped && this.core.accept(batch);
  }

  loadSchemas(): Promise<boolean> {
    return this.#schemas.load();
  }

  /** One turn: processes up to `recordsMax`, does what the clock makes due, commits when it is time. Gives the number of records processed. */
  turn(recordsMax: number, polled = true): number {
    if (this.#stopped) return 0;
    const nowMs = this.#options.nowMs();
    const awake = nowMs - this.#lastTurnMs < ASLEEP_MS;
    this.#lastTurnMs = nowMs;
    this.pausedBy = this.#blocked();
    let processed = 0;
    try {
      if (this.pausedBy === null) {
        processed = this.core.process(recordsMax, nowMs);
        this.core.tick(nowMs, polled && awake);
      }
      if (this.#commitDue(nowMs)) void this.#commit(false).catch((error: unknown) => this.#stop(error));
    } catch (error) {
      this.#stop(error);
    }
    return processed;
  }

  /** True when all that has been fetched is processed, committed, delivered and acknowledged in the store. */
  get settled(): boolean {
    if (this.#commits.busy || this.core.dirty || this.#deliveries.busy) return false;
    for (const outbox of this.core.outboxes.values()) if (outbox.rows > 0) return false;
    return this.core.queues.every((queue) => queue.buffered === 0 && !queue.hasHead);
  }

  confirmOwner(): void {
    if (!this.#stopped) void this.#commits.commit([]).catch((error: unknown) => this.#stop(error));
  }

  /** Commits what is there, delivers it, and commits the acknowledgements. For a graceful stop. */
  async flush(): Promise<void> {
    while (!this.#stopped) {
      if (this.core.dirty || [...this.core.outboxes.values()].some((outbox) => outbox.rows > 0 && this.#deliveries.waiting(outbox.sink) === 0)) {
        await this.#commit(true);
      }
      if (!this.#deliveries.busy && !this.core.dirty) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Forgets everything. What was not committed is lost here and done again by the next owner. */
  async drop(reason: string): Promise<void> {
    this.#stopped = true;
    this.pausedBy = reason;
    this.#abort.abort(new Error(`task ${this.id} was dropped: ${reason}`));
    await this.#deliveries.close();
  }

  #blocked(): string | null {
    const { commit, outbox } = this.#options.limits;
    for (const box of this.core.outboxes.values()) {
      if (box.rows >= outbox.rowsMax || box.bytes >= outbox.bytesMax) return `outbox of ${box.sink} is full`;
    }
    const full = this.core.recordsSinceCommit >= commit.recordsMax || this.core.wantsCommit;
    return this.#commits.busy && full ? 'commit under way' : null;
  }

  #commitDue(nowMs: number): boolean {
    const { commit } = this.#options.limits;
    if (this.#commits.busy) return false;
    if (this.core.wantsCommit || this.core.recordsSinceCommit >= commit.recordsMax || this.core.openBytes >= commit.bytesMax) return true;
    if (nowMs - this.#lastCommitMs < commit.intervalMs) return false;
    if (this.core.dirty) return true;
    for (const outbox of this.core.outboxes.values()) if (outbox.sealDue(nowMs)) return true;
    return false;
  }

  async #commit(sealNow: boolean): Promise<void> {
    const nowMs = this.#options.nowMs();
    const content = this.core.takeCommit(nowMs, sealNow);
    const positions = this.core.queues.map((queue) => ({ topic: queue.source.topic, partition: queue.partition, offset: queue.position }));
    this.#lastCommitMs = nowMs;
    await this.#commits.commit(content.cells);
    this.core.accepted(content);
    this.#committedPositions = positions;
    this.#deliveries.push(content.sealed);
  }

  #acknowledge(sink: string, batch: SealedBatch): void {
    this.core.outboxes.get(sink)?.acknowledge(batch);
    this.#deliveredRows.set(sink, this.deliveredRows(sink) + batch.rows);
  }

  #stop(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#deliveries.stop();
    this.pausedBy = error instanceof VoltstreamError ? error.code : 'failed';
    this.#abort.abort(error instanceof Error ? error : new Error(String(error)));
    this.#options.listener.stopped(this, error);
  }
}

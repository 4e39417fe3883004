import { VoltstreamError, assertInvariant } from '../../errors.ts';
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
import type { TaskCore } from './task-core.ts';

export type TaskLimits = Pick<Configuration, 'commit' | 'outbox'>;

/** What happens to a task, for metrics and logs. */
export interface TaskListener {
  committed(task: Task, cells: number, durationMs: number): void;
  delivered(task: Task, sink: string, rows: number, durationMs: number): void;
  retrying(task: Task, operation: string, error: unknown): void;
  /** The task has stopped: FENCED and REWOUND are followed by another claim, anything else ends the worker. */
  stopped(task: Task, error: unknown): void;
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
  readonly #deliveries = new Map<string, SinkDelivery>();
  readonly #due = new Map<string, SealedBatch[]>();
  readonly #delivering = new Set<string>();
  readonly #deliveredRows = new Map<string, number>();
  readonly #commits: CommitLoop;
  readonly #schemas: AwaitedSchemas;
  #lastCommitMs = 0;
  #stopped = false;
  #committedPositions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[] = [];
  pausedBy: string | null = null;

  constructor(options: TaskOptions) {
    this.id = options.id;
    this.#options = options;
    this.core = options.core;
    this.#schemas = new AwaitedSchemas(this.core.queues, options.nowMs, (operation, error) => options.listener.retrying(this, operation, error));
    this.#commits = new CommitLoop(options.store, options.claim, this.signal, {
      retrying: (operation, error) => options.listener.retrying(this, operation, error),
      committed: (cells, durationMs) => options.listener.committed(this, cells, durationMs),
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

  /** Opens the sinks (which fences what an earlier owner left there) and starts to deliver what was sealed before. */
  begin(due: readonly { readonly sink: string; readonly batch: SealedBatch }[]): void {
    for (const { sink, batch } of due) this.#queueOf(sink).push(batch);
    for (const sink of this.#options.sinks) {
      this.#deliveries.set(sink.name, this.#options.deliveryOf(sink, {
        id: this.id,
        run: this.core.run,
        signal: this.signal,
        verifyOwner: () => this.#commit(false),
        retrying: (operation, error) => this.#options.listener.retrying(this, operation, error),
      }));
    }
    this.#lastCommitMs = this.#options.nowMs();
    for (const { sink } of due) this.#deliver(sink);
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
    this.pausedBy = this.#blocked();
    let processed = 0;
    try {
      if (this.pausedBy === null) {
        processed = this.core.process(recordsMax, nowMs);
        this.core.tick(nowMs, polled);
      }
      if (this.#commitDue(nowMs)) void this.#commit(false).catch((error: unknown) => this.#stop(error));
    } catch (error) {
      this.#stop(error);
    }
    return processed;
  }

  /** True when all that has been fetched is processed, committed, delivered and acknowledged in the store. */
  get settled(): boolean {
    if (this.#commits.busy || this.core.dirty || this.#delivering.size > 0) return false;
    for (const outbox of this.core.outboxes.values()) if (outbox.rows > 0) return false;
    return this.core.queues.every((queue) => queue.buffered === 0 && !queue.hasHead);
  }

  /** Commits what is there, delivers it, and commits the acknowledgements. For a graceful stop. */
  async flush(): Promise<void> {
    while (!this.#stopped) {
      if (this.core.dirty || [...this.core.outboxes.values()].some((outbox) => outbox.rows > 0 && this.#queueOf(outbox.sink).length === 0)) {
        await this.#commit(true);
      }
      if (this.#delivering.size === 0 && !this.core.dirty) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Forgets everything. What was not committed is lost here and done again by the next owner. */
  async drop(reason: string): Promise<void> {
    this.#stopped = true;
    this.pausedBy = reason;
    this.#abort.abort(new Error(`task ${this.id} was dropped: ${reason}`));
    await Promise.allSettled([...this.#deliveries.values()].map((delivery) => delivery.close()));
  }

  #blocked(): string | null {
    const { commit, outbox } = this.#options.limits;
    for (const box of this.core.outboxes.values()) {
      if (box.rows >= outbox.rowsMax || box.bytes >= outbox.bytesMax) return `outbox of ${box.sink} is full`;
    }
    return this.#commits.busy && this.core.recordsSinceCommit >= commit.recordsMax ? 'commit under way' : null;
  }

  #commitDue(nowMs: number): boolean {
    const { commit } = this.#options.limits;
    if (this.#commits.busy) return false;
    if (this.core.recordsSinceCommit >= commit.recordsMax || this.core.openBytes >= commit.bytesMax) return true;
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
    this.#committedPositions = positions;
    for (const { sink, batch } of content.sealed) {
      this.#queueOf(sink).push(batch);
      this.#deliver(sink);
    }
  }

  #queueOf(sink: string): SealedBatch[] {
    const known = this.#due.get(sink);
    if (known !== undefined) return known;
    const queue: SealedBatch[] = [];
    this.#due.set(sink, queue);
    return queue;
  }

  #deliver(sink: string): void {
    if (this.#delivering.has(sink) || this.#stopped) return;
    this.#delivering.add(sink);
    void this.#deliverAll(sink)
      .catch((error: unknown) => this.#stop(error))
      .finally(() => {
        this.#delivering.delete(sink);
        if (!this.#stopped && this.#queueOf(sink).length > 0) this.#deliver(sink);
      });
  }

  async #deliverAll(sink: string): Promise<void> {
    const delivery = this.#deliveries.get(sink);
    assertInvariant(delivery !== undefined, `sink ${sink} has a delivery`);
    await delivery.open();
    const queue = this.#queueOf(sink);
    for (let batch = queue[0]; batch !== undefined && !this.#stopped; batch = queue[0]) {
      const startedMs = performance.now();
      await delivery.deliver(batch);
      if (this.#stopped) return;
      queue.shift();
      this.core.outboxes.get(sink)?.acknowledge(batch);
      this.#deliveredRows.set(sink, this.deliveredRows(sink) + batch.rows);
      this.#options.listener.delivered(this, sink, batch.rows, performance.now() - startedMs);
    }
  }

  #stop(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.pausedBy = error instanceof VoltstreamError ? error.code : 'failed';
    this.#abort.abort(error instanceof Error ? error : new Error(String(error)));
    this.#options.listener.stopped(this, error);
  }
}

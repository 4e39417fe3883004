import type { ArchiveTask } from '../archive/archive-task.ts';
import type { SinkCounters, SourceCounters, StepCounters, StoreCounters, TaskMetricsSource } from '../metrics.ts';
import type { PartitionQueue } from '../task/partition-queue.ts';
import type { RunningTask } from '../task/running-task.ts';
import type { Task } from '../task/task.ts';

function identity(id: string): { readonly subTopology: string; readonly partition: number } {
  const cut = id.lastIndexOf('_');
  return { subTopology: id.slice(0, cut), partition: Number(id.slice(cut + 1)) };
}

function sourcesOf(task: RunningTask, failedOf: (queue: PartitionQueue) => number): readonly SourceCounters[] {
  return task.queues.map((queue: PartitionQueue) => ({
    topic: queue.source.topic,
    records: queue.accepted,
    failed: failedOf(queue),
    lagRecords: queue.position < 0 ? null : Math.max(0, queue.endOffset - queue.position),
  }));
}

/** A task's counters as metrics read them, computed when someone looks. */
export class TaskMetrics implements TaskMetricsSource {
  readonly subTopology: string;
  readonly partition: number;
  readonly #task: Task;

  constructor(task: Task) {
    ({ subTopology: this.subTopology, partition: this.partition } = identity(task.id));
    this.#task = task;
  }

  get sources(): readonly SourceCounters[] {
    return sourcesOf(this.#task, ({ source }) => this.#task.core.deadLetters.countOf('deserialise', source.name));
  }

  get steps(): readonly StepCounters[] {
    const { core } = this.#task;
    return core.stepCounts().map(({ step, recordsIn, recordsOut }) => {
      const counter = core.counters.of(step);
      return { step, recordsIn, recordsOut, late: counter.dropped.late, droppedByReason: counter.dropped, failed: core.deadLetters.countOf('process', step) };
    });
  }

  get outbox(): readonly SinkCounters[] {
    return [...this.#task.core.outboxes.values()].map((outbox) => ({
      sink: outbox.sink, rows: outbox.rows, bytes: outbox.bytes, deliveredRows: this.#task.deliveredRows(outbox.sink),
      failed: this.#task.core.deadLetters.countOf('deliver', outbox.sink),
    }));
  }

  get stores(): readonly StoreCounters[] {
    return [...this.#task.core.stores].map(([store, { entries }]) => ({ store, entries, bytes: null }));
  }

  get streamTimeMs(): number {
    let highest = -1;
    for (const time of this.#task.core.streamTimes().values()) highest = Math.max(highest, time.ms);
    return highest;
  }

  get pausedBy(): string | null {
    return this.#task.pausedBy;
  }
}

/** The same for an archive, which has no steps and no state. */
export class ArchiveMetrics implements TaskMetricsSource {
  readonly subTopology: string;
  readonly partition: number;
  readonly steps = [];
  readonly stores = [];
  readonly streamTimeMs = -1;
  readonly #task: ArchiveTask;
  readonly #sink: string;

  constructor(task: ArchiveTask, sink: string) {
    ({ subTopology: this.subTopology, partition: this.partition } = identity(task.id));
    this.#task = task;
    this.#sink = sink;
  }

  get sources(): readonly SourceCounters[] {
    return sourcesOf(this.#task, (queue) => queue.malformed);
  }

  get outbox(): readonly SinkCounters[] {
    const { waitingRows, waitingBytes, rowsInserted, deadLetters } = this.#task;
    return [{ sink: this.#sink, rows: waitingRows, bytes: waitingBytes, deliveredRows: rowsInserted, failed: deadLetters }];
  }

  get pausedBy(): string | null {
    return this.#task.pausedBy;
  }
}

import { VoltstreamError, assertInvariant } from '../../errors.ts';
import type { Cell, StateStore } from '../../state/state-store.ts';
import type { ArchiveNode, SinkNode } from '../../topology/graph.ts';
import type { DeliveryTask, SinkDelivery } from '../delivery/delivery.ts';
import { sealPieces } from '../delivery/seal.ts';
import type { LogConsumer, Log, LogRecord, TaskAssignment } from '../log/log.ts';
import type { DeliveryEvent } from '../sinks/clickhouse/delivery.ts';
import { PieceDelivery } from '../sinks/clickhouse/delivery.ts';
import type { DeliveryTable, TableFacts } from '../sinks/clickhouse/check-table.ts';
import type { Warehouse } from '../sinks/warehouse.ts';
import { CommitLoop } from '../task/commit-loop.ts';
import type { FailurePolicies } from '../task/error-policy.ts';
import type { TaskListener } from '../task/task.ts';
import { refuseHalfImport } from '../task/restore-checks.ts';
import { runOf } from '../task/task-facts.ts';
import type { SourceReaders } from '../task/partition-queue.ts';
import { PartitionQueue } from '../task/partition-queue.ts';
import type { SinkEncoder } from '../task/task-core.ts';
import type { PositionPolicy } from '../worker/positions.ts';
import { claimPatiently } from '../worker/patient-claim.ts';
import { positionWithin } from '../worker/positions.ts';
import type { TaskSource } from '../worker/worker.ts';
import type { ArchiveLettersOptions } from './archive-letters.ts';
import { ArchiveLetters } from './archive-letters.ts';
import type { ArchiveIntent, ArchiveLimits } from './archive-task.ts';
import { ArchiveTask, intentOf, runCell } from './archive-task.ts';

export interface ArchiveFactoryOptions {
  /** `readByStream`: the topology reads its topic as a stream or table, too, which sets aside what cannot be decoded. */
  readonly archive: ArchiveNode & { readonly readByStream: boolean };
  readonly application: string;
  readonly log: Log;
  readonly store: StateStore;
  readonly warehouse: Warehouse;
  readonly table: DeliveryTable;
  readonly facts: TableFacts;
  readonly readers: SourceReaders;
  readonly encoderOf: (run: number) => SinkEncoder;
  readonly limits: ArchiveLimits;
  readonly positions: PositionPolicy;
  readonly newRun: () => number;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly listener: TaskListener;
  readonly failures: FailurePolicies;
  /** Where dead letters go, and how; null when there is no sink for them. */
  readonly letters: { readonly sink: SinkNode; readonly encoderOf: (run: number) => SinkEncoder } | null;
  readonly deliveryOf: (sink: SinkNode, task: DeliveryTask) => SinkDelivery;
}

/** Claims the partitions of an archive: owner, unfinished range, position. */
export class ArchiveFactory implements TaskSource {
  readonly #options: ArchiveFactoryOptions;

  constructor(options: ArchiveFactoryOptions) {
    this.#options = options;
  }

  claim(assignment: TaskAssignment, consumer: LogConsumer): Promise<ArchiveTask> {
    return claimPatiently(() => this.#claimOnce(assignment, consumer), this.#options.signal, (operation, error) => this.#options.listener.retrying(operation, error));
  }

  async #claimOnce(assignment: TaskAssignment, consumer: LogConsumer): Promise<ArchiveTask> {
    const options = this.#options;
    const topicPartition = assignment.partitions[0];
    assertInvariant(topicPartition !== undefined, 'an archive task reads one partition');
    const claim = await options.store.claim(assignment.task);
    const pages: (readonly Cell[])[] = [];
    for await (const page of options.store.load(claim)) pages.push(page);
    refuseHalfImport(assignment.task, pages);
    const run = runOf(pages) ?? options.newRun();
    const abort = new AbortController();
    // A claim that recovers waits for the warehouse: it must end with the process.
    options.signal.addEventListener('abort', () => abort.abort(options.signal.reason), { once: true, signal: abort.signal });
    const queue = this.#queue(topicPartition.partition, (raw, error) => task.malformed(raw, error));
    const intent = intentOf(pages);
    const { bounds, position, whole } = await this.#position(assignment, consumer, topicPartition, intent);
    queue.start(position, bounds.end);
    const { listener } = options;
    const retrying = (operation: string, error: unknown): void => listener.retrying(operation, error);
    const commits = new CommitLoop(options.store, claim, abort.signal, {
      retrying, committing: (cells, work) => listener.committing(task, cells, work),
    });
    const letters = this.#letters(assignment.task, pages, {
      id: assignment.task, run, signal: abort.signal, verifyOwner: () => commits.commit([runCell(run)]), retrying,
    }, {
      delivering: (sink, rows, work) => listener.delivering(task, sink, rows, work), failed: (error) => task.stop(error),
    });
    const task = new ArchiveTask({
      id: assignment.task, archive: options.archive, application: options.application, run, queue, commits, letters, abort, listener,
      encoder: options.encoderOf(run),
      delivery: new PieceDelivery({
        warehouse: options.warehouse, table: options.table, replicated: options.facts.replicated, signal: abort.signal,
        report: (event: DeliveryEvent) => {
          if (event.kind === 'retry') retrying(`insert into ${event.table}`, event.error);
        },
      }),
      seal: (request) => sealPieces(options.warehouse, request),
      limits: options.limits, nowMs: options.nowMs,
    });
    if (whole && intent !== null && intent.to > intent.from) {
      await task.recover(intent, options.log.read(topicPartition, intent.from, intent.to));
      queue.start(position, bounds.end);
    }
    letters.begin();
    return task;
  }

  #letters(task: string, pages: readonly (readonly Cell[])[], deliveryTask: DeliveryTask, hooks: ArchiveLettersOptions['hooks']): ArchiveLetters {
    const { archive, failures, letters, deliveryOf, limits } = this.#options;
    const sink = letters === null ? null : {
      name: letters.sink.name, encoder: letters.encoderOf(deliveryTask.run), delivery: deliveryOf(letters.sink, deliveryTask),
    };
    return new ArchiveLetters({ task, archive: archive.name, failures, sink, waitingMax: limits.rowsMax, hooks }, pages);
  }

  /**
   * Where to read, and whether the unfinished range is still whole. When it is not, and the policy allows to go on, its rest comes
   * as new rows: what the table has of it already is replaced by key.
   */
  async #position(
    assignment: TaskAssignment, consumer: LogConsumer, topicPartition: { readonly topic: string; readonly partition: number }, intent: ArchiveIntent | null,
  ): Promise<{ readonly bounds: { readonly start: number; readonly end: number }; readonly position: number; readonly whole: boolean }> {
    const { log, positions } = this.#options;
    const where = `task ${assignment.task}`;
    const bounds = await log.bounds(topicPartition);
    if (intent !== null) {
      for (const offset of [intent.from, intent.to]) {
        const position = positionWithin(offset, bounds, where, positions);
        if (position !== offset) return { bounds, position, whole: false };
      }
      return { bounds, position: intent.to, whole: true };
    }
    const [group] = await consumer.committedOffsets([topicPartition]);
    if (group !== null && group !== undefined && group > bounds.start && !positions.reset) {
      throw new VoltstreamError('STATE_MISSING', 'the group has read this partition before, but there is no state', {
        where, wanted: 'a position in the state store', got: `group offset ${group}, no state`,
      });
    }
    return { bounds, position: bounds.start, whole: false };
  }

  #queue(partition: number, malformed: (raw: LogRecord, error: unknown) => void): PartitionQueue {
    const { archive, readers } = this.#options;
    const source = { kind: 'source', name: archive.topic, topic: archive.topic, form: archive.form, role: 'stream' } as const;
    return new PartitionQueue(source, partition, readers, {
      malformed: (_source, _partition, raw, error) => malformed(raw, error),
      repeated: () => false,
      taken: () => undefined,
    });
  }
}

import type { StreamRecord } from '../../operators/operator.ts';
import { InvariantViolation, assertInvariant } from '../../errors.ts';
import type { LocalStore } from '../../state/local-store.ts';
import type { Cell } from '../../state/state-store.ts';
import type { ErrorStage } from '../../topology/error-policy.ts';
import type { SinkNode, SourceNode, SubTopology } from '../../topology/graph.ts';
import type { LogBatch, LogRecord } from '../log/log.ts';
import type { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { DeadLetters, letterRecord } from './dead-letters.ts';
import type { FailurePolicies, Passed } from './error-policy.ts';
import { recordError } from './error-policy.ts';
import type { DueBatch, SealPolicy } from './outbox.ts';
import { Outbox } from './outbox.ts';
import { Passing } from './passing.ts';
import type { SourceReaders } from './partition-queue.ts';
import { PartitionQueue } from './partition-queue.ts';
import type { StepCounts } from './pipeline.ts';
import { Pipeline } from './pipeline.ts';
import { outboxCellsOf, refuseChangedSink, refuseOtherPartitions, refuseRemovedSinks } from './restore-checks.ts';
import { MutableOrigin, StepCounters, TaskStepContext } from './step-context.ts';
import { StepTime, TaskFacts } from './task-facts.ts';
import { TaskStores } from './task-stores.ts';
import { TaskTimers, type Tick } from './task-timers.ts';
import { isTaken, takenMark, writerFact, type WriterMark } from './writer-header.ts';

type AnyRecord = StreamRecord<unknown, unknown>;

/** Encodes a sink's output records: into RowBinary for a table, into key and value for a topic. */
export interface SinkEncoder {
  /** Names the form of the bytes: rows that wait in an outbox must not be delivered as another form. */
  readonly schemaId: string;
  /** Writes the row's bytes and gives its group: the table partition, or nothing for a topic. */
  encode(record: AnyRecord, ordinal: number, origin: MutableOrigin, into: RowBuffer): string;
}

export interface TaskCoreOptions {
  readonly part: SubTopology;
  readonly partition: number;
  /** Partitions of the task's topics: recorded with the state, and a change is refused. */
  readonly partitions: number;
  /** Identity of this run; a `--reset` begins another. */
  readonly run: number;
  readonly readers: ReadonlyMap<string, SourceReaders>;
  readonly encoders: ReadonlyMap<string, SinkEncoder>;
  readonly globalStores: ReadonlyMap<string, LocalStore>;
  /** Names of stores that the topology has let go of. */
  readonly droppedState: readonly string[];
  /** Where records go that failed, when `failures` says so. */
  readonly deadLetters: SinkNode | null;
  readonly failures: FailurePolicies;
  readonly sealPolicyOf: (sink: SinkNode) => SealPolicy;
  /** How long a partition without records holds the others back; Kafka Streams' `max.task.idle.ms`, -1 never. */
  readonly maxTaskIdleMs: number;
  /** False in replay and backfill: no wall-clock punctuators, no source is ever idle. */
  readonly wallClock: boolean;
}

/** What a commit is made of, and what becomes due for delivery when it has been accepted. */
export interface CommitContent {
  readonly cells: readonly Cell[];
  readonly sealed: readonly DueBatch[];
  /** What need not be tried again once this is committed: for `TaskCore.accepted`. */
  readonly passed: readonly Passed[];
}

/**
 * A task without its I/O: fetched records in, cells of a commit out. Everything here is synchronous and deterministic: the
 * same batches in the same order give the same state and the same outputs (Law 5). `Task` moves it in production, the
 * `TopologyTestDriver` in tests.
 */
export class TaskCore {
  readonly id: string;
  readonly run: number;
  readonly origin = new MutableOrigin();
  readonly outboxes = new Map<string, Outbox>();
  readonly stores: ReadonlyMap<string, LocalStore>;
  readonly counters: StepCounters;
  readonly #options: TaskCoreOptions;
  readonly #facts = new TaskFacts();
  readonly #stores: TaskStores;
  readonly #times = new Map<string, StepTime>();
  readonly #timers: TaskTimers;
  readonly #queues: PartitionQueue[];
  readonly #inputs: ((record: AnyRecord) => void)[];
  readonly #pipeline: Pipeline;
  readonly deadLetters = new DeadLetters();
  /** First error that must stop the task; set by steps, seen after the record under way. */
  #failure: unknown = null;
  #raw: LogRecord | null = null;
  /** What runs between two records, if something does. */
  #tick: Tick | null = null;
  readonly #passing: Passing;
  /** Since when a partition has had nothing, while a task with several inputs waits for it. */
  readonly #idleSinceMs = new Map<PartitionQueue, number>();
  recordsSinceCommit = 0;
  recordsProcessed = 0;

  constructor(options: TaskCoreOptions) {
    const { part, partition } = options;
    this.id = `${part.name}_${partition}`;
    this.run = options.run;
    this.#options = options;
    this.#passing = new Passing(this.id, options.failures);
    this.counters = new StepCounters(part);
    this.#stores = new TaskStores(this.id, part, options.droppedState);
    this.stores = this.#stores.stores;
    for (const sink of part.sinks) this.outboxes.set(sink.name, new Outbox(sink.name, options.sealPolicyOf(sink)));
    if (options.deadLetters !== null) {
      const { deadLetters } = options;
      this.outboxes.set(deadLetters.name, new Outbox(deadLetters.name, options.sealPolicyOf(deadLetters)));
    }
    this.#timers = new TaskTimers(part, (tick, timeMs) => this.#between(tick, timeMs));
    this.#pipeline = new Pipeline(part, {
      contextOf: (step, output) => this.#contextOf(step, output),
      sink: (sink, record) => this.#output(sink, record),
      fatal: (step, error) => this.#stop(step, error),
    });
    this.#queues = part.sources.map((source) => this.#queueOf(source));
    this.#inputs = part.sources.map((source) => this.#pipeline.inputOf(source.name));
    this.#timers.built(this.#queues);
  }

  get queues(): readonly PartitionQueue[] {
    return this.#queues;
  }

  stepCounts(): readonly StepCounts[] {
    return this.#pipeline.counts();
  }

  streamTimes(): ReadonlyMap<string, StepTime> {
    return this.#times;
  }

  /** True when a commit shall be made before anything else is processed. */
  get wantsCommit(): boolean {
    return this.#passing.wantsCommit && this.#failure === null;
  }

  /**
   * Puts back the cells of a claim, a bounded number (`restoredAtOnce`) at a time, so that a large state does not hold up whatever else the process
   * does; gives sealed batches that were not acknowledged, per sink and in order. `restoreAll` does it in one go.
   */
  *restoring(pages: readonly (readonly Cell[])[]): Generator<void, readonly DueBatch[]> {
    for (const cells of pages) {
      for (const cell of cells) if (TaskFacts.owns(cell.store)) this.#facts.restore(cell);
    }
    // Before a cell is read: in another form it could be misread.
    refuseOtherPartitions(this.id, this.#facts, this.#options.partitions);
    yield* this.#stores.restoring(pages, this.#facts);
    const outboxCells = outboxCellsOf(pages);
    for (const [step, time] of this.#times) time.ms = this.#facts.getNumber(`time/${step}`) ?? -1;
    this.#timers.restore(this.#facts);
    const due: DueBatch[] = [];
    const none: ReadonlyMap<string, Cell> = new Map();
    for (const [sink, outbox] of this.outboxes) {
      const ordinal = this.#facts.getNumber(`ordinal/${sink}`) ?? 0;
      const batches = outbox.restore(ordinal, outboxCells.get(`$outbox.${sink}`) ?? none, outboxCells.get(`$seal.${sink}`) ?? none);
      for (const batch of batches) due.push({ sink, batch });
      refuseChangedSink(this.id, this.#facts, outbox, this.#options.encoders.get(sink)?.schemaId ?? null);
    }
    refuseRemovedSinks(this.id, [...outboxCells.keys()], [...this.outboxes.keys()]);
    return due;
  }

  /** Position to read a source from as committed, or undefined when the task has none. */
  committedPosition(source: SourceNode): number | undefined {
    return this.#facts.getNumber(`position/${source.topic}`);
  }

  accept(batch: LogBatch): boolean {
    return this.#queues.some((queue) => queue.source.topic === batch.topic && queue.accept(batch));
  }

  /**
   * Processes up to `recordsMax` records, lowest head timestamp of the task's partitions first, as Kafka Streams does. Stops
   * early when a partition must be waited for, or a commit is wanted. Throws what stops the task; nothing of it may be committed then.
   */
  process(recordsMax: number, nowMs: number): number {
    let processed = 0;
    while (processed < recordsMax && this.#failure === null && !this.#passing.wantsCommit) {
      const index = this.#choose(nowMs);
      // Decoding may have met a record that stops the task.
      if (index < 0 || this.#failure !== null) break;
      this.#processHead(index);
      processed++;
    }
    this.recordsSinceCommit += processed;
    this.recordsProcessed += processed;
    if (this.#failure !== null) throw this.#failure;
    return processed;
  }

  /** Runs what the wall clock makes due; `polled` says whether the log has answered since the last tick. Throws what stops the task. */
  tick(nowMs: number, polled: boolean): void {
    if (this.#options.wallClock && !this.#passing.wantsCommit) this.#timers.tick(nowMs, polled);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Bytes of outputs that the next commit will carry. */
  get openBytes(): number {
    let bytes = 0;
    for (const outbox of this.outboxes.values()) bytes += outbox.openBytes;
    return bytes;
  }

  /** True when a commit would have something to write. */
  get dirty(): boolean {
    if (this.recordsSinceCommit > 0 || this.#timers.unrecorded || this.#passing.wantsCommit || this.#stores.dirty) return true;
    for (const outbox of this.outboxes.values()) if (outbox.dirty) return true;
    return this.#queues.some((queue) => queue.position !== this.committedPosition(queue.source));
  }

  /** All changes since the last commit, as one commit's cells. After this the changes are the caller's to write or to lose. */
  takeCommit(nowMs: number, sealNow: boolean): CommitContent {
    if (this.#failure === null) this.#timers.committing((step) => this.#times.get(step)?.ms ?? -1);
    if (this.#failure !== null) throw this.#failure;
    const cells: Cell[] = [];
    const sealed: DueBatch[] = [];
    this.#takeChanges(cells);
    for (const [sink, outbox] of this.outboxes) {
      const batch = outbox.takeCells(cells, nowMs, sealNow);
      if (batch !== null) sealed.push({ sink, batch });
      this.#facts.set(`ordinal/${sink}`, String(outbox.nextOrdinal));
    }
    this.#facts.set('run', String(this.run));
    for (const queue of this.#queues) this.#facts.set(`position/${queue.source.topic}`, String(queue.position));
    for (const [step, time] of this.#times) this.#facts.set(`time/${step}`, String(time.ms));
    this.#facts.set('partitions', String(this.#options.partitions));
    for (const [sink, encoder] of this.#options.encoders) this.#facts.set(`sink/${sink}`, encoder.schemaId);
    this.#timers.record(this.#facts);
    this.#facts.takeCells(cells);
    this.recordsSinceCommit = 0;
    return { cells, sealed, passed: this.#passing.take(this.#queues.map(({ source, position }) => ({ place: source.topic, position }))) };
  }

  /** The store has accepted this commit: attempts at what it has passed are forgotten. */
  accepted({ passed }: CommitContent): void {
    this.#passing.accepted(passed);
  }

  /** A value that its codec refuses belongs to no single record any more: nothing of this commit may be written. */
  #takeChanges(into: Cell[]): void {
    try {
      this.#stores.takeChanges(into, this.#facts);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #choose(nowMs: number): number {
    const queues = this.#queues;
    if (queues.length === 1) return (queues[0] as PartitionQueue).fill() ? 0 : -1;
    let chosen = -1;
    let lowest = Number.POSITIVE_INFINITY;
    let missing = false;
    for (let index = 0; index < queues.length; index++) {
      const queue = queues[index] as PartitionQueue;
      if (queue.fill()) {
        if (this.#idleSinceMs.size > 0) this.#idleSinceMs.delete(queue);
        if (queue.headTimestampMs < lowest) {
          lowest = queue.headTimestampMs;
          chosen = index;
        }
      } else if (this.#mustWaitFor(queue, nowMs)) {
        missing = true;
      }
    }
    return missing ? -1 : chosen;
  }

  /** As Kafka Streams' PartitionGroup: records that are there are waited for, others for `maxTaskIdleMs` since the last one. */
  #mustWaitFor(queue: PartitionQueue, nowMs: number): boolean {
    const { maxTaskIdleMs } = this.#options;
    if (queue.awaitedSchema !== null) return true;
    if (maxTaskIdleMs < 0) return false;
    // Fetching them is a matter of time.
    if (!queue.atEnd) return true;
    if (maxTaskIdleMs === 0) return false;
    const sinceMs = this.#idleSinceMs.get(queue);
    if (sinceMs === undefined) this.#idleSinceMs.set(queue, nowMs);
    return nowMs - (sinceMs ?? nowMs) < maxTaskIdleMs;
  }

  #processHead(index: number): void {
    const queue = this.#queues[index] as PartitionQueue;
    const raw = queue.headRaw as LogRecord;
    const { headTimestampMs: timestampMs } = queue;
    this.origin.set(queue.source.topic, queue.partition, raw.offset, timestampMs);
    this.#raw = raw;
    (this.#inputs[index] as (record: AnyRecord) => void)({ key: queue.headKey, value: queue.headValue, timestampMs });
    queue.shift();
    if (this.#timers.idle.active) this.#timers.idle.processed(index, timestampMs);
    if (timestampMs >= this.#timers.nextStreamMs && this.#failure === null) this.#timers.streamTimeReached(timestampMs);
    this.#passing.record(queue.source.topic, raw.offset);
  }

  /** Runs a step's function between two records: what it gives belongs to none, as in Kafka Streams. False when the task must stop. */
  #between(tick: Tick, timeMs: number): boolean {
    this.origin.set('', -1, -1, timeMs);
    this.#raw = null;
    this.#tick = tick;
    try {
      tick.run(timeMs);
    } catch (error) {
      this.#refuse('process', tick.step, error, null);
    }
    this.#tick = null;
    if (this.#failure !== null) return false;
    this.#passing.tick(tick.name, timeMs);
    return true;
  }

  #contextOf(step: string, output: (port: string) => (record: AnyRecord) => void): TaskStepContext {
    const time = new StepTime();
    this.#times.set(step, time);
    return new TaskStepContext({
      step,
      subTopology: this.#options.part.name,
      partition: this.#options.partition,
      streamTime: time,
      origin: this.origin,
      counters: this.counters.of(step),
      output,
      store: (definition) => this.stores.get(definition.name) ?? this.#options.globalStores.get(definition.name),
      failed: (error, record, kept) => this.#refuse('process', step, error, record, kept),
      schedule: (schedule, run) => this.#timers.schedule(step, schedule, run),
      onIdle: (run) => this.#timers.onIdle(step, run),
      onCommit: (run) => this.#timers.onCommit(step, run),
    });
  }

  #output(sink: SinkNode, record: AnyRecord): void {
    try {
      this.#encode(sink.name, record);
    } catch (error) {
      this.#refuse('deliver', sink.name, error, record);
    }
  }

  #encode(sink: string, record: AnyRecord): void {
    const outbox = this.outboxes.get(sink);
    const encoder = this.#options.encoders.get(sink);
    assertInvariant(outbox !== undefined && encoder !== undefined, `sink ${sink} has an outbox and an encoder`);
    outbox.add((into) => encoder.encode(record, outbox.nextOrdinal, this.origin, into));
  }

  /** `record` is what the step was given, null for none; `kept` says that it does not come from the record under way. */
  #refuse(stage: ErrorStage, step: string, error: unknown, record: AnyRecord | null, kept = false): void {
    // Nothing of this task is committed any more.
    if (this.#failure !== null) return;
    const failure = { task: this.id, stage, step, error, origin: this.origin, tick: this.#tick?.name };
    this.#failure = this.#options.failures.stoppedBy(failure);
    if (this.#failure !== null) return;
    const sink = this.#options.deadLetters?.name;
    const outbox = sink === undefined ? undefined : this.outboxes.get(sink);
    assertInvariant(sink !== undefined && outbox !== undefined, 'a policy of dead letters has a sink for them');
    const raw = this.#raw;
    const letter = raw === null || kept
      ? this.deadLetters.ofStep(failure, this.#options.partition, outbox.nextOrdinal, record)
      : this.deadLetters.of(failure, raw);
    try {
      this.#encode(sink, letterRecord(letter));
    } catch (refusal) {
      this.#stop(sink, refusal);
      return;
    }
    this.#options.failures.setAside(this.id, letter);
  }

  #stop(step: string, error: unknown): void {
    this.#failure ??= error instanceof InvariantViolation ? error : recordError({ task: this.id, stage: 'process', step, error, origin: this.origin });
  }

  #queueOf(source: SourceNode): PartitionQueue {
    const readers = this.#options.readers.get(source.name);
    assertInvariant(readers !== undefined, `source ${source.name} has readers`);
    return new PartitionQueue(source, this.#options.partition, readers, {
      malformed: (node, partition, raw, error) => this.#malformed(node, partition, raw, error),
      repeated: (node, mark) => this.#repeated(node, mark),
      taken: (node, mark) => this.#facts.set(writerFact(node.topic, mark), takenMark(mark)),
    });
  }

  #malformed(source: SourceNode, partition: number, raw: LogRecord, error: unknown): void {
    this.origin.set(source.topic, partition, raw.offset, raw.timestampMs);
    this.#raw = raw;
    this.#refuse('deserialise', source.name, error, null);
    this.recordsSinceCommit++;
    this.#passing.record(source.topic, raw.offset);
  }

  /** Repartition records come at least once; the highest ordinal of each writer is part of our commit (Law 4). */
  #repeated(source: SourceNode, mark: WriterMark): boolean {
    const repeated = isTaken(this.#facts.get(writerFact(source.topic, mark)), mark);
    if (repeated) this.counters.repeated++;
    return repeated;
  }
}

import type { Cell } from '../../state/state-store.ts';
import type { ErrorStage } from '../../topology/error-policy.ts';
import type { SinkDelivery } from '../delivery/delivery.ts';
import type { LogRecord } from '../log/log.ts';
import { DeadLetters, letterRecord } from '../task/dead-letters.ts';
import type { FailurePolicies } from '../task/error-policy.ts';
import { recordError } from '../task/error-policy.ts';
import type { SealedBatch } from '../task/outbox.ts';
import { Outbox } from '../task/outbox.ts';
import { refuseChangedSink, refuseRemovedSinks } from '../task/restore-checks.ts';
import type { SinkDeliveriesHooks } from '../task/sink-deliveries.ts';
import { SinkDeliveries } from '../task/sink-deliveries.ts';
import type { MutableOrigin } from '../task/step-context.ts';
import type { SinkEncoder } from '../task/task-core.ts';
import { TaskFacts } from '../task/task-facts.ts';

/** Where an archive's dead letters go. */
export interface LetterSink {
  readonly name: string;
  readonly encoder: SinkEncoder;
  readonly delivery: SinkDelivery;
}

export interface ArchiveLettersOptions {
  readonly task: string;
  /** Name of the archive: the step of its letters. */
  readonly archive: string;
  readonly failures: FailurePolicies;
  /** Null when the topology has no sink for dead letters. */
  readonly sink: LetterSink | null;
  /** Letters that wait above which no record is taken. */
  readonly waitingMax: number;
  readonly hooks: Omit<SinkDeliveriesHooks, 'delivered'>;
}

/**
 * Dead letters of an archive: records of which it can make no row. Unlike its rows they go through an outbox: they are committed with the range of
 * offsets that they lie in, and delivered from there, each once.
 */
export class ArchiveLetters {
  readonly #options: ArchiveLettersOptions;
  readonly #outbox: Outbox | null;
  readonly #facts = new TaskFacts();
  readonly #letters = new DeadLetters();
  readonly #deliveries: SinkDeliveries;
  readonly #due: readonly SealedBatch[];

  /** Goes on from the cells of a claim. Throws TOPOLOGY_INVALID when letters wait for another sink than the present one. */
  constructor(options: ArchiveLettersOptions, pages: readonly (readonly Cell[])[]) {
    const { sink, task } = options;
    this.#options = options;
    this.#outbox = sink === null ? null : new Outbox(sink.name, { rowsMax: 1, bytesMax: 1, ageMs: 0 });
    this.#deliveries = new SinkDeliveries(new Map(sink === null ? [] : [[sink.name, sink.delivery]]), {
      ...options.hooks, delivered: (_sink, batch) => this.#outbox?.acknowledge(batch),
    });
    const outboxCells = new Map<string, Map<string, Cell>>();
    for (const cell of pages.flat()) {
      if (TaskFacts.owns(cell.store)) this.#facts.restore(cell);
      else if (cell.store.startsWith('$outbox.') || cell.store.startsWith('$seal.')) {
        const cells = outboxCells.get(cell.store) ?? new Map<string, Cell>();
        outboxCells.set(cell.store, cells.set(Buffer.from(cell.key).toString('hex'), cell));
      }
    }
    refuseRemovedSinks(task, [...outboxCells.keys()], sink === null ? [] : [sink.name]);
    const cellsOf = (store: string): ReadonlyMap<string, Cell> => outboxCells.get(`${store}.${sink?.name}`) ?? new Map();
    this.#due = this.#outbox?.restore(this.#facts.getNumber(`ordinal/${sink?.name}`) ?? 0, cellsOf('$outbox'), cellsOf('$seal')) ?? [];
    if (this.#outbox !== null) refuseChangedSink(task, this.#facts, this.#outbox, sink?.encoder.schemaId ?? null);
  }

  /** Delivers what was committed under earlier claims. */
  begin(): void {
    this.push(this.#due);
  }

  /** Letters since the claim. */
  get count(): number {
    return this.#letters.count;
  }

  /** Letters that belong to the next range to be committed. */
  get open(): boolean {
    return (this.#outbox?.openBytes ?? 0) > 0;
  }

  /** True when a commit would have something to write: letters, or that some are delivered. */
  get dirty(): boolean {
    return this.#outbox?.dirty ?? false;
  }

  get full(): boolean {
    return this.#outbox !== null && this.#outbox.rows >= this.#options.waitingMax;
  }

  /** True when nothing is to be committed or delivered. */
  get settled(): boolean {
    return this.#outbox === null || (this.#outbox.rows === 0 && !this.#outbox.dirty && !this.#deliveries.busy);
  }

  /** Sets a record aside, as the policy says. Throws what must stop the task. */
  refuse(stage: ErrorStage, error: unknown, origin: MutableOrigin, raw: LogRecord): void {
    const { task, archive, failures, sink } = this.#options;
    const failure = { task, stage, step: archive, error, origin };
    const stop = failures.stoppedBy(failure);
    if (stop !== null || sink === null || this.#outbox === null) throw stop ?? recordError(failure);
    const outbox = this.#outbox;
    const letter = this.#letters.of(failure, raw);
    outbox.add((into) => sink.encoder.encode(letterRecord(letter), outbox.nextOrdinal, origin, into));
    failures.setAside(task, letter);
  }

  /** All changes since the last commit; gives what is to be pushed when it has been accepted. */
  takeCells(into: Cell[], nowMs: number): readonly SealedBatch[] {
    const { sink } = this.#options;
    if (this.#outbox === null || sink === null) return [];
    const sealed = this.#outbox.takeCells(into, nowMs, true);
    this.#facts.set(`ordinal/${sink.name}`, String(this.#outbox.nextOrdinal));
    this.#facts.set(`sink/${sink.name}`, sink.encoder.schemaId);
    this.#facts.takeCells(into);
    return sealed === null ? [] : [sealed];
  }

  push(batches: readonly SealedBatch[]): void {
    const { sink } = this.#options;
    if (sink !== null) this.#deliveries.push(batches.map((batch) => ({ sink: sink.name, batch })));
  }

  /** Everything of the archive's topic below this position is done. */
  passed(topic: string, position: number): void {
    this.#options.failures.passed(this.#options.task, [{ place: topic, position }]);
  }

  stop(): void {
    this.#deliveries.stop();
  }

  close(): Promise<void> {
    return this.#deliveries.close();
  }
}

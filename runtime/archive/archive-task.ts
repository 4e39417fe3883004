import { assertInvariant } from '../../errors.ts';
import type { Cell } from '../../state/state-store.ts';
import type { ArchiveNode } from '../../topology/graph.ts';
import type { ErrorStage } from '../../topology/error-policy.ts';
import type { SealedPiece } from '../sinks/clickhouse/delivery.ts';
import type { BatchIdentity, SealRequest } from '../sinks/warehouse.ts';
import type { LogBatch, LogRecord } from '../log/log.ts';
import type { PieceDelivery } from '../sinks/clickhouse/delivery.ts';
import { AwaitedSchemas } from '../task/awaited-schemas.ts';
import { bytesText, textBytes } from '../task/cell-bytes.ts';
import type { CommitLoop } from '../task/commit-loop.ts';
import type { SealedBatch } from '../task/outbox.ts';
import { RowCollector } from '../task/outbox-rows.ts';
import type { PartitionQueue } from '../task/partition-queue.ts';
import type { RunningTask } from '../task/running-task.ts';
import type { SinkEncoder } from '../task/task-core.ts';
import type { TaskListener } from '../task/task.ts';
import { MutableOrigin } from '../task/step-context.ts';
import type { ArchiveLetters } from './archive-letters.ts';

/** What is on its way into the table: a range of offsets, and the hashes of the pieces that it was cut into. */
export interface ArchiveIntent {
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
  /** Offsets of records that were set aside: they have no row, also when the range is made again. Left out: none. */
  readonly refused?: readonly number[];
}

export interface ArchiveLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly ageMs: number;
}

export interface ArchiveTaskOptions {
  readonly id: string;
  readonly archive: ArchiveNode & { readonly readByStream: boolean };
  readonly application: string;
  readonly run: number;
  readonly queue: PartitionQueue;
  readonly encoder: SinkEncoder;
  readonly commits: CommitLoop;
  readonly delivery: PieceDelivery;
  /** Cuts rows into pieces: see `sealPieces`. */
  readonly seal: (request: SealRequest) => Promise<readonly SealedPiece[]>;
  readonly limits: ArchiveLimits;
  readonly letters: ArchiveLetters;
  readonly abort: AbortController;
  readonly listener: TaskListener;
  readonly nowMs: () => number;
}

/** Records that are about to be committed and inserted. */
interface Range {
  readonly rows: number;
  readonly from: number;
  readonly to: number;
  readonly refused: readonly number[];
  /** What its commit writes already: letters and what became of earlier ones. */
  readonly cells: Cell[];
  readonly letterBatches: readonly SealedBatch[];
}

const STORE = '$archive';

/** The archive's one fact as a cell, and back. */
export function intentCell(intent: ArchiveIntent): Cell {
  return { store: STORE, key: textBytes('intent'), value: textBytes(JSON.stringify(intent)) };
}

export function intentOf(pages: Iterable<readonly Cell[]>): ArchiveIntent | null {
  for (const page of pages) {
    for (const cell of page) {
      if (cell.store === STORE && cell.value !== null && bytesText(cell.key) === 'intent') return JSON.parse(bytesText(cell.value)) as ArchiveIntent;
    }
  }
  return null;
}

export function runCell(run: number): Cell {
  return { store: '$task', key: textBytes('run'), value: textBytes(String(run)) };
}

/**
 * Rows one to one with the records of a topic, for the table of raw events (Law 4). They never pass through the state store:
 * the range of offsets and the hashes are committed before the insert, and after a crash the same rows are made again from the
 * log. While one batch is inserted the next is encoded.
 *
 * Records without a value are counted and passed, and so are those that cannot be decoded when a stream reads the same topic, which
 * sets them aside. All others of which no row can be made go by the error policy of the archive: a dead letter is committed with the range.
 */
export class ArchiveTask implements RunningTask {
  readonly id: string;
  readonly #options: ArchiveTaskOptions;
  readonly #origin = new MutableOrigin();
  readonly #schemas: AwaitedSchemas;
  /** Rows since the last insert. */
  readonly #rows = new RowCollector();
  #from: number;
  #refused: number[] = [];
  /** Offsets that were set aside when the range that is made again was made first. */
  #refusedBefore: ReadonlySet<number> = new Set();
  #firstRowMs = 0;
  #inserting: Promise<void> | null = null;
  #delivered: number;
  #cleared = true;
  stopped = false;
  rowsInserted = 0;

  constructor(options: ArchiveTaskOptions) {
    this.id = options.id;
    this.#options = options;
    this.#schemas = new AwaitedSchemas([options.queue], options.nowMs, (operation, error) => options.listener.retrying(operation, error));
    this.#from = options.queue.position;
    this.#delivered = options.queue.position;
  }

  get queues(): readonly PartitionQueue[] {
    return [this.#options.queue];
  }

  get pausedBy(): string | null {
    if (this.#options.letters.full) return 'dead letters wait';
    return this.#full && this.#inserting !== null ? 'insert under way' : null;
  }

  get waitingRows(): number {
    return this.#rows.rows;
  }

  get waitingBytes(): number {
    return this.#rows.bytes;
  }

  /** Records of which no row could be made and that were set aside. */
  get deadLetters(): number {
    return this.#options.letters.count;
  }

  get committedPositions(): readonly { readonly topic: string; readonly partition: number; readonly offset: number }[] {
    const { queue } = this.#options;
    return [{ topic: queue.source.topic, partition: queue.partition, offset: this.#delivered }];
  }

  get settled(): boolean {
    const { queue } = this.#options;
    return this.#inserting === null && !this.#open && this.#options.letters.settled && queue.buffered === 0 && !queue.hasHead;
  }

  accept(batch: LogBatch): boolean {
    return !this.stopped && batch.topic === this.#options.archive.topic && this.#options.queue.accept(batch);
  }

  turn(recordsMax: number): number {
    if (this.stopped) return 0;
    let processed = 0;
    const { letters, limits, nowMs } = this.#options;
    try {
      while (processed < recordsMax && !this.#full && !letters.full && this.#options.queue.fill()) {
        this.#take();
        processed++;
      }
    } catch (error) {
      this.stop(error);
      return processed;
    }
    const due = this.#full || letters.full || nowMs() - this.#firstRowMs >= limits.ageMs;
    if (this.#inserting === null && ((due && this.#open) || (letters.dirty && !letters.open))) this.#insert();
    return processed;
  }

  async loadSchemas(): Promise<boolean> {
    try {
      return await this.#schemas.load();
    } catch (error) {
      // A record whose schema does not exist, and that may not be set aside.
      this.stop(error);
      return true;
    }
  }

  confirmOwner(): void {
    if (!this.stopped) void this.#options.commits.commit([]).catch((error: unknown) => this.stop(error));
  }

  async flush(): Promise<void> {
    const { letters } = this.#options;
    while (!this.stopped) {
      await this.#inserting;
      if (this.#open || letters.dirty) this.#insert();
      else if (letters.settled) break;
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // So that the next start has nothing to look for.
    if (!this.stopped && !this.#cleared) await this.#clear();
  }

  async drop(reason: string): Promise<void> {
    this.stopped = true;
    this.#options.abort.abort(new Error(`task ${this.id} was dropped: ${reason}`));
    await this.#options.letters.close();
    await this.#inserting;
  }

  /** Records were taken that no range on its way holds. */
  get #open(): boolean {
    return this.#rows.rows > 0 || this.#options.letters.open;
  }

  get #full(): boolean {
    const { limits } = this.#options;
    return this.#rows.rows >= limits.rowsMax || this.#rows.bytes >= limits.bytesMax;
  }

  /** A record that cannot be decoded. A stream that reads the same topic sets it aside; without one it is done here. */
  malformed(raw: LogRecord, error: unknown): void {
    const { archive, queue } = this.#options;
    if (archive.readByStream || this.#refusedBefore.has(raw.offset)) return;
    this.#origin.set(archive.topic, queue.partition, raw.offset, raw.timestampMs);
    this.#refuse('deserialise', error, raw);
  }

  #refuse(stage: ErrorStage, error: unknown, raw: LogRecord): void {
    const { letters, nowMs } = this.#options;
    if (!this.#open) this.#firstRowMs = nowMs();
    letters.refuse(stage, error, this.#origin, raw);
    this.#refused.push(raw.offset);
  }

  #take(): void {
    const { queue, encoder, archive } = this.#options;
    const raw = queue.headRaw as LogRecord;
    if (queue.headValue === null) {
      queue.malformed++;
      queue.shift();
      return;
    }
    if (this.#refusedBefore.has(raw.offset)) {
      queue.shift();
      return;
    }
    this.#origin.set(archive.topic, queue.partition, raw.offset, queue.headTimestampMs);
    try {
      this.#addRow(encoder);
    } catch (error) {
      this.#refuse('deliver', error, raw);
    }
    queue.shift();
  }

  #addRow(encoder: SinkEncoder): void {
    const { queue, nowMs } = this.#options;
    const record = { key: queue.headKey, value: queue.headValue, timestampMs: queue.headTimestampMs };
    const first = !this.#open;
    this.#rows.add((into) => encoder.encode(record, this.#origin.offset, this.#origin, into));
    if (first) this.#firstRowMs = nowMs();
  }

  #insert(): void {
    const from = this.#from;
    // Without rows or letters it is only told that letters are delivered: the range stays as it is.
    const to = this.#open ? this.#options.queue.position : from;
    const refused = this.#refused;
    const { rows } = this.#rows;
    const cells: Cell[] = [];
    // Now, since letters that come while the pieces are made belong to the next range.
    const letterBatches = this.#options.letters.takeCells(cells, this.#options.nowMs());
    const sealing = this.#pieces(this.#identity(from, to));
    this.#refused = [];
    this.#from = to;
    const work = this.#commitAndInsert(sealing, { rows, from, to, refused, cells, letterBatches });
    this.#inserting = work.catch((error: unknown) => this.stop(error)).finally(() => {
      this.#inserting = null;
    });
  }

  /** The waiting rows as pieces; none waits afterwards, also while the pieces are being made. */
  async #pieces(identity: BatchIdentity, committedHashes: readonly Uint8Array[] = []): Promise<readonly SealedPiece[]> {
    if (this.#rows.rows === 0) return [];
    return this.#options.seal({ identity, chunks: [this.#rows.take()], committedHashes });
  }

  async #commitAndInsert(sealing: Promise<readonly SealedPiece[]>, { rows, from, to, refused, cells, letterBatches }: Range): Promise<void> {
    const { abort, commits, delivery, letters, listener, archive, queue, run } = this.#options;
    const pieces = await sealing;
    abort.signal.throwIfAborted();
    if (to > from) {
      const hashes = pieces.map((piece) => hex(piece.batchHash));
      cells.push(intentCell({ from, to, hashes, ...(refused.length === 0 ? {} : { refused }) }), runCell(run));
      this.#cleared = false;
    }
    await commits.commit(cells);
    letters.push(letterBatches);
    if (rows > 0) await listener.delivering(this, archive.sink.name, rows, () => delivery.deliver(pieces, { mayBePresent: false }));
    letters.passed(queue.source.topic, to);
    this.#delivered = to;
    this.rowsInserted += rows;
  }

  #identity(from: number, to: number): BatchIdentity {
    const { archive, application, run } = this.#options;
    const table = archive.sink.kind === 'warehouse' ? `${archive.sink.table.database}.${archive.sink.table.table}` : archive.sink.topic;
    return { application, run, table, task: this.id, first: from, last: to };
  }

  /** After a claim: makes the rows of an unfinished range again from the log, and inserts what is missing of them. */
  async recover(intent: ArchiveIntent, batches: AsyncIterable<LogBatch>): Promise<void> {
    const { queue, delivery, letters } = this.#options;
    queue.start(intent.from, intent.to);
    this.#refusedBefore = new Set(intent.refused);
    for await (const batch of batches) {
      assertInvariant(queue.accept(batch), `the log gives the range from ${intent.from} to ${intent.to} in order`);
      do {
        while (queue.position < intent.to && queue.fill()) this.#take();
      } while (await this.#schemaCame());
    }
    this.#refusedBefore = new Set();
    this.rowsInserted += this.#rows.rows;
    // The hashes that were committed stand for these rows, even when the code that makes rows has changed since.
    const pieces = await this.#pieces(this.#identity(intent.from, intent.to), intent.hashes.map((hash) => Buffer.from(hash, 'hex')));
    await delivery.deliver(pieces, { mayBePresent: true });
    this.#from = intent.to;
    this.#delivered = intent.to;
    this.#cleared = false;
    // What failed only now belongs to a range that is done: with its letters committed, it is not made again.
    if (letters.open) await this.#clear();
  }

  /** Commits that no range is under way. */
  async #clear(): Promise<void> {
    const { commits, letters, nowMs } = this.#options;
    const cells: Cell[] = [intentCell({ from: this.#delivered, to: this.#delivered, hashes: [] })];
    const sealed = letters.takeCells(cells, nowMs());
    await commits.commit(cells);
    letters.push(sealed);
    this.#refused = [];
    this.#cleared = true;
  }

  /** Waits for a schema as long as one is awaited: a range must be whole before it is compared. */
  async #schemaCame(): Promise<boolean> {
    const { queue, abort } = this.#options;
    while (queue.awaitedSchema !== null) {
      if (await this.#schemas.load()) return true;
      abort.signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
  }

  /** A failure that ends this claim. */
  stop(error: unknown): void {
    if (this.stopped) return;
    this.stopped = true;
    this.#options.letters.stop();
    this.#options.abort.abort(error instanceof Error ? error : new Error(String(error)));
    this.#options.listener.stopped(this, error);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

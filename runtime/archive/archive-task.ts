import { assertInvariant } from '../../errors.ts';
import type { Cell } from '../../state/state-store.ts';
import type { ArchiveNode } from '../../topology/graph.ts';
import { PieceBuilder } from '../delivery/pieces.ts';
import type { BatchIdentity } from '../delivery/pieces.ts';
import type { LogBatch } from '../log/log.ts';
import type { PieceDelivery } from '../sinks/clickhouse/delivery.ts';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { AwaitedSchemas } from '../task/awaited-schemas.ts';
import { bytesText, textBytes } from '../task/cell-bytes.ts';
import type { CommitLoop } from '../task/commit-loop.ts';
import type { PartitionQueue } from '../task/partition-queue.ts';
import type { RunningTask } from '../task/running-task.ts';
import type { SinkEncoder } from '../task/task-core.ts';
import { MutableOrigin } from '../task/step-context.ts';

/** What is on its way into the table: a range of offsets, and the hashes of the pieces that it was cut into. */
export interface ArchiveIntent {
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
}

export interface ArchiveLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly ageMs: number;
}

export interface ArchiveTaskListener {
  inserted(task: ArchiveTask, rows: number, durationMs: number): void;
  stopped(task: ArchiveTask, error: unknown): void;
}

export interface ArchiveTaskOptions {
  readonly id: string;
  readonly archive: ArchiveNode;
  readonly application: string;
  readonly run: number;
  readonly queue: PartitionQueue;
  readonly encoder: SinkEncoder;
  readonly commits: CommitLoop;
  readonly delivery: PieceDelivery;
  readonly limits: ArchiveLimits;
  readonly abort: AbortController;
  readonly listener: ArchiveTaskListener;
  readonly nowMs: () => number;
  readonly retrying: (operation: string, error: unknown) => void;
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
 * Records that cannot be decoded, or have no value, are counted and passed: the main topology reads the same topic and sets them
 * aside.
 */
export class ArchiveTask implements RunningTask {
  readonly id: string;
  readonly #options: ArchiveTaskOptions;
  readonly #origin = new MutableOrigin();
  readonly #schemas: AwaitedSchemas;
  #builder = new PieceBuilder();
  readonly #scratch = new RowBuffer();
  #from: number;
  #firstRowMs = 0;
  #inserting: Promise<void> | null = null;
  #delivered: number;
  #cleared = true;
  stopped = false;
  rowsInserted = 0;

  constructor(options: ArchiveTaskOptions) {
    this.id = options.id;
    this.#options = options;
    this.#schemas = new AwaitedSchemas([options.queue], options.nowMs, options.retrying);
    this.#from = options.queue.position;
    this.#delivered = options.queue.position;
  }

  get queues(): readonly PartitionQueue[] {
    return [this.#options.queue];
  }

  get pausedBy(): string | null {
    return this.#full && this.#inserting !== null ? 'insert under way' : null;
  }

  get waitingRows(): number {
    return this.#builder.rows;
  }

  get waitingBytes(): number {
    return this.#builder.bytes;
  }

  get committedPositions(): readonly { readonly topic: string; readonly partition: number; readonly offset: number }[] {
    const { queue } = this.#options;
    return [{ topic: queue.source.topic, partition: queue.partition, offset: this.#delivered }];
  }

  get settled(): boolean {
    const { queue } = this.#options;
    return this.#inserting === null && this.#builder.rows === 0 && queue.buffered === 0 && !queue.hasHead;
  }

  accept(batch: LogBatch): boolean {
    return !this.stopped && batch.topic === this.#options.archive.topic && this.#options.queue.accept(batch);
  }

  turn(recordsMax: number): number {
    if (this.stopped) return 0;
    let processed = 0;
    try {
      while (processed < recordsMax && !this.#full && this.#options.queue.fill()) {
        this.#take();
        processed++;
      }
    } catch (error) {
      this.#stop(error);
      return processed;
    }
    const due = this.#full || (this.#builder.rows > 0 && this.#options.nowMs() - this.#firstRowMs >= this.#options.limits.ageMs);
    if (due && this.#inserting === null) this.#insert();
    return processed;
  }

  loadSchemas(): Promise<boolean> {
    return this.#schemas.load();
  }

  async flush(): Promise<void> {
    while (!this.stopped) {
      await this.#inserting;
      if (this.#builder.rows === 0) break;
      this.#insert();
    }
    // So that the next start has nothing to look for.
    if (!this.stopped && !this.#cleared) {
      await this.#options.commits.commit([intentCell({ from: this.#delivered, to: this.#delivered, hashes: [] })]);
      this.#cleared = true;
    }
  }

  async drop(reason: string): Promise<void> {
    this.stopped = true;
    this.#options.abort.abort(new Error(`task ${this.id} was dropped: ${reason}`));
    await this.#inserting;
  }

  get #full(): boolean {
    const { limits } = this.#options;
    return this.#builder.rows >= limits.rowsMax || this.#builder.bytes >= limits.bytesMax;
  }

  #take(): void {
    const { queue, encoder, archive, nowMs } = this.#options;
    if (queue.headValue === null) {
      queue.malformed++;
      queue.shift();
      return;
    }
    const origin = this.#origin;
    origin.topic = archive.topic;
    origin.partition = queue.partition;
    origin.offset = queue.headRaw?.offset ?? -1;
    origin.timestampMs = queue.headTimestampMs;
    const scratch = this.#scratch;
    scratch.length = 0;
    const record = { key: queue.headKey, value: queue.headValue, timestampMs: queue.headTimestampMs };
    const partition = encoder.encode(record, origin.offset, origin, scratch);
    if (this.#builder.rows === 0) this.#firstRowMs = nowMs();
    this.#builder.add(partition, scratch.bytes, 0, scratch.length);
    queue.shift();
  }

  #insert(): void {
    const builder = this.#builder;
    const from = this.#from;
    const to = this.#options.queue.position;
    this.#builder = new PieceBuilder();
    this.#from = to;
    const work = this.#commitAndInsert(builder, from, to);
    this.#inserting = work.catch((error: unknown) => this.#stop(error)).finally(() => {
      this.#inserting = null;
    });
  }

  async #commitAndInsert(builder: PieceBuilder, from: number, to: number): Promise<void> {
    const startedMs = performance.now();
    const { commits, delivery, run } = this.#options;
    const { rows } = builder;
    const pieces = builder.take(this.#identity(from, to));
    this.#cleared = false;
    await commits.commit([intentCell({ from, to, hashes: pieces.map((piece) => hex(piece.batchHash)) }), runCell(run)]);
    await delivery.deliver(pieces, { mayBePresent: false });
    this.#delivered = to;
    this.rowsInserted += rows;
    this.#options.listener.inserted(this, rows, performance.now() - startedMs);
  }

  #identity(from: number, to: number): BatchIdentity {
    const { archive, application, run } = this.#options;
    const table = archive.sink.kind === 'warehouse' ? `${archive.sink.table.database}.${archive.sink.table.table}` : archive.sink.topic;
    return { application, run, table, task: this.id, first: from, last: to };
  }

  /** After a claim: makes the rows of an unfinished range again from the log, and inserts what is missing of them. */
  async recover(intent: ArchiveIntent, batches: AsyncIterable<LogBatch>): Promise<void> {
    const { queue, delivery } = this.#options;
    queue.start(intent.from, intent.to);
    for await (const batch of batches) {
      assertInvariant(queue.accept(batch), `the log gives the range from ${intent.from} to ${intent.to} in order`);
      do {
        while (queue.position < intent.to && queue.fill()) this.#take();
      } while (await this.#schemaCame());
    }
    const builder = this.#builder;
    this.#builder = new PieceBuilder();
    this.rowsInserted += builder.rows;
    // The hashes that were committed stand for these rows, even when the code that makes rows has changed since.
    const pieces = builder.take(this.#identity(intent.from, intent.to), intent.hashes.map((hash) => Buffer.from(hash, 'hex')));
    await delivery.deliver(pieces, { mayBePresent: true });
    this.#from = intent.to;
    this.#delivered = intent.to;
    this.#cleared = false;
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

  #stop(error: unknown): void {
    if (this.stopped) return;
    this.stopped = true;
    this.#options.abort.abort(error instanceof Error ? error : new Error(String(error)));
    this.#options.listener.stopped(this, error);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

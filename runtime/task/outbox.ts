import { assertInvariant } from '../../errors.ts';
import type { Cell } from '../../state/state-store.ts';
import { bytesOrdinal, bytesText, ordinalBytes, textBytes } from './cell-bytes.ts';
import type { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { RowCollector, rowCountOf, visitRows } from './outbox-rows.ts';

/** Rows of one commit. */
interface Chunk {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  /** As it stands in the store; see RowCollector. */
  readonly bytes: Uint8Array;
}

/** Rows whose content, order and tokens are fixed for ever: what is delivered, and re-sent as the same bytes. */
export interface SealedBatch {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  /** The rows of its commits, as they stand in the store. */
  readonly chunks: readonly Uint8Array[];
  /** True when the batch was sealed under an earlier claim, so that it may have been delivered already. */
  readonly restored: boolean;
}

/** A batch that its sink has not acknowledged. */
export interface DueBatch {
  readonly sink: string;
  readonly batch: SealedBatch;
}

export interface SealPolicy {
  /** Seal when so many rows wait. */
  readonly rowsMax: number;
  /** Seal when so many bytes wait. */
  readonly bytesMax: number;
  /**
   * Seal when the oldest waiting row is older and no sealed batch waits for its sink: a sink that is behind gets fewer and larger batches, and the row would
   * have waited behind them anyway. 0 seals at every commit (topics: no part is made per batch there).
   */
  readonly ageMs: number;
}

/**
 * Output of one sink of a task, from the operator to the acknowledgement. Ordinals, rows and seals are cells of the task's
 * commit, so that a sink sees nothing before the commit that made it.
 */
export class Outbox {
  readonly sink: string;
  readonly #policy: SealPolicy;
  #nextOrdinal = 0;
  readonly #open = new RowCollector();
  #chunks: Chunk[] = [];
  /** Chunks of sealed batches, until they are acknowledged; by the batch's first ordinal. */
  readonly #sealed = new Map<number, { readonly batch: SealedBatch; readonly chunks: readonly Chunk[] }>();
  readonly #deletes: Cell[] = [];
  #oldestMs: number | null = null;
  #rows = 0;
  #bytes = 0;

  constructor(sink: string, policy: SealPolicy) {
    this.sink = sink;
    this.#policy = policy;
  }

  /** Ordinal of the next row. */
  get nextOrdinal(): number {
    return this.#nextOrdinal;
  }

  /** Rows not yet acknowledged. */
  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes + this.#open.bytes;
  }

  /** Bytes that the next commit will carry. */
  get openBytes(): number {
    return this.#open.bytes;
  }

  /** True when a commit would have something to write for this sink. */
  get dirty(): boolean {
    return this.#open.rows > 0 || this.#deletes.length > 0;
  }

  get #chunkStore(): string {
    return `$outbox.${this.sink}`;
  }

  get #sealStore(): string {
    return `$seal.${this.sink}`;
  }

  /** Adds the row that `encode` writes; it gives the row's group. When it throws, nothing was added. */
  add(encode: (into: RowBuffer) => string): void {
    this.#open.add(encode);
    this.#nextOrdinal++;
    this.#rows++;
  }

  /** Whether the next commit would seal. `nowMs` decides only when a batch is cut, never what is in it. */
  sealDue(nowMs: number): boolean {
    const waiting = this.#unsealedRows();
    if (waiting === 0) return false;
    if (waiting >= this.#policy.rowsMax || this.#policy.ageMs === 0) return true;
    const bytes = this.#open.bytes + this.#chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    if (bytes >= this.#policy.bytesMax) return true;
    return this.#sealed.size === 0 && this.#oldestMs !== null && nowMs - this.#oldestMs >= this.#policy.ageMs;
  }

  /** Adds this commit's cells; gives the batch that the commit seals, if any, to be delivered once it is committed. */
  takeCells(into: Cell[], nowMs: number, sealNow: boolean): SealedBatch | null {
    into.push(...this.#deletes.splice(0));
    if (this.#open.rows > 0) this.#closeChunk(into);
    if (this.#oldestMs === null && this.#chunks.length > 0) this.#oldestMs = nowMs;
    if (this.#chunks.length === 0 || !(sealNow || this.sealDue(nowMs))) return null;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#oldestMs = null;
    const batch = this.#seal(chunks, false);
    into.push({ store: this.#sealStore, key: ordinalBytes(batch.first), value: textBytes(JSON.stringify({ last: batch.last })) });
    return batch;
  }

  /** The sink has the batch: its cells go with the next commit. */
  acknowledge(batch: SealedBatch): void {
    const sealed = this.#sealed.get(batch.first);
    assertInvariant(sealed !== undefined, `batch ${batch.first} of ${this.sink} is acknowledged once`);
    this.#sealed.delete(batch.first);
    for (const chunk of sealed.chunks) {
      this.#rows -= chunk.rows;
      this.#bytes -= chunk.bytes.length;
      this.#deletes.push({ store: this.#chunkStore, key: ordinalBytes(chunk.first), value: null });
    }
    this.#deletes.push({ store: this.#sealStore, key: ordinalBytes(batch.first), value: null });
  }

  /** Puts back what a claim has loaded, and gives the sealed batches that still have to be delivered, in order. */
  restore(nextOrdinal: number, chunkCells: ReadonlyMap<string, Cell>, sealCells: ReadonlyMap<string, Cell>): readonly SealedBatch[] {
    this.#nextOrdinal = nextOrdinal;
    const chunks = [...chunkCells.values()].map((cell) => restoredChunk(cell)).sort((a, b) => a.first - b.first);
    for (const chunk of chunks) {
      this.#rows += chunk.rows;
      this.#bytes += chunk.bytes.length;
    }
    const seals = [...sealCells.values()]
      .map((cell) => ({ first: bytesOrdinal(cell.key), last: (JSON.parse(bytesText(cell.value as Uint8Array)) as { last: number }).last }))
      .sort((a, b) => a.first - b.first);
    const batches: SealedBatch[] = [];
    for (const seal of seals) {
      const own = chunks.filter((chunk) => chunk.first >= seal.first && chunk.last <= seal.last);
      const batch = this.#seal(own, true);
      assertInvariant(batch.first === seal.first && batch.last === seal.last, `sealed batch ${seal.first} of ${this.sink} is whole`);
      batches.push(batch);
    }
    const sealedUpTo = seals.at(-1)?.last ?? -1;
    this.#chunks = chunks.filter((chunk) => chunk.first > sealedUpTo);
    // Nobody knows how long they have waited, and on a silent partition no further row would ever start the clock.
    if (this.#chunks.length > 0) this.#oldestMs = Number.NEGATIVE_INFINITY;
    return batches;
  }

  #unsealedRows(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.rows, this.#open.rows);
  }

  #closeChunk(into: Cell[]): void {
    const { rows } = this.#open;
    const first = this.#nextOrdinal - rows;
    const bytes = this.#open.take();
    into.push({ store: this.#chunkStore, key: ordinalBytes(first), value: bytes });
    this.#chunks.push({ first, last: this.#nextOrdinal - 1, rows, bytes });
    this.#bytes += bytes.length;
  }

  #seal(chunks: readonly Chunk[], restored: boolean): SealedBatch {
    const first = chunks[0]?.first ?? 0;
    const last = chunks.at(-1)?.last ?? -1;
    const batch: SealedBatch = { first, last, rows: last - first + 1, chunks: chunks.map((chunk) => chunk.bytes), restored };
    this.#sealed.set(first, { batch, chunks });
    return batch;
  }
}

function restoredChunk(cell: Cell): Chunk {
  const first = bytesOrdinal(cell.key);
  const bytes = cell.value as Uint8Array;
  const rows = rowCountOf(bytes);
  return { first, last: first + rows - 1, rows, bytes };
}

/** Visits the rows of a batch in order, with their ordinals. */
export function visitBatch(batch: SealedBatch, visit: (ordinal: number, group: string, bytes: Buffer, start: number, end: number) => void): void {
  let ordinal = batch.first;
  for (const chunk of batch.chunks) {
    visitRows(chunk, (group, bytes, start, end) => {
      visit(ordinal, group, bytes, start, end);
      ordinal++;
    });
  }
}

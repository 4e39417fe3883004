import { batchHash, batchHashBytes } from '../sinks/clickhouse/batch-hash.ts';
import type { SealedPiece } from '../sinks/clickhouse/delivery.ts';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';

/** One insert stays one block, and so atomic, under these (Law 4). */
const pieceRowsMax = 100_000;
const pieceBytesMax = 10_000_000;

export interface BatchIdentity {
  readonly application: string;
  readonly run: number;
  readonly table: string;
  readonly task: string;
  readonly first: number;
  readonly last: number;
}

interface OpenPiece {
  readonly partition: string;
  readonly buffer: RowBuffer;
  /** Where each row's `_batch` stands: behind the row, filled when the piece is sealed. */
  readonly batchAt: number[];
}

/**
 * Cuts rows into inserts: one table partition and one block each (Law 4). The same rows give the same pieces in the same
 * order, with the same hashes, whenever and wherever it is done.
 */
export class PieceBuilder {
  readonly #open = new Map<string, OpenPiece>();
  readonly #full: OpenPiece[] = [];
  rows = 0;
  bytes = 0;

  /** Adds the row that stands in `source` between two places; it is complete but for `_batch`. */
  add(partition: string, source: Buffer, start: number, end: number): void {
    const size = end - start + batchHashBytes;
    let piece = this.#open.get(partition);
    if (piece !== undefined && (piece.batchAt.length >= pieceRowsMax || piece.buffer.length + size > pieceBytesMax)) {
      this.#full.push(piece);
      piece = undefined;
    }
    if (piece === undefined) {
      piece = { partition, buffer: new RowBuffer(), batchAt: [] };
      this.#open.set(partition, piece);
    }
    const { buffer } = piece;
    buffer.ensure(size);
    source.copy(buffer.bytes, buffer.length, start, end);
    const batchAt = buffer.length + end - start;
    buffer.bytes.fill(0, batchAt, batchAt + batchHashBytes);
    piece.batchAt.push(batchAt);
    buffer.length += size;
    this.rows++;
    this.bytes += size;
  }

  /**
   * The pieces of all rows; the builder is empty afterwards. `committedHashes` stand for hashes that were committed earlier
   * for the very same range of rows.
   */
  take(identity: BatchIdentity, committedHashes: readonly Uint8Array[] = []): readonly SealedPiece[] {
    const all = [...this.#full, ...this.#open.values()];
    this.#full.length = 0;
    this.#open.clear();
    this.rows = 0;
    this.bytes = 0;
    return all.map(({ partition, buffer, batchAt }, index) => {
      const bytes = buffer.bytes.subarray(0, buffer.length);
      const hash = committedHashes[index] ?? batchHash({
        application: identity.application, run: identity.run, table: identity.table, task: identity.task, partition,
        firstOrdinal: identity.first, lastOrdinal: identity.last,
      }, [bytes]);
      for (const at of batchAt) bytes.set(hash, at);
      return { partition, rowCount: batchAt.length, bytes, batchHash: hash };
    });
  }
}

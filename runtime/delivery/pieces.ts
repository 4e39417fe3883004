import { batchHash, batchHashBytes } from '../sinks/clickhouse/batch-hash.ts';
import type { SealedPiece } from '../sinks/clickhouse/delivery.ts';
import type { BatchIdentity, SealRequest } from '../sinks/warehouse.ts';
import { RowBuffer, batchGapBytes } from '../sinks/clickhouse/row-buffer.ts';
import { rowHeadBytes, visitRows } from '../task/outbox-rows.ts';

/** One insert stays one block, and so atomic, under these (Law 4). */
const pieceRowsMax = 100_000;
const pieceBytesMax = 10_000_000;

interface OpenPiece {
  readonly partition: string;
  readonly buffer: RowBuffer;
  /** Where each row's `_batch` stands: behind the row, filled when the piece is sealed. */
  readonly batchAt: number[];
  /** Bytes of its rows, of which the last run may not have been copied yet. */
  bytes: number;
}

/**
 * Cuts rows into inserts: one table partition and one block each (Law 4). The same rows give the same pieces in the same
 * order, with the same hashes, whenever and wherever it is done.
 */
export class PieceBuilder {
  readonly #open = new Map<string, OpenPiece>();
  readonly #full: OpenPiece[] = [];
  readonly #bytesExpected: number;

  /** `bytesExpected`: room for the first piece, so that it need not grow. */
  constructor(bytesExpected = 0) {
    this.#bytesExpected = Math.min(bytesExpected, pieceBytesMax);
  }

  /**
   * Adds the rows of an outbox chunk, each complete but for `_batch` and with a gap behind it. With the head of what follows it in the chunk the gap
   * is as long as `_batch`: rows of one piece that stand in a row are copied at once.
   */
  addChunk(chunk: Uint8Array): void {
    let piece: OpenPiece | undefined;
    let runStart = 0;
    let runEnd = 0;
    const copyRun = (bytes: Buffer): void => {
      if (piece === undefined) return;
      const { buffer } = piece;
      buffer.ensure(runEnd - runStart);
      bytes.copy(buffer.bytes, buffer.length, runStart, runEnd);
      buffer.length += runEnd - runStart;
    };
    let all: Buffer | undefined;
    visitRows(chunk, (partition, bytes, start, end) => {
      all = bytes;
      const size = end - start + rowHeadBytes;
      if (piece === undefined || piece.partition !== partition || !fits(piece, size)) {
        copyRun(bytes);
        piece = this.#pieceFor(partition, size);
        runStart = start;
      }
      piece.bytes += size;
      piece.batchAt.push(piece.bytes - batchHashBytes);
      runEnd = end + rowHeadBytes;
    });
    if (all !== undefined) copyRun(all);
  }

  #pieceFor(partition: string, size: number): OpenPiece {
    const open = this.#open.get(partition);
    if (open !== undefined && fits(open, size)) return open;
    if (open !== undefined) this.#full.push(open);
    const buffer = this.#open.size === 0 && this.#bytesExpected > 0 ? new RowBuffer(this.#bytesExpected) : new RowBuffer();
    const piece = { partition, buffer, batchAt: [], bytes: 0 };
    this.#open.set(partition, piece);
    return piece;
  }

  /**
   * The pieces of all rows; the builder is empty afterwards. `committedHashes` stand for hashes that were committed earlier
   * for the very same range of rows.
   */
  take(identity: BatchIdentity, committedHashes: readonly Uint8Array[] = []): readonly SealedPiece[] {
    const all = [...this.#full, ...this.#open.values()];
    this.#full.length = 0;
    this.#open.clear();
    return all.map(({ partition, buffer, batchAt }, index) => {
      const { view } = buffer;
      for (const at of batchAt) {
        view.setFloat64(at, 0);
        view.setFloat64(at + 8, 0);
      }
      const bytes = buffer.bytes.subarray(0, buffer.length);
      const hash = committedHashes[index] ?? batchHash({
        application: identity.application, run: identity.run, table: identity.table, task: identity.task, partition,
        firstOrdinal: identity.first, lastOrdinal: identity.last,
      }, [bytes]);
      fillHash(view, batchAt, hash);
      return { partition, rowCount: batchAt.length, bytes, batchHash: hash };
    });
  }
}

/** The pieces of a whole batch. */
export function piecesOf({ identity, chunks, committedHashes }: SealRequest): readonly SealedPiece[] {
  const builder = new PieceBuilder(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  for (const chunk of chunks) builder.addChunk(chunk);
  return builder.take(identity, committedHashes);
}

// The head of the next row and the gap of this one are where `_batch` goes.
if (batchGapBytes + rowHeadBytes !== batchHashBytes) throw new Error('invariant violated: gap and head of a row are as long as a hash');

function fits(piece: OpenPiece, size: number): boolean {
  return piece.batchAt.length < pieceRowsMax && piece.bytes + size <= pieceBytesMax;
}

/** Four numbers at each place: far less than a call for each. */
function fillHash(view: DataView, places: readonly number[], hash: Uint8Array): void {
  const words = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  const [first, second, third, fourth] = [words.getUint32(0), words.getUint32(4), words.getUint32(8), words.getUint32(12)];
  for (const at of places) {
    view.setUint32(at, first);
    view.setUint32(at + 4, second);
    view.setUint32(at + 8, third);
    view.setUint32(at + 12, fourth);
  }
}

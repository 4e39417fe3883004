import type { OutboxRow } from '../task/outbox-rows.ts';
import { batchHash, batchHashBytes } from '../sinks/clickhouse/batch-hash.ts';
import type { SealedPiece } from '../sinks/clickhouse/delivery.ts';

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

/**
 * Cuts a sealed batch into inserts: one table partition and one block each (Law 4). The same rows give the same pieces in the
 * same order, with the same hashes, whenever and wherever it is done.
 */
export function piecesOf(rows: readonly OutboxRow[], identity: BatchIdentity): readonly SealedPiece[] {
  const pieces: SealedPiece[] = [];
  const open = new Map<string, { rows: Uint8Array[]; bytes: number }>();
  const close = (partition: string, part: { readonly rows: readonly Uint8Array[] }): void => {
    const hash = batchHash({
      application: identity.application, run: identity.run, table: identity.table, task: identity.task, partition,
      firstOrdinal: identity.first, lastOrdinal: identity.last,
    }, part.rows);
    pieces.push({ partition, rowCount: part.rows.length, rows: part.rows, batchHash: hash });
  };
  for (const row of rows) {
    const size = row.bytes.length + batchHashBytes;
    let part = open.get(row.group);
    if (part !== undefined && (part.rows.length >= pieceRowsMax || part.bytes + size >= pieceBytesMax)) {
      close(row.group, part);
      part = undefined;
    }
    if (part === undefined) {
      part = { rows: [], bytes: 0 };
      open.set(row.group, part);
    }
    part.rows.push(row.bytes);
    part.bytes += size;
  }
  for (const [partition, part] of open) close(partition, part);
  return pieces;
}

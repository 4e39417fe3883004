import { batchHashBytes } from './batch-hash.ts';
import type { SealedPiece } from './delivery.ts';

/** A piece of rows that are complete but for `_batch`, one element a row. */
export function sealedPiece(partition: string, rows: readonly Uint8Array[], batchHash: Uint8Array): SealedPiece {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + row.length + batchHashBytes, 0));
  let at = 0;
  for (const row of rows) {
    bytes.set(row, at);
    bytes.set(batchHash, at + row.length);
    at += row.length + batchHashBytes;
  }
  return { partition, rowCount: rows.length, bytes, batchHash };
}

import { createHash } from 'node:crypto';

/** What makes a sealed piece itself: where it comes from, what it is for, and which rows of which content it holds. */
export interface PieceIdentity {
  readonly application: string;
  readonly run: number;
  /** `database.table`. */
  readonly table: string;
  readonly task: string;
  /** Table partition, as `partitionOf` gave it. */
  readonly partition: string;
  /** Ordinals of the first and last row of the whole batch or of the piece: whatever is used, the same each time. */
  readonly firstOrdinal: number;
  readonly lastOrdinal: number;
}

/** Bytes of `_batch`. */
export const batchHashBytes = 16;

/**
 * The name of a sealed piece in the data: 16 bytes of SHA-256 over its identity and its rows' bytes. Never a bare number: after a
 * rewind the same ordinals come again with other rows, which must not be taken for applied.
 */
export function batchHash(identity: PieceIdentity, rows: readonly Uint8Array[]): Uint8Array {
  const { application, run, table, task, partition, firstOrdinal, lastOrdinal } = identity;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([application, run, table, task, partition, firstOrdinal, lastOrdinal, rows.length]));
  for (const row of rows) hash.update(row);
  return new Uint8Array(hash.digest().subarray(0, batchHashBytes));
}

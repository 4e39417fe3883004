import type { SealedPiece } from './clickhouse/delivery.ts';

/**
 * The port to ClickHouse: a server by `@clickhouse/client`, or chDB in a worker thread of this process. The same SQL, DDL
 * and row bytes serve both.
 */
export interface WarehouseInsert {
  readonly database: string;
  readonly table: string;
  /** Column names in the order of the row bytes. */
  readonly columns: readonly string[];
  /** ClickHouse types in the same order. */
  readonly types: readonly string[];
  /** Whole RowBinary rows, in order; joined they are one block of one table partition. */
  readonly rows: readonly Uint8Array[];
  readonly rowCount: number;
  /** `insert_deduplication_token` of this statement; null sends none. */
  readonly token: string | null;
}

/** What a sealed batch is, and so a part of the hash of each of its pieces. */
export interface BatchIdentity {
  readonly application: string;
  readonly run: number;
  /** `database.table`. */
  readonly table: string;
  readonly task: string;
  /** Ordinals of its first and last row. */
  readonly first: number;
  readonly last: number;
}

/** Rows to be cut into pieces; see `PieceBuilder`. */
export interface SealRequest {
  readonly identity: BatchIdentity;
  /** Chunks of an outbox, in order. */
  readonly chunks: readonly Uint8Array[];
  /** Hashes that were committed earlier for the very same rows, in the order of the pieces; mostly none. */
  readonly committedHashes: readonly Uint8Array[];
}

/** Forms in which an answer is given piece by piece. Of CSV there is no line of column names. */
export type StreamFormat = 'CSV' | 'JSONEachRow' | 'Parquet';

export interface Warehouse {
  open(): Promise<void>;
  /** Rows as objects; 64-bit integers as strings, as ClickHouse's JSON gives them. */
  query<Row>(sql: string): Promise<readonly Row[]>;
  /** The answer as text in a named ClickHouse format (CSV, JSONEachRow, PrettyCompact...). */
  queryText(sql: string, format: string): Promise<string>;
  /**
   * The answer in pieces, never all of it in memory; 64-bit integers as numbers, NULL in CSV as an empty field. Errors come with the first
   * piece, or later. A reader that stops half way ends the query.
   */
  stream(sql: string, format: StreamFormat): AsyncIterable<Uint8Array>;
  command(sql: string): Promise<void>;
  /** Reads what inserts will really run with, once. Throws WAREHOUSE_SETTING when exactly-once cannot stand on it. Left out where nobody can change it. */
  checkInserts?(): Promise<void>;
  /** The pieces of a batch, made in another thread; the chunks stay the caller's. Left out where there is no such thread. */
  seal?(request: SealRequest): Promise<readonly SealedPiece[]>;
  /** One insert = one block. Settings belong to the statement, never to the connection. */
  insert(insert: WarehouseInsert): Promise<void>;
  close(): Promise<void>;
}

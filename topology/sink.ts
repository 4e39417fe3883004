import type { Form } from '../schemas/codec.ts';
import type { RecordOrigin } from '../operators/operator.ts';

/** ClickHouse column types that rows can be encoded to; each may stand in `Nullable(...)` or `LowCardinality(...)`. */
export type ColumnType = string;

/** A value that a RowBinary encoder takes: DateTime64(3) as milliseconds, Int64 as number or bigint, Array as array. */
export type ColumnValue = string | number | bigint | boolean | null | Uint8Array | readonly ColumnValue[];

export interface TableDefinition<Row> {
  readonly database: string;
  readonly table: string;
  /**
   * Columns of a row in order. Three more columns are filled by the sink and must exist in the table: `_version` UInt64 (run,
   * then ordinal or clock: see `versions`), `_batch` FixedString(16) (hash of the sealed piece that carried the row), `_inserted` is left to its default.
   */
  readonly columns: { readonly [Name in keyof Row & string]: ColumnType };
  /** Value of the table's partition expression for a row, as text: rows of one insert share it. */
  readonly partitionOf: (row: Row) => string;
  /**
   * What stands in `_version` behind the run; by ordinal when left out. By ordinal is right where the input alone decides which rows there are: what is processed
   * again has its number again. By clock is for rows whose number depends on when commits are made, such as the last value of a key in each commit: after the
   * state was put back to an older copy, fewer and longer commits would give lower ordinals to newer rows. Clocks of processes must then differ by less than
   * a fail-over takes. Of equal versions ClickHouse keeps the row that came last.
   */
  readonly versions?: 'by ordinal' | 'by clock';
}

/** Rows into a ClickHouse table, exactly once, through the outbox. */
export interface WarehouseSink<K, V, Row = Record<string, ColumnValue>> {
  readonly kind: 'warehouse';
  readonly name: string;
  readonly table: TableDefinition<Row>;
  readonly row: (value: V, key: K, timestampMs: number, origin: RecordOrigin) => Row;
}

/** A header of a record in the log. Several may have the same key. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Records into a topic, exactly once, through the outbox. */
export interface LogSink<K, V> {
  readonly kind: 'log';
  readonly name: string;
  readonly topic: string;
  readonly key: Form<K>;
  readonly value: Form<V>;
  /** Headers of the record, in this order. Left out: none. */
  headers?(value: V, key: K): readonly RecordHeader[];
  /** Bytes to write as they are, in place of what the forms would make of key and value; null stays null. */
  bytesOf?(value: V, key: K): { readonly key: Uint8Array | null; readonly value: Uint8Array | null };
}

/** Records of one sub-topology into another, keyed anew. Made by `repartition`. */
export interface RepartitionSink<K, V> {
  readonly kind: 'repartition';
  readonly name: string;
  readonly topic: string;
  readonly key: Form<K>;
  readonly value: Form<V>;
}

export type SinkDefinition<K, V, Row = never> =
  | WarehouseSink<K, V, Row>
  | LogSink<K, V>
  | RepartitionSink<K, V>;

/** Rows into a ClickHouse table. The sink's name is the table's, unless another is given. */
export function clickhouse<K, V, Row>(
  table: TableDefinition<Row>,
  row: (value: V, key: K, timestampMs: number, origin: RecordOrigin) => Row,
  name: string = table.table,
): WarehouseSink<K, V, Row> {
  return { kind: 'warehouse', name, table, row };
}

/**
 * Records into a topic of the log, with headers where the form makes some. The sink's name is the topic's, unless another is
 * given.
 */
export function logTopic<K, V>(
  topic: string,
  form: { readonly key: Form<K>; readonly value: Form<V>; readonly headers?: (value: V, key: K) => readonly RecordHeader[] },
  name: string = topic,
): LogSink<K, V> {
  const { key, value, headers } = form;
  return { kind: 'log', name, topic, key, value, ...(headers === undefined ? {} : { headers }) };
}

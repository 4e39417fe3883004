import type { ColumnType, ColumnValue } from './engine.ts';

/** A row of a table whose columns have these ClickHouse types, as in `deploy/clickhouse/`; tests keep the two the same. */
export type TableRow<Columns extends Readonly<Record<string, ColumnType>>> = { readonly [Name in keyof Columns & string]: ColumnValue };

/** Text of which few are different. */
export const text = 'LowCardinality(String)';
export const optionalText = 'LowCardinality(Nullable(String))';
/** UTC milliseconds. */
export const time = "DateTime64(3, 'UTC')";

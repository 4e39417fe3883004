import type { WarehouseInsert } from '../warehouse.ts';

/** A name in backquotes, safe in any statement. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** A string literal, safe in any statement. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function tableName(table: { readonly database: string; readonly table: string }): string {
  return `${quoteName(table.database)}.${quoteName(table.table)}`;
}

/**
 * Rows of one insert that ClickHouse still makes one block of, by the settings below: inserted whole or not at all. Seal far
 * below (100,000 rows, 10 MB), for the memory's sake.
 */
export const insertRowsMax = 1_000_000;

/**
 * Settings of every insert, written into the statement and never set on the connection, where they would stay: one block
 * (no threshold of rows or bytes below the limit above), no asynchronous insert, deduplication by the token.
 */
export function insertSettings(token: string | null): readonly string[] {
  const settings = [
    'async_insert = 0',
    // Every row goes in as it is: collapsing within an insert would make the table depend on how batches were cut.
    'optimize_on_insert = 0',
    `max_insert_block_size = ${insertRowsMax}`,
    `min_insert_block_size_rows = ${insertRowsMax}`,
    'min_insert_block_size_bytes = 0',
  ];
  if (token !== null) settings.push('insert_deduplicate = 1', `insert_deduplication_token = ${quoteText(token)}`);
  return settings;
}

export function insertInto(insert: WarehouseInsert): string {
  return `INSERT INTO ${tableName(insert)} (${insert.columns.map(quoteName).join(', ')})`;
}

/**
 * Settings of an insert whose rows come through a SELECT that reads them as plain types: one thread and one block all the way, and
 * deduplication by the token although it is a SELECT: the default would leave it out, silently, where it doubts that a SELECT repeats its order.
 */
export function insertSelectSettings(token: string | null): readonly string[] {
  const settings = ['max_threads = 1', 'max_insert_threads = 1', `max_block_size = ${insertRowsMax}`];
  if (token !== null) settings.push("deduplicate_insert_select = 'force_enable'");
  return settings;
}

/**
 * Columns with the types whose RowBinary form is the same but which are read faster: `plainType`. Read so and converted by the block, a
 * row of 26 columns takes half the time. Names are short, since they stand in a URL and mean nothing: `SELECT *` goes by the order.
 */
export function plainStructure(types: readonly string[]): string {
  return types.map((type, index) => `c${index} ${plainType(type)}`).join(', ');
}

/** Joins rows into one buffer of their own, so that it can be handed to another thread. */
export function joinRows(rows: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    joined.set(row, at);
    at += row.length;
  }
  return joined;
}

/** The type whose RowBinary form is the same, but which is read faster: LowCardinality looks each value up as it is read. */
export function plainType(type: string): string {
  const start = type.indexOf('LowCardinality(');
  if (start < 0) return type;
  const open = start + 'LowCardinality('.length;
  let depth = 1;
  let end = open;
  for (; depth > 0 && end < type.length; end++) {
    if (type[end] === '(') depth++;
    else if (type[end] === ')') depth--;
  }
  return plainType(type.slice(0, start) + type.slice(open, end - 1) + type.slice(end));
}

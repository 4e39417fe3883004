import { VoltstreamError } from '../../../errors.ts';
import type { ColumnType } from '../../../topology/sink.ts';
import type { Warehouse } from '../warehouse.ts';
import { quoteText, tableName } from './statements.ts';

/** The part of a `TableDefinition` that the warehouse needs to know. */
export interface DeliveryTable {
  readonly database: string;
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

export interface TableFacts {
  readonly engine: string;
  /** Deduplicated in Keeper, together with the part: an acknowledged repeat is proof that the rows are there. */
  readonly replicated: boolean;
}

/** Columns that the sink fills, beside those of the definition. */
export const deliveryColumns = { _version: 'UInt64', _batch: 'FixedString(16)' } as const;

/** Inserts to remember, at least: one task's re-send comes after a few seconds, and many tasks may write one table. */
const windowMin = 1_000;
const windowSecondsMin = 3_600;

interface TableRow {
  readonly engine: string;
  readonly engine_full: string;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly default_kind: string;
}

/**
 * Reads what a table really is, and throws WAREHOUSE_SETTING when exactly-once delivery cannot work on it: engine, deduplication
 * window, the sink's own columns, and every column of the definition with its type.
 */
export async function checkTable(warehouse: Warehouse, definition: DeliveryTable): Promise<TableFacts> {
  await warehouse.checkInserts?.();
  const where = `database = ${quoteText(definition.database)} AND`;
  const name = quoteText(definition.table);
  const [table] = await warehouse.query<TableRow>(`SELECT engine, engine_full FROM system.tables WHERE ${where} name = ${name}`);
  if (table === undefined) {
    throw unfit(definition, 'the table does not exist', 'a table', 'none', 'Apply the migrations of deploy/clickhouse (npm start does).');
  }
  const replicated = /^(Replicated|Shared)/.test(table.engine);
  if (!table.engine.endsWith('MergeTree')) {
    const cure = 'Name the local MergeTree table itself, not a view or a distributed table over it.';
    throw unfit(definition, 'rows cannot be delivered exactly once to this engine', 'an engine of the MergeTree family', table.engine, cure);
  }
  await checkWindow(warehouse, definition, table, replicated);
  const columns = await warehouse.query<ColumnRow>(`SELECT name, type, default_kind FROM system.columns WHERE ${where} table = ${name}`);
  checkColumns(definition, new Map(columns.map((column) => [column.name, column])));
  return { engine: table.engine, replicated };
}

async function checkWindow(warehouse: Warehouse, definition: DeliveryTable, table: TableRow, replicated: boolean): Promise<void> {
  const wanted: Readonly<Record<string, number>> = replicated
    ? { replicated_deduplication_window: windowMin, replicated_deduplication_window_seconds: windowSecondsMin }
    : { non_replicated_deduplication_window: windowMin };
  const source = replicated ? 'system.replicated_merge_tree_settings' : 'system.merge_tree_settings';
  const names = Object.keys(wanted).map(quoteText).join(', ');
  const defaults = await warehouse.query<{ name: string; value: string }>(`SELECT name, value FROM ${source} WHERE name IN (${names})`);
  for (const [setting, least] of Object.entries(wanted)) {
    const own = new RegExp(`\\b${setting} = (\\d+)`).exec(table.engine_full)?.[1];
    const value = own ?? defaults.find((row) => row.name === setting)?.value ?? '0';
    if (Number(value) >= least) continue;
    const cure = `ALTER TABLE ${tableName(definition)} MODIFY SETTING ${setting} = ${least * 10}`;
    throw unfit(definition, 'repeated inserts would not be recognised', `${setting} >= ${least}`, value, cure);
  }
}

function checkColumns(definition: DeliveryTable, actual: ReadonlyMap<string, ColumnRow>): void {
  for (const [name, type] of Object.entries({ ...definition.columns, ...deliveryColumns })) {
    const column = actual.get(name);
    const alter = `ALTER TABLE ${tableName(definition)}`;
    if (column === undefined) {
      throw unfit(definition, `column ${name} is missing`, `${name} ${type}`, 'no such column', `${alter} ADD COLUMN ${name} ${type}`);
    }
    if (column.default_kind === 'MATERIALIZED' || column.default_kind === 'ALIAS') {
      throw unfit(definition, `column ${name} cannot be inserted`, 'an ordinary column', column.default_kind, `${alter} MODIFY COLUMN ${name} ${type}`);
    }
    if (!sameType(type, column.type)) {
      const cure = `${alter} MODIFY COLUMN ${name} ${type}, or change the type in the table definition.`;
      throw unfit(definition, `column ${name} has another type`, type, column.type, cure);
    }
  }
}

/** Equal but for spaces; a definition without a time zone takes any, since the bytes are the same. */
function sameType(wanted: string, actual: string): boolean {
  const plain = (type: string): string => type.replaceAll(/\s+/g, '');
  const withoutZone = (type: string): string => plain(type).replaceAll(/(DateTime(?:64\(\d)?)[,(]'[^']*'\)/g, (_, start: string) => (start.includes('(') ? `${start})` : start));
  return plain(wanted) === plain(actual) || plain(wanted) === withoutZone(actual);
}

function unfit(definition: DeliveryTable, what: string, wanted: string, got: string, cure: string): VoltstreamError {
  return new VoltstreamError('WAREHOUSE_SETTING', what, { where: `table ${definition.database}.${definition.table}`, wanted, got, cure });
}

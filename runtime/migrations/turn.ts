import { setTimeout as sleepFor } from 'node:timers/promises';
import { VoltstreamError } from '../../errors.ts';
import { quoteName, quoteText } from '../sinks/clickhouse/statements.ts';
import type { Warehouse } from '../sinks/warehouse.ts';

const turnTable = 'migration_turn';
const lookAgainMs = 250;
/** Longer than any one migration file takes on empty or large tables: statements change metadata only. A killed process costs others this once. */
const staleDefaultMs = 60_000;

export interface TurnOptions {
  readonly database: string;
  /** Says who has the turn, for whoever looks into the database meanwhile. */
  readonly holder: string;
  readonly staleMs?: number;
}

/**
 * Lets one process of several do something to a database while the others wait: it has the turn that has made the table `migration_turn`, which
 * ClickHouse lets only one do. `keep` says that it is still at work; a turn of which nothing was heard for `staleMs` was left by a killed process,
 * and is taken away. Nothing may depend on it for being right: two processes behind different replicas each get one.
 */
export async function inTurn<T>(warehouse: Warehouse, options: TurnOptions, work: (keep: () => Promise<void>) => Promise<T>): Promise<T> {
  const table = `${quoteName(options.database)}.${quoteName(turnTable)}`;
  const mark = (): string => quoteText(`${options.holder} at ${new Date().toISOString()}`);
  while (!(await made(warehouse, `CREATE TABLE ${table} (holder String) ENGINE = Memory COMMENT ${mark()}`))) {
    if (await ageMs(warehouse, options.database) > (options.staleMs ?? staleDefaultMs)) await warehouse.command(`DROP TABLE IF EXISTS ${table}`);
    else await sleepFor(lookAgainMs);
  }
  try {
    return await work(() => warehouse.command(`ALTER TABLE ${table} MODIFY COMMENT ${mark()}`));
  } finally {
    await warehouse.command(`DROP TABLE IF EXISTS ${table}`);
  }
}

async function made(warehouse: Warehouse, statement: string): Promise<boolean> {
  try {
    await warehouse.command(statement);
    return true;
  } catch (error) {
    if (error instanceof VoltstreamError && /ALREADY_EXISTS|already exists/.test(error.message)) return false;
    throw error;
  }
}

/** By the server's clock; 0 when the turn is over meanwhile. */
async function ageMs(warehouse: Warehouse, database: string): Promise<number> {
  const [turn] = await warehouse.query<{ readonly age: number | string }>(
    `SELECT dateDiff('second', metadata_modification_time, now()) AS age FROM system.tables WHERE database = ${quoteText(database)} AND name = ${quoteText(turnTable)}`,
  );
  return turn === undefined ? 0 : Number(turn.age) * 1_000;
}

import { setTimeout as sleepFor } from 'node:timers/promises';
import { VoltstreamError } from '../../errors.ts';
import { quoteName, quoteText } from '../sinks/clickhouse/statements.ts';
import type { Warehouse } from '../sinks/warehouse.ts';

const turnTable = 'migration_turn';
const lookAgainMs = 250;
/** Who has the turn says so this often; six times missed, it is gone. */
const keepEveryMs = 5_000;
const staleDefaultMs = 30_000;

export interface TurnOptions {
  readonly database: string;
  /** Says who has the turn, for whoever looks into the database meanwhile. */
  readonly holder: string;
  readonly staleMs?: number;
  /** Somebody else has the turn. Told once. */
  readonly waiting?: () => void;
}

/**
 * Lets one process of several do something to a database while the others wait: it has the turn that has made the table `migration_turn`, which
 * ClickHouse lets only one do. It says every few seconds that it is still at work; a turn of which nothing was heard for `staleMs` was left by a killed
 * process, and is taken away. Nothing may depend on it for being right: two processes behind different replicas each get one.
 */
export async function inTurn<T>(warehouse: Warehouse, options: TurnOptions, work: () => Promise<T>): Promise<T> {
  const table = `${quoteName(options.database)}.${quoteName(turnTable)}`;
  const mark = (): string => quoteText(`${options.holder} at ${new Date().toISOString()}`);
  for (let first = true; !(await made(warehouse, `CREATE TABLE ${table} (holder String) ENGINE = Memory COMMENT ${mark()}`)); first = false) {
    if (first) options.waiting?.();
    if (await ageMs(warehouse, options.database) > (options.staleMs ?? staleDefaultMs)) await warehouse.command(`DROP TABLE IF EXISTS ${table}`);
    else await sleepFor(lookAgainMs);
  }
  // A sign of life that does not come through is followed by the next one; the work itself meets a server that is away.
  const keeping = setInterval(() => void warehouse.command(`ALTER TABLE ${table} MODIFY COMMENT ${mark()}`).catch(() => undefined), keepEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(keeping);
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

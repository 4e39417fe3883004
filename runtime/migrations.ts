import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { VoltstreamError, isPassing } from '../errors.ts';
import { isRepeatable, splitStatements } from './migrations/statements.ts';
import { inTurn } from './migrations/turn.ts';
import { quoteName, quoteText } from './sinks/clickhouse/statements.ts';
import type { Warehouse } from './sinks/warehouse.ts';

/** One file `NNNN-name.sql`. */
export interface Migration {
  readonly name: string;
  readonly number: number;
  /** SHA-256 of the text (line ends as LF), in hex. */
  readonly checksum: string;
  /** With `{database}` still in it. */
  readonly statements: readonly string[];
}

export interface MigrationOutcome {
  /** Applied now, in order. */
  readonly applied: readonly string[];
  /** Applied earlier, by this or another process. */
  readonly present: readonly string[];
  /** Applied by a newer version of the program, which this one does not know. */
  readonly unknown: readonly string[];
}

interface AppliedRow {
  readonly name: string;
  readonly checksums: readonly string[];
}

const recordTable = 'applied_migrations';
const fileForm = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** Another process makes the same table in the same moment: seen a few times at most, then it is there. */
const attemptsMax = 5;
const attemptPauseMs = 200;

/**
 * Reads a folder of migrations. Throws MIGRATION_CHANGED for two files of one number, and for a statement that would do harm
 * when it is applied twice: ClickHouse has no transaction around a migration, so repeating must always be safe.
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith('.sql')) continue;
    const number = fileForm.exec(file)?.[1];
    if (number === undefined) throw refused(file, 'the name of a migration file is not understood', 'NNNN-name.sql', file);
    if (migrations.at(-1)?.number === Number(number)) throw refused(file, 'two migrations have one number', 'one', migrations.at(-1)?.name ?? '');
    const text = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
    const statements = splitStatements(text);
    for (const statement of statements) {
      if (isRepeatable(statement)) continue;
      throw refused(file, 'a statement is not safe to repeat', 'IF NOT EXISTS, IF EXISTS, CREATE OR REPLACE VIEW, MODIFY', statement.slice(0, 120));
    }
    migrations.push({ name: file, number: Number(number), checksum: createHash('sha256').update(text).digest('hex'), statements });
  }
  return migrations;
}

export interface MigrationOptions {
  readonly folder: string;
  readonly database: string;
  /** Several processes may start at once: one applies what is missing, and the others wait for it. The name stands in the database meanwhile. */
  readonly turnOf?: string;
  /** A turn of which nothing was heard for so long is over; for tests. */
  readonly staleMs?: number;
  /** Another process applies migrations, and is waited for. */
  readonly waiting?: () => void;
}

/**
 * Brings a database up to date: makes it when it is missing, applies each migration once, in order, and records it with its
 * checksum. Safe to repeat, and to start from several processes at once: with `turnOf` they take turns, without it they may do the same
 * work twice, to the same end.
 *
 * Throws MIGRATION_CHANGED when a file is not what was applied under its name, or comes before one that was applied.
 */
export async function migrate(warehouse: Warehouse, options: MigrationOptions): Promise<MigrationOutcome> {
  const migrations = await readMigrations(options.folder);
  const database = quoteName(options.database);
  const record = `${database}.${quoteName(recordTable)}`;
  await patiently(() => warehouse.command(`CREATE DATABASE IF NOT EXISTS ${database} ENGINE = Atomic`));
  await patiently(() =>
    warehouse.command(
      `CREATE TABLE IF NOT EXISTS ${record} (name String, checksum String, applied DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')) ` +
        'ENGINE = ReplacingMergeTree(applied) ORDER BY (name, checksum)',
    ),
  );
  const { turnOf } = options;
  const before = await recorded(warehouse, record);
  if (turnOf === undefined || migrations.every(({ name }) => before.has(name))) return apply(warehouse, migrations, { database, record, before });
  const { staleMs, waiting } = options;
  const turn = { database: options.database, holder: turnOf, ...(staleMs === undefined ? {} : { staleMs }), ...(waiting === undefined ? {} : { waiting }) };
  return inTurn(warehouse, turn, async () => apply(warehouse, migrations, { database, record, before: await recorded(warehouse, record) }));
}

async function recorded(warehouse: Warehouse, record: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await warehouse.query<AppliedRow>(`SELECT name, groupUniqArray(checksum) AS checksums FROM ${record} GROUP BY name ORDER BY name`);
  return new Map(rows.map((row) => [row.name, row.checksums]));
}

interface Target {
  readonly database: string;
  readonly record: string;
  readonly before: ReadonlyMap<string, readonly string[]>;
}

async function apply(warehouse: Warehouse, migrations: readonly Migration[], { database, record, before }: Target): Promise<MigrationOutcome> {
  const known = new Set(migrations.map((migration) => migration.name));
  const newest = Math.max(-1, ...migrations.filter(({ name }) => before.has(name)).map(({ number }) => number));
  const applied: string[] = [];
  const present: string[] = [];
  for (const migration of migrations) {
    const checksums = before.get(migration.name);
    if (checksums !== undefined) {
      checkUnchanged(migration, checksums);
      present.push(migration.name);
      continue;
    }
    if (migration.number < newest) throw refused(migration.name, 'a migration comes before one that was applied', `a number above ${newest}`, `${migration.number}`);
    for (const statement of migration.statements) {
      await patiently(() => warehouse.command(statement.replaceAll('{database}', database)));
    }
    const values = `SELECT ${quoteText(migration.name)}, ${quoteText(migration.checksum)}`;
    await patiently(() => warehouse.command(`INSERT INTO ${record} (name, checksum) SETTINGS async_insert = 0 ${values}`));
    applied.push(migration.name);
  }
  return { applied, present, unknown: [...before.keys()].filter((name) => !known.has(name)) };
}

function checkUnchanged(migration: Migration, checksums: readonly string[]): void {
  const other = checksums.find((checksum) => checksum !== migration.checksum);
  if (other === undefined) return;
  throw refused(migration.name, 'a migration was changed after it had been applied', `checksum ${other}`, migration.checksum);
}

/** Tries again what may pass, and what another process has just made itself. */
async function patiently(call: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const concurrent = error instanceof VoltstreamError && /ALREADY_EXISTS|already exists|CANNOT_ASSIGN_ALTER/.test(error.message);
      if (attempt >= attemptsMax || !(isPassing(error) || concurrent)) throw error;
      await sleepFor(attemptPauseMs * attempt);
    }
  }
}

function refused(file: string, what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('MIGRATION_CHANGED', what, { where: file, wanted, got });
}

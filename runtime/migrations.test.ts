import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate, readMigrations } from './migrations.ts';
import { isRepeatable, splitStatements } from './migrations/statements.ts';
import { ChdbWarehouse } from './sinks/clickhouse/chdb-warehouse.ts';

const shipped = fileURLToPath(new URL('../deploy/clickhouse', import.meta.url));
const shippedNames = readdirSync(shipped).filter((name) => name.endsWith('.sql')).sort();

describe('migrations', () => {
  const engineFolder = mkdtempSync(join(tmpdir(), 'voltstream-migrations-'));
  const warehouse = new ChdbWarehouse({ folder: engineFolder });
  let folder: string;
  let database: string;
  let count = 0;

  beforeAll(() => warehouse.open());
  afterAll(async () => {
    await warehouse.close();
    rmSync(engineFolder, { recursive: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(engineFolder, 'files-'));
    cpSync(shipped, folder, { recursive: true, filter: (file) => !/\.\w+$/.test(file) || file.endsWith('.sql') });
    database = `migrated_${count++}`;
  });

  const tables = async (): Promise<unknown> => {
    const rows = await warehouse.query<{ name: string }>(`SELECT name FROM system.tables WHERE database = '${database}' ORDER BY name`);
    return rows.map(({ name }) => name);
  };
  /** The tables and views that the files say they make. */
  const shippedTables = ['applied_migrations', ...shippedNames.flatMap((name) => [...readFileSync(join(shipped, name), 'utf8')
    .matchAll(/^CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS \{database\}\.(\w+)/gm)].map(([, table]) => table ?? ''))].sort();

  it('make a database with its tables, once', async () => {
    expect(await migrate(warehouse, { folder, database })).toEqual({ applied: shippedNames, present: [], unknown: [] });
    expect(await tables()).toEqual(shippedTables);
    expect(await migrate(warehouse, { folder, database })).toEqual({ applied: [], present: shippedNames, unknown: [] });
  });

  it('go on where a process died in the middle', async () => {
    let calls = 0;
    const dying = Object.create(warehouse, {
      command: { value: (sql: string) => (++calls === 15 ? Promise.reject(new Error('crash')) : warehouse.command(sql)) },
      query: { value: (sql: string) => warehouse.query(sql) },
    }) as ChdbWarehouse;
    await expect(migrate(dying, { folder, database })).rejects.toThrow('crash');
    const outcome = await migrate(warehouse, { folder, database });
    expect([...outcome.present, ...outcome.applied]).toEqual(shippedNames);
    expect(outcome.present.length).toBeGreaterThan(0);
    expect(await tables()).toEqual(shippedTables);
  });

  it('are applied by one process when several start at once, while the others wait', async () => {
    const outcomes = await Promise.all(['pod-1', 'pod-2', 'pod-3'].map((turnOf) => migrate(warehouse, { folder, database, turnOf })));
    expect(outcomes.map(({ applied }) => applied.length).sort((a, b) => a - b)).toEqual([0, 0, shippedNames.length]);
    for (const { applied, present } of outcomes) expect([...present, ...applied]).toEqual(shippedNames);
    expect(await tables()).toEqual(shippedTables);
  });

  it('are applied by the next when the one whose turn it was has been killed', async () => {
    await warehouse.command(`CREATE DATABASE ${database} ENGINE = Atomic`);
    await warehouse.command(`CREATE TABLE ${database}.migration_turn (holder String) ENGINE = Memory COMMENT 'a pod that is gone'`);
    expect((await migrate(warehouse, { folder, database, turnOf: 'pod-2', staleMs: 1_000 })).applied).toEqual(shippedNames);
    expect(await tables()).toEqual(shippedTables);
  });

  it('apply a new file only, and leave alone what a newer program has applied', async () => {
    await migrate(warehouse, { folder, database });
    writeFileSync(join(folder, '9000-note.sql'), 'ALTER TABLE {database}.dead_letters ADD COLUMN IF NOT EXISTS note String;');
    expect((await migrate(warehouse, { folder, database })).applied).toEqual(['9000-note.sql']);
    rmSync(join(folder, '9000-note.sql'));
    expect((await migrate(warehouse, { folder, database })).unknown).toEqual(['9000-note.sql']);
  });

  it('refuse a file that was changed after it had been applied, but not other line ends', async () => {
    writeFileSync(join(folder, '9000-note.sql'), 'CREATE TABLE IF NOT EXISTS {database}.t (a Int8)\nENGINE = MergeTree ORDER BY a;');
    await migrate(warehouse, { folder, database });
    writeFileSync(join(folder, '9000-note.sql'), 'CREATE TABLE IF NOT EXISTS {database}.t (a Int8)\r\nENGINE = MergeTree ORDER BY a;');
    await migrate(warehouse, { folder, database });
    writeFileSync(join(folder, '9000-note.sql'), 'CREATE TABLE IF NOT EXISTS {database}.t (a Int16) ENGINE = MergeTree ORDER BY a;');
    await expect(migrate(warehouse, { folder, database })).rejects.toThrow(/MIGRATION_CHANGED(.|\n)*9000-note.sql(.|\n)*checksum/);
  });

  it('refuse a file that comes before one that was applied', async () => {
    await migrate(warehouse, { folder, database });
    writeFileSync(join(folder, '0000-first.sql'), 'DROP TABLE IF EXISTS {database}.late_records');
    await expect(migrate(warehouse, { folder, database })).rejects.toThrow(/MIGRATION_CHANGED(.|\n)*before one that was applied/);
    expect(await tables()).toEqual(shippedTables);
  });

  it.each([
    ['9000-insert.sql', 'INSERT INTO t VALUES (1)', /not safe to repeat/],
    ['0004-again.sql', 'DROP TABLE IF EXISTS t', /one number/],
    ['next.sql', 'DROP TABLE IF EXISTS t', /NNNN-name\.sql/],
  ])('refuse the file %s', async (name, text, message) => {
    writeFileSync(join(folder, name), text);
    await expect(readMigrations(folder)).rejects.toThrow(message);
  });
});

describe('a script of statements', () => {
  it('is split at its semicolons, and nowhere else', () => {
    const script = "SELECT ';', ';' -- one; two\n; /* three; */ SELECT \"a;b\", `c;d`, 'it''s; \\'; ' ;; SELECT $x$ ; $x$, $$;$$; -- end";
    expect(splitStatements(script)).toEqual(["SELECT ';', ';'", "SELECT \"a;b\", `c;d`, 'it''s; \\'; '", 'SELECT $x$ ; $x$, $$;$$']);
  });

  it.each([
    ['CREATE TABLE IF NOT EXISTS t (a Int8) ENGINE = Null', true],
    ['create materialized view if not exists v TO t AS SELECT 1', true],
    ['CREATE OR REPLACE VIEW v AS SELECT 1', true],
    ['ALTER TABLE t ADD COLUMN IF NOT EXISTS a Int8, ADD INDEX IF NOT EXISTS i a TYPE minmax', true],
    ['ALTER TABLE t MODIFY SETTING a = 1', true],
    ['DROP VIEW IF EXISTS v', true],
    ['CREATE TABLE t (a Int8) ENGINE = Null', false],
    ['CREATE OR REPLACE TABLE t (a Int8) ENGINE = Null', false],
    ['ALTER TABLE t ADD COLUMN IF NOT EXISTS a Int8, ADD COLUMN b Int8', false],
    ['ALTER TABLE t DELETE WHERE 1', false],
    ['INSERT INTO t SELECT 1', false],
  ])('may be repeated or not: %s', (statement, repeatable) => {
    expect(isRepeatable(statement)).toBe(repeatable);
  });
});

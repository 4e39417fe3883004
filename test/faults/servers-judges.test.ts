import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { ClickHouseService } from '../services/clickhouse.ts';
import { migrate } from '../../runtime/migrations.ts';
import { isSound, judgeSequences, judgeTable, looseTables, verdictLine } from './servers-judges.ts';
import { baseTables, stopMerges } from './servers-tables.ts';

describe('judgeSequences', () => {
  const reference = new Map([['a', ['1', '2', '3']], ['b', ['4', '4']]]);
  const judge = (judged: Record<string, string[]>) => judgeSequences('t', reference, new Map(Object.entries(judged)));

  it('finds the same records in the same order sound, also where one comes twice in the reference', () => {
    expect(isSound(judge({ b: ['4', '4'], a: ['1', '2', '3'] }))).toBe(true);
  });

  it.each([
    ['lost', { a: ['1', '3'], b: ['4', '4'] }, { lost: 1 }],
    ['lost with its key', { a: ['1', '2', '3'] }, { lost: 2 }],
    ['lost where two were wanted', { a: ['1', '2', '3'], b: ['4'] }, { lost: 1 }],
    ['repeated', { a: ['1', '2', '2', '3'], b: ['4', '4'] }, { repeated: 1 }],
    ['unknown', { a: ['1', '2', '3', '9'], b: ['4', '4'] }, { extra: 1 }],
    ['of an unknown key', { a: ['1', '2', '3'], b: ['4', '4'], c: ['5'] }, { extra: 1 }],
    ['in another order', { a: ['2', '1', '3'], b: ['4', '4'] }, { disordered: 1 }],
    ['wrong', { a: ['1', '9', '3'], b: ['4', '4'] }, { lost: 1, extra: 1 }],
  ])('sees a record that is %s', (_what, judged, found) => {
    const verdict = judge(judged);
    expect(verdict).toMatchObject({ lost: 0, extra: 0, repeated: 0, disordered: 0, ...found });
    expect(verdictLine(verdict)).toMatch(/^WRONG(.|\n)*key [abc]/);
  });
});

describe('judgeTable', () => {
  const service = new ClickHouseService({ stopMerges: true });
  let warehouse: ServerWarehouse;

  beforeAll(async () => {
    await service.start();
    warehouse = new ServerWarehouse({ url: service.url });
    for (const database of ['reference', 'judged']) {
      await warehouse.command(`CREATE DATABASE ${database} ENGINE = Atomic`);
      await warehouse.command(`CREATE TABLE ${database}.t (k UInt32, v Nullable(String), _version UInt64, _batch String, _inserted DateTime DEFAULT now()) `
        + 'ENGINE = ReplacingMergeTree(_version) ORDER BY k');
    }
    await warehouse.command("INSERT INTO reference.t VALUES (1, 'a', 1, 'x', 1), (2, NULL, 2, 'x', 1), (3, 'c', 3, 'y', 1)");
  });
  afterAll(async () => {
    await warehouse.close();
    await service.dispose();
  });

  const judge = async (rows: string, final = false) => {
    await warehouse.command('TRUNCATE TABLE judged.t');
    for (const row of rows.split(';')) await warehouse.command(`INSERT INTO judged.t VALUES ${row}`);
    return judgeTable(warehouse, { reference: 'reference', judged: 'judged' }, 't', final);
  };

  it('finds the same rows sound, however they were cut and whenever they came', async () => {
    expect(await judge("(3, 'c', 3, 'z', 9);(1, 'a', 1, 'q', 8), (2, NULL, 2, 'q', 8)")).toEqual({
      what: 't', rows: 3, lost: 0, extra: 0, repeated: 0, disordered: 0, samples: [],
    });
  });

  it.each([
    ['lost', "(1, 'a', 1, '', 1), (2, NULL, 2, '', 1)", { lost: 1 }],
    ['repeated', "(1, 'a', 1, '', 1), (2, NULL, 2, '', 1), (3, 'c', 3, '', 1);(3, 'c', 3, '', 2)", { extra: 1, repeated: 1 }],
    ['wrong in one column', "(1, 'a', 1, '', 1), (2, '', 2, '', 1), (3, 'c', 3, '', 1)", { lost: 1, extra: 1 }],
    ['unknown', "(1, 'a', 1, '', 1), (2, NULL, 2, '', 1), (3, 'c', 3, '', 1), (4, 'd', 4, '', 1)", { extra: 1 }],
  ])('sees a row that is %s', async (_what, rows, found) => {
    const verdict = await judge(rows);
    expect(verdict).toMatchObject({ lost: 0, extra: 0, repeated: 0, ...found });
    expect(verdict.samples.length).toBeGreaterThan(0);
  });

  it('with FINAL sees what readers see: a repeated row is one, a wrong one is still wrong', async () => {
    const rows = "(1, 'a', 1, '', 1), (2, NULL, 2, '', 1), (3, 'c', 3, '', 1);(3, 'c', 3, '', 2)";
    expect(isSound(await judge(rows, true))).toBe(true);
    expect(await judge(`${rows};(3, 'e', 4, '', 3)`, true)).toMatchObject({ lost: 1, extra: 1, repeated: 0 });
  });
});

describe('judgeTable, on every table of the product', () => {
  const service = new ClickHouseService({ stopMerges: true });
  let warehouse: ServerWarehouse;
  const databases = { reference: 'reference', judged: 'judged' };

  beforeAll(async () => {
    await service.start();
    warehouse = new ServerWarehouse({ url: service.url });
    for (const database of Object.values(databases)) {
      await migrate(warehouse, { folder: join(import.meta.dirname, '../../deploy/clickhouse'), database });
      await stopMerges(warehouse, database);
    }
  }, 120_000);
  afterAll(async () => {
    await warehouse.close();
    await service.dispose();
  });

  const settings = 'SETTINGS optimize_on_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0';

  it.each(baseTables)('%s: sees a row that is lost, one that is there twice, and one in which a value is another', async (table) => {
    const columns = await warehouse.query<{ name: string; type: string }>(
      `SELECT name, type FROM system.columns WHERE database = 'reference' AND table = '${table}' AND default_kind = '' ORDER BY position`);
    const names = columns.map(({ name }) => `\`${name}\``);
    const structure = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ').replaceAll("'", "''");
    await warehouse.command(`INSERT INTO reference.${table} (${names.join(', ')}) ${settings} SELECT * FROM generateRandom('${structure}', 7, 8, 3) LIMIT 5`);
    const insert = async (changed: readonly string[], which: string): Promise<void> => warehouse.command(
      `INSERT INTO judged.${table} (${names.join(', ')}) ${settings} SELECT ${changed.join(', ')} FROM (SELECT *, row_number() OVER (ORDER BY _version) AS number FROM reference.${table}) WHERE ${which}`);
    const judge = () => judgeTable(warehouse, databases, table, false);

    await insert(names, 'number < 5');
    expect(await judge()).toMatchObject({ rows: 4, lost: 1, extra: 0, repeated: 0 });
    await insert(names, 'number = 5');
    expect(isSound(await judge())).toBe(true);
    await insert(names, 'number = 3');
    // Where only what readers see is judged, the same row again is nothing.
    expect(await judge()).toMatchObject(looseTables[table]?.final === true ? { rows: 5, lost: 0, extra: 0, repeated: 0 } : { rows: 6, lost: 0, extra: 1, repeated: 1 });
    await warehouse.command(`TRUNCATE TABLE judged.${table}`);
    const at = columns.findIndex(({ name, type }) => name !== '_version' && /^(?:U?Int|Nullable\(Float|LowCardinality\(String|String)/.test(type));
    const value = columns[at]?.type.includes('String') === true ? "'planted'" : '77';
    await insert(names.map((name, index) => (index === at ? `if(number = 2, ${value}, ${name}) AS planted` : name)), '1');
    expect(await judge()).toMatchObject({ rows: 5, lost: 1, extra: 1, repeated: 0 });
  });

  const fill = async (table: string, reference: readonly string[], judged: readonly string[]) => {
    for (const [database, rows] of [['reference', reference], ['judged', judged]] as const) {
      await warehouse.command(`TRUNCATE TABLE ${database}.${table}`);
      for (const row of rows) await warehouse.command(`INSERT INTO ${database}.${table} (${row.split(' VALUES ').join(') VALUES (')})`);
    }
    return judgeTable(warehouse, databases, table, false);
  };

  it('visits: on what way they came is nothing, what they became is everything', async () => {
    const visit = (session: string, attempts: number, version: number): string =>
      `site_id, id_token, opened_time, visit_id, attempts, _version VALUES 's', 't', ${session === 'a' ? 1 : 2}, '${session}', ${attempts}, ${version}`;
    const inOrder = [visit('a', 1, 1), visit('a', 2, 2)];
    expect(isSound(await fill('charging_visits', inOrder, [visit('b', 1, 1), visit('a', 2, 2), visit('b', 0, 3)]))).toBe(true);
    expect(await fill('charging_visits', inOrder, [visit('b', 1, 1), visit('a', 2, 2)])).toMatchObject({ lost: 0, extra: 1 });
    expect(await fill('charging_visits', inOrder, [visit('a', 1, 1)])).toMatchObject({ lost: 1, extra: 1 });
  });

  it('late attempts: where one lies in the topic between is nothing, whose it is and how often is everything', async () => {
    const late = (step: string, session: string, offset: number): string =>
      `step, topic, partition, offset, event_id, _version VALUES '${step}', 't', 0, ${offset}, '${session}', ${offset}`;
    const wanted = [late('visits', 'a', 1), late('visits', 'b', 2), late('station-load', 'c', 3)];
    expect(isSound(await fill('late_records', wanted, [late('visits', 'b', 7), late('visits', 'a', 8), late('station-load', 'c', 3)]))).toBe(true);
    expect(await fill('late_records', wanted, [late('visits', 'a', 1), late('station-load', 'c', 3)])).toMatchObject({ lost: 1, extra: 0 });
    expect(await fill('late_records', wanted, [...wanted, late('visits', 'b', 9)])).toMatchObject({ lost: 0, extra: 1 });
    expect(await fill('late_records', wanted, [...wanted.slice(0, 2), late('station-load', 'c', 4)])).toMatchObject({ lost: 1, extra: 1 });
  });
});

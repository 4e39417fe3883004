import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHttpServer } from '../console/http-server.ts';
import type { HttpServer } from '../console/http-server.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { ChdbWarehouse } from '../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { exportTable } from './export.ts';
import type { ExportOptions } from './export.ts';
import { announce } from './workplace.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-export-'));
const data = join(folder, 'data');
const warehouse = new ChdbWarehouse({ folder: join(data, 'clickhouse') });
const sources = { file: undefined, environment: {}, flags: { data } };

/** Rows as they should come out, newest versions only. */
const wanted = Array.from({ length: 30_000 }, (_, id) => ({
  id: String(id), text: ['plain', 'with "quotes", commas', 'two\nlines', 'ünïcode €', ''][id % 5] as string, note: id % 3 === 0 ? null : `n${id}`, watts: id / 4, list: ['a', 'b'].slice(0, id % 3),
  kilowatts: id / 4 / 1000,
}));

const texts = "['plain', 'with \"quotes\", commas', 'two\\nlines', 'ünïcode €', '']";

async function prepare(): Promise<void> {
  await warehouse.open();
  await warehouse.command('CREATE DATABASE voltstream ENGINE = Atomic');
  await warehouse.command(`CREATE TABLE voltstream.things (id UInt64, text String, note Nullable(String), watts Float64, list Array(LowCardinality(String)),
    kilowatts Float64 ALIAS watts / 1000, _version UInt64, _batch FixedString(16)) ENGINE = ReplacingMergeTree(_version) ORDER BY id`);
  await warehouse.command('SYSTEM STOP MERGES voltstream.things');
  for (const version of [1, 2]) {
    await warehouse.command(`INSERT INTO voltstream.things SELECT number, ${texts}[number % 5 + 1], if(number % 3 = 0, NULL, 'n' || toString(number)), number / 4 + 2 - ${version},
      arraySlice(['a', 'b'], 1, number % 3), ${version}, 'x' FROM numbers(30000)`);
  }
  await warehouse.command('CREATE VIEW voltstream.heavy AS SELECT id, watts FROM voltstream.things FINAL WHERE watts >= 7499');
  await warehouse.command('CREATE VIEW voltstream.at_least AS SELECT id FROM voltstream.things FINAL WHERE watts >= {least:Float64}');
}

function take(options: Partial<ExportOptions>): Promise<void> {
  return exportTable(sources, { table: 'things', query: null, formats: [], out: [], where: null, columns: null, final: true, force: false, json: true, ...options });
}

const file = (name: string): string => join(folder, name);

/** In the order of ids: a table has none. */
function sorted<Row extends { readonly id: string | number }>(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => Number(a.id) - Number(b.id));
}

function csvRows(text: string): readonly { readonly id: string }[] {
  return sorted(parse(text, { columns: true }) as { readonly id: string }[]);
}

let printed = '';

/** The same whether the data folder is ours alone or a process works on it. */
function laws(read: (sql: string) => Promise<readonly object[]>): void {
  it('writes CSV that others read: the newest versions, without the columns of the engine', async () => {
    await take({ out: [file('all.csv')] });
    const text = readFileSync(file('all.csv'), 'utf8');
    expect(text.slice(0, text.indexOf('\n'))).toBe('id,text,note,watts,list,kilowatts');
    const rows = csvRows(text);
    expect(rows).toEqual(wanted.map(({ id, text: said, note, watts, list, kilowatts }) =>
      ({ id, text: said, note: note ?? '', watts: String(watts), kilowatts: String(kilowatts), list: `[${list.map((each) => `'${each}'`).join(',')}]` })));
    expect(JSON.parse(printed)).toEqual([{ file: file('all.csv'), format: 'csv', compression: null, rows: 30_000, bytes: expect.any(Number) as number }]);
  });

  it('writes several formats at once, compressed by their names, and the same rows in each', async () => {
    await take({ out: [file('every')], formats: ['csv,jsonl', 'parquet'] });
    await take({ out: [file('packed.csv.gz'), file('packed.jsonl.zst')] });
    const csv = readFileSync(file('every.csv'), 'utf8');
    const lines = readFileSync(file('every.jsonl'), 'utf8');
    expect(sorted(lines.trimEnd().split('\n').map((line) => JSON.parse(line) as { id: number }))).toEqual(wanted.map((row) => ({ ...row, id: Number(row.id) })));
    expect(csvRows(gunzipSync(readFileSync(file('packed.csv.gz'))).toString())).toEqual(csvRows(csv));
    expect(zstdDecompressSync(readFileSync(file('packed.jsonl.zst'))).toString().length).toBe(lines.length);
    expect(await read(`SELECT * FROM file('${file('every.parquet')}') ORDER BY id`)).toEqual(wanted);
    expect((JSON.parse(printed.split('\n')[0] ?? '') as { rows: number }[]).map(({ rows }) => rows)).toEqual([30_000, 30_000, 30_000]);
  });

  it('takes rows, columns, all versions, a view, and a query', async () => {
    await take({ out: [file('some.csv')], where: 'id < 3 -- few', columns: ['watts', 'id'] });
    expect(readFileSync(file('some.csv'), 'utf8')).toBe('watts,id\n0,0\n0.25,1\n0.5,2\n');
    await take({ out: [file('versions.csv')], where: 'id = 7', columns: ['id', '_version'], final: false });
    expect(readFileSync(file('versions.csv'), 'utf8').trimEnd().split('\n').sort()).toEqual(['7,1', '7,2', 'id,_version']);
    await take({ table: 'voltstream.heavy', out: [file('heavy.jsonl')] });
    expect(readFileSync(file('heavy.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(4);
    await take({ table: null, query: "SELECT max(id) AS \"the, last\" FROM voltstream.things; ", out: [file('query.csv')] });
    expect(readFileSync(file('query.csv'), 'utf8')).toBe('"the, last"\n29999\n');
  });

  it('writes over a file only when it is told to, and leaves it alone when something fails', async () => {
    writeFileSync(file('mine.csv'), 'mine');
    await expect(take({ out: [file('mine.csv')] })).rejects.toThrow(/is there already[\s\S]*--force[\s\S]*mine.csv/);
    await expect(take({ table: null, query: 'SELECT throwIf(number = 90000) FROM numbers(100000)', out: [file('mine.csv')], force: true })).rejects.toThrow(/throwIf|broke off/);
    expect(readFileSync(file('mine.csv'), 'utf8')).toBe('mine');
    await take({ out: [file('mine.csv')], columns: ['id'], where: 'id = 1', force: true });
    expect(readFileSync(file('mine.csv'), 'utf8')).toBe('id\n1\n');
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it.each([
    [{ table: 'nothing' }, /no table or view of this name[\s\S]*heavy, things[\s\S]*got: nothing/],
    [{ table: 'at_least' }, /wants parameters/],
    [{ columns: ['id', 'weight'] }, /no such column[\s\S]*id, text, note[\s\S]*got: weight/],
    [{ where: 'weight = 1' }, /UNKNOWN_IDENTIFIER/],
    [{ query: 'SELECT 1' }, /one thing to export[\s\S]*both/],
    [{ table: null, query: 'DROP TABLE voltstream.things' }, /QUERY_REFUSED: it begins with DROP/],
    [{ table: null, query: "SELECT * FROM file('/etc/passwd', 'CSV')" }, /reaches outside the tables/],
    [{ where: "1) UNION ALL SELECT * FROM url('http://localhost/', 'CSV'" }, /reaches outside the tables/],
  ] as const)('refuses %o', async (options, message) => {
    await expect(take({ out: [file('refused.csv')], ...options })).rejects.toThrow(message);
    expect(readdirSync(folder)).not.toContain('refused.csv');
  });
}

describe('voltstream export', () => {
  const rowsOnOutput: Uint8Array[] = [];

  beforeAll(async () => {
    await prepare();
    await warehouse.close();
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => listen());
  afterEach(() => {
    vi.restoreAllMocks();
    for (const name of readdirSync(folder)) if (name !== 'data') rmSync(file(name));
  });

  const listen = (): void => {
    printed = '';
    rowsOnOutput.length = 0;
    vi.spyOn(process.stdout, 'write').mockImplementation((piece: string | Uint8Array) => {
      if (typeof piece === 'string') printed += piece;
      else rowsOnOutput.push(Uint8Array.from(piece));
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((piece: string | Uint8Array) => {
      if (String(piece).startsWith('[')) printed += String(piece);
      return true;
    });
  };

  describe('alone on a data folder', () => {
    laws(async (sql) => {
      await warehouse.open();
      try {
        return await warehouse.query(sql);
      } finally {
        await warehouse.close();
      }
    });

    it('writes to standard output, also Parquet as it is', async () => {
      await take({ formats: ['parquet'], columns: ['id'] });
      const bytes = Buffer.concat(rowsOnOutput);
      expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
      expect(JSON.parse(printed)).toEqual([{ file: null, format: 'parquet', compression: null, rows: 30_000, bytes: bytes.length }]);
    });
  });

  describe('beside the process that works on it', () => {
    let server: HttpServer;
    let withdraw: () => Promise<void>;
    beforeAll(async () => {
      await warehouse.open();
      server = await startHttpServer({
        host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [],
        status: () => Promise.reject(new Error('nobody asks')),
        query: (sql, format) => warehouse.queryText(sql, format), export: (sql, format) => warehouse.stream(sql, format),
      });
      withdraw = await announce(data, server.url);
    });
    afterAll(async () => {
      await withdraw();
      await server.close();
      await warehouse.close();
    });
    laws((sql) => warehouse.query(sql));
  });
});

import { expect, it } from 'vitest';
import type { Warehouse } from '../warehouse.ts';
import { checkTable } from './check-table.ts';
import { PieceDelivery } from './delivery.ts';
import { sealedPiece } from './sealed-piece.ts';
import { rowEncoder } from './row-binary.ts';
import { RowBuffer, writeRowVersion } from './row-buffer.ts';

const columns = { number: 'UInt32', text: 'String' };
const table = { database: 'voltstream', table: 'contract', columns };

function rowsOf(from: number, count: number, text = 'x'): Uint8Array[] {
  const encode = rowEncoder<{ number: number; text: string }>(columns);
  const buffer = new RowBuffer();
  return Array.from({ length: count }, (_, index) => {
    encode({ number: from + index, text }, buffer);
    writeRowVersion(buffer, 1, from + index);
    return buffer.take();
  });
}

async function piecesOf(stream: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

/** What every warehouse must do. `open` gives one that is open, with the database `voltstream` in it. */
export function warehouseContract(open: () => Warehouse): void {
  const fresh = async (settings = 'SETTINGS non_replicated_deduplication_window = 1000'): Promise<Warehouse> => {
    const warehouse = open();
    await warehouse.command('DROP TABLE IF EXISTS voltstream.contract');
    await warehouse.command(
      `CREATE TABLE voltstream.contract (number UInt32, text String, _version UInt64, _batch FixedString(16)) ENGINE = MergeTree ORDER BY number ${settings}`,
    );
    await warehouse.command('SYSTEM STOP MERGES voltstream.contract');
    return warehouse;
  };
  const parts = async (): Promise<readonly number[]> => {
    const sql = "SELECT rows FROM system.parts WHERE database = 'voltstream' AND table = 'contract' AND active ORDER BY name";
    return (await open().query<{ rows: string }>(sql)).map(({ rows }) => Number(rows));
  };
  const batch = (seed: number): Uint8Array => new Uint8Array(16).fill(seed);

  it('gives rows as objects, 64-bit integers as strings, and text in any format', async () => {
    const warehouse = open();
    expect(await warehouse.query('SELECT toUInt64(18446744073709551615) AS big, 7 AS small, NULL AS none')).toEqual([
      { big: '18446744073709551615', small: 7, none: null },
    ]);
    expect(await warehouse.query('SELECT 1 AS one WHERE 0')).toEqual([]);
    expect(await warehouse.queryText('SELECT 1, \'a "b"\'', 'CSV')).toBe('1,"a ""b"""\n');
  });

  it('gives an answer in pieces: all of its rows once, in order, no names in front of them', async () => {
    const sql = String.raw`SELECT number, toString(number) || '\n"' AS text FROM numbers(100000)`;
    const lines = Array.from({ length: 100_000 }, (_, index) => String.raw`{"number":${index},"text":"${index}\n\""}`).join('\n');
    const rows = await piecesOf(open().stream(sql, 'JSONEachRow'));
    expect(rows.length).toBeGreaterThan(1);
    expect(Buffer.concat(rows).toString()).toBe(`${lines}\n`);
    const csv = Buffer.concat(await piecesOf(open().stream('SELECT number, NULL AS none FROM numbers(50000) SETTINGS max_block_size = 7000', 'CSV')));
    expect(csv.toString()).toBe(Array.from({ length: 50_000 }, (_, index) => `${index},\n`).join(''));
    expect(await piecesOf(open().stream('SELECT 1 WHERE 0', 'CSV'))).toEqual([]);
  });

  it('gives Parquet as one whole file', async () => {
    const file = Buffer.concat(await piecesOf(open().stream('SELECT number FROM numbers(300000) -- all', 'Parquet')));
    expect([file.subarray(0, 4).toString(), file.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    expect(file.indexOf('PAR1', 4)).toBe(file.length - 4);
  });

  it('ends an answer that nobody wants any more, and says what is wrong with another', async () => {
    const warehouse = open();
    for (const format of ['CSV', 'Parquet'] as const) {
      for (let round = 0; round < 6; round++) {
        for await (const piece of warehouse.stream('SELECT number, randomPrintableASCII(200) FROM numbers(100000)', format)) {
          expect(piece.length).toBeGreaterThan(0);
          break;
        }
      }
      await expect(piecesOf(warehouse.stream('SELECT 1 FROM voltstream.none', format))).rejects.toMatchObject({ code: 'WAREHOUSE_REFUSED' });
      const late = 'SELECT throwIf(number = 90000) FROM numbers(100000)';
      await expect(piecesOf(warehouse.stream(late, format))).rejects.toThrow(/throwIf/);
    }
    expect(await warehouse.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('makes one part of one piece, and of a piece that is sent again none', async () => {
    const warehouse = await fresh();
    const delivery = new PieceDelivery({ warehouse, table });
    const pieces = [
      sealedPiece('', rowsOf(0, 3, 'a\n\n;DROP'), batch(1)),
      sealedPiece('', rowsOf(3, 120_000), batch(2)),
    ];
    await delivery.deliver(pieces, { mayBePresent: false });
    expect(await parts()).toEqual([3, 120_000]);
    await delivery.deliver(pieces, { mayBePresent: true });
    await delivery.deliver(pieces, { mayBePresent: false });
    expect(await parts()).toEqual([3, 120_000]);
  }, 20_000);

  it('sends a token with its own statement only', async () => {
    const warehouse = await fresh();
    const insert = { database: 'voltstream', table: 'contract', columns: Object.keys(columns), types: Object.values(columns), rowCount: 1 };
    const row = [Uint8Array.of(1, 0, 0, 0, 1, 65)];
    await warehouse.insert({ ...insert, rows: row, token: 'one' });
    await warehouse.insert({ ...insert, rows: [Uint8Array.of(2, 0, 0, 0, 1, 65)], token: null });
    await warehouse.insert({ ...insert, rows: [Uint8Array.of(3, 0, 0, 0, 1, 65)], token: 'two' });
    await warehouse.insert({ ...insert, rows: row, token: 'one' });
    expect(await warehouse.query('SELECT number FROM voltstream.contract ORDER BY number')).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
  });

  it('sends under a new token what a known token would swallow', async () => {
    const warehouse = await fresh();
    const piece = sealedPiece('', rowsOf(0, 2), batch(7));
    await new PieceDelivery({ warehouse, table }).deliver([piece], { mayBePresent: false });
    await warehouse.command('TRUNCATE TABLE voltstream.contract');
    await new PieceDelivery({ warehouse, table, lookAgainMs: 10 }).deliver([piece], { mayBePresent: true });
    expect(await parts()).toEqual([2]);
  });

  it('tells what would fail again from what may pass, and names the table', async () => {
    const warehouse = await fresh();
    await expect(warehouse.command('CREATE SOMETHING')).rejects.toThrow('WAREHOUSE_REFUSED');
    await expect(warehouse.query('SELECT * FROM voltstream.nothing')).rejects.toThrow(/WAREHOUSE_REFUSED(.|\n)*migrations/);
    const wrong = { ...table, columns: { ...columns, missing: 'UInt8' } };
    const rows = [new Uint8Array(4 + 1 + 1 + 8)];
    const delivered = new PieceDelivery({ warehouse, table: wrong }).deliver([sealedPiece('', rows, batch(1))], { mayBePresent: false });
    await expect(delivered).rejects.toThrow(/WAREHOUSE_REFUSED(.|\n)*contract/);
  });

  it('refuses a table without a deduplication window, and says how to give it one', async () => {
    const warehouse = await fresh('');
    await expect(checkTable(warehouse, table)).rejects.toThrow(
      /WAREHOUSE_SETTING(.|\n)*wanted: non_replicated_deduplication_window >= 1000\n *got: 0\n *cure: (ALTER TABLE .*)/,
    );
    await warehouse.command('ALTER TABLE `voltstream`.`contract` MODIFY SETTING non_replicated_deduplication_window = 10000');
    expect(await checkTable(warehouse, table)).toEqual({ engine: 'MergeTree', replicated: false });
  });

  it.each([
    [{ ...table, table: 'nothing' }, /the table does not exist/],
    [{ ...table, columns: { ...columns, more: 'Int8' } }, /column more is missing(.|\n)*cure: ALTER TABLE `voltstream`.`contract` ADD COLUMN more Int8/],
    [{ ...table, columns: { ...columns, text: 'UInt8' } }, /column text has another type\n *where: table voltstream.contract\n *wanted: UInt8\n *got: String/],
  ])('refuses a table that is not as defined: %o', async (definition, message) => {
    const warehouse = await fresh();
    await expect(checkTable(warehouse, definition)).rejects.toThrow(message);
  });

  it('refuses a view in place of a table, and a table without the columns of the sink', async () => {
    const warehouse = await fresh();
    await warehouse.command('CREATE OR REPLACE VIEW voltstream.contract_view AS SELECT * FROM voltstream.contract');
    await expect(checkTable(warehouse, { ...table, table: 'contract_view' })).rejects.toThrow(/WAREHOUSE_SETTING(.|\n)*got: View/);
    await warehouse.command('DROP VIEW voltstream.contract_view');
    await warehouse.command('ALTER TABLE voltstream.contract DROP COLUMN _batch');
    await expect(checkTable(warehouse, table)).rejects.toThrow(/WAREHOUSE_SETTING: column _batch is missing/);
  });
}

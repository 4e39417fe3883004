import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parquetRows, RowCounter } from './row-counter.ts';

const runs = { numRuns: Number(process.env['FC_RUNS'] ?? 200) };
const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '\\'), maxLength: 6 });

/** Bytes cut anywhere, also within a character. */
function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

it('counts rows of CSV, whatever is in their fields and wherever the bytes are cut', () => {
  fc.assert(fc.property(fc.array(fc.tuple(cell, cell)), fc.array(fc.nat()), (rows, cuts) => {
    const text = rows.map((row) => `${row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')}\n`).join('');
    const counter = new RowCounter('csv');
    for (const piece of pieces(Buffer.from(text), cuts)) counter.take(piece);
    expect(counter.rows).toBe(parse(text, { record_delimiter: '\n' }).length);
  }), runs);
});

it('counts lines of JSON', () => {
  fc.assert(fc.property(fc.array(fc.dictionary(cell, cell)), fc.array(fc.nat()), (rows, cuts) => {
    const counter = new RowCounter('jsonl');
    for (const piece of pieces(Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), cuts)) counter.take(piece);
    expect(counter.rows).toBe(rows.length);
  }), runs);
});

it('does not know the rows of what is not, or not yet, a whole file of Parquet', () => {
  const counter = new RowCounter('parquet');
  expect(counter.rows).toBeNull();
  counter.take(Buffer.from('PAR1 and much more'));
  expect(counter.rows).toBeNull();
  const footer = (length: number, ...metadata: readonly number[]): Buffer => {
    const end = Buffer.alloc(8, 'PAR1');
    end.writeUInt32LE(length, 0);
    return Buffer.concat([Buffer.from('PAR1'), Buffer.from(metadata), end]);
  };
  // version 2; an empty list of columns; 300 rows
  expect(parquetRows(footer(7, 0x15, 0x04, 0x19, 0x0c, 0x16, 0xd8, 0x04))).toBe(300);
  expect(parquetRows(footer(3, 0x15, 0x04, 0x00))).toBeNull();
  expect(parquetRows(footer(1_000_000, 0x15))).toBeNull();
});

import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChdbWarehouse } from './chdb-warehouse.ts';
import { rowEncoder } from './row-binary.ts';
import { RowBuffer, rowVersion, writeRowVersion } from './row-buffer.ts';
import { plainType } from './statements.ts';

const columns = {
  text: 'String',
  name: 'LowCardinality(Nullable(String))',
  hash: 'FixedString(4)',
  yes: 'Bool',
  tiny: 'Int8',
  small: 'UInt16',
  medium: 'Int32',
  natural: 'UInt32',
  big: 'Int64',
  huge: 'UInt64',
  single: 'Float32',
  double: 'Nullable(Float64)',
  time: "DateTime64(3, 'UTC')",
  second: "DateTime('UTC')",
  day: 'Date',
  id: 'UUID',
  kind: "Enum8('AC' = 1, 'DC fast' = -2, 'it''s' = 3)",
  tags: 'Array(LowCardinality(String))',
  readings: 'Array(Nullable(Int64))',
  longs: 'Array(Int64)',
  ints: 'Array(Int32)',
} as const;
const names = Object.keys(columns);

const anyRow = fc.record({
  text: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ maxLength: 60 })).map((text) => text.toWellFormed()),
  name: fc.option(fc.constantFrom('', 'Nissan Leaf', 'Škoda', '⚡')),
  hash: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  yes: fc.boolean(),
  tiny: fc.integer({ min: -128, max: 127 }),
  small: fc.integer({ min: 0, max: 65_535 }),
  medium: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  natural: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  big: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  huge: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  single: fc.float({ noNaN: true, noDefaultInfinity: true }),
  double: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  time: fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2299, 11, 31, 23, 59, 59, 999) }),
  second: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((seconds) => seconds * 1000 + 7),
  day: fc.integer({ min: 0, max: 65_535 }).map((days) => days * 86_400_000 + 5),
  id: fc.uuid(),
  kind: fc.constantFrom('AC', 'DC fast', "it's"),
  tags: fc.array(fc.string({ maxLength: 8 }), { maxLength: 200 }),
  readings: fc.array(fc.option(fc.maxSafeInteger()), { maxLength: 4 }),
  longs: fc.array(fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, -(2 ** 32)), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { maxLength: 70 }),
  ints: fc.array(fc.oneof(fc.integer(), fc.constantFrom(-0, 2 ** 31 - 1, -(2 ** 31))), { maxLength: 70 }),
});

type AnyRow = typeof anyRow extends fc.Arbitrary<infer Row> ? Row : never;

/** What ClickHouse answers for a row, in the same words. */
function expected(row: AnyRow, number: number): Record<string, unknown> {
  return {
    number: String(number),
    text: Buffer.from(row.text).toString('hex').toUpperCase(),
    name: row.name,
    hash: Buffer.from(row.hash).toString('hex').toUpperCase(),
    yes: row.yes,
    tiny: row.tiny,
    small: row.small,
    medium: row.medium,
    natural: row.natural,
    big: String(row.big),
    huge: String(row.huge),
    single: float32Bits(row.single),
    double: row.double === null ? null : float64Bits(row.double),
    time: String(row.time),
    second: Math.floor(row.second / 1000),
    day: Math.floor(row.day / 86_400_000),
    id: row.id,
    kind: row.kind,
    tags: row.tags.map((tag) => Buffer.from(tag).toString('hex').toUpperCase()),
    readings: row.readings.map((reading) => (reading === null ? null : String(reading))),
    longs: row.longs.map(String),
    ints: row.ints.map((value) => value + 0),
  };
}

function float32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

function float64Bits(value: number): string {
  return String(new BigUint64Array(new Float64Array([value]).buffer)[0]);
}

const asked = `number, hex(text) AS text, name, hex(hash) AS hash, yes, tiny, small, medium, natural, big, huge,
  reinterpretAsUInt32(single) AS single, reinterpretAsUInt64(assumeNotNull(double)) AS bits, double IS NULL AS missing,
  toString(toUnixTimestamp64Milli(time)) AS time, toUnixTimestamp(second) AS second, toUInt16(day) AS day, id, kind,
  arrayMap(tag -> hex(tag), tags) AS tags, readings, longs, ints`;

describe('rows in RowBinary', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-row-binary-'));
  const warehouse = new ChdbWarehouse({ folder });

  beforeAll(async () => {
    await warehouse.open();
    await warehouse.command('CREATE DATABASE voltstream ENGINE = Atomic');
    const declared = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    await warehouse.command(`CREATE TABLE voltstream.rows (number UInt64, ${declared.join(', ')}) ENGINE = MergeTree ORDER BY number`);
  });

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  it('come back from ClickHouse as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 40 }), async (rows) => {
        const encode = rowEncoder<Record<string, unknown>>({ number: 'UInt64', ...columns });
        const buffer = new RowBuffer(16);
        rows.forEach((row, number) => encode({ number, ...row }, buffer));
        await warehouse.command('TRUNCATE TABLE voltstream.rows');
        await warehouse.insert({
          database: 'voltstream',
          table: 'rows',
          columns: ['number', ...names],
          types: ['UInt64', ...Object.values(columns)],
          rows: [buffer.take()],
          rowCount: rows.length,
          token: null,
        });
        const answer = await warehouse.query<Record<string, unknown>>(`SELECT ${asked} FROM voltstream.rows ORDER BY number`);
        const came = answer.map(({ bits, missing, ...row }) => ({ ...row, double: missing === 1 ? null : bits }));
        expect(came).toEqual(rows.map(expected));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a value that does not fit', () => {
  const encode = rowEncoder<Record<string, unknown>>(columns);
  const good = {
    text: '', name: null, hash: new Uint8Array(4), yes: true, tiny: 0, small: 0, medium: 0, natural: 0, big: 0, huge: 0, single: 0,
    double: null, time: 0, second: 0, day: 0, id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', kind: 'AC', tags: [], readings: [], longs: [], ints: [],
  };

  it.each([
    ['text', 7], ['text', undefined], ['name', false], ['hash', new Uint8Array(3)], ['yes', 1], ['tiny', 128], ['tiny', 1.5], ['small', -1],
    ['small', 65_536], ['medium', '7'], ['natural', NaN], ['big', 2 ** 53], ['big', 2n ** 63n], ['huge', -1], ['huge', -1n], ['single', '1'],
    ['double', '1'], ['time', 0.5], ['time', Date.UTC(2300, 0, 1)], ['second', -1], ['day', 2 ** 53], ['id', 'x'], ['kind', 'CHAdeMO'],
    ['tags', 'a'], ['tags', [1]], ['readings', [0.5]], ['longs', [1, 0.5]], ['longs', [2n ** 63n]], ['longs', 'a'], ['longs', [2 ** 60]], ['ints', [1, 2 ** 31]], ['ints', [null]],
  ])('names the column: %s = %s', (column, value) => {
    const buffer = new RowBuffer();
    encode(good, buffer);
    const before = buffer.length;
    expect(() => encode({ ...good, [column]: value }, buffer)).toThrow(new RegExp(`PROCESSING_FAILED(.|\n)*where: column ${column} (.|\n)*wanted: (.|\n)*got: `));
    expect(buffer.length).toBe(before);
  });

  it('is told apart from a type that cannot be encoded at all', () => {
    expect(() => rowEncoder({ place: 'Point' })).toThrow(/TOPOLOGY_INVALID(.|\n)*column place(.|\n)*got: Point/);
  });
});

it('writes a version as run, then ordinal', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 24 - 1 }), fc.integer({ min: 0, max: 2 ** 40 - 1 }), (run, ordinal) => {
      const buffer = new RowBuffer();
      writeRowVersion(buffer, run, ordinal);
      expect(buffer.view.getBigUint64(0, true)).toBe(rowVersion(run, ordinal));
    }),
  );
  expect(rowVersion(2, 0)).toBeGreaterThan(rowVersion(1, 2 ** 40 - 1));
});

it.each([
  ['String', 'String'],
  ['LowCardinality(String)', 'String'],
  ['LowCardinality(Nullable(String))', 'Nullable(String)'],
  ['Array(LowCardinality(FixedString(3)))', 'Array(FixedString(3))'],
  ["Tuple(LowCardinality(String), LowCardinality(DateTime64(3, 'UTC')))", "Tuple(String, DateTime64(3, 'UTC'))"],
])('reads %s as %s, whose bytes are the same', (type, plain) => {
  expect(plainType(type)).toBe(plain);
});

import type { ColumnType, ColumnValue } from '../../../topology/sink.ts';
import { VoltstreamError } from '../../../errors.ts';
import type { RowBuffer } from './row-buffer.ts';

/** Appends one row in ClickHouse's RowBinary format. When it throws, the buffer is as it was before. */
export type RowEncoder<Row> = (row: Row, into: RowBuffer) => void;

type Writer = (value: unknown, into: RowBuffer) => void;

/** Thrown by a writer; `rowEncoder` makes a full error of it, with the column's name and type. */
class Unfit extends Error {
  readonly wanted: string;
  readonly value: unknown;
  constructor(wanted: string, value: unknown) {
    super(wanted);
    this.wanted = wanted;
    this.value = value;
  }
}

/**
 * Compiles an encoder for a table's columns, in the order in which they are named.
 *
 * Types: String (string, or bytes as they are), FixedString(n) (n bytes), Bool, Int8 to Int64 and UInt8 to UInt64 (whole
 * numbers; bigint beyond 2^53), Float32 and Float64, DateTime64(3) (milliseconds), DateTime (milliseconds, cut to seconds), Date
 * (milliseconds, cut to UTC days), UUID (text), Enum8 and Enum16 (the name), Array(T) of these, and Nullable and LowCardinality
 * around them. In a Nullable column a missing property is NULL; anywhere else it is an error, as is any value that would
 * be rounded, wrapped or cut: PROCESSING_FAILED with the column, what was wanted and what came.
 */
export function rowEncoder<Row>(columns: Readonly<Record<string, ColumnType>>): RowEncoder<Row> {
  const names = Object.keys(columns);
  const types = Object.values(columns);
  const writers = types.map((type, index) => writerFor(type, names[index] ?? ''));
  const writeAll = compiled(names, writers);
  return (row, into) => {
    const start = into.length;
    try {
      writeAll(row as Readonly<Record<string, unknown>>, into);
    } catch (error) {
      into.length = start;
      if (!(error instanceof Unfit)) throw error;
      const index = firstUnfit(row as Readonly<Record<string, unknown>>, names, writers, into);
      into.length = start;
      throw new VoltstreamError('PROCESSING_FAILED', 'a row does not fit its table', {
        where: `column ${names[index] ?? ''} ${types[index] ?? ''}`,
        wanted: error.wanted,
        got: describe(error.value),
        cure: "Mend the sink's row function.",
      });
    }
  };
}

type WriteAll = (row: Readonly<Record<string, unknown>>, into: RowBuffer) => void;

/**
 * One function that writes column by column, with a place of its own for each property and each call: in a loop over names every
 * access would be a search. Names of columns stand in it as JSON text only.
 */
function compiled(names: readonly string[], writers: readonly Writer[]): WriteAll {
  const parameters = writers.map((_, index) => `w${index}`);
  const lines = names.map((name, index) => `w${index}(row[${JSON.stringify(name)}], into);`);
  const make = new Function(...parameters, `return (row, into) => {\n${lines.join('\n')}\n};`) as (...all: readonly Writer[]) => WriteAll;
  return make(...writers);
}

/** The column whose value was refused. */
function firstUnfit(row: Readonly<Record<string, unknown>>, names: readonly string[], writers: readonly Writer[], into: RowBuffer): number {
  for (let index = 0; index < writers.length; index++) {
    try {
      (writers[index] as Writer)(row[names[index] as string], into);
    } catch (error) {
      if (error instanceof Unfit) return index;
      throw error;
    }
  }
  return -1;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `${Array.isArray(value) ? 'array' : typeof value} ${text.length > 60 ? `${text.slice(0, 60)}...` : text}`;
}

function writerFor(type: ColumnType, column: string): Writer {
  const [name, inner] = splitType(type);
  switch (name) {
    case 'LowCardinality':
      return writerFor(inner, column);
    case 'Nullable':
      return nullable(writerFor(inner, column));
    case 'Array':
      return inner === 'Int64' || inner === 'Int32' ? wholeNumbers(inner === 'Int64' ? 8 : 4, array(writerFor(inner, column))) : array(writerFor(inner, column));
    case 'FixedString':
      return fixedString(Number(inner));
    case 'Enum8':
    case 'Enum16':
      return enumeration(inner, name === 'Enum8' ? 1 : 2);
    case 'DateTime64':
      if (inner.split(',')[0]?.trim() === '3') return dateTime64;
      break;
    default: {
      const writer = plainWriters[name];
      if (writer !== undefined) return writer;
    }
  }
  throw new VoltstreamError('TOPOLOGY_INVALID', 'a column has a type that rows cannot be encoded to', {
    where: `column ${column}`,
    wanted: `one of ${Object.keys(plainWriters).join(', ')}, DateTime64(3), FixedString(n), Enum8(...), Array, Nullable, LowCardinality`,
    got: type,
  });
}

/** `Nullable(String)` -> ['Nullable', 'String']; `String` -> ['String', '']. */
function splitType(type: ColumnType): readonly [string, string] {
  const open = type.indexOf('(');
  if (open < 0) return [type.trim(), ''];
  return [type.slice(0, open).trim(), type.slice(open + 1, type.lastIndexOf(')'))];
}

function nullable(writer: Writer): Writer {
  return (value, into) => {
    if (value === null || value === undefined) {
      into.writeByte(1);
    } else {
      into.writeByte(0);
      writer(value, into);
    }
  };
}

function array(writer: Writer): Writer {
  return (value, into) => {
    if (!Array.isArray(value)) throw new Unfit('an array', value);
    into.writeVarint(value.length);
    for (const item of value as readonly ColumnValue[]) writer(item, into);
  };
}

/** Most arrays are of whole numbers below 2^31 or 2^53: room for all of them is made once, and none costs a call. The rest is for `others`. */
function wholeNumbers(size: 4 | 8, others: Writer): Writer {
  return (value, into) => {
    if (!Array.isArray(value)) return others(value, into);
    const start = into.length;
    const numbers = value as readonly ColumnValue[];
    into.ensure(numbers.length * size + 5);
    into.writeVarint(numbers.length);
    const { view } = into;
    let at = into.length;
    for (let index = 0; index < numbers.length; index += 1) {
      const number = numbers[index];
      if (typeof number !== 'number') return from(start, others, value, into);
      const low = number | 0;
      let high = low >> 31;
      if (low !== number) {
        if (size === 4 || !Number.isSafeInteger(number)) return from(start, others, value, into);
        high = Math.floor(number / 0x1_0000_0000);
      }
      view.setInt32(at, low, true);
      if (size === 8) view.setInt32(at + 4, high, true);
      at += size;
    }
    into.length = at;
  };
}

function from(start: number, others: Writer, value: unknown, into: RowBuffer): void {
  into.length = start;
  others(value, into);
}

function fixedString(size: number): Writer {
  return (value, into) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    if (!(bytes instanceof Uint8Array) || bytes.length !== size) throw new Unfit(`exactly ${size} bytes`, value);
    into.writeBytes(bytes);
  };
}

function enumeration(definition: string, size: 1 | 2): Writer {
  const numbers = new Map<string, number>();
  for (const match of definition.matchAll(/'((?:[^'\\]|\\.|'')*)'\s*=\s*(-?\d+)/g)) {
    numbers.set((match[1] ?? '').replace(/\\(.)|''/g, (_, escaped: string | undefined) => escaped ?? "'"), Number(match[2]));
  }
  const wanted = `one of ${[...numbers.keys()].join(', ')}`;
  return (value, into) => {
    const number = typeof value === 'string' ? numbers.get(value) : undefined;
    if (number === undefined) throw new Unfit(wanted, value);
    into.ensure(2);
    if (size === 1) into.view.setInt8(into.length, number);
    else into.view.setInt16(into.length, number, true);
    into.length += size;
  };
}

function string(value: unknown, into: RowBuffer): void {
  if (typeof value === 'string') return into.writeString(value);
  if (!(value instanceof Uint8Array)) throw new Unfit('a string or bytes', value);
  into.writeVarint(value.length);
  into.writeBytes(value);
}

function bool(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'boolean') throw new Unfit('true or false', value);
  into.writeByte(value ? 1 : 0);
}

function integer(bits: 8 | 16 | 32, signed: boolean): Writer {
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const wanted = `a whole number from ${low} to ${high}`;
  return (value, into) => {
    if (typeof value !== 'number' || !(value >= low && value <= high) || !Number.isInteger(value)) throw new Unfit(wanted, value);
    into.ensure(4);
    if (bits === 8) into.bytes[into.length] = value;
    else if (bits === 16) into.view.setUint16(into.length, value, true);
    else into.view.setUint32(into.length, value, true);
    into.length += bits >>> 3;
  };
}

function integer64(signed: boolean): Writer {
  const low = signed ? -(2n ** 63n) : 0n;
  const high = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  const wanted = `a whole number from ${low} to ${high} (a bigint beyond 2^53)`;
  return (value, into) => {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) || (!signed && value < 0)) throw new Unfit(wanted, value);
      into.writeInteger64(value);
    } else {
      if (typeof value !== 'bigint' || value < low || value > high) throw new Unfit(wanted, value);
      into.ensure(8);
      into.view.setBigUint64(into.length, BigInt.asUintN(64, value), true);
      into.length += 8;
    }
  };
}

function float32(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'number') throw new Unfit('a number', value);
  into.ensure(4);
  into.view.setFloat32(into.length, value, true);
  into.length += 4;
}

function float64(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'number') throw new Unfit('a number', value);
  into.ensure(8);
  into.view.setFloat64(into.length, value, true);
  into.length += 8;
}

// What ClickHouse can hold; beyond it, it would store another time without a word.
const dateTime64LowMs = Date.UTC(1900, 0, 1);
const dateTime64HighMs = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
const dateTimeHighMs = 0xffff_ffff * 1000 + 999;
const dateHighMs = 0xffff * 86_400_000 + 86_399_999;

function dateTime64(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || !(value >= dateTime64LowMs && value <= dateTime64HighMs)) {
    throw new Unfit('whole milliseconds from 1900 to 2299', value);
  }
  into.writeInteger64(value);
}

function dateTime(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= dateTimeHighMs)) throw new Unfit('milliseconds from 1970 to 2106', value);
  into.ensure(4);
  into.view.setUint32(into.length, Math.floor(value / 1000), true);
  into.length += 4;
}

function date(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= dateHighMs)) throw new Unfit('milliseconds from 1970 to 2149', value);
  into.ensure(2);
  into.view.setUint16(into.length, Math.floor(value / 86_400_000), true);
  into.length += 2;
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Two little-endian halves of 8 bytes each. */
function uuid(value: unknown, into: RowBuffer): void {
  if (typeof value !== 'string' || !uuidForm.test(value)) throw new Unfit('a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8', value);
  const digits = value.replaceAll('-', '');
  into.ensure(16);
  into.view.setBigUint64(into.length, BigInt(`0x${digits.slice(0, 16)}`), true);
  into.view.setBigUint64(into.length + 8, BigInt(`0x${digits.slice(16)}`), true);
  into.length += 16;
}

const plainWriters: Readonly<Record<string, Writer>> = {
  String: string,
  Bool: bool,
  Int8: integer(8, true),
  Int16: integer(16, true),
  Int32: integer(32, true),
  Int64: integer64(true),
  UInt8: integer(8, false),
  UInt16: integer(16, false),
  UInt32: integer(32, false),
  UInt64: integer64(false),
  Float32: float32,
  Float64: float64,
  DateTime: dateTime,
  Date: date,
  UUID: uuid,
};

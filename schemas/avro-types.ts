import avsc from 'avsc';
import type { Type } from 'avsc';

/**
 * avsc's types with the gaps closed that matter for bytes that nobody vouches for.
 *
 * Plain avsc trusts counts and lengths: an array that claims 2^50 items loops for hours, a negative block size in a skipped
 * array loops for ever, an `int` may come back with 60 bits, and a long beyond 2^52 may change its sign. The types below
 * throw instead.
 */

/** What avsc hands to a type's `_read`: the bytes and where it stands. Not part of avsc's published typings. */
interface Tap {
  readonly buf: Buffer & { utf8Slice(from: number, to: number): string };
  pos: number;
  readLong(): number;
  writeInt(value: number): void;
  writeLong(value: number): void;
}

interface ItemReader {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

type Hook = ((value: unknown, type: unknown) => void) | undefined;

/** Longs are JavaScript numbers; beyond this avsc's arithmetic is not exact (142,000 years in milliseconds). */
export const longMax = 2 ** 52 - 1;

function isInt(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

function isLong(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= -longMax && (value as number) <= longMax;
}

class CheckedInt extends avsc.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readLong();
    if ((value | 0) !== value) throw new Error(`int out of range: ${value}`);
    return value;
  }
  _write(tap: Tap, value: unknown): void {
    if (!isInt(value)) throw new Error(`not an int: ${String(value)}`);
    tap.writeInt(value as number);
  }
}

class CheckedLong extends avsc.types.LongType {
  _check(value: unknown, _flags: unknown, hook: Hook): boolean {
    const valid = isLong(value);
    if (!valid && hook) hook(value, this);
    return valid;
  }
  _read(tap: Tap): number {
    const value = tap.readLong();
    if (!(value >= -longMax && value <= longMax)) throw new Error(`long out of exact range: ${value}`);
    return value;
  }
  _write(tap: Tap, value: unknown): void {
    if (!isLong(value)) throw new Error(`not a long within 2^52: ${String(value)}`);
    tap.writeLong(value as number);
  }
}

class CheckedString extends avsc.types.StringType {
  _read(tap: Tap): string {
    const length = tap.readLong();
    const from = tap.pos;
    const to = from + length;
    if (!(length >= 0 && to <= tap.buf.length)) throw new Error(`a string of ${length} bytes runs over the end`);
    tap.pos = to;
    return tap.buf.utf8Slice(from, to);
  }
}

/** Every item takes at least one byte (items of no bytes, such as null, are not supported): a larger count is a lie. */
function checkedCount(tap: Tap, count: number): number {
  if (!(count <= tap.buf.length - tap.pos)) throw new Error(`${count} items do not fit into the bytes that are left`);
  return count;
}

function readBlockCount(tap: Tap): number {
  const count = tap.readLong();
  if (count >= 0) return checkedCount(tap, count);
  tap.readLong(); // The block's size in bytes, not needed to read it.
  return checkedCount(tap, -count);
}

class CheckedArray extends avsc.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items = this.itemsType as unknown as ItemReader; // `this` may be a resolver; it has the same field.
    const values: unknown[] = [];
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      while (count-- > 0) values.push(items._read(tap));
    }
    return values;
  }
  _skip(tap: Tap): void {
    const items = this.itemsType as unknown as ItemReader;
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      while (count-- > 0) items._skip(tap);
    }
  }
}

const stringType = new CheckedString();

class CheckedMap extends avsc.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const values = this.valuesType as ItemReader;
    const entries: [string, unknown][] = [];
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      while (count-- > 0) entries.push([stringType._read(tap), values._read(tap)]);
    }
    return Object.fromEntries(entries);
  }
  _skip(tap: Tap): void {
    const values = this.valuesType as ItemReader;
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      while (count-- > 0) {
        stringType._read(tap);
        values._skip(tap);
      }
    }
  }
}

const intType = new CheckedInt();
const longType = new CheckedLong();

function hook(schema: unknown, options: unknown): Type | undefined {
  const name = typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : schema;
  switch (name) {
    case 'int':
      return intType;
    case 'long':
      return longType;
    case 'string':
      return stringType;
    case 'array':
      return new CheckedArray(schema as ConstructorParameters<typeof CheckedArray>[0], options);
    case 'map':
      return new CheckedMap(schema as ConstructorParameters<typeof CheckedMap>[0], options);
    default:
      return undefined;
  }
}

/**
 * The type of a schema that this process writes and reads: unions are bare values (`null | string`), records plain objects.
 * Throws avsc's error when the schema is not valid Avro or has a union whose branches cannot be told apart.
 */
export function avroType(schema: object): Type {
  return avsc.Type.forSchema(schema as avsc.schema.AvroSchema, { wrapUnions: 'never', omitRecordMethods: true, typeHook: hook });
}

/** The type of a schema that someone else wrote with: only ever resolved to one of ours, so any union is allowed. */
export function writerType(schemaText: string): Type {
  const schema: unknown = JSON.parse(schemaText);
  return avsc.Type.forSchema(schema as avsc.schema.AvroSchema, { wrapUnions: 'auto', omitRecordMethods: true, typeHook: hook });
}

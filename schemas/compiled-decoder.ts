import avsc from 'avsc';
import type { Type } from 'avsc';
import { KeptStrings } from './kept-strings.ts';

/**
 * A decoder written out as one flat function for one schema, for the hot path: no call per field, no reader object, and
 * values of one shape.
 *
 * It knows only what is usual. Whatever is not (a padded number, a false count, bytes that end early or go on) gives
 * `undefined`, and the caller decodes the same bytes again with avsc, which has the last word on value or error. So this
 * file can be wrong about what it declines without harm, and the tests hold it to avsc for what it gives.
 */
export type FastDecode = (bytes: Buffer, from: number) => unknown;

/** Null for schemas with something that is left to avsc: maps, fixed, float, recursion, unions or enums over 64. */
export function compileDecoder(type: Type): FastDecode | null {
  const writer = new FunctionWriter();
  const value = writer.read(type);
  if (value === null) return null;
  const body = `'use strict'; return function decode(b, p) { let x;\n${writer.lines.join('\n')}\nreturn p === b.length ? ${value} : undefined; };`;
  const make = new Function('support', ...writer.names, body) as (support: typeof readers, ...values: unknown[]) => FastDecode;
  return make(readers, ...writer.values);
}

const branchesMax = 64;

/** Collects the statements of a decode function; `b` are the bytes, `p` the position, `x` a byte for a moment. */
class FunctionWriter {
  readonly lines: string[] = [];
  readonly names: string[] = [];
  readonly values: unknown[] = [];
  readonly #open = new Set<Type>();
  #count = 0;

  /** Adds the statements that read a value; gives the expression for it, or null when this type is left to avsc. */
  read(type: Type): string | null {
    if (type instanceof avsc.types.NullType) return 'null';
    if (type instanceof avsc.types.BooleanType) return this.#boolean();
    if (type instanceof avsc.types.IntType) return this.#whole('(v | 0) !== v');
    if (type instanceof avsc.types.LongType) return this.#whole('v !== v');
    if (type instanceof avsc.types.DoubleType) return this.#variable('support.doubleAt(b, p); p += 8');
    if (type instanceof avsc.types.StringType) return this.#string();
    if (type instanceof avsc.types.BytesType) return this.#bytes();
    if (type instanceof avsc.types.EnumType) return this.#enum(type.symbols);
    if (type instanceof avsc.types.ArrayType) return this.#array(type.itemsType);
    if (type instanceof avsc.types.UnwrappedUnionType) return this.#union(type.types);
    if (type instanceof avsc.types.RecordType) return this.#record(type);
    return null;
  }

  #name(): string {
    return `v${this.#count++}`;
  }

  #variable(expression: string): string {
    const name = this.#name();
    this.lines.push(`let ${name} = ${expression};`);
    return name;
  }

  /** A value that the function uses as it is. */
  #constant(value: unknown): string {
    const name = `c${this.names.length}`;
    this.names.push(name);
    this.values.push(value);
    return name;
  }

  #boolean(): string {
    const name = this.#variable('b[p++]');
    this.lines.push(`if (${name} > 1) return undefined;`);
    return `${name} === 1`;
  }

  #whole(refused: string): string {
    const name = this.#variable('0');
    this.lines.push(
      `x = b[p++]; if (x < 128) ${name} = (x >>> 1) ^ -(x & 1);`,
      `else { ${name} = support.longAt(b, p - 1); p = support.end; if (${refused.replaceAll('v', name)}) return undefined; }`,
    );
    return name;
  }

  #length(): string {
    const length = this.#whole('v !== v');
    this.lines.push(`if (${length} < 0 || ${length} > b.length - p) return undefined;`);
    return length;
  }

  #string(): string {
    const length = this.#length();
    return this.#variable(`${this.#constant(new KeptStrings())}.read(b, p, p + ${length}); p += ${length}`);
  }

  #bytes(): string {
    const length = this.#length();
    return this.#variable(`support.copy(b, p, p + ${length}); p += ${length}`);
  }

  #enum(symbols: readonly string[]): string | null {
    if (symbols.length > branchesMax) return null;
    const name = this.#variable('b[p++]');
    this.lines.push(`if (${name} & 1) return undefined;`, `${name} = ${this.#constant(symbols)}[${name} >>> 1];`, `if (${name} === undefined) return undefined;`);
    return name;
  }

  #union(types: readonly Type[]): string | null {
    if (types.length > branchesMax) return null;
    const name = this.#variable('null');
    this.lines.push('switch (b[p++]) {');
    for (const [index, type] of types.entries()) {
      this.lines.push(`case ${index * 2}: {`);
      const value = this.read(type);
      if (value === null) return null;
      this.lines.push(`${name} = ${value}; break; }`);
    }
    this.lines.push('default: return undefined; }');
    return name;
  }

  #array(items: Type): string | null {
    const name = this.#variable('[]');
    this.lines.push('for (;;) {');
    const count = this.#length(); // Blocks with a size in front have a negative count: left to avsc.
    this.lines.push(`if (${count} === 0) break;`, `for (let n = 0; n < ${count}; n++) {`);
    const value = this.read(items);
    if (value === null) return null;
    this.lines.push(`${name}.push(${value}); } }`);
    return name;
  }

  #record(type: avsc.types.RecordType): string | null {
    if (this.#open.has(type)) return null;
    this.#open.add(type);
    const fields: string[] = [];
    for (const field of type.fields) {
      const value = this.read(field.type);
      if (value === null) return null;
      fields.push(`${JSON.stringify(field.name)}: ${value}`);
    }
    this.#open.delete(type);
    return this.#variable(`{ ${fields.join(', ')} }`);
  }
}

const eightBytes = new Uint8Array(8);
const oneDouble = new Float64Array(eightBytes.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** What the written functions call. `end` is where the last `longAt` stopped. */
const readers = {
  end: 0,

  /** A zigzag number of up to 8 bytes; NaN when it is longer, beyond 2^52, or cut off. */
  longAt(bytes: Buffer, from: number): number {
    let at = from;
    let byte = 0;
    let low = 0;
    let high = 0;
    let shift = 0;
    do {
      byte = at < bytes.length ? (bytes[at++] as number) : 255;
      low |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127 && shift < 28);
    if (byte > 127) {
      shift = 0;
      do {
        byte = at < bytes.length ? (bytes[at++] as number) : 255;
        high |= (byte & 127) << shift;
        shift += 7;
      } while (byte > 127 && shift < 28);
    }
    readers.end = at;
    if (byte > 127 || high >= 2 ** 25) return Number.NaN;
    const zigzag = high * 2 ** 28 + low;
    return (low & 1) === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  },

  doubleAt(bytes: Buffer, from: number): number {
    if (!littleEndian) return from + 8 <= bytes.length ? bytes.readDoubleLE(from) : 0;
    for (let index = 0; index < 8; index++) eightBytes[index] = bytes[from + index] as number; // Beyond the end: seen by the caller.
    return oneDouble[0] as number;
  },

  copy(bytes: Buffer, from: number, to: number): Buffer {
    return Buffer.from(bytes.subarray(from, to));
  },
};

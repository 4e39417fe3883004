import avsc from 'avsc';
import type { Type } from 'avsc';

/**
 * An encoder written out as one flat function for one schema, for the hot path: no call per field, and no search for the branch of a
 * union. Gives where the body ends, or -1.
 *
 * It knows only what is usual. For whatever is not (a field that is left out, a number beyond 2^52, a value that does not fit, bytes
 * without room) it gives -1, and the caller encodes the same value with avsc, which has the last word on bytes or error. So this file
 * can be wrong about what it declines without harm, and the tests hold it to avsc for what it gives.
 */
export type FastEncode = (value: unknown, bytes: Buffer, from: number) => number;

/** Null for schemas with something that is left to avsc: maps, fixed, float, recursion, enums over 64, unions other than of null and one type. */
export function compileEncoder(type: Type): FastEncode | null {
  const writer = new FunctionWriter();
  if (!writer.write(type, 'v')) return null;
  const body = `'use strict'; return function encode(v, b, p) {\n${writer.lines.join('\n')}\nreturn p <= b.length ? p : -1; };`;
  const make = new Function('support', ...writer.names, body) as (support: typeof writers, ...values: unknown[]) => FastEncode;
  return make(writers, ...writer.values);
}

const branchesMax = 64;

/** Collects the statements of an encode function; `b` are the bytes, `p` the position. What is written beyond the end is seen at the end. */
class FunctionWriter {
  readonly lines: string[] = [];
  readonly names: string[] = [];
  readonly values: unknown[] = [];
  readonly #open = new Set<Type>();
  #count = 0;

  /** Adds the statements that write the value of an expression; false when this type is left to avsc. */
  write(type: Type, value: string): boolean {
    if (type instanceof avsc.types.NullType) return this.#add(`if (${value} !== null) return -1;`);
    if (type instanceof avsc.types.BooleanType) return this.#add(`if (${value} === true) b[p++] = 1; else if (${value} === false) b[p++] = 0; else return -1;`);
    if (type instanceof avsc.types.IntType) return this.#whole(value, `typeof ${value} !== 'number' || ${value} !== (${value} | 0)`);
    if (type instanceof avsc.types.LongType) return this.#whole(value, `typeof ${value} !== 'number'`);
    if (type instanceof avsc.types.DoubleType) return this.#add(`if (typeof ${value} !== 'number') return -1;`, `support.double(b, p, ${value}); p += 8;`);
    if (type instanceof avsc.types.StringType) return this.#string(value);
    if (type instanceof avsc.types.EnumType) return this.#enum(type.symbols, value);
    if (type instanceof avsc.types.ArrayType) return this.#array(type.itemsType, value);
    if (type instanceof avsc.types.UnwrappedUnionType) return this.#union(type.types, value);
    if (type instanceof avsc.types.RecordType) return this.#record(type, value);
    return false;
  }

  #add(...lines: readonly string[]): true {
    this.lines.push(...lines);
    return true;
  }

  #name(): string {
    return `v${this.#count++}`;
  }

  #whole(value: string, refused: string): true {
    return this.#add(
      `if (${refused}) return -1;`,
      `if (${value} >= 0 && ${value} < 64 && ${value} === (${value} | 0)) b[p++] = ${value} << 1;`,
      `else { p = support.long(b, p, ${value}); if (p < 0) return -1; }`,
    );
  }

  #string(value: string): true {
    return this.#add(`if (typeof ${value} !== 'string') return -1;`, `p = support.text(b, p, ${value}); if (p < 0) return -1;`);
  }

  #enum(symbols: readonly string[], value: string): boolean {
    if (symbols.length > branchesMax) return false;
    const [constant, place] = [`c${this.names.length}`, this.#name()];
    this.names.push(constant);
    this.values.push(new Map(symbols.map((symbol, index) => [symbol, index * 2])));
    return this.#add(`const ${place} = ${constant}.get(${value});`, `if (${place} === undefined) return -1;`, `b[p++] = ${place};`);
  }

  #union(types: readonly Type[], value: string): boolean {
    const nullAt = types.findIndex((type) => type instanceof avsc.types.NullType);
    const other = types[1 - nullAt];
    if (types.length !== 2 || nullAt < 0 || other === undefined) return false;
    this.lines.push(`if (${value} === null) b[p++] = ${nullAt * 2};`, `else { b[p++] = ${2 - nullAt * 2};`);
    return this.write(other, value) && this.#add('}');
  }

  #array(items: Type, value: string): boolean {
    const [index, item] = [this.#name(), this.#name()];
    this.lines.push(
      `if (!Array.isArray(${value})) return -1;`,
      `if (${value}.length > 0) { p = support.long(b, p, ${value}.length);`,
      `for (let ${index} = 0; ${index} < ${value}.length; ${index}++) { const ${item} = ${value}[${index}];`,
    );
    return this.write(items, item) && this.#add('} }', 'b[p++] = 0;');
  }

  #record(type: avsc.types.RecordType, value: string): boolean {
    if (this.#open.has(type)) return false;
    this.#open.add(type);
    this.lines.push(`if (typeof ${value} !== 'object' || ${value} === null) return -1;`);
    for (const field of type.fields) {
      const name = this.#name();
      this.lines.push(`const ${name} = ${value}[${JSON.stringify(field.name)}];`);
      if (!this.write(field.type, name)) return false;
    }
    this.#open.delete(type);
    return true;
  }
}

const eightBytes = new Uint8Array(8);
const oneDouble = new Float64Array(eightBytes.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
/** Texts below this many UTF-16 units have a length of one byte, and are written by a loop as long as they are ASCII. */
const shortUnitsMax = 64;
const wholeMax = 2 ** 52 - 1;
const lowBits = 2 ** 28;

/** What the written functions call. */
const writers = {
  /** A zigzag number; -1 when it is none, or beyond 2^52 - 1. */
  long(bytes: Buffer, from: number, value: number): number {
    if (!Number.isInteger(value) || value > wholeMax || value < -wholeMax) return -1;
    const zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
    let at = from;
    let low = zigzag % lowBits;
    if (zigzag >= lowBits) {
      for (let written = 0; written < 4; written++) {
        bytes[at++] = (low & 127) | 128;
        low >>>= 7;
      }
      low = Math.floor(zigzag / lowBits);
    }
    while (low > 127) {
      bytes[at++] = (low & 127) | 128;
      low >>>= 7;
    }
    bytes[at++] = low;
    return at;
  },

  double(bytes: Buffer, from: number, value: number): void {
    oneDouble[0] = value;
    for (let index = 0; index < 8; index++) bytes[from + (littleEndian ? index : 7 - index)] = eightBytes[index] as number;
  },

  /** Length and UTF-8; -1 when there is no room. */
  text(bytes: Buffer, from: number, value: string): number {
    const units = value.length;
    if (units < shortUnitsMax) {
      let index = 0;
      for (; index < units; index++) {
        const unit = value.charCodeAt(index);
        if (unit > 127) break;
        bytes[from + 1 + index] = unit;
      }
      if (index === units) {
        bytes[from] = units << 1;
        return from + 1 + units;
      }
    }
    const size = Buffer.byteLength(value, 'utf8');
    const at = writers.long(bytes, from, size);
    return at + size <= bytes.length ? at + bytes.write(value, at, 'utf8') : -1;
  },
};

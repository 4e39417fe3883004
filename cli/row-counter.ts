import type { FormatName } from './export-target.ts';

const newline = 0x0a;
const quote = 0x22;

/**
 * Counts the rows of an answer as its bytes go by: lines of JSON, lines of CSV that do not end within quotes, and for Parquet the number in
 * its table of contents, which is known at the end.
 */
export class RowCounter {
  readonly #format: FormatName;
  #rows = 0;
  #quoted = false;
  /** Of Parquet: the last bytes. */
  #tail = Buffer.alloc(0);

  constructor(format: FormatName) {
    this.#format = format;
  }

  take(bytes: Uint8Array): void {
    if (this.#format === 'parquet') {
      this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-footerBytesMax);
      return;
    }
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === newline && !this.#quoted) this.#rows++;
      else if (byte === quote && this.#format === 'csv') this.#quoted = !this.#quoted;
    }
  }

  /** Null while it is not known. */
  get rows(): number | null {
    return this.#format === 'parquet' ? parquetRows(this.#tail) : this.#rows;
  }
}

/** A file of a hundred million rows has a table of contents of some hundred kilobytes. */
const footerBytesMax = 4_194_304;

/** `num_rows` of a file's metadata (field 3 of FileMetaData, Thrift's compact protocol); null where these are not the end of a Parquet file. */
export function parquetRows(tail: Buffer): number | null {
  if (tail.length < 12 || tail.toString('latin1', tail.length - 4) !== 'PAR1') return null;
  const length = tail.readUInt32LE(tail.length - 8);
  if (length > tail.length - 8) return null;
  const reader = new CompactReader(tail.subarray(tail.length - 8 - length, tail.length - 8));
  for (let field = reader.field(0); field.type !== 0; field = reader.field(field.id)) {
    if (field.id === 3) return Number(reader.zigzag());
    reader.skip(field.type);
  }
  return null;
}

/** As much of Thrift's compact protocol as it takes to pass over fields. */
class CompactReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next field's id and type; type 0 ends a struct. */
  field(previous: number): { readonly id: number; readonly type: number } {
    const byte = this.#byte();
    const type = byte & 0x0f;
    if (type === 0) return { id: previous, type };
    return { id: byte >> 4 === 0 ? Number(this.zigzag()) : previous + (byte >> 4), type };
  }

  zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  skip(type: number): void {
    switch (type) {
      case 1: case 2: return; // true, false
      case 3: this.#at += 1; return;
      case 4: case 5: case 6: this.#varint(); return;
      case 7: this.#at += 8; return;
      case 8: {
        const length = Number(this.#varint());
        this.#at += length;
        return;
      }
      case 9: case 10: this.#skipList(); return;
      case 12:
        for (let field = this.field(0); field.type !== 0; field = this.field(field.id)) this.skip(field.type);
        return;
      default: throw new Error(`type ${type} is not expected in the metadata of a Parquet file`);
    }
  }

  #skipList(): void {
    const byte = this.#byte();
    const size = byte >> 4 === 15 ? Number(this.#varint()) : byte >> 4;
    const type = byte & 0x0f;
    for (let index = 0; index < size; index++) {
      if (type === 1 || type === 2) this.#at += 1;
      else this.skip(type);
    }
  }

  #byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}

import type { ByteWriter } from '../../schemas/byte-writer.ts';
import { malformed } from '../../schemas/malformed.ts';

/**
 * Numbers and texts in as few bytes as they need: whole numbers by their size (7 bits a byte, sign in the lowest bit), others as
 * doubles.
 */
export function writeWhole(writer: ByteWriter, value: number): void {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  while (rest >= 2 ** 31) {
    writer.uint8((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    writer.uint8((rest & 127) | 128);
    rest >>>= 7;
  }
  writer.uint8(rest);
}

/** Any number or null: whole ones as such, behind a byte that says which. */
export function writeNumber(writer: ByteWriter, value: number | null): void {
  if (value === null) {
    writer.uint8(0);
  } else if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 51 && !Object.is(value, -0)) {
    writer.uint8(1);
    writeWhole(writer, value);
  } else {
    writer.uint8(2);
    writer.float64(value);
  }
}

export function writeText(writer: ByteWriter, value: string | null): void {
  if (value === null) {
    writeWhole(writer, -1);
    return;
  }
  const length = Buffer.byteLength(value, 'utf8');
  writeWhole(writer, length);
  writer.text(value);
}

/** Reads what was written, part by part. Throws DESERIALISATION_FAILED when the bytes end before. */
export class CompactReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed('a compact value is cut off', 'more bytes', `${this.#bytes.length} bytes`);
    this.#at += 1;
    return byte;
  }

  whole(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  number(): number | null {
    const form = this.byte();
    if (form === 0) return null;
    if (form === 1) return this.whole();
    const end = this.#at + 8;
    if (form !== 2 || end > this.#bytes.length) throw malformed('a compact number is malformed', 'a form from 0 to 2', String(form));
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at = end;
    return value;
  }

  text(): string | null {
    const length = this.whole();
    if (length < 0) return null;
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed('a compact text is cut off', `${length} bytes`, `${this.#bytes.length - this.#at} bytes`);
    const value = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return value;
  }
}

/**
 * A growing run of RowBinary bytes. Fields are written into one buffer, so that a row costs no allocation; `take` hands
 * out a copy of what was written and starts again.
 */
export class RowBuffer {
  bytes: Buffer;
  view: DataView;
  /** Where the next byte goes. */
  length = 0;

  constructor(bytesInitial = 64 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(bytesInitial);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `more` bytes behind `length`. */
  ensure(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** A copy of all that was written; the buffer is empty afterwards. */
  take(): Uint8Array {
    const copy = Buffer.allocUnsafeSlow(this.length);
    this.bytes.copy(copy, 0, 0, this.length);
    this.length = 0;
    return copy;
  }

  writeByte(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  writeBytes(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** LEB128, as RowBinary writes the lengths of strings and arrays. */
  writeVarint(value: number): void {
    this.ensure(5);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  writeString(text: string): void {
    const units = text.length;
    this.ensure(units * 3 + 5);
    const bytes = this.bytes;
    if (units < shortUnitsMax) {
      const start = this.length;
      bytes[start] = units;
      for (let index = 0; index < units; index++) {
        const unit = text.charCodeAt(index);
        if (unit > 0x7f) return this.#writeText(text);
        bytes[start + 1 + index] = unit;
      }
      this.length = start + 1 + units;
      return;
    }
    this.#writeText(text);
  }

  /** The general case: UTF-8 is written behind a guessed length prefix and moved when the prefix needs more room. */
  #writeText(text: string): void {
    const start = this.length;
    const guess = varintBytes(text.length);
    const size = this.bytes.write(text, start + guess, 'utf8');
    const needed = varintBytes(size);
    if (needed !== guess) this.bytes.copyWithin(start + needed, start + guess, start + guess + size);
    this.writeVarint(size);
    this.length = start + needed + size;
  }

  /** A whole number within +-2^53 as 8 bytes, two's complement. */
  writeInteger64(value: number): void {
    this.ensure(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.view.setUint32(this.length, value - high * 0x1_0000_0000, true);
    this.view.setInt32(this.length + 4, high, true);
    this.length += 8;
  }
}

/** Strings below this many UTF-16 units are written by a loop; longer ones by the engine's own UTF-8 writer. */
const shortUnitsMax = 48;

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Bits of `_version` that hold the ordinal; the run stands above them. */
const ordinalBits = 40;

/** `_version` of a row: run, then ordinal, so that a later run always wins and later ordinals win within a run. */
export function rowVersion(run: number, ordinal: number): bigint {
  return (BigInt(run) << BigInt(ordinalBits)) | BigInt(ordinal);
}

/** Writes `rowVersion(run, ordinal)` without making a bigint. `run` < 2^24, `ordinal` < 2^40. */
export function writeRowVersion(into: RowBuffer, run: number, ordinal: number): void {
  if (!(run >= 0 && run < 2 ** 24 && ordinal >= 0 && ordinal < 2 ** ordinalBits)) {
    throw new RangeError(`row version out of range: run ${run}, ordinal ${ordinal}`);
  }
  into.ensure(8);
  into.view.setUint32(into.length, ordinal % 0x1_0000_0000, true);
  into.view.setUint32(into.length + 4, run * 256 + Math.floor(ordinal / 0x1_0000_0000), true);
  into.length += 8;
}

/**
 * Bytes left behind each row of a table. With the head of the next row in an outbox chunk they are the place of `_batch`, so that rows that follow
 * each other there become a piece in one copy.
 */
export const batchGapBytes = 8;

/** Leaves room for half of `_batch` behind a row. */
export function writeBatchGap(into: RowBuffer): void {
  into.ensure(batchGapBytes);
  into.view.setFloat64(into.length, 0, true);
  into.length += batchGapBytes;
}

import type { MessageSink } from './message-sink.ts';

/** What one district has sent in one slice of time, ready to be written. */
export interface Segment {
  readonly messages: number;
  readonly events: Uint8Array;
  readonly stations: Uint8Array;
}

/** Makes bytes of messages, in whatever form; a district has one of its own. */
export interface SegmentEncoder extends MessageSink {
  /** What has come since the last time. */
  take(): Segment;
}

const FIRST_BYTES = 65_536;
const nothing = new Uint8Array(0);
/** Larger numbers are written in two parts, each of which fits into 32 bits. */
const LOW_DIGITS = 100_000_000;
const LOW_DIGITS_COUNT = 8;

const eightBytes = new Uint8Array(8);
const oneDouble = new DataView(eightBytes.buffer);

/** How many decimal digits a whole number below 2^31 has. */
export function digitsOf(value: number): number {
  let count = 1;
  for (let power = 10; value >= power; power *= 10) count += 1;
  return count;
}

/** Bytes one behind the other. */
export class GrowingBuffer {
  #buffer = Buffer.allocUnsafe(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  text(text: string): void {
    // A character of UTF-16 is three bytes of UTF-8 at most.
    this.need(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** As `text`, quicker for what is short and plain. */
  shortText(text: string): void {
    this.need(text.length * 3);
    const buffer = this.#buffer;
    const from = this.#length;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit > 127) {
        this.text(text);
        return;
      }
      buffer[from + at] = unit;
    }
    this.#length = from + text.length;
  }

  /** A whole number from 0 to below 2^53, in decimal digits. */
  digits(value: number): void {
    this.need(16);
    const low = value % LOW_DIGITS;
    if (value === low) {
      this.#length = this.#writeDigits(value, digitsOf(value));
      return;
    }
    const high = (value - low) / LOW_DIGITS;
    this.#length = this.#writeDigits(high, digitsOf(high));
    this.#length = this.#writeDigits(low, LOW_DIGITS_COUNT);
  }

  /** The last `count` digits of a number that fits into 32 bits; gives where they end. */
  #writeDigits(value: number, count: number): number {
    const end = this.#length + count;
    let left = value | 0;
    for (let at = end - 1; at >= this.#length; at -= 1) {
      const tenth = (left / 10) | 0;
      this.#buffer[at] = 48 + left - tenth * 10;
      left = tenth;
    }
    return end;
  }

  bytes(bytes: Uint8Array): void {
    this.need(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  uint8(value: number): void {
    this.need(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  uint32(value: number): void {
    this.need(4);
    this.setUint32(this.#length, value);
    this.#length += 4;
  }

  double(value: number): void {
    this.need(8);
    oneDouble.setFloat64(0, value, true);
    for (let at = 0; at < 8; at += 1) this.#buffer[this.#length + at] = eightBytes[at] as number;
    this.#length += 8;
  }

  /** The length of a text in Avro, below 8,192. */
  shortLength(bytes: number): void {
    if (bytes > 63) {
      this.uint8(((bytes << 1) & 127) | 128);
      this.uint8(bytes >>> 6);
    } else {
      this.uint8(bytes << 1);
    }
  }

  /** Bytes that are in here already, once more. */
  again(from: number, count: number): void {
    this.need(count);
    const buffer = this.#buffer;
    const to = this.#length;
    for (let at = 0; at < count; at += 1) buffer[to + at] = buffer[from + at] as number;
    this.#length = to + count;
  }

  /** Leaves room for a number that is known later; gives its place. */
  skipUint32(): number {
    this.need(4);
    this.#length += 4;
    return this.#length - 4;
  }

  setUint32(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
  }

  /** Lets `write` fill in a value from a position on; it gives where it ended, or beyond the end when there was no room. */
  fill<T>(write: (value: T, buffer: Buffer, from: number) => number, value: T): void {
    let end = write(value, this.#buffer, this.#length);
    while (end > this.#buffer.length) {
      this.need(end - this.#length + FIRST_BYTES);
      end = write(value, this.#buffer, this.#length);
    }
    this.#length = end;
  }

  /** A copy of what is there; the buffer is empty afterwards, and keeps its room. */
  take(): Uint8Array {
    if (this.#length === 0) return nothing;
    const taken = new Uint8Array(this.#length);
    taken.set(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  need(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.#buffer.length * 2, this.#length + bytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

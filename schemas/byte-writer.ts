import { assertInvariant } from '../errors.ts';

/** A kilobyte or so is what most values of a commit are far below: some hundred of them share one piece of memory. */
const chunkBytes = 16_384;
/** A text is written at once into room for its longest form; of a long one the length is counted first. */
const longTextUnits = 1_024;

/**
 * Values one behind the other in a few large pieces of memory, instead of a Buffer for each part of each value.
 *
 * What is `take`n is a view of memory that is never written again; it keeps its piece of 16 KB alive (a pooled Buffer of Node's
 * keeps 64 KB). Positions count from the start of the value that is being written.
 *
 * @example
 * const writer = new ByteWriter();
 * writer.begin();
 * writer.orderedInt64(60_000);
 * writer.text('station-1');
 * const key = writer.take();
 */
export class ByteWriter {
  #chunk: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(this.#chunk.buffer, 0, 0);
  #start = 0;
  #at = 0;
  #end = 0;

  /** Bytes of the value so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Begins a value; one that was begun and not taken, since its codec threw, is forgotten. */
  begin(): void {
    this.#at = this.#start;
  }

  /** The bytes since `begin`. They belong to whoever takes them. */
  take(): Buffer {
    const taken = this.#chunk.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  /** A copy of the bytes since `begin`, in memory shared with nothing large; the writer forgets them. */
  takeCopy(): Buffer {
    const copy = Buffer.allocUnsafe(this.#at - this.#start);
    this.#chunk.copy(copy, 0, this.#start, this.#at);
    this.#at = this.#start;
    return copy;
  }

  uint8(value: number): void {
    this.#need(1);
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  /** Big endian. */
  uint32(value: number): void {
    this.#need(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  /** Leaves 4 bytes for what is known only when more has been written; gives their position for `setUint32`. */
  skipUint32(): number {
    this.#need(4);
    const position = this.#at - this.#start;
    this.#at += 4;
    return position;
  }

  setUint32(position: number, value: number): void {
    assertInvariant(position >= 0 && this.#start + position + 4 <= this.#at, 'a length is written within its value');
    this.#view.setUint32(this.#start + position, value);
  }

  /** Little endian. */
  float64(value: number): void {
    this.#need(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A safe integer (the caller has checked) in the form of the `int64` codec: the order of the bytes is that of the numbers. */
  orderedInt64(value: number): void {
    this.#need(8);
    const high = Math.floor(value / 2 ** 32);
    this.#view.setUint32(this.#at, high ^ 0x8000_0000);
    this.#view.setUint32(this.#at + 4, value - high * 2 ** 32);
    this.#at += 8;
  }

  /** UTF-8; lone surrogates become U+FFFD. */
  text(value: string): void {
    this.#need(value.length <= longTextUnits ? value.length * 3 : Buffer.byteLength(value, 'utf8'));
    this.#at += this.#chunk.write(value, this.#at, 'utf8');
  }

  bytes(value: Uint8Array): void {
    this.#need(value.length);
    this.#chunk.set(value, this.#at);
    this.#at += value.length;
  }

  #need(more: number): void {
    if (this.#at + more > this.#end) this.#grow(more);
  }

  /** What was taken stays where it is; only the value under way moves. */
  #grow(more: number): void {
    const length = this.#at - this.#start;
    const chunk = Buffer.allocUnsafeSlow(length + more > chunkBytes / 4 ? (length + more) * 2 : chunkBytes);
    this.#chunk.copy(chunk, 0, this.#start, this.#at);
    this.#chunk = chunk;
    this.#view = new DataView(chunk.buffer);
    this.#start = 0;
    this.#at = length;
    this.#end = chunk.length;
  }
}

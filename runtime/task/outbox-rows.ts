import { InvariantViolation, assertInvariant } from '../../errors.ts';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { bytesText, textBytes } from './cell-bytes.ts';

/** In front of each row: its group and its length. */
export const rowHeadBytes = 8;
const TRAILER_BYTES = 12;

/**
 * Collects encoded output rows into one run of bytes, so that a row costs no object: (group index, length, bytes) for each
 * row, then the group names (length, UTF-8), then three numbers: bytes of the rows, groups, rows. Numbers are 32-bit little
 * endian. A group is the table partition of a warehouse row, and empty for a topic.
 */
export class RowCollector {
  readonly #buffer = new RowBuffer();
  readonly #groups = new Map<string, number>();
  rows = 0;

  /** Bytes of rows so far. */
  get bytes(): number {
    return this.#buffer.length;
  }

  /** Adds the row that `encode` writes; it gives the row's group. When it throws, nothing was added. */
  add(encode: (into: RowBuffer) => string): void {
    const buffer = this.#buffer;
    const start = buffer.length;
    let group: string;
    try {
      buffer.ensure(rowHeadBytes);
      buffer.length += rowHeadBytes;
      group = encode(buffer);
    } catch (error) {
      buffer.length = start;
      throw error;
    }
    let index = this.#groups.get(group);
    if (index === undefined) {
      index = this.#groups.size;
      this.#groups.set(group, index);
    }
    buffer.view.setUint32(start, index, true);
    buffer.view.setUint32(start + 4, buffer.length - start - rowHeadBytes, true);
    this.rows++;
  }

  /** All rows as one value; the collector is empty afterwards. */
  take(): Uint8Array {
    const buffer = this.#buffer;
    const rowsBytes = buffer.length;
    for (const group of this.#groups.keys()) {
      const name = textBytes(group);
      writeNumber(buffer, name.length);
      buffer.writeBytes(name);
    }
    writeNumber(buffer, rowsBytes);
    writeNumber(buffer, this.#groups.size);
    writeNumber(buffer, this.rows);
    this.#groups.clear();
    this.rows = 0;
    return buffer.take();
  }
}

function writeNumber(buffer: RowBuffer, value: number): void {
  buffer.ensure(4);
  buffer.view.setUint32(buffer.length, value, true);
  buffer.length += 4;
}

/** Number of rows in a chunk. */
export function rowCountOf(chunk: Uint8Array): number {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).readUInt32LE(chunk.length - 4);
}

/** Visits the rows of a chunk in order; `start` and `end` are places in `bytes`, which is the chunk itself. */
export function visitRows(chunk: Uint8Array, visit: (group: string, bytes: Buffer, start: number, end: number) => void): void {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const trailer = bytes.length - TRAILER_BYTES;
  const rowsBytes = view.getUint32(trailer, true);
  const groups = groupsOf(bytes, view, rowsBytes, view.getUint32(trailer + 4, true));
  let rows = 0;
  for (let at = 0; at < rowsBytes; rows++) {
    const group = groups[view.getUint32(at, true)];
    const start = at + rowHeadBytes;
    const end = start + view.getUint32(at + 4, true);
    if (group === undefined || end > rowsBytes) throw new InvariantViolation('an outbox chunk is whole');
    visit(group, bytes, start, end);
    at = end;
  }
  assertInvariant(rows === view.getUint32(trailer + 8, true), 'an outbox chunk has as many rows as it says');
}

function groupsOf(bytes: Buffer, view: DataView, from: number, count: number): readonly string[] {
  const groups: string[] = [];
  for (let at = from; groups.length < count;) {
    const length = view.getUint32(at, true);
    groups.push(bytesText(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return groups;
}

/**
 * How one batch lies in the embedded log: a fixed header, then the records one after the other.
 *
 * Header (little-endian): form u8 = 1, flags u8 (bit 0: records carry headers), unused u16, count u32, timestamp of the
 * first record f64, highest timestamp f64. Record: timestamp minus the previous one (zigzag varint), key length + 1 (0:
 * null), value length + 1 (0: null), with flag bit 0 the number of headers and for each its key's length, key, value's
 * length, value; then key bytes and value bytes. Offsets are not in it: they follow from the first one and the order.
 */
import type { LogHeader, LogRecord } from '../log.ts';

export interface FramedRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly LogHeader[] | null;
}

const form = 1;
const headerBytes = 24;
const flagHeaders = 1;
const varintBytesMax = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function sizeOf(record: FramedRecord): number {
  let size = 3 * varintBytesMax + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  if (record.headers !== undefined && record.headers !== null) {
    size += varintBytesMax;
    for (const header of record.headers) size += 2 * varintBytesMax + 3 * header.key.length + header.value.length;
  }
  return size;
}

/** Upper bound of the bytes that a record takes in a batch, for cutting batches. */
export const framedSizeMax = sizeOf;

/** Writes a batch; `bytes` grows by the caller's size estimate, positions are kept in one place for speed. */
class Writer {
  readonly bytes: Uint8Array;
  position = headerBytes;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  varint(value: number): void {
    const bytes = this.bytes;
    let rest = value;
    while (rest >= 0x10000000) {
      bytes[this.position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.position++] = rest;
  }

  raw(source: Uint8Array): void {
    const length = source.length;
    if (length <= 32) {
      const bytes = this.bytes;
      const position = this.position;
      for (let index = 0; index < length; index++) bytes[position + index] = source[index]!;
    } else this.bytes.set(source, this.position);
    this.position += length;
  }

  headers(headers: readonly LogHeader[] | null | undefined): void {
    this.varint(headers?.length ?? 0);
    for (const header of headers ?? []) {
      const key = encoder.encode(header.key);
      this.varint(key.length);
      this.raw(key);
      this.varint(header.value.length);
      this.raw(header.value);
    }
  }
}

/** One batch of at least one record. */
export function encodeBatch(records: readonly FramedRecord[]): Uint8Array {
  let size = headerBytes;
  let withHeaders = false;
  let timestampMaxMs = -Infinity;
  for (const record of records) {
    size += sizeOf(record);
    if (record.headers !== undefined && record.headers !== null && record.headers.length > 0) withHeaders = true;
    if (record.timestampMs > timestampMaxMs) timestampMaxMs = record.timestampMs;
  }
  const writer = new Writer(size);
  let previousMs = records[0]!.timestampMs;
  const view = new DataView(writer.bytes.buffer);
  view.setUint8(0, form);
  view.setUint8(1, withHeaders ? flagHeaders : 0);
  view.setUint32(4, records.length, true);
  view.setFloat64(8, previousMs, true);
  view.setFloat64(16, timestampMaxMs, true);
  for (const { timestampMs, key, value, headers } of records) {
    const delta = timestampMs - previousMs;
    previousMs = timestampMs;
    writer.varint(delta >= 0 ? delta * 2 : -delta * 2 - 1);
    writer.varint(key === null ? 0 : key.length + 1);
    writer.varint(value === null ? 0 : value.length + 1);
    if (withHeaders) writer.headers(headers);
    if (key !== null) writer.raw(key);
    if (value !== null) writer.raw(value);
  }
  return writer.bytes.subarray(0, writer.position);
}

/** Number of records and highest timestamp, without reading the records. */
export function batchSummary(bytes: Uint8Array): { readonly count: number; readonly timestampMaxMs: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== form) throw new Error(`embedded log: unknown form ${view.getUint8(0)} of a batch`);
  return { count: view.getUint32(4, true), timestampMaxMs: view.getFloat64(16, true) };
}

let cursor = 0;

function varint(bytes: Uint8Array): number {
  let byte = bytes[cursor++]!;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let factor = 128;
  do {
    byte = bytes[cursor++]!;
    value += (byte & 0x7f) * factor;
    factor *= 128;
  } while (byte >= 0x80);
  return value;
}

/** A Buffer at once, since every reader makes one of it. */
function take(bytes: Buffer, length: number): Buffer {
  const part = bytes.subarray(cursor, cursor + length);
  cursor += length;
  return part;
}

function readHeaders(bytes: Buffer): readonly LogHeader[] | null {
  const count = varint(bytes);
  if (count === 0) return null;
  const headers: LogHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = decoder.decode(take(bytes, varint(bytes)));
    headers.push({ key, value: take(bytes, varint(bytes)) });
  }
  return headers;
}

/** Adds the records from offset `from` on to `into`; keys and values are views of `batch`, not copies. */
export function decodeBatch(batch: Uint8Array, firstOffset: number, from: number, into: LogRecord[]): void {
  const { count } = batchSummary(batch);
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  const withHeaders = (view.getUint8(1) & flagHeaders) !== 0;
  let timestampMs = view.getFloat64(8, true);
  cursor = headerBytes;
  for (let index = 0; index < count; index++) {
    const delta = varint(bytes);
    timestampMs += delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2;
    const keyLength = varint(bytes) - 1;
    const valueLength = varint(bytes) - 1;
    const headers = withHeaders ? readHeaders(bytes) : null;
    const offset = firstOffset + index;
    if (offset < from) {
      cursor += Math.max(0, keyLength) + Math.max(0, valueLength);
      continue;
    }
    const key = keyLength < 0 ? null : take(bytes, keyLength);
    const value = valueLength < 0 ? null : take(bytes, valueLength);
    into.push({ offset, timestampMs, key, value, headers });
  }
}

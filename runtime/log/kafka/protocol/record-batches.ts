import { crc32c } from '@platformatic/kafka';
import type { LogHeader, LogRecord } from '../../log.ts';
import { int64At } from './bytes.ts';
import { decompress } from './compression.ts';
import { DamagedBatch } from './damaged-batch.ts';

/** A transaction whose records below its abort marker do not count. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** Where the parts of a record batch lie (version 2 of the format, since Kafka 0.11). */
export const batchLayout = {
  length: 8, leaderEpoch: 12, magic: 16, crc: 17, attributes: 21, lastOffsetDelta: 23, baseTimestamp: 27, maxTimestamp: 35, producerId: 43, producerEpoch: 51,
  baseSequence: 53, recordCount: 57, records: 61,
} as const;
/** Base offset and length itself. */
export const beforeLength = 12;

const compressionBits = 0x07;
const logAppendTimeBit = 0x08;
const transactionalBit = 0x10;
const controlBit = 0x20;
const abortMarker = 0;

/** Size in bytes of the batch at `at`, or 0 when it is not there as a whole. */
function batchSize(bytes: Buffer, at: number): number {
  if (bytes.length - at < batchLayout.records) return 0;
  const size = bytes.readInt32BE(at + batchLayout.length) + beforeLength;
  return size >= batchLayout.records && at + size <= bytes.length ? size : 0;
}

/** Where to go on reading after these batches, or null when there is not one whole batch. */
export function positionBehind(bytes: Buffer): number | null {
  return endOf(bytes)?.position ?? null;
}

/** The same, and the epoch of the leader that the last batch was written to. */
export function endOf(bytes: Buffer): { readonly position: number; readonly leaderEpoch: number } | null {
  let last = -1;
  for (let at = 0, size = batchSize(bytes, 0); size > 0; at += size, size = batchSize(bytes, at)) last = at;
  if (last < 0) return null;
  return {
    position: int64At(bytes, last) + bytes.readInt32BE(last + batchLayout.lastOffsetDelta) + 1,
    leaderEpoch: bytes.readInt32BE(last + batchLayout.leaderEpoch),
  };
}

/**
 * The committed records of these batches from `position` on. A transaction is dropped from the first offset that the broker tells until its
 * abort marker, producer by producer, however transactions of several producers overlap.
 */
export function decodeBatches(bytes: Buffer, position: number, aborted: readonly AbortedTransaction[]): LogRecord[] {
  const records: LogRecord[] = [];
  const waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const dropped = new Set<bigint>();
  for (let at = 0, size = batchSize(bytes, 0); size > 0; at += size, size = batchSize(bytes, at)) {
    const lastOffset = int64At(bytes, at) + bytes.readInt32BE(at + batchLayout.lastOffsetDelta);
    check(bytes, at, size);
    const attributes = bytes.readInt16BE(at + batchLayout.attributes);
    if ((attributes & transactionalBit) !== 0) {
      const producerId = bytes.readBigInt64BE(at + batchLayout.producerId);
      while (waiting.length > 0 && waiting[0]!.firstOffset <= lastOffset) dropped.add(waiting.shift()!.producerId);
      if ((attributes & controlBit) !== 0) {
        if (markerType(bytes, at) === abortMarker) dropped.delete(producerId);
        continue;
      }
      if (dropped.has(producerId)) continue;
    } else if ((attributes & controlBit) !== 0) continue;
    if (lastOffset >= position) decodeRecords(bytes.subarray(at, at + size), position, records);
  }
  return records;
}

function check(bytes: Buffer, at: number, size: number): void {
  const magic = bytes[at + batchLayout.magic];
  if (magic !== 2) throw new DamagedBatch(`a record batch of format ${magic}, older than Kafka 0.11: rewrite the topic with a current broker`);
  if (crc32c(bytes.subarray(at + batchLayout.attributes, at + size)) !== bytes.readUInt32BE(at + batchLayout.crc)) {
    throw new DamagedBatch(`the record batch at offset ${int64At(bytes, at)} is damaged: its check sum does not match`);
  }
}

/** A control record's key is (version, type); it comes right after four one-byte fields and its own length. */
function markerType(bytes: Buffer, at: number): number {
  const start = at + batchLayout.records;
  varintAt = start;
  varint(bytes); // length of the record
  varintAt += 1; // attributes
  varint(bytes);
  varint(bytes);
  varint(bytes); // length of the key
  return bytes.readInt16BE(varintAt + 2);
}

let varintAt = 0;

/** A zigzag number of up to 32 bits at `varintAt`, which it moves. */
function varint(bytes: Buffer): number {
  let byte = bytes[varintAt++]!;
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let raw = byte & 0x7f;
  let shift = 7;
  do {
    byte = bytes[varintAt++]!;
    raw |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  return (raw >>> 1) ^ -(raw & 1);
}

/** A zigzag number of up to 64 bits; exact as far as numbers are. */
function varlong(bytes: Buffer): number {
  const start = varintAt;
  let byte = bytes[varintAt++]!;
  let raw = byte & 0x7f;
  let scale = 128;
  while (byte >= 0x80) {
    byte = bytes[varintAt++]!;
    raw += (byte & 0x7f) * scale;
    scale *= 128;
  }
  if (raw > Number.MAX_SAFE_INTEGER) return longVarlong(bytes, start);
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}

/** Times that are thousands of years apart. */
function longVarlong(bytes: Buffer, start: number): number {
  let raw = 0n;
  for (let index = start; index < varintAt; index++) raw |= BigInt(bytes[index]! & 0x7f) << BigInt((index - start) * 7);
  return Number((raw >> 1n) ^ -(raw & 1n));
}

function decodeRecords(batch: Buffer, position: number, into: LogRecord[]): void {
  const baseOffset = int64At(batch, 0);
  const attributes = batch.readInt16BE(batchLayout.attributes);
  const appended = (attributes & logAppendTimeBit) !== 0 ? int64At(batch, batchLayout.maxTimestamp) : null;
  const baseTimestamp = int64At(batch, batchLayout.baseTimestamp);
  const count = batch.readInt32BE(batchLayout.recordCount);
  const codec = attributes & compressionBits;
  const bytes = codec === 0 ? batch : decompress(codec, batch.subarray(batchLayout.records));
  varintAt = codec === 0 ? batchLayout.records : 0;
  for (let index = 0; index < count; index++) {
    const length = varint(bytes);
    const end = varintAt + length;
    varintAt += 1;
    const timestampMs = baseTimestamp + varlong(bytes);
    const offset = baseOffset + varint(bytes);
    if (offset >= position) {
      const key = slice(bytes);
      const value = slice(bytes);
      const headers = varint(bytes);
      into.push({ offset, timestampMs: appended ?? timestampMs, key, value, headers: headers === 0 ? null : headersOf(bytes, headers) });
    }
    varintAt = end;
  }
  if (varintAt > bytes.length) throw new DamagedBatch(`the record batch at offset ${baseOffset} ends before its records do`);
}

function slice(bytes: Buffer): Buffer | null {
  const length = varint(bytes);
  if (length < 0) return null;
  const start = varintAt;
  varintAt += length;
  return bytes.subarray(start, varintAt);
}

const nothing = new Uint8Array(0);

function headersOf(bytes: Buffer, count: number): readonly LogHeader[] {
  const headers: LogHeader[] = [];
  for (let index = 0; index < count; index++) {
    const length = varint(bytes);
    const key = bytes.toString('utf8', varintAt, varintAt + length);
    varintAt += length;
    headers.push({ key, value: slice(bytes) ?? nothing });
  }
  return headers;
}

import { crc32c } from '@platformatic/kafka';
import type { LogHeader, OutboundRecord } from '../../log.ts';
import { batchLayout, beforeLength } from './record-batches.ts';

/** Who sends: what the broker recognises repeated batches and fenced producers by. */
export interface BatchWriter {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
  readonly transactional: boolean;
}

/** At most so much beside key, value and headers: length, attributes, time, offset, lengths of key and value, count of headers. */
const recordOverheadBytes = 5 + 1 + 10 + 5 + 5 + 5 + 5;
const shortCopyBytes = 24;

let out = Buffer.allocUnsafe(64 * 1024);
let at = 0;

/** Bytes that a record takes in a batch, at most. */
export function recordBytes({ key, value, headers }: OutboundRecord): number {
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0);
  if (headers !== undefined && headers !== null) for (const header of headers) bytes += 10 + header.key.length * 3 + header.value.length;
  return bytes;
}

/** One record batch (format 2, not compressed) of these records, in this order; `bytesMax` is the sum of their `recordBytes`. */
export function encodeBatch(records: readonly OutboundRecord[], bytesMax: number, { producerId, epoch, sequence, transactional }: BatchWriter): Buffer {
  if (out.length < bytesMax + batchLayout.records) out = Buffer.allocUnsafe((bytesMax + batchLayout.records) * 2);
  const baseTimestamp = records[0]!.timestampMs;
  let maxTimestamp = baseTimestamp;
  at = batchLayout.records;
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    if (record.timestampMs > maxTimestamp) maxTimestamp = record.timestampMs;
    encodeRecord(record, index, record.timestampMs - baseTimestamp);
  }
  const batch = Buffer.allocUnsafeSlow(at);
  out.copy(batch, 0, 0, at);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(at - beforeLength, batchLayout.length);
  batch.writeInt32BE(-1, batchLayout.length + 4);
  batch[batchLayout.magic] = 2;
  batch.writeInt16BE(transactional ? 0x10 : 0, batchLayout.attributes);
  batch.writeInt32BE(records.length - 1, batchLayout.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(baseTimestamp), batchLayout.baseTimestamp);
  batch.writeBigInt64BE(BigInt(maxTimestamp), batchLayout.maxTimestamp);
  batch.writeBigInt64BE(producerId, batchLayout.producerId);
  batch.writeInt16BE(epoch, batchLayout.producerEpoch);
  batch.writeInt32BE(sequence, batchLayout.baseSequence);
  batch.writeInt32BE(records.length, batchLayout.recordCount);
  batch.writeUInt32BE(crc32c(batch.subarray(batchLayout.attributes)), batchLayout.crc);
  return batch;
}

function encodeRecord({ key, value, headers }: OutboundRecord, index: number, timeDelta: number): void {
  // The length comes first: written over a gap of one or two bytes afterwards would mean moving the record, so it is counted before.
  let length = 1 + varlongSize(timeDelta) + varintSize(index) + fieldSize(key) + fieldSize(value);
  const headerCount = headers?.length ?? 0;
  length += varintSize(headerCount);
  const names = headerCount === 0 ? null : headers!.map((header) => Buffer.from(header.key));
  if (names !== null) for (let header = 0; header < headerCount; header++) length += fieldSize(names[header]!) + fieldSize(headers![header]!.value);
  varint(length);
  out[at++] = 0;
  varlong(timeDelta);
  varint(index);
  field(key);
  field(value);
  varint(headerCount);
  if (names !== null) encodeHeaders(names, headers!);
}

function encodeHeaders(names: readonly Buffer[], headers: readonly LogHeader[]): void {
  for (let index = 0; index < names.length; index++) {
    field(names[index]!);
    field(headers[index]!.value);
  }
}

function field(bytes: Uint8Array | null): void {
  if (bytes === null) {
    out[at++] = 1; // zigzag of -1
    return;
  }
  const { length } = bytes;
  varint(length);
  if (length <= shortCopyBytes) for (let index = 0; index < length; index++) out[at + index] = bytes[index]!;
  else out.set(bytes, at);
  at += length;
}

const fieldSize = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length);

function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5;
}

/** Beyond, twice a number is not exact any more: times that are thousands of years apart. */
const longFrom = 2 ** 51;

function varlongSize(value: number): number {
  if (Math.abs(value) >= longFrom) return 8; // 52 to 56 bits
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  let size = 1;
  for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) size += 1;
  return size;
}

function varint(value: number): void {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    out[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  out[at++] = zigzag;
}

function varlong(value: number): void {
  if (Math.abs(value) >= longFrom) {
    longVarlong(BigInt(value));
    return;
  }
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) out[at++] = (zigzag % 128) | 0x80;
  out[at++] = zigzag;
}

function longVarlong(value: bigint): void {
  let zigzag = value < 0n ? -2n * value - 1n : 2n * value;
  for (; zigzag >= 128n; zigzag >>= 7n) out[at++] = Number(zigzag & 0x7fn) | 0x80;
  out[at++] = Number(zigzag);
}

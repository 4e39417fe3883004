import type { LogHeader, OutboundRecord } from '../log/log.ts';
import type { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { bytesText, textBytes } from '../task/cell-bytes.ts';

const HEAD_BYTES = 13;
const HAS_KEY = 1;
const HAS_VALUE = 2;
const HAS_HEADERS = 4;

export interface TopicRow {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers?: readonly LogHeader[] | null;
}

/**
 * A record for a topic as outbox bytes: flags (1 = has key, 2 = has value, 4 = has headers), timestamp (float64 LE), length of
 * the key (uint32 LE), then the headers if there are any (bytes of all, then for each the length and bytes of key and value),
 * key, value. Delivery sends these very bytes; nothing is encoded again.
 */
export function encodeTopicRow({ key, value, timestampMs, headers }: TopicRow, into: RowBuffer): void {
  const withHeaders = headers !== undefined && headers !== null && headers.length > 0;
  into.ensure(HEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0));
  into.bytes[into.length] = (key === null ? 0 : HAS_KEY) | (value === null ? 0 : HAS_VALUE) | (withHeaders ? HAS_HEADERS : 0);
  into.view.setFloat64(into.length + 1, timestampMs, true);
  into.view.setUint32(into.length + 9, key?.length ?? 0, true);
  into.length += HEAD_BYTES;
  if (withHeaders) encodeHeaders(headers, into);
  if (key !== null) into.writeBytes(key);
  if (value !== null) into.writeBytes(value);
}

/** The record as it was encoded; `added` headers come behind its own. */
export function decodeTopicRow(topic: string, row: Buffer, added: readonly LogHeader[] | null): OutboundRecord {
  const flags = row.readUInt8(0);
  const keyAt = (flags & HAS_HEADERS) === 0 ? HEAD_BYTES : HEAD_BYTES + 4 + row.readUInt32LE(HEAD_BYTES);
  const valueAt = keyAt + row.readUInt32LE(9);
  return {
    topic,
    key: (flags & HAS_KEY) === 0 ? null : row.subarray(keyAt, valueAt),
    value: (flags & HAS_VALUE) === 0 ? null : row.subarray(valueAt),
    timestampMs: row.readDoubleLE(1),
    headers: (flags & HAS_HEADERS) === 0 ? added : [...decodeHeaders(row.subarray(HEAD_BYTES + 4, keyAt)), ...added ?? []],
  };
}

function encodeHeaders(headers: readonly LogHeader[], into: RowBuffer): void {
  const at = into.length;
  writeLength(into, 0);
  for (const { key, value } of headers) {
    const name = textBytes(key);
    writeLength(into, name.length);
    into.writeBytes(name);
    writeLength(into, value.length);
    into.writeBytes(value);
  }
  into.view.setUint32(at, into.length - at - 4, true);
}

function writeLength(into: RowBuffer, length: number): void {
  into.ensure(4);
  into.view.setUint32(into.length, length, true);
  into.length += 4;
}

function decodeHeaders(bytes: Buffer): LogHeader[] {
  const headers: LogHeader[] = [];
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 4 + bytes.readUInt32LE(at);
    const valueEnd = nameEnd + 4 + bytes.readUInt32LE(nameEnd);
    headers.push({ key: bytesText(bytes.subarray(at + 4, nameEnd)), value: bytes.subarray(nameEnd + 4, valueEnd) });
    at = valueEnd;
  }
  return headers;
}

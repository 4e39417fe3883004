import type { LogHeader, OutboundRecord } from '../log/log.ts';
import type { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';

/**
 * A record for a topic as outbox bytes: flags (1 = has key, 2 = has value), timestamp (float64 LE), length of the key (uint32
 * LE), key, value. Delivery sends these very bytes; nothing is encoded again.
 */
export function encodeTopicRow(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number, into: RowBuffer): void {
  into.ensure(13 + (key?.length ?? 0) + (value?.length ?? 0));
  into.bytes[into.length] = (key === null ? 0 : 1) | (value === null ? 0 : 2);
  into.view.setFloat64(into.length + 1, timestampMs, true);
  into.view.setUint32(into.length + 9, key?.length ?? 0, true);
  into.length += 13;
  if (key !== null) into.writeBytes(key);
  if (value !== null) into.writeBytes(value);
}

export function decodeTopicRow(topic: string, row: Buffer, headers: readonly LogHeader[] | null): OutboundRecord {
  const flags = row.readUInt8(0);
  const valueAt = 13 + row.readUInt32LE(9);
  return {
    topic,
    key: (flags & 1) === 0 ? null : row.subarray(13, valueAt),
    value: (flags & 2) === 0 ? null : row.subarray(valueAt),
    timestampMs: row.readDoubleLE(1),
    headers,
  };
}

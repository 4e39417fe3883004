import type { LogHeader, OutboundRecord } from '../log/log.ts';

/**
 * A record for a topic as outbox bytes: flags (1 = has key, 2 = has value), timestamp (float64 LE), length of the key (uint32
 * LE), key, value. Delivery sends these very bytes; nothing is encoded again.
 */
export function encodeTopicRow(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number): Uint8Array {
  const row = Buffer.allocUnsafeSlow(13 + (key?.length ?? 0) + (value?.length ?? 0));
  row[0] = (key === null ? 0 : 1) | (value === null ? 0 : 2);
  row.writeDoubleLE(timestampMs, 1);
  row.writeUInt32LE(key?.length ?? 0, 9);
  if (key !== null) row.set(key, 13);
  if (value !== null) row.set(value, 13 + (key?.length ?? 0));
  return row;
}

export function decodeTopicRow(topic: string, bytes: Uint8Array, headers: readonly LogHeader[] | null): OutboundRecord {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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

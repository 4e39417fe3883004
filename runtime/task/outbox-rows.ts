import { assertInvariant } from '../../errors.ts';
import { bytesText, textBytes } from './cell-bytes.ts';

/** One encoded output record. `group` is the table partition of a warehouse row, and empty for a topic. */
export interface OutboxRow {
  readonly group: string;
  readonly bytes: Uint8Array;
}

/**
 * Rows as one value of the store: a count, the group names, then (group index, length, bytes) for each row, all numbers 32-bit
 * little endian. Rows read back are views into the chunk's bytes.
 */
export function encodeRows(rows: readonly OutboxRow[]): Uint8Array {
  const groups: Uint8Array[] = [];
  const indexOf = new Map<string, number>();
  let size = 8;
  for (const row of rows) {
    if (!indexOf.has(row.group)) {
      const name = textBytes(row.group);
      indexOf.set(row.group, groups.length);
      groups.push(name);
      size += 4 + name.length;
    }
    size += 8 + row.bytes.length;
  }
  const chunk = Buffer.allocUnsafeSlow(size);
  let at = chunk.writeUInt32LE(rows.length, 0);
  at = chunk.writeUInt32LE(groups.length, at);
  for (const name of groups) {
    at = chunk.writeUInt32LE(name.length, at);
    chunk.set(name, at);
    at += name.length;
  }
  for (const row of rows) {
    at = chunk.writeUInt32LE(indexOf.get(row.group) as number, at);
    at = chunk.writeUInt32LE(row.bytes.length, at);
    chunk.set(row.bytes, at);
    at += row.bytes.length;
  }
  return chunk;
}

export function decodeRows(chunk: Uint8Array): readonly OutboxRow[] {
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const count = view.readUInt32LE(0);
  const groupCount = view.readUInt32LE(4);
  let at = 8;
  const groups: string[] = [];
  for (let index = 0; index < groupCount; index++) {
    const length = view.readUInt32LE(at);
    groups.push(bytesText(view.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  const rows: OutboxRow[] = [];
  for (let index = 0; index < count; index++) {
    const group = groups[view.readUInt32LE(at)];
    const length = view.readUInt32LE(at + 4);
    assertInvariant(group !== undefined && at + 8 + length <= view.length, 'an outbox chunk is whole');
    rows.push({ group, bytes: view.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return rows;
}

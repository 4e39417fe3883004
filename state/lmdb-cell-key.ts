import { createHash } from 'node:crypto';

/** LMDB's longest key for pages of 4 KB as lmdb builds it is 1,978 bytes; what lies behind these goes into the value. */
const PLAIN_BYTES_MAX = 1_900;
const PREFIX_BYTES = 6;
const HASH_BYTES = 32;
const LONG_BYTES = PREFIX_BYTES + PLAIN_BYTES_MAX + HASH_BYTES;

export interface StoredCell {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Where a store's cells lie: task number (4 bytes), store number (2 bytes), big-endian, so that each is one range. */
export function storePrefix(task: number, store: number): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32BE(task, 0);
  prefix.writeUInt16BE(store, 4);
  return prefix;
}

/** The first key behind all those of a task, or of one of its stores. */
export function endOfTask(task: number): Buffer {
  return storePrefix(task + 1, 0);
}

export function endOfStore(task: number, store: number): Buffer {
  return store === 0xffff ? endOfTask(task) : storePrefix(task, store + 1);
}

export function storeNumberOf(stored: Uint8Array): number {
  return ((stored[4] ?? 0) << 8) | (stored[5] ?? 0);
}

/**
 * The key as LMDB holds it: prefix, then the key's own bytes, so that LMDB's order is key order. A key too long for LMDB is
 * its first 1,900 bytes and a hash of all of it (longer than any plain key, so the two cannot meet); see `storedValue`.
 */
export function storedKey(prefix: Uint8Array, key: Uint8Array): Buffer {
  const plainBytes = Math.min(key.length, PLAIN_BYTES_MAX);
  const stored = Buffer.allocUnsafe(key.length > PLAIN_BYTES_MAX ? LONG_BYTES : PREFIX_BYTES + plainBytes);
  stored.set(prefix, 0);
  stored.set(plainBytes === key.length ? key : key.subarray(0, plainBytes), PREFIX_BYTES);
  if (key.length > PLAIN_BYTES_MAX) stored.set(createHash('sha256').update(key).digest(), PREFIX_BYTES + PLAIN_BYTES_MAX);
  return stored;
}

/** The value as LMDB holds it: for a long key the rest of the key stands in front, with its length in 4 bytes. */
export function storedValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (key.length <= PLAIN_BYTES_MAX) return value;
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(key.length - PLAIN_BYTES_MAX);
  return Buffer.concat([length, key.subarray(PLAIN_BYTES_MAX), value]);
}

export function isLong(stored: Uint8Array): boolean {
  return stored.length === LONG_BYTES;
}

/** Turns round `storedKey` and `storedValue`. */
export function cellOf(stored: Buffer, value: Buffer): StoredCell {
  if (!isLong(stored)) return { key: stored.subarray(PREFIX_BYTES), value };
  const tailEnd = 4 + value.readUInt32BE(0);
  const start = stored.subarray(PREFIX_BYTES, PREFIX_BYTES + PLAIN_BYTES_MAX);
  return { key: Buffer.concat([start, value.subarray(4, tailEnd)]), value: value.subarray(tailEnd) };
}

/** The lowest stored key that a key at or above `from` can have: long keys with one start are in the order of their hashes. */
export function lowerBound(prefix: Uint8Array, from: Uint8Array | undefined): Buffer {
  if (from === undefined) return Buffer.from(prefix);
  return Buffer.concat([prefix, from.subarray(0, PLAIN_BYTES_MAX)]);
}

/** A stored key behind all those that a key below `to` can have. */
export function upperBound(prefix: Uint8Array, to: Uint8Array): Buffer {
  if (to.length <= PLAIN_BYTES_MAX) return Buffer.concat([prefix, to]);
  return Buffer.concat([prefix, to.subarray(0, PLAIN_BYTES_MAX), Buffer.alloc(HASH_BYTES + 1, 0xff)]);
}

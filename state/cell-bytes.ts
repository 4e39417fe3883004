import type { CellRange } from './state-store.ts';

/** Unsigned byte order, shorter first: the order of keys everywhere. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}

/** One character per byte: a key as a Map key. String order is byte order. */
export function bytesToLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Whether a key lies in `[range.from, range.to)` and is one of those that `range.where` wants. */
export function isInRange(key: Uint8Array, range: CellRange): boolean {
  if (range.from !== undefined && Buffer.compare(key, range.from) < 0) return false;
  if (range.to !== undefined && Buffer.compare(key, range.to) >= 0) return false;
  return range.where === undefined || range.where(key);
}

/** The key, when the range can hold that one key only: `to` is `from` and a zero byte. */
export function singleKeyOf(range: CellRange): Uint8Array | undefined {
  const { from, to } = range;
  if (from === undefined || to === undefined || to.length !== from.length + 1 || to[from.length] !== 0) return undefined;
  return Buffer.compare(to.subarray(0, from.length), from) === 0 ? from : undefined;
}

import { compareBytes, isInRange } from './cell-bytes.ts';
import { binary } from './redis-scripts.ts';
import type { Reply } from './redis-scripts.ts';
import type { Cell, CellRange } from './state-store.ts';

/** Buckets of a hash in one page: Redis answers nobody else meanwhile, some 3 ms. */
const SCAN_COUNT_MAX = 5_000;

/** What the next page of a scan looks at: as much as makes about one page of `pageBytes`, and at most four times as much as this one of `bytes`. */
export function nextCount(count: number, bytes: number, pageBytes: number): number {
  return Math.min(SCAN_COUNT_MAX, Math.max(1, Math.floor((pageBytes * count) / Math.max(1, bytes))), count * 4);
}

/** Cells out of a hash's fields and values, as Redis answers them. */
export function pairs(store: string, fields: readonly Reply[]): Cell[] {
  const cells: Cell[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    cells.push({ store, key: binary(fields[index]), value: binary(fields[index + 1]) });
  }
  return cells;
}

/** Cells of a range, in key order. */
export function sorted(cells: readonly Cell[], range: CellRange): readonly Cell[] {
  const found = cells.filter(({ key }) => isInRange(key, range));
  found.sort((left, right) => compareBytes(left.key, right.key));
  return range.limit === undefined ? found : found.slice(0, range.limit);
}

/** The same bytes, as ioredis takes them. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

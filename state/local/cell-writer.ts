import { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeInto } from '../../schemas/encode-into.ts';
import { writeTime } from './time-bytes.ts';

/**
 * What all stores write the keys and values of their cells with, so that the cells of a commit lie in a few large pieces of memory. No two of
 * them write at a time: a cell is written from beginning to end before anything else.
 */
export const cellWriter = new ByteWriter();

/** The key of a cell as its codec writes it. */
export function cellKey<K>(codec: Codec<K>, key: K): Uint8Array {
  if (codec.encodeInto === undefined) return codec.encode(key);
  cellWriter.begin();
  codec.encodeInto(key, cellWriter);
  return cellWriter.take();
}

/** The time, then the key: cells in the order of their times. */
export function timeThenKey<K>(timeMs: number, codec: Codec<K>, key: K): Uint8Array {
  cellWriter.begin();
  writeTime(timeMs, cellWriter);
  encodeInto(codec, key, cellWriter);
  return cellWriter.take();
}

/** The key, then the time: the cells of a key in the order of their times. */
export function keyThenTime<K>(codec: Codec<K>, key: K, timeMs: number): Uint8Array {
  cellWriter.begin();
  encodeInto(codec, key, cellWriter);
  writeTime(timeMs, cellWriter);
  return cellWriter.take();
}

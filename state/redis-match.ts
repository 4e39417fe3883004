import type { CellRange } from './state-store.ts';

/** Bytes that mean something else in a pattern: * ? [ ] \ ^ - */
const special = new Set([...'*?[]\\^-'].map((character) => character.charCodeAt(0)));

/**
 * A pattern for HSCAN that every key of a range matches, by the bytes with which all of them begin; undefined when nothing is common. Redis still
 * walks the whole hash, but only what matches travels.
 */
export function matchOf({ from, to }: CellRange): Buffer | undefined {
  if (from === undefined || to === undefined) return undefined;
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  // [abc, abd) holds only keys that begin with abc.
  const ends = common === to.length - 1 && common < from.length && to[common] === (from[common] ?? 0) + 1;
  const prefix = from.subarray(0, ends ? common + 1 : common);
  if (prefix.length === 0) return undefined;
  const pattern: number[] = [];
  for (const byte of prefix) {
    if (special.has(byte)) pattern.push(0x5c);
    pattern.push(byte);
  }
  pattern.push(0x2a);
  return Buffer.from(pattern);
}

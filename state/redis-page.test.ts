import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cellsOfPage, ScannedKeys } from './redis-page.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';

/** MessagePack as Redis writes it: each text in the shortest form, but never `str 8` where `old`. */
function packed(texts: readonly Buffer[], old: boolean): Buffer {
  const count = texts.length;
  const head = count < 16 ? Buffer.from([0x90 | count]) : count < 65_536 ? Buffer.from([0xdc, count >> 8, count & 0xff])
    : Buffer.from([0xdd, count >>> 24, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]);
  return Buffer.concat([head, ...texts.flatMap((text) => [header(text.length, old), text])]);
}

function header(length: number, old: boolean): Buffer {
  if (length < 32) return Buffer.from([0xa0 | length]);
  if (length < 256 && !old) return Buffer.from([0xd9, length]);
  if (length < 65_536) return Buffer.from([0xda, length >> 8, length & 0xff]);
  return Buffer.from([0xdb, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]);
}

it.each([0, 1, 31, 32, 255, 256, 65_535, 65_536, 1_000_000])('reads texts of %i bytes in every form that Redis gives them', (length) => {
  for (const old of [false, true]) {
    const value = Buffer.alloc(length, 0xda);
    const cells = cellsOfPage('s', packed([Buffer.from('k'), value], old));
    expect(cells.map(({ store, key, value: read }) => [store, `${Buffer.from(key)}`, value.equals(read ?? Buffer.from('none'))])).toEqual([['s', 'k', true]]);
  }
});

it.each([0, 7, 8, 40_000])('reads pages of %i cells', (cells) => {
  const texts = Array.from({ length: 2 * cells }, (_, index) => Buffer.from(`${index}`));
  expect(cellsOfPage('s', packed(texts, false)).map(({ key, value }) => [`${Buffer.from(key)}`, `${Buffer.from(value ?? [])}`]))
    .toEqual(Array.from({ length: cells }, (_, index) => [`${2 * index}`, `${2 * index + 1}`]));
});

it('knows which keys have come, as a set of them does', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 2, max: 5 })), (keys) => {
    const scanned = new ScannedKeys();
    const known = new Set<string>();
    for (const key of keys) {
      const name = key.join();
      expect(scanned.add(key)).toBe(!known.has(name));
      known.add(name);
    }
    expect(scanned.size).toBe(known.size);
  }), propertyRuns());
});

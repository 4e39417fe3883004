import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { float64, json, utf8 } from './builtin-codecs.ts';
import { sameValueHash, valueHash, valueHashBytes } from './value-hash.ts';

it('is the first half of the SHA-256 of the bytes', () => {
  expect(valueHash('abc', utf8)).toEqual(createHash('sha256').update('abc').digest().subarray(0, 16));
  expect(valueHash('', utf8)).toHaveLength(valueHashBytes);
});

it('is the same for the same bytes only', () => {
  expect(sameValueHash(valueHash({ a: 1 }, json()), valueHash({ a: 1 }, json()))).toBe(true);
  expect(sameValueHash(valueHash({ a: 1 }, json()), valueHash({ a: 2 }, json()))).toBe(false);
  expect(sameValueHash(valueHash(1, float64), valueHash(1, json()))).toBe(false);
});

it('tells no value from any', () => {
  expect([sameValueHash(null, null), sameValueHash(null, valueHash('', utf8)), sameValueHash(valueHash('', utf8), null)]).toEqual([true, false, false]);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { inByteOrder } from './byte-order.ts';
import { keyIdentity } from './key-identity.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const { compare } = keyIdentity(utf8);
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const sorted = (texts: readonly string[]): readonly string[] => inByteOrder([...texts], (text) => text, compare);

it('sorts many numbered keys by their bytes', () => {
  const texts = Array.from({ length: 5_000 }, (_, number) => `station-${(number * 7_919) % 5_000}`);
  expect(sorted(texts)).toEqual(texts.toSorted((left, right) => Buffer.compare(bytesOf(left), bytesOf(right))));
});

it('puts a text before those that it begins, and keeps equal ones in their order', () => {
  const items = Array.from({ length: 300 }, (_, at) => ({ text: at % 3 === 0 ? 'same beginning' : at % 3 === 1 ? 'same beginning\0' : 'same', at }));
  const order = inByteOrder(items.slice(), ({ text }) => text, compare).map(({ at }) => at);
  const thirds = [2, 0, 1].flatMap((rest) => items.map(({ at }) => at).filter((at) => at % 3 === rest));
  expect(order).toEqual(thirds);
});

it('gives any texts in the order of their bytes, few or many, near or far from each other', () => {
  const letter = fc.constantFrom('a', 'b', '\0', '\u007F', '\u0080', '\u00FF');
  const near = fc.string({ unit: letter, maxLength: 14 });
  const any = fc.oneof({ weight: 20, arbitrary: near }, { weight: 1, arbitrary: fc.constantFrom('\u0100', '\uFFFD', '\u{1F600}', 'a\u{1F600}', 'a\uE000') });
  const texts = fc.oneof(
    fc.array(near, { minLength: 100, maxLength: 300, size: 'max' }), fc.array(any, { maxLength: 200, size: 'max' }),
    fc.array(near.map((text) => `beginning ${text}`), { minLength: 128, maxLength: 200, size: 'max' }),
  );
  fc.assert(fc.property(texts, (given) => {
    expect(sorted(given)).toEqual(given.toSorted((left, right) => Buffer.compare(bytesOf(left), bytesOf(right))));
  }), propertyRuns(300));
});

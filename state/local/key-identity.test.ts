import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { compareUtf8, keyIdentity } from './key-identity.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

describe('the order of keys', () => {
  it('puts U+FFFD before an emoji, which UTF-16 order does not', () => {
    expect(['\u{1F600}', '\uFFFD'].toSorted()).toEqual(['\u{1F600}', '\uFFFD']);
    expect(compareUtf8('\uFFFD', '\u{1F600}')).toBeLessThan(0);
  });

  it('is that of UTF-8 bytes for any two texts', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'), maxLength: 4 });
    fc.assert(fc.property(text, text, (left, right) => {
      expect(Math.sign(compareUtf8(left, right))).toBe(Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right))));
    }), propertyRuns(1_000));
  });

  it('is that of encoded bytes for other codecs', () => {
    const identity = keyIdentity(json<number>('number'));
    expect(identity.compare(identity.of(10), identity.of(9))).toBeLessThan(0);
    expect(identity.direct).toBe(false);
  });

  it('takes texts as they are', () => {
    expect(keyIdentity(utf8).of('station-1')).toBe('station-1');
    expect(keyIdentity(utf8).direct).toBe(true);
  });
});

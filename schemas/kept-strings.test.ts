import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedUtf8, utf8 } from './builtin-codecs.ts';

const text = fc.oneof(fc.constantFrom('CP-1', 'CP-2', '', 'Ladesäule', '⚡', '\uFFFD'), fc.string({ unit: 'grapheme', maxLength: 40 })).map((one) => one.toWellFormed());

describe('repeated text', () => {
  it('decodes as utf8 does, however often it came before', () => {
    fc.assert(fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
      const decode = repeatedUtf8();
      for (const one of [...texts, ...texts]) expect(decode(utf8.encode(one))).toBe(one);
    }));
  });

  it('refuses bytes that are not UTF-8 as utf8 does, whatever is kept', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 40 }), (all) => {
      const decode = repeatedUtf8();
      const outcome = (read: (bytes: Uint8Array) => string, bytes: Uint8Array): string => {
        try {
          return read(bytes);
        } catch (error) {
          return `refused: ${String(error)}`;
        }
      };
      for (const bytes of [...all, ...all]) expect(outcome(decode, bytes)).toBe(outcome(utf8.decode, bytes));
    }));
  });
});

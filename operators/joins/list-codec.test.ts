import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { listCodec } from './list-codec.ts';

it('gives back any list, empty values too', () => {
  const codec = listCodec(utf8);
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' })), (values) => {
    expect(codec.decode(codec.encode(values))).toEqual(values);
  }));
  expect(codec.schemaId).toBe('list(utf8)');
});

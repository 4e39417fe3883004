import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { bytes, float64, int64, json, pair, utf8, windowedKey } from './builtin-codecs.ts';
import { composite } from './codec-evolution.ts';
import type { Codec } from './codec.ts';
import { encodeInto } from './encode-into.ts';

const text = fc.string({ unit: 'binary' });
/** As a user's codec is: without `encodeInto`, and around a part that it writes by `encode`. */
const reversed = composite<string, [Codec<string>]>('reversed', [utf8], ([part]) => ({
  encode: (value) => Buffer.from(part.encode(value)).reverse(),
  decode: (encoded) => part.decode(Buffer.from(encoded).reverse()),
}));
const nested = composite<readonly [string, number], [Codec<readonly [string, number]>]>('nested', [pair(utf8, int64)], ([part]) => ({
  encodeInto: (value, writer) => writer.bytes(part.encode(value)),
  decode: (encoded) => part.decode(encoded),
}));

const cases: fc.Arbitrary<readonly [Codec<unknown>, unknown, Buffer]> = fc.oneof(
  text.map((value) => [utf8, value, Buffer.from(value)] as const),
  fc.jsonValue().map((value) => [json(), value, Buffer.from(JSON.stringify(value))] as const),
  fc.double().map((value) => [float64, value, Buffer.from(new Float64Array([value]).buffer)] as const),
  fc.maxSafeInteger().map((value) => [int64, value, ordered(value)] as const),
  fc.tuple(text, fc.uint8Array()).map(([left, right]) => [pair(utf8, bytes), [left, right], Buffer.concat([withLength(Buffer.from(left)), right])] as const),
  fc.tuple(text, text).map(([left, right]) => [pair(reversed, utf8), [left, right], Buffer.concat([withLength(Buffer.from(left).reverse()), Buffer.from(right)])] as const),
  fc.tuple(text, fc.maxSafeInteger()).map((value) => [nested, value, Buffer.concat([withLength(Buffer.from(value[0])), ordered(value[1])])] as const),
  fc.tuple(text, fc.maxSafeInteger(), fc.maxSafeInteger())
    .map(([key, startMs, endMs]) => [windowedKey(utf8), { key, startMs, endMs }, Buffer.concat([Buffer.from(key), ordered(startMs), ordered(endMs)])] as const),
) as fc.Arbitrary<readonly [Codec<unknown>, unknown, Buffer]>;

function ordered(value: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64BE(BigInt(value) + 2n ** 63n);
  return encoded;
}

function withLength(value: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([length, value]);
}

describe('writing into a writer', () => {
  it('gives the bytes that encode gives, which are those of the documented form', () => {
    const writer = new ByteWriter();
    fc.assert(fc.property(fc.array(cases), (all) => {
      const taken = all.map(([codec, value]) => {
        writer.begin();
        encodeInto(codec, value, writer);
        return writer.take();
      });
      all.forEach(([codec, value, wanted], index) => {
        expect(wanted.equals(taken[index] as Buffer)).toBe(true);
        expect(wanted.equals(codec.encode(value))).toBe(true);
      });
    }));
  });

  it('uses an encode that was put in the place of another', () => {
    const shouting: Codec<string> = { ...utf8, encode: (value) => utf8.encode(value.toUpperCase()) };
    expect(pair(shouting, shouting).encode(['a', 'b'])).toEqual(Buffer.from('\0\0\0\u0001AB'));
  });

  it('goes on after a codec that threw', () => {
    const both = pair(utf8, int64);
    expect(() => both.encode(['a', 0.5])).toThrow(/SERIALISATION_FAILED/);
    expect(both.decode(both.encode(['a', 1]))).toEqual(['a', 1]);
  });
});

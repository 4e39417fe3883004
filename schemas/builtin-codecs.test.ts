import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, float64, int64, json, pair, utf8, windowedKey } from './builtin-codecs.ts';
import type { Codec } from './codec.ts';

const text = fc.string({ unit: 'binary' });
const encoded = fc.uint8Array({ maxLength: 40 });

function roundTrip<T>(codec: Codec<T>, value: T): T {
  return codec.decode(Uint8Array.from(codec.encode(value)));
}

describe('built-in codecs', () => {
  it('give back any value they have written', () => {
    fc.assert(fc.property(text, (value) => void expect(roundTrip(utf8, value)).toBe(value)));
    fc.assert(fc.property(fc.double(), (value) => void expect(roundTrip(float64, value)).toBe(value)));
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => void expect(roundTrip(int64, value)).toBe(value)));
    fc.assert(fc.property(fc.jsonValue(), (value) => void expect(JSON.stringify(roundTrip(json(), value))).toBe(JSON.stringify(value))));
    fc.assert(fc.property(encoded, (value) => void expect(roundTrip(bytes, value)).toEqual(value)));
  });

  it('give pairs and windowed keys back, whatever their parts hold', () => {
    const both = pair(utf8, pair(int64, bytes));
    fc.assert(
      fc.property(text, fc.maxSafeInteger(), encoded, (a, b, c) => {
        expect(roundTrip(both, [a, [b, c]])).toEqual([a, [b, Buffer.from(c)]]);
      }),
    );
    const windowed = windowedKey(utf8);
    fc.assert(
      fc.property(text, fc.maxSafeInteger(), fc.maxSafeInteger(), (key, startMs, endMs) => {
        expect(roundTrip(windowed, { key, startMs, endMs })).toEqual({ key, startMs, endMs });
      }),
    );
  });

  it('keep the order of numbers in the bytes of int64', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
        expect(Buffer.compare(int64.encode(a), int64.encode(b))).toBe(Math.sign(a - b) + 0);
      }),
    );
  });

  it('keep the windows of one key in the order of their starts', () => {
    const windowed = windowedKey(utf8);
    fc.assert(
      fc.property(text, fc.maxSafeInteger(), fc.maxSafeInteger(), (key, a, b) => {
        const [first, second] = [a, b].map((startMs) => windowed.encode({ key, startMs, endMs: 0 }));
        expect(Buffer.compare(first as Uint8Array, second as Uint8Array)).toBe(Math.sign(a - b) + 0);
      }),
    );
  });

  it('write a string key as plain UTF-8, as Kafka does', () => {
    expect(utf8.encode('Zürich')).toEqual(Buffer.from('5ac3bc72696368', 'hex'));
  });

  it('keep a replacement character and a byte order mark that were really there', () => {
    expect(roundTrip(utf8, '\uFEFFa\uFFFD')).toBe('\uFEFFa\uFFFD');
  });

  it('never throw anything but DESERIALISATION_FAILED for strange bytes', () => {
    const codecs: readonly Codec<unknown>[] = [utf8, float64, int64, json(), pair(utf8, int64) as Codec<unknown>, windowedKey(utf8) as Codec<unknown>];
    fc.assert(
      fc.property(fc.constantFrom(...codecs), encoded, (codec, strange) => {
        try {
          codec.decode(strange);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DESERIALISATION_FAILED' });
        }
      }),
    );
    expect(() => utf8.decode(Uint8Array.of(0xff))).toThrow(/DESERIALISATION_FAILED: text is not valid UTF-8/);
    expect(() => json('total').decode(Buffer.from('{"a":'))).toThrow(/JSON cannot be parsed/);
    expect(() => int64.decode(Buffer.alloc(7))).toThrow(/wanted: 8 bytes\n {2}got: 7 bytes, 0{14}/);
  });

  it('refuse values that have no bytes', () => {
    expect(() => int64.encode(0.5)).toThrow(/SERIALISATION_FAILED/);
    expect(() => int64.encode(2 ** 53)).toThrow(/SERIALISATION_FAILED/);
    expect(() => json<unknown>('total').encode(undefined)).toThrow(/SERIALISATION_FAILED/);
  });

  it('name their form, so that state of another form is noticed', () => {
    expect(pair(utf8, windowedKey(int64)).schemaId).toBe('pair(utf8,windowed(int64))');
    expect(json('total').schemaId).toBe('json:total');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../schemas/byte-writer.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { CompactReader, writeNumber, writeText, writeWhole } from './compact-numbers.ts';

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.begin();
  write(writer);
  return writer.take();
}

describe('compact numbers', () => {
  it('come back as they were: whole ones, others, texts and nothing', () => {
    const whole = fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }));
    const number = fc.oneof(fc.double(), whole, fc.constant(null));
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constant(null));
    fc.assert(fc.property(fc.array(whole, { maxLength: 5 }), fc.array(number, { maxLength: 5 }), fc.array(text, { maxLength: 3 }), (wholes, numbers, texts) => {
      const reader = new CompactReader(written((writer) => {
        for (const value of wholes) writeWhole(writer, value);
        for (const value of numbers) writeNumber(writer, value);
        for (const value of texts) writeText(writer, value);
      }));
      expect(wholes.map(() => reader.whole())).toEqual(wholes.map((value) => value + 0));
      expect(numbers.map(() => reader.number())).toEqual(numbers);
      expect(texts.map(() => reader.text())).toEqual(texts);
      expect(reader.atEnd).toBe(true);
    }), propertyRuns());
  });

  it('take as few bytes as they need', () => {
    expect([0, -64, 63, 64, 300_000, -(2 ** 40)].map((value) => written((writer) => writeWhole(writer, value)).length)).toEqual([1, 1, 1, 2, 3, 6]);
  });

  it('refuse bytes that were cut off', () => {
    for (const bytes of [[], [1], [2, 0, 0], [7]]) expect(() => new CompactReader(new Uint8Array(bytes)).number()).toThrow(/DESERIALISATION_FAILED/);
    expect(() => new CompactReader(new Uint8Array([20, 65])).text()).toThrow(/DESERIALISATION_FAILED/);
  });
});

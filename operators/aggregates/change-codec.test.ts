import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { changeCodec } from './change-codec.ts';

const codec = changeCodec(utf8);
const both = { newValue: 'new', oldValue: 'old', isLatest: true };

describe('changeCodec', () => {
  it('gives back every change with a side', () => {
    const side = fc.option(fc.string());
    fc.assert(fc.property(side, side, (newValue, oldValue) => {
      fc.pre(newValue !== null || oldValue !== null);
      const change = { newValue, oldValue, isLatest: true };
      expect(codec.decode(codec.encode(change))).toEqual(change);
    }), propertyRuns());
  });

  it('tells an empty side from none', () => {
    const change = { newValue: '', oldValue: null, isLatest: true };
    expect(codec.decode(codec.encode(change))).toEqual(change);
  });

  it('refuses bytes that it could not have written', () => {
    const encoded = codec.encode(both);
    for (let end = 0; end < 9; end += 1) expect(() => codec.decode(encoded.subarray(0, end)), `${end}`).toThrow(/DESERIALISATION_FAILED/);
    expect(() => codec.decode(encoded.subarray(0, 11))).toThrow(/cut off/);
    expect(() => codec.decode(Buffer.concat([Buffer.of(4), encoded.subarray(1)]))).toThrow(/no side/);
    expect(() => codec.decode(Buffer.concat([Buffer.of(0), encoded.subarray(1)]))).toThrow(/no side/);
  });

  it('refuses a change that was written with another form of its values', () => {
    expect(() => changeCodec(json('text')).decode(codec.encode(both))).toThrow(/another form/);
    expect(() => changeCodec(bytes).decode(changeCodec(int64).encode({ newValue: 1, oldValue: null, isLatest: true }))).toThrow(/another form/);
  });

  it('stops at a change without any side, which nothing sends', () => {
    expect(() => codec.encode({ newValue: null, oldValue: null, isLatest: true })).toThrow(/has a side/);
  });
});

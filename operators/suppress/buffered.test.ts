import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { bufferedChange, bufferedWindow, windowInOrder } from './buffered.ts';

const time = fc.maxSafeNat();
const value = fc.jsonValue().filter((one) => one !== null);

describe('the codecs of what waits', () => {
  const returns = <T>(codec: Codec<T>, values: fc.Arbitrary<T>): void => {
    fc.assert(fc.property(values, (one) => {
      expect(codec.decode(codec.encode(one))).toEqual(JSON.parse(JSON.stringify(one)));
    }), propertyRuns());
  };

  it('give back changes, with null on either side, and windows', () => {
    returns(bufferedChange(json()), fc.record({ toldValue: fc.option(value), newValue: fc.option(value), timestampMs: time }));
    returns(bufferedWindow(json()), fc.record({ startMs: time, timestampMs: time, value }));
    returns(windowInOrder(utf8), fc.record({ key: fc.string(), startMs: time, endMs: time }));
  });

  it('tell a null from a value without bytes', () => {
    const codec = bufferedChange(utf8);
    const change = { toldValue: null, newValue: '', timestampMs: 3 };
    expect(codec.decode(codec.encode(change))).toEqual(change);
  });

  it('order windows by key bytes, then end, then start', () => {
    const encoded = (key: string, startMs: number, endMs: number): Uint8Array => windowInOrder(utf8).encode({ key, startMs, endMs });
    const inOrder = [encoded('a', 9, 10), encoded('a', 0, 2 ** 40), encoded('a', 1, 2 ** 40), encoded('ab', 0, 1), encoded('b', 0, 0)];
    expect(inOrder.toReversed().sort(Buffer.compare)).toEqual(inOrder);
  });

  it('are named after their parts', () => {
    expect([bufferedChange(utf8), bufferedWindow(int64), windowInOrder(utf8)].map(({ schemaId }) => schemaId))
      .toEqual(['buffered(utf8)', 'buffered-window(int64)', 'window-in-order(utf8)']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroCodec, registered } from './avro-codec.ts';
import { int64, json, pair, utf8 } from './builtin-codecs.ts';
import { composite, decoderOf, describeCodec } from './codec-evolution.ts';
import type { Codec, CodecDescription } from './codec.ts';

const load = (fields: readonly object[]): Codec<Record<string, unknown>> =>
  avroCodec(registered<Record<string, unknown>>({ type: 'record', name: 'Load', namespace: 'test', fields }));
const first = load([{ name: 'wh', type: 'int' }, { name: 'site', type: 'string' }]);
const wider = load([{ name: 'wh', type: 'double' }, { name: 'site', type: 'string' }, { name: 'city', type: ['null', 'string'], default: null }]);
const other = load([{ name: 'wh', type: 'string' }]);

/** As it comes back from the state. */
const kept = (codec: Codec<unknown>): CodecDescription => JSON.parse(JSON.stringify(describeCodec(codec))) as CodecDescription;
const list = <V>(value: Codec<V>): Codec<readonly V[]> => composite<readonly V[], [Codec<V>]>('list', [value], ([part]) => ({
  encode: (values) => json<readonly string[]>().encode(values.map((one) => Buffer.from(part.encode(one)).toString('hex'))),
  decode: (bytes) => json<readonly string[]>().decode(bytes).map((one) => part.decode(Buffer.from(one, 'hex'))),
}));

describe('a codec that reads what another version of it has written', () => {
  it('resolves Avro: new fields by their defaults, removed ones left out, numbers widened', () => {
    const bytes = first.encode({ wh: 7, site: 'harbour' });
    expect(decoderOf(wider, kept(first))(bytes)).toEqual({ wh: 7, site: 'harbour', city: null });
    expect(decoderOf(load([{ name: 'site', type: 'string' }]), kept(first))(bytes)).toEqual({ site: 'harbour' });
    expect(decoderOf(first, kept(first))(bytes)).toEqual({ wh: 7, site: 'harbour' });
  });

  it('does so inside of pairs, lists and other codecs around it', () => {
    const around = (value: Codec<Record<string, unknown>>) => pair(utf8, list(pair(value, int64)));
    const bytes = around(first).encode(['a', [[{ wh: 1, site: 'x' }, 5], [{ wh: 2, site: 'y' }, 6]]]);
    expect(decoderOf(around(wider), kept(around(first)))(bytes)).toEqual(['a', [[{ wh: 1, site: 'x', city: null }, 5], [{ wh: 2, site: 'y', city: null }, 6]]]);
  });

  it('refuses what does not resolve, another codec, and one that has no rule', () => {
    expect(() => decoderOf(other, kept(first))).toThrow(/SCHEMA_INCOMPATIBLE(.|\n)*wanted: test.Load:\w+\n\s+got: test.Load:\w+/);
    expect(() => decoderOf(first, kept(utf8))).toThrow(/not written with an Avro schema/);
    expect(() => decoderOf(utf8, kept(first))).toThrow(/no rule/);
    expect(() => decoderOf(pair(utf8, wider), kept(list(first)))).toThrow(/another codec/);
    expect(() => decoderOf(pair(int64, wider), kept(pair(utf8, first)))).toThrow(/no rule/);
  });

  it('gives with its own description what it gives without', () => {
    const codec = pair(utf8, list(wider));
    const value = fc.tuple(fc.string(), fc.array(fc.record({ wh: fc.integer(), site: fc.string(), city: fc.option(fc.string()) })));
    fc.assert(fc.property(value, (one) => {
      const bytes = codec.encode(one);
      expect(decoderOf(codec, kept(codec))(bytes)).toEqual(codec.decode(bytes));
    }));
  });
});

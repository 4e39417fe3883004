import avsc from 'avsc';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroCodec, registered } from './avro-codec.ts';
import { longMax } from './avro-types.ts';
import type { RegisteredForm } from './codec.ts';
import { chargingEvent } from './generated/charging-event.ts';
import { chargingSession } from './generated/charging-session.ts';
import { deadLetter } from './generated/dead-letter.ts';
import { station } from './generated/station.ts';
import { tariff } from './generated/tariff.ts';
import { vehicle } from './generated/vehicle.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';

const forms: readonly RegisteredForm<unknown>[] = [chargingEvent, station, tariff, vehicle, chargingSession, deadLetter];
const reading = registered<{ readonly at: number; readonly count: number; readonly tags: readonly string[] }>({
  type: 'record',
  name: 'Reading',
  namespace: 'example',
  fields: [
    { name: 'at', type: 'long' },
    { name: 'count', type: 'int' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
});

describe('avroCodec', () => {
  it.each(forms.map((form) => [form.name, form] as const))('gives back any %s, in the bytes that plain avsc writes', (_name, form) => {
    const codec = avroCodec(form);
    const plain = avsc.Type.forSchema(form.schema as avsc.schema.AvroSchema, { wrapUnions: 'never' });
    fc.assert(
      fc.property(arbitraryOf(form.schema), (value) => {
        const encoded = codec.encode(value);
        expect(encoded).toEqual(plain.toBuffer(value));
        expect(codec.decode(Uint8Array.from(encoded))).toEqual(value);
      }),
    );
  });

  it('fills in the defaults of fields that a value leaves out', () => {
    const codec = avroCodec(registered<{ readonly at: number; readonly count: number; readonly powerW: number | null }>({
      type: 'record',
      name: 'Counted',
      namespace: 'example',
      fields: [{ name: 'at', type: 'long' }, { name: 'count', type: 'int', default: 0 }, { name: 'powerW', type: ['null', 'double'], default: null }],
    }));
    const encoded = codec.encode({ at: 60_000 } as Parameters<typeof codec.encode>[0]);
    expect(codec.decode(encoded)).toEqual({ at: 60_000, count: 0, powerW: null });
  });

  it('gives each result memory of its own, also when the buffer has grown', () => {
    const codec = avroCodec(reading);
    const large = { at: 1, count: 1, tags: ['x'.repeat(300_000), 'ü'.repeat(100_000)] };
    const small = { at: 2, count: 2, tags: ['y'] };
    const encoded = [small, large, small].map((value) => codec.encode(value));
    expect(encoded.map((bytes) => codec.decode(bytes))).toEqual([small, large, small]);
  });

  it('carries longs exactly up to 2^52 and refuses what is beyond', () => {
    const codec = avroCodec(reading);
    for (const at of [longMax, -longMax, 2 ** 51 + 1, -(2 ** 51) - 1, -1, 0]) {
      expect(codec.decode(codec.encode({ at, count: 0, tags: [] })).at).toBe(at);
    }
    expect(() => codec.encode({ at: longMax + 1, count: 0, tags: [] })).toThrow(/SERIALISATION_FAILED/);
    const minusTwoTo53 = Buffer.from('ffffffffffffff1f0000', 'hex');
    expect(() => codec.decode(minusTwoTo53)).toThrow(/DESERIALISATION_FAILED[^]*long out of exact range/);
  });

  it('names the field of a value that does not fit', () => {
    const codec = avroCodec(chargingSession as RegisteredForm<unknown>);
    const value = { sessionId: 'x', stationId: 's', startMs: 0, flags: ['ok', 7] };
    expect(() => codec.encode(value)).toThrow(/voltstream\.ChargingSession\n {2}where: field flags\.1\n {2}got: 7 where string is wanted/);
    expect(() => codec.encode(null)).toThrow(/SERIALISATION_FAILED/);
  });

  it('says what is wrong with bytes that do not fit', () => {
    const codec = avroCodec(reading);
    const encoded = codec.encode({ at: 5, count: 3, tags: ['tag'] });
    expect(() => codec.decode(encoded.subarray(0, 3))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => codec.decode(Buffer.concat([encoded, Buffer.alloc(1)]))).toThrow(/there are bytes behind a example\.Reading/);
    expect(() => codec.decode(Buffer.from('0afeffffff1f00', 'hex'))).toThrow(/int out of range/);
  });

  it('refuses a count of items that the bytes cannot hold, at once', () => {
    const codec = avroCodec(reading);
    expect(() => codec.decode(Buffer.from('0a06feffffffffff1f00', 'hex'))).toThrow(/items do not fit/);
  });

  it('changes its schema id with the schema, not with its docs', () => {
    const fields = [{ name: 'wh', type: 'double' }];
    const base = { type: 'record', name: 'Total', fields };
    const id = avroCodec(registered(base)).schemaId;
    expect(id).toMatch(/^Total:[0-9a-f]{16}$/);
    expect(avroCodec(registered({ ...base, doc: 'other words' })).schemaId).toBe(id);
    expect(avroCodec(registered({ ...base, fields: [...fields, { name: 'n', type: 'int' }] })).schemaId).not.toBe(id);
  });

  it('refuses schemas that are no Avro or whose unions cannot be told apart', () => {
    expect(() => avroCodec(registered({ type: 'record', name: 'Bad', fields: [{ name: 'x', type: 'number' }] }))).toThrow(/SCHEMA_INVALID/);
    expect(() => avroCodec(registered({ type: 'record', name: 'Bad', fields: [{ name: 'x', type: ['int', 'double'] }] }))).toThrow(/ambiguous/);
    expect(() => registered({ type: 'string' })).toThrow(/SCHEMA_INVALID/);
  });
});

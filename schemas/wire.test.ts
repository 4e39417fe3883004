import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { registered } from './avro-codec.ts';
import { utf8 } from './builtin-codecs.ts';
import { SchemaNotLoaded } from './codec.ts';
import type { RegisteredForm, WireReader } from './codec.ts';
import { chargingEvent } from './generated/charging-event.ts';
import type { ChargingEvent } from './generated/charging-event.ts';
import { chargingSession } from './generated/charging-session.ts';
import { station } from './generated/station.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';
import { wireReader, wireWriter } from './wire.ts';

const anyEvent = arbitraryOf(chargingEvent.schema) as fc.Arbitrary<ChargingEvent>;

function record(name: string, fields: readonly object[]): RegisteredForm<Record<string, unknown>> {
  return registered({ type: 'record', name, namespace: 'example', fields });
}

/** A reader that has loaded schema 7 as written by `writer`. */
async function loaded<T>(reader: RegisteredForm<T>, writer: RegisteredForm<unknown>): Promise<WireReader<T>> {
  const wire = wireReader(reader, (schemaId) => Promise.resolve(schemaId === 7 ? JSON.stringify(writer.schema) : null));
  await wire.load(7);
  return wire;
}

/** What `reader` makes of a value that was written with another schema. */
async function through(writer: RegisteredForm<Record<string, unknown>>, reader: RegisteredForm<unknown>, value: Record<string, unknown>): Promise<unknown> {
  const wire = await loaded(reader, writer);
  return wire.decode(wireWriter(writer, 7).encode(value));
}

/** Decodes, and fails on anything but a value or DESERIALISATION_FAILED. True when there was a value. */
function valueOrMalformed(wire: WireReader<unknown>, bytes: Uint8Array): boolean {
  try {
    wire.decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof SchemaNotLoaded) return false; // The id itself was hit.
    expect(error).toBeInstanceOf(VoltstreamError);
    expect(error).toMatchObject({ code: 'DESERIALISATION_FAILED' });
    return false;
  }
}

describe('the wire format', () => {
  it('is a zero byte, the schema id big endian and the Avro body', () => {
    const form = record('Reading', [{ name: 'wh', type: 'int' }]);
    expect(Buffer.from(wireWriter(form, 0x01020304).encode({ wh: 3 })).toString('hex')).toBe('000102030406');
  });

  it('gives back any charging event, also from bytes in the middle of other bytes', async () => {
    const wire = await loaded(chargingEvent, chargingEvent);
    const writer = wireWriter(chargingEvent, 7);
    fc.assert(
      fc.property(anyEvent, (event) => {
        const padded = Buffer.concat([Buffer.from('xx'), writer.encode(event), Buffer.from('yy')]);
        expect(wire.decode(new Uint8Array(padded.buffer, padded.byteOffset + 2, padded.length - 4))).toEqual(event);
      }),
    );
  });

  it('asks for a schema it has not met, once, and then decodes without waiting', async () => {
    let asked = 0;
    const wire = wireReader(chargingEvent, () => Promise.resolve(asked++ === 0 ? JSON.stringify(chargingEvent.schema) : null));
    const [event] = fc.sample(anyEvent, 1) as [ChargingEvent];
    const bytes = wireWriter(chargingEvent, 9).encode(event);
    expect(() => wire.decode(bytes)).toThrow(SchemaNotLoaded);
    await wire.load(9);
    await wire.load(9);
    expect(wire.decode(bytes)).toEqual(event);
    expect(asked).toBe(1);
  });

  it('says SCHEMA_UNKNOWN for an id the registry does not know, and passes an outage on as it is', async () => {
    const unknown = wireReader(chargingEvent, () => Promise.resolve(null));
    await expect(unknown.load(4)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    const outage = new Error('connection refused');
    await expect(wireReader(chargingEvent, () => Promise.reject(outage)).load(4)).rejects.toBe(outage);
  });

  it('passes bytes of a codec form through, and turns what the codec throws into DESERIALISATION_FAILED', async () => {
    const wire = wireReader(utf8, () => Promise.resolve(null));
    await wire.load(1);
    expect(wire.decode(Buffer.from('key'))).toBe('key');
    const broken = { ...utf8, decode: () => { throw new RangeError('no'); } };
    expect(() => wireReader(broken, () => Promise.resolve(null)).decode(Buffer.from('key'))).toThrow(/DESERIALISATION_FAILED/);
  });
});

describe('writer to reader resolution', () => {
  const base = { name: 'a', type: 'string' };

  it('gives an added field its default', async () => {
    const reader = record('R', [base, { name: 'b', type: ['null', 'string'], default: null }, { name: 'c', type: 'int', default: 1 }]);
    expect(await through(record('R', [base]), reader, { a: 'x' })).toEqual({ a: 'x', b: null, c: 1 });
  });

  it('skips a removed field of any type', async () => {
    const gone = [
      { name: 'n', type: 'int' },
      { name: 'tags', type: { type: 'array', items: 'string' } },
      { name: 'by', type: { type: 'map', values: 'double' } },
      { name: 'maybe', type: ['null', 'bytes'] },
    ];
    const value = { n: 1, tags: ['p', 'q'], by: { k: 0.5 }, maybe: Buffer.from('z'), a: 'x' };
    expect(await through(record('R', [...gone, base]), record('R', [base]), value)).toEqual({ a: 'x' });
  });

  it('promotes int to long and double, and a value to a nullable one', async () => {
    const writer = record('R', [{ name: 'l', type: 'int' }, { name: 'd', type: 'int' }, { name: 'u', type: 'int' }]);
    const reader = record('R', [{ name: 'l', type: 'long' }, { name: 'd', type: 'double' }, { name: 'u', type: ['null', 'long'] }]);
    expect(await through(writer, reader, { l: -5, d: 7, u: 9 })).toEqual({ l: -5, d: 7, u: 9 });
  });

  it('follows an alias of a renamed field', async () => {
    const reader = record('R', [{ name: 'renamed', type: 'string', aliases: ['a'] }]);
    expect(await through(record('R', [base]), reader, { a: 'x' })).toEqual({ renamed: 'x' });
  });

  it('reads schemas of other producers whose unions could not be told apart here', async () => {
    const writerSchema = { type: 'record', name: 'R', namespace: 'example', fields: [base, { name: 'v', type: ['int', 'double'] }] };
    const wire = wireReader(record('R', [base]), () => Promise.resolve(JSON.stringify(writerSchema)));
    await wire.load(7);
    expect(wire.decode(Buffer.from('0000000007027800' + '06', 'hex'))).toEqual({ a: 'x' });
  });

  it('sets records aside whose schema can never be read as the form, each time with the reason', async () => {
    const wire = await loaded(record('R', [{ name: 'a', type: 'int' }]), record('R', [base]));
    const bytes = wireWriter(record('R', [base]), 7).encode({ a: 'x' });
    for (let time = 0; time < 2; time++) {
      expect(() => wire.decode(bytes)).toThrow(/DESERIALISATION_FAILED: what was written with schema 7 cannot be read as example\.R/);
    }
    const notAvro = wireReader(chargingEvent, () => Promise.resolve('syntax = "proto3";'));
    await notAvro.load(7);
    expect(() => notAvro.decode(bytes)).toThrow(/DESERIALISATION_FAILED/);
  });
});

describe('malformed bytes', () => {
  it.each([chargingEvent, chargingSession, station] as readonly RegisteredForm<unknown>[])(
    'no prefix of a valid record is read as a value, and one more byte neither ($name)',
    async (form) => {
      const wire = await loaded(form, form);
      const writer = wireWriter(form, 7);
      fc.assert(
        fc.property(arbitraryOf(form.schema), (value) => {
          const bytes = writer.encode(value);
          for (let length = 0; length < bytes.length; length++) expect(valueOrMalformed(wire, bytes.subarray(0, length))).toBe(false);
          expect(valueOrMalformed(wire, Buffer.concat([bytes, Buffer.alloc(1)]))).toBe(false);
        }),
        { numRuns: 30 },
      );
    },
  );

  it.each([chargingEvent, chargingSession, station] as readonly RegisteredForm<unknown>[])(
    'flipped and random bytes give a value or DESERIALISATION_FAILED, never anything else ($name)',
    async (form) => {
      const wire = await loaded(form, form);
      const writer = wireWriter(form, 7);
      const flips = fc.array(fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(arbitraryOf(form.schema), flips, (value, changes) => {
          const bytes = Buffer.from(writer.encode(value));
          for (const { at, mask } of changes) {
            const position = 5 + (at % Math.max(1, bytes.length - 5));
            bytes[position] = (bytes[position] ?? 0) ^ mask;
          }
          valueOrMalformed(wire, bytes);
        }),
        { numRuns: 500 },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
          valueOrMalformed(wire, Buffer.concat([Buffer.from('0000000007', 'hex'), body]));
        }),
        { numRuns: 500 },
      );
    },
  );

  it('flipped bytes in a field that the reader skips are no danger either', async () => {
    const tags = { name: 'tags', type: { type: 'array', items: { type: 'map', values: 'string' } } };
    const last = { name: 'a', type: 'string' };
    const writerForm = record('R', [tags, last]);
    const wire = await loaded(record('R', [last]), writerForm);
    const bytes = wireWriter(writerForm, 7).encode({ tags: [{ k: 'v' }, {}], a: 'x' });
    for (let position = 5; position < bytes.length; position++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(bytes);
        changed[position] = byte;
        valueOrMalformed(wire, changed);
      }
    }
  });

  it('names the missing zero byte and shows what came', async () => {
    const wire = await loaded(chargingEvent, chargingEvent);
    expect(() => wire.decode(Buffer.from('{"eventId":"e"}'))).toThrow(
      /has no schema id\n {2}wanted: a zero byte and 4 bytes of schema id\n {2}got: 15 bytes, 7b226576656e744964223a226522/,
    );
  });
});

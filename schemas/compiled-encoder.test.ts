import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroCodec, registered } from './avro-codec.ts';
import { avroType } from './avro-types.ts';
import { compileEncoder } from './compiled-encoder.ts';
import type { FastEncode } from './compiled-encoder.ts';
import { chargingEvent } from './generated/charging-event.ts';
import { chargingSession } from './generated/charging-session.ts';
import { station } from './generated/station.ts';
import { tariff } from './generated/tariff.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';

const forms = [chargingEvent, chargingSession, station, tariff] as const;
const room = 65_536;

function compiled(schema: object): FastEncode {
  const encode = compileEncoder(avroType(schema));
  expect(encode).not.toBeNull();
  return encode as FastEncode;
}

describe('a compiled encoder', () => {
  it.each(forms)('writes what avsc writes, behind what stands there ($name)', ({ schema }) => {
    const encode = compiled(schema);
    const type = avroType(schema);
    fc.assert(fc.property(arbitraryOf(schema), (value) => {
      const bytes = Buffer.alloc(room, 'ab');
      const end = encode(value, bytes, 2);
      expect(bytes.toString('latin1', 0, 2)).toBe('ab');
      expect(bytes.subarray(2, end).equals(type.toBuffer(value))).toBe(true);
    }));
  });

  it.each(forms)('declines when there is no room ($name)', ({ schema }) => {
    const encode = compiled(schema);
    const type = avroType(schema);
    fc.assert(fc.property(arbitraryOf(schema), fc.nat(), (value, less) => {
      const whole = type.toBuffer(value);
      const bytes = Buffer.alloc(less % (whole.length + 1));
      expect(encode(value, bytes, 0)).toBe(bytes.length === whole.length ? whole.length : -1);
    }));
  });

  it.each(forms)('writes what avsc writes, or declines, when fields are changed or left out ($name)', ({ schema }) => {
    const encode = compiled(schema);
    const type = avroType(schema);
    const names = (schema as unknown as { readonly fields: readonly { readonly name: string }[] }).fields.map(({ name }) => name);
    const odd = fc.constantFrom(undefined, null, '', 'text', 0, -0, 1.5, 2 ** 40, 2 ** 53, -(2 ** 53), Number.NaN, true, [], {}, [undefined], 7n);
    fc.assert(fc.property(arbitraryOf(schema), fc.constantFrom(...names), odd, (value, name, other) => {
      const changed = { ...(value as object), [name]: other };
      const bytes = Buffer.alloc(room);
      const end = encode(changed, bytes, 0);
      if (end >= 0) expect(bytes.subarray(0, end).equals(type.toBuffer(changed))).toBe(true);
    }), { numRuns: 500 });
  });

  it.each([null, undefined, 5, 'text', () => 5])('declines %s where a record is wanted', (value) => {
    expect(compiled(chargingEvent.schema)(value, Buffer.alloc(room), 0)).toBe(-1);
  });

  it('leaves to avsc what it does not know', () => {
    for (const schema of [
      { type: 'map', values: 'int' }, { type: 'fixed', name: 'F', size: 2 }, 'float', ['null', 'int', 'string'], ['int', 'string'],
      { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] },
    ]) expect(compileEncoder(avroType(schema as object))).toBeNull();
  });

  it('does not stand in the way of defaults, of larger values, and of errors that name the field', () => {
    const form = registered<{ readonly a?: number; readonly text: string }>({
      type: 'record', name: 'Thing', fields: [{ name: 'a', type: 'int', default: 7 }, { name: 'text', type: 'string' }],
    });
    const codec = avroCodec(form);
    expect(codec.decode(codec.encode({ text: 'x' }))).toEqual({ a: 7, text: 'x' });
    const long = 'x'.repeat(200_000);
    expect(codec.decode(codec.encode({ a: 1, text: long }))).toEqual({ a: 1, text: long });
    expect(() => codec.encode({ a: 1.5, text: '' })).toThrow(/SERIALISATION_FAILED[^]*field a/);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroType } from './avro-types.ts';
import { compileDecoder } from './compiled-decoder.ts';
import type { FastDecode } from './compiled-decoder.ts';
import { chargingEvent } from './generated/charging-event.ts';
import { chargingSession } from './generated/charging-session.ts';
import { deadLetter } from './generated/dead-letter.ts';
import { station } from './generated/station.ts';
import { tariff } from './generated/tariff.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';

const forms = [chargingEvent, chargingSession, deadLetter, station, tariff] as const;

function compiled(schema: object): FastDecode {
  const decode = compileDecoder(avroType(schema));
  expect(decode).not.toBeNull();
  return decode as FastDecode;
}

/** What avsc says of the same bytes; undefined when it refuses them or does not end with them. */
function byAvsc(schema: object, bytes: Buffer): unknown {
  try {
    const { value, offset } = avroType(schema).decode(bytes, 0) as { value: unknown; offset: number };
    return offset === bytes.length ? value : undefined;
  } catch {
    return undefined; // Refused: that is the answer here.
  }
}

describe('a compiled decoder', () => {
  it.each(forms)('decodes what avsc has written ($name)', ({ schema }) => {
    const decode = compiled(schema);
    const type = avroType(schema);
    fc.assert(
      fc.property(arbitraryOf(schema), (value) => {
        expect(decode(Buffer.concat([Buffer.from('ab'), type.toBuffer(value)]), 2)).toEqual(value);
      }),
    );
  });

  it.each(forms)('gives what avsc gives, or declines, when bytes are changed ($name)', ({ schema }) => {
    const decode = compiled(schema);
    const type = avroType(schema);
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(arbitraryOf(schema), changes, fc.nat(3), (value, bytesChanged, cut) => {
        const whole = type.toBuffer(value);
        const bytes = Buffer.from(whole.subarray(0, Math.max(0, whole.length - cut)));
        for (const [at, byte] of bytesChanged) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        const value2 = decode(bytes, 0);
        if (value2 !== undefined) expect(value2).toEqual(byAvsc(schema, bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('hands out the same texts when they come again, and the right ones when many share a slot', () => {
    const decode = compiled({ type: 'array', items: 'string' });
    const type = avroType({ type: 'array', items: 'string' });
    const texts = Array.from({ length: 20_000 }, (_, n) => (n % 3 === 0 ? `station-${n % 300}` : n % 3 === 1 ? `event-${n}` : `Zürich-${n % 7}`));
    for (let round = 0; round < 5; round++) expect(decode(type.toBuffer(texts), 0)).toEqual(texts);
  });

  it('does not take broken UTF-8 for the text that replaced it before', () => {
    const decode = compiled({ type: 'record', name: 'R', fields: [{ name: 't', type: 'string' }] });
    const broken = Buffer.from([2, 0xff]);
    const other = Buffer.from([2, 0xfe]);
    for (const bytes of [broken, other, broken]) expect(decode(bytes, 0)).toEqual({ t: '\uFFFD' });
    expect(decode(Buffer.from([2, 0x61]), 0)).toEqual({ t: 'a' });
  });

  it('declines what is unusual, so that avsc decides: padded numbers, blocks with a size, false counts, more bytes', () => {
    const decode = compiled({ type: 'array', items: 'int' });
    expect(decode(Buffer.from([4, 2, 4, 0]), 0)).toEqual([1, 2]);
    expect(decode(Buffer.from([4, 0x82, 0, 4, 0]), 0)).toEqual([1, 2]);
    expect(decode(Buffer.from([3, 4, 2, 4, 0]), 0)).toBeUndefined();
    expect(decode(Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0x1f, 2, 0]), 0)).toBeUndefined();
    expect(decode(Buffer.from([4, 2, 4, 0, 0]), 0)).toBeUndefined();
    expect(decode(Buffer.from([4, 2, 4]), 0)).toBeUndefined();
  });

  it('leaves schemas to avsc that it does not know', () => {
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
    for (const schema of [{ type: 'map', values: 'int' }, { type: 'fixed', name: 'F', size: 2 }, list]) {
      expect(compileDecoder(avroType(schema))).toBeNull();
    }
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { decodeTopicRow, encodeTopicRow } from './topic-row.ts';

const part = fc.option(fc.uint8Array({ maxLength: 300 }));
const headers = fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 5 });

function there(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number, own: Parameters<typeof encodeTopicRow>[0]['headers']): Buffer {
  const buffer = new RowBuffer(1);
  buffer.writeByte(255);
  encodeTopicRow({ key, value, timestampMs, ...(own === undefined ? {} : { headers: own }) }, buffer);
  return Buffer.from(buffer.take()).subarray(1);
}

it('gives a record of a topic back as it went in: null is not empty, headers keep their order, and times every millisecond', () => {
  fc.assert(fc.property(part, part, fc.maxSafeNat(), headers, (key, value, timestampMs, own) => {
    const record = decodeTopicRow('t', there(key, value, timestampMs, own), null);
    expect(record).toEqual({
      topic: 't', timestampMs, headers: own.length === 0 ? null : own.map((header) => ({ key: header.key, value: Buffer.from(header.value) })),
      key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value),
    });
  }), propertyRuns());
});

it('adds the headers of a delivery behind those of the record', () => {
  const own = { key: 'own', value: Buffer.from('1') };
  const added = { key: 'added', value: Buffer.from('2') };
  expect(decodeTopicRow('t', there(null, null, 0, [own]), [added]).headers).toEqual([own, added]);
  expect(decodeTopicRow('t', there(null, null, 0, undefined), [added]).headers).toEqual([added]);
});

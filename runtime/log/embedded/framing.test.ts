import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogRecord } from '../log.ts';
import { batchSummary, decodeBatch, encodeBatch } from './framing.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const header = fc.record({ key: fc.string({ maxLength: 20 }), value: bytes });
const record = fc.record({
  timestampMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.option(fc.array(header, { maxLength: 3 })),
});

it('gives back what was put in, for any records', () => {
  fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), fc.nat(1e9), (records, first) => {
    const framed = encodeBatch(records);
    expect(batchSummary(framed)).toEqual({
      count: records.length,
      timestampMaxMs: Math.max(...records.map((one) => one.timestampMs)),
    });
    const decoded: LogRecord[] = [];
    decodeBatch(framed, first, first, decoded);
    expect(decoded).toEqual(records.map((one, index) => ({
      offset: first + index,
      timestampMs: one.timestampMs,
      key: one.key && Buffer.from(one.key),
      value: one.value && Buffer.from(one.value),
      headers: one.headers === null || one.headers.length === 0 ? null : one.headers.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    })));
  }), { numRuns: 200 });
});

it('starts in the middle of a batch when asked to', () => {
  const records = Array.from({ length: 5 }, (_, index) => ({
    timestampMs: index * 1_000, key: null, value: new Uint8Array([index]),
    headers: [{ key: 'n', value: new Uint8Array([index]) }],
  }));
  const decoded: LogRecord[] = [];
  decodeBatch(encodeBatch(records), 100, 103, decoded);
  expect(decoded.map((one) => [one.offset, one.timestampMs, one.value![0]])).toEqual([[103, 3_000, 3], [104, 4_000, 4]]);
});

it('takes about three bytes a record beyond its key and value', () => {
  const records = Array.from({ length: 1_000 }, (_, index) => ({
    timestampMs: 1_700_000_000_000 + index, key: new Uint8Array(10), value: new Uint8Array(110),
  }));
  expect(encodeBatch(records).length).toBe(24 + 1_000 * 123);
});

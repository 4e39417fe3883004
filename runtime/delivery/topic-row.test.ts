import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import { decodeTopicRow, encodeTopicRow } from './topic-row.ts';

const part = fc.option(fc.uint8Array({ maxLength: 300 }));

it('gives a record of a topic back as it went in: null is not empty, and times keep every millisecond', () => {
  fc.assert(fc.property(part, part, fc.maxSafeNat(), (key, value, timestampMs) => {
    const buffer = new RowBuffer(1);
    buffer.writeByte(255);
    encodeTopicRow(key, value, timestampMs, buffer);
    const row = Buffer.from(buffer.take()).subarray(1);
    const record = decodeTopicRow('t', row, null);
    expect(record).toEqual({
      topic: 't', timestampMs, headers: null,
      key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value),
    });
  }));
});

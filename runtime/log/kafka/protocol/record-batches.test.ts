import { createRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../../schemas/testing/property-runs.ts';
import type { OutboundRecord } from '../../log.ts';
import { DamagedBatch } from './damaged-batch.ts';
import { encodeBatch, recordBytes } from './encode-batch.ts';
import { batchLayout, decodeBatches, positionBehind } from './record-batches.ts';

const text = (value: string): Buffer => Buffer.from(value);

function batch(records: readonly OutboundRecord[], writer: { readonly producerId?: bigint; readonly transactional?: boolean; readonly offset?: number } = {}): Buffer {
  const bytes = encodeBatch(records, records.reduce((sum, record) => sum + recordBytes(record), 0), {
    producerId: writer.producerId ?? 7n, epoch: 3, sequence: 0, transactional: writer.transactional ?? false,
  });
  bytes.writeBigInt64BE(BigInt(writer.offset ?? 0), 0); // the broker writes it
  return bytes;
}

const record = (value: string, timestampMs = 1_700_000_000_000): OutboundRecord => ({ topic: 't', key: null, value: text(value), timestampMs });

/** What a coordinator writes at the end of a transaction: a control record of its own. */
function marker(producerId: bigint, offset: number, committed: boolean): Buffer {
  const key = Buffer.from([0, 0, 0, committed ? 1 : 0]);
  const bytes = batch([{ topic: 't', key, value: Buffer.alloc(6), timestampMs: 1 }], { producerId, transactional: true, offset });
  bytes.writeInt16BE(0x30, batchLayout.attributes);
  return withCheckSum(bytes);
}

function withCheckSum(bytes: Buffer): Buffer {
  let crc = 0xffff_ffff;
  for (const byte of bytes.subarray(batchLayout.attributes)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  bytes.writeUInt32BE((crc ^ 0xffff_ffff) >>> 0, batchLayout.crc);
  return bytes;
}

const values = (bytes: Buffer, position = 0, aborted: Parameters<typeof decodeBatches>[2] = []): (string | undefined)[] =>
  decodeBatches(bytes, position, aborted).map(({ value }) => (value === null ? undefined : Buffer.from(value).toString()));

describe('record batches', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const headers = fc.array(fc.record({ key: fc.string({ unit: 'binary', maxLength: 20 }), value: bytes }), { maxLength: 3 });
  const records = fc.array(fc.record({
    topic: fc.constant('t'), key: fc.option(bytes), value: fc.option(bytes), headers: fc.option(headers),
    timestampMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: -1, max: 8_640_000_000_000_000 })),
  }), { minLength: 1, maxLength: 200 });

  it('give back any records as they were put in', () => {
    fc.assert(fc.property(records, fc.nat({ max: 2 ** 45 }), (sent, offset) => {
      const encoded = batch(sent, { offset });
      const back = decodeBatches(encoded, offset, []);
      expect(back.map((one) => one.offset)).toEqual(sent.map((_, index) => offset + index));
      expect(back.map(({ timestampMs }) => timestampMs)).toEqual(sent.map(({ timestampMs }) => timestampMs));
      for (const [index, { key, value, headers: given }] of sent.entries()) {
        expect(back[index]!.key === null ? null : new Uint8Array(back[index]!.key)).toEqual(key);
        expect(back[index]!.value === null ? null : new Uint8Array(back[index]!.value)).toEqual(value);
        const wanted = given === null || given.length === 0 ? null : given.map((header) => [Buffer.from(header.key).toString(), [...header.value]]);
        expect(back[index]!.headers?.map((header) => [header.key, [...header.value]]) ?? null).toEqual(wanted);
      }
      expect(positionBehind(encoded)).toBe(offset + sent.length);
    }), propertyRuns(300));
  });

  it('are as long as they need be, whatever the checks of a broker say', () => {
    const encoded = batch([record('a'), record('b', 1_700_000_000_001)]);
    expect(encoded.readInt32BE(batchLayout.length)).toBe(encoded.length - 12);
    expect(withCheckSum(Buffer.from(encoded))).toEqual(encoded);
    expect(encoded.readBigInt64BE(batchLayout.maxTimestamp)).toBe(1_700_000_000_001n);
  });

  it('begin in the middle when that is where somebody reads on', () => {
    expect(values(batch([record('a'), record('b'), record('c')], { offset: 10 }), 11)).toEqual(['b', 'c']);
  });

  it('a batch that was cut off by the end of a fetch is left for the next one', () => {
    const two = Buffer.concat([batch([record('a')]), batch([record('b')], { offset: 1 })]);
    expect(values(two.subarray(0, two.length - 1))).toEqual(['a']);
    expect(positionBehind(two.subarray(0, two.length - 1))).toBe(1);
    expect(positionBehind(two.subarray(0, 20))).toBeNull();
  });

  it('a bit that changed on the way is noticed', () => {
    const damaged = batch([record('value')]);
    damaged[damaged.length - 3]! ^= 1;
    expect(() => values(damaged)).toThrow(DamagedBatch);
    const old = batch([record('value')]);
    old[batchLayout.magic] = 1;
    expect(() => values(old)).toThrow(/older than Kafka 0.11/);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('compressed by %s are read', (compression) => {
    const messages = Array.from({ length: 500 }, (_, index) => ({
      topic: 't', partition: 0, key: text(`key-${index}`), value: text(`value-${index}`.repeat(20)), timestamp: 5n, headers: new Map(),
    }));
    const encoded = createRecordsBatch(messages, { compression }).buffer;
    expect(encoded.length).toBeLessThan(40_000);
    expect(values(encoded)).toEqual(messages.map(({ value }) => value.toString()));
  });

  it('that cannot be decompressed are damaged', () => {
    const encoded = Buffer.from(createRecordsBatch([{ topic: 't', partition: 0, key: text('k'), value: text('v'), timestamp: 5n }], { compression: 'gzip' }).buffer);
    encoded[batchLayout.records + 12]! ^= 0xff;
    expect(() => values(withCheckSum(encoded))).toThrow(DamagedBatch);
  });
});

describe('transactions in a partition', () => {
  it('that overlap are dropped or kept each by its own marker', () => {
    const log = Buffer.concat([
      batch([record('a1')], { producerId: 1n, transactional: true, offset: 0 }),
      batch([record('b1')], { producerId: 2n, transactional: true, offset: 1 }),
      batch([record('plain')], { offset: 2 }),
      marker(1n, 3, false),
      batch([record('b2')], { producerId: 2n, transactional: true, offset: 4 }),
      batch([record('a2')], { producerId: 1n, transactional: true, offset: 5 }),
      marker(2n, 6, true),
      marker(1n, 7, true),
    ]);
    expect(values(log, 0, [{ producerId: 1n, firstOffset: 0 }])).toEqual(['b1', 'plain', 'b2', 'a2']);
    expect(positionBehind(log)).toBe(8);
  });

  it('are filtered as a model does that looks at each transaction by itself', () => {
    const step = fc.record({ producer: fc.nat({ max: 2 }), action: fc.constantFrom('send', 'send', 'send', 'commit', 'abort', 'plain' as const) });
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 40 }), (steps, position) => {
      const pieces: Buffer[] = [];
      const open = new Map<number, { first: number; offsets: number[] }>();
      const aborted: { producerId: bigint; firstOffset: number }[] = [];
      const kept: number[] = [];
      let offset = 0;
      const end = (producer: number, committed: boolean): void => {
        const transaction = open.get(producer);
        if (transaction === undefined) return;
        open.delete(producer);
        pieces.push(marker(BigInt(producer), offset++, committed));
        if (committed) kept.push(...transaction.offsets);
        // a broker tells of those that end behind the position
        else if (offset > position) aborted.push({ producerId: BigInt(producer), firstOffset: transaction.first });
      };
      for (const { producer, action } of steps) {
        if (action === 'commit' || action === 'abort') end(producer, action === 'commit');
        else {
          const transactional = action === 'send';
          pieces.push(batch([record(String(offset))], { producerId: transactional ? BigInt(producer) : 99n, transactional, offset }));
          if (!transactional) kept.push(offset);
          else if (open.has(producer)) open.get(producer)!.offsets.push(offset);
          else open.set(producer, { first: offset, offsets: [offset] });
          offset += 1;
        }
      }
      for (const producer of open.keys()) end(producer, false);
      const wanted = kept.filter((one) => one >= position).toSorted((a, b) => a - b);
      // a broker gives whole batches from the one that holds the position
      const given = Buffer.concat(pieces.slice(Math.min(position, pieces.length)));
      expect(decodeBatches(given, position, aborted.toReversed()).map((one) => one.offset)).toEqual(wanted);
    }), propertyRuns(500));
  });
});

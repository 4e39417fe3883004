import { describe, expect, it } from 'vitest';
import type { LogBatch, OutboundRecord } from '../log.ts';
import {
  ContractLog, numbered, numberedValues, readAll, string, text, unique, values, type LogHarness,
} from './contract-log.ts';

/** Topics and what lies in them. */
export function recordContract(name: string, start: () => Promise<LogHarness>): void {
  describe(`log contract, records: ${name}`, () => {
    const contract = new ContractLog(start);

    describe('topics', () => {
      it('says how many partitions a topic has, and null for one that is not there', async () => {
        const topic = await contract.topic(3);
        expect(await contract.log.partitionCount(topic)).toBe(3);
        expect(await contract.log.partitionCount(unique('nowhere'))).toBeNull();
      });

      it('creates what is missing, and refuses another number of partitions', async () => {
        const topic = await contract.topic(2);
        await contract.log.createTopics([{ topic, partitions: 2 }]);
        await expect(contract.log.createTopics([{ topic, partitions: 3 }])).rejects.toMatchObject({ code: 'PARTITIONS_CHANGED' });
      });

      it('refuses to append to a topic that is not there', async () => {
        await expect(contract.append(numbered(unique('nowhere'), 0, 1))).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
      });
    });

    describe('records', () => {
      it('come back in order, partition by partition, with the offsets from 0 on', async () => {
        const topic = await contract.topic(2, (name) => [...numbered(name, 0, 700, 0), ...numbered(name, 700, 1_000, 1)]);
        expect(values(await readAll(contract.log, { topic, partition: 0 }))).toEqual(numberedValues(0, 700));
        const second = await readAll(contract.log, { topic, partition: 1 });
        expect(values(second)).toEqual(numberedValues(700, 1_000));
        expect(second.map((record) => record.offset)).toEqual(Array.from({ length: 300 }, (_, index) => index));
        expect(await contract.log.bounds({ topic, partition: 0 })).toEqual({ start: 0, end: 700 });
      });

      it('keep keys, values, nulls, emptiness, timestamps and headers', async () => {
        const headers = [{ key: 'a', value: text('1') }, { key: 'ü', value: new Uint8Array([0, 255]) }];
        const topic = await contract.topic(1, (name) => [
          { topic: name, partition: 0, key: null, value: text('no key'), timestampMs: 5 },
          { topic: name, partition: 0, key: text('no value'), value: null, timestampMs: 1_700_000_000_123 },
          { topic: name, partition: 0, key: new Uint8Array(0), value: new Uint8Array(0), timestampMs: 7, headers },
        ]);
        const [first, second, third] = await readAll(contract.log, { topic, partition: 0 });
        expect([first!.key, string(first!.value), first!.timestampMs, first!.headers]).toEqual([null, 'no key', 5, null]);
        expect([string(second!.key), second!.value, second!.timestampMs]).toEqual(['no value', null, 1_700_000_000_123]);
        expect([third!.key!.length, third!.value!.length, third!.timestampMs]).toEqual([0, 0, 7]);
        expect(third!.headers!.map(({ key, value }) => [key, [...value]])).toEqual([['a', [49]], ['ü', [0, 255]]]);
      });

      it('stay in the order in which appends were called, without waiting for each other', async () => {
        const topic = await contract.topic(1);
        const producer = await contract.log.producer();
        await Promise.all(Array.from({ length: 20 }, (_, index) => producer.append(numbered(topic, index * 10, index * 10 + 10))));
        await producer.close();
        expect(values(await readAll(contract.log, { topic, partition: 0 }))).toEqual(numberedValues(0, 200));
      });

      it('go to the partition of their key, as Kafka chooses it', async () => {
        const keyed = (topic: string, key: string): OutboundRecord => ({ topic, key: text(key), value: text(key), timestampMs: 1 });
        const topic = await contract.topic(4, (name) => ['21', 'foobar', 'abc'].map((key) => keyed(name, key)));
        // murmur2: 21 = -973932308, foobar = -790332482, abc = 479470107; each & 0x7fffffff, modulo 4
        expect(values(await readAll(contract.log, { topic, partition: -973932308 & 3 }))).toContain('21');
        expect(values(await readAll(contract.log, { topic, partition: -790332482 & 3 }))).toContain('foobar');
        expect(values(await readAll(contract.log, { topic, partition: 479470107 & 3 }))).toContain('abc');
      });

      it('may be as large as the log says', async () => {
        const value = new Uint8Array(contract.harness.valueBytesMax).fill(7);
        const topic = await contract.topic(1, (name) => [{ topic: name, partition: 0, key: null, value, timestampMs: 1 }]);
        const [record] = await readAll(contract.log, { topic, partition: 0 });
        expect(Buffer.compare(record!.value!, value)).toBe(0);
      });
    });

    describe('read', () => {
      it('gives exactly the range asked for', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 500));
        const partition = { topic, partition: 0 };
        expect(values(await readAll(contract.log, partition, 123, 321))).toEqual(numberedValues(123, 321));
        const batches: LogBatch[] = [];
        for await (const batch of contract.log.read(partition, 490, 500)) batches.push(batch);
        expect(batches[0]!.requestedPosition).toBe(490);
        expect(batches.at(-1)).toMatchObject({ nextPosition: 500, endOffset: 500 });
        expect(await readAll(contract.log, partition, 500, 500)).toEqual([]);
      });
    });

    describe('deleteRecords', () => {
      it('moves the start, also into the middle of a batch and to the very end', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 100));
        const partition = { topic, partition: 0 };
        await contract.log.deleteRecords([{ ...partition, offset: 33 }]);
        expect(await contract.log.bounds(partition)).toEqual({ start: 33, end: 100 });
        expect(values(await readAll(contract.log, partition))).toEqual(numberedValues(33, 100));
        await contract.log.deleteRecords([{ ...partition, offset: 100 }]);
        expect(await contract.log.bounds(partition)).toEqual({ start: 100, end: 100 });
        await contract.append(numbered(topic, 100, 103));
        expect((await readAll(contract.log, partition)).map((record) => record.offset)).toEqual([100, 101, 102]);
      });
    });
  });
}

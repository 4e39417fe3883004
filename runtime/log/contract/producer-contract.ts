import { describe, expect, it } from 'vitest';
import type { OrdinalProducerOptions } from '../log.ts';
import {
  ContractLog, numbered, numberedValues, pollUntil, readAll, recordCount, recordsOf, task, unique, values, type LogHarness,
} from './contract-log.ts';

/** Marks and ordinals: what makes appends happen once. */
export function producerContract(name: string, start: () => Promise<LogHarness>): void {
  describe(`log contract, producers: ${name}`, () => {
    const contract = new ContractLog(start);

    describe('marks of writers', () => {
      it('come back as they were stored last, also from another log on the same data', async () => {
        const topic = await contract.topic(1);
        const writer = unique('file');
        const producer = await contract.log.producer();
        expect(await producer.mark(writer)).toBeNull();
        await producer.append(numbered(topic, 0, 10), { writer, position: 'line 10' });
        await producer.append(numbered(topic, 10, 20), { writer, position: 'line 20, "süß"' });
        expect(await producer.mark(writer)).toBe('line 20, "süß"');
        expect(await producer.mark(unique('other'))).toBeNull();
        await producer.close();
        const other = contract.harness.make();
        await other.open();
        const second = await other.producer();
        await expect.poll(() => second.mark(writer), { timeout: 10_000 }).toBe('line 20, "süß"');
        await second.close();
        await other.close();
        expect(values(await readAll(contract.log, { topic, partition: 0 }))).toEqual(numberedValues(0, 20));
      });
    });

    describe('ordinal producer', () => {
      const options = (): OrdinalProducerOptions => ({ application: unique('app'), run: 1, task: 'a_0', sink: 'out' });

      it('has no mark at first, and the last delivered one after', async () => {
        const topic = await contract.topic(1);
        const writer = options();
        const first = contract.log.ordinalProducer(writer);
        expect(await first.open()).toBeNull();
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.deliver(numbered(topic, 5, 8), 8);
        await first.close();
        const second = contract.log.ordinalProducer({ ...writer, run: 2 });
        expect(await second.open()).toEqual({ run: 1, ordinal: 8 });
        await second.close();
        await contract.expectDelivered({ topic, partition: 0 }, numberedValues(0, 8));
      });

      it('delivers the same ordinals once, also after a restart', async () => {
        const topic = await contract.topic(1);
        const writer = options();
        const first = contract.log.ordinalProducer(writer);
        await first.open();
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.close();
        const second = contract.log.ordinalProducer(writer);
        await second.open();
        await second.deliver(numbered(topic, 0, 5), 5);
        await second.deliver(numbered(topic, 5, 7), 7);
        await second.close();
        await contract.expectDelivered({ topic, partition: 0 }, numberedValues(0, 7));
      });

      it('delivers headers as they are: several with one key, and of a record without a key', async () => {
        const topic = await contract.topic(1);
        const producer = contract.log.ordinalProducer(options());
        await producer.open();
        const headers = ['a', '__streams.errors.topic', 'b'].map((key, index) => ({ key, value: Buffer.from([0xff, index]) }));
        const again = { key: 'b', value: Buffer.from('again') };
        await producer.deliver([{ topic, key: null, value: Buffer.from('v'), timestampMs: 7, headers: [...headers, again] }], 0);
        await producer.close();
        await contract.expectDelivered({ topic, partition: 0 }, ['v']);
        const [record] = await readAll(contract.log, { topic, partition: 0 });
        expect([record?.key, record?.timestampMs]).toEqual([null, 7]);
        expect(record?.headers?.map(({ key, value }) => [key, Buffer.from(value).toString('hex')]))
          .toEqual([['a', 'ff00'], ['__streams.errors.topic', 'ff01'], ['b', 'ff02'], ['b', Buffer.from('again').toString('hex')]]);
      });

      it('fences the producer that was opened before it', async () => {
        const topic = await contract.topic(1);
        const writer = options();
        const old = contract.log.ordinalProducer(writer);
        await old.open();
        await old.deliver(numbered(topic, 0, 2), 2);
        const young = contract.log.ordinalProducer(writer);
        expect(await young.open()).toEqual({ run: 1, ordinal: 2 });
        await expect(old.deliver(numbered(topic, 90, 95), 7)).rejects.toMatchObject({ code: 'FENCED' });
        await young.deliver(numbered(topic, 2, 4), 4);
        await Promise.all([old.close(), young.close()]);
        await contract.expectDelivered({ topic, partition: 0 }, numberedValues(0, 4));
      });

      it('lets a consumer come to the end, whatever the log keeps beside the records', async () => {
        const topic = await contract.topic(1);
        const producer = contract.log.ordinalProducer(options());
        await producer.open();
        for (const ordinal of [2, 4, 6]) await producer.deliver(numbered(topic, ordinal - 2, ordinal), ordinal);
        await producer.close();
        await contract.expectDelivered({ topic, partition: 0 }, numberedValues(0, 6));
        await contract.withConsumer([task('only_0', { topic, partition: 0 })], async (consumer) => {
          let next = 0;
          const batches = await pollUntil(consumer, (got) => recordCount(got) >= 6 && got.at(-1)!.nextPosition === got.at(-1)!.endOffset);
          for (const batch of batches) {
            expect(batch.requestedPosition).toBe(next);
            next = batch.nextPosition;
          }
          expect(values(recordsOf(batches))).toEqual(numberedValues(0, 6));
          expect(next).toBe((await contract.log.bounds({ topic, partition: 0 })).end);
        });
      });

      it('keeps the marks of tasks and sinks apart', async () => {
        const topic = await contract.topic(2);
        const writer = options();
        const first = contract.log.ordinalProducer(writer);
        await first.open();
        await first.deliver([...numbered(topic, 0, 2, 0), ...numbered(topic, 0, 2, 1)], 4);
        await first.close();
        for (const other of [{ ...writer, task: 'a_1' }, { ...writer, sink: 'second' }, { ...writer, application: unique('other') }]) {
          const producer = contract.log.ordinalProducer(other);
          expect(await producer.open()).toBeNull();
          await producer.close();
        }
      });
    });
  });
}

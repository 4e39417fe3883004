import { describe, expect, it } from 'vitest';
import type { TaskAssignment } from '../log.ts';
import {
  ContractLog, fromStart, numbered, numberedValues, pollUntil, recordCount, recordsOf, task, unique, values, type LogHarness,
} from './contract-log.ts';

/** Reading as a member of a group. */
export function consumerContract(name: string, start: () => Promise<LogHarness>): void {
  describe(`log contract, consumer: ${name}`, () => {
    const contract = new ContractLog(start);

    describe('consumer', () => {
      it('gives nothing before seek and resume, and everything from there after', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 100));
        const partition = { topic, partition: 0 };
        const consumer = contract.log.consumer({ group: unique('group'), tasks: [task('only_0', partition)] });
        let joined = (): void => undefined;
        const join = new Promise<void>((resolve) => (joined = resolve));
        await consumer.start({ assigned: async () => joined() });
        await join;
        expect(await consumer.poll(50)).toEqual([]);
        consumer.seek(partition, 40);
        expect(await consumer.poll(50)).toEqual([]);
        consumer.resume([partition]);
        const batches = await pollUntil(consumer, (got) => recordCount(got) >= 60);
        expect(values(recordsOf(batches))).toEqual(numberedValues(40, 100));
        expect(batches.at(-1)).toMatchObject({ nextPosition: 100, endOffset: 100 });
        await consumer.stop();
      });

      it('links batches: each was asked for where the one before ended', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 3_000));
        await contract.withConsumer([task('only_0', { topic, partition: 0 })], async (consumer) => {
          let next = 0;
          for (const batch of await pollUntil(consumer, (got) => recordCount(got) >= 3_000)) {
            expect(batch.requestedPosition).toBe(next);
            if (batch.records.length > 0) expect(batch.records[0]!.offset).toBe(next);
            next = batch.nextPosition;
          }
          expect(next).toBe(3_000);
        });
      });

      it('never gives after a seek what was fetched before it', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 2_000));
        const partition = { topic, partition: 0 };
        await contract.withConsumer([task('only_0', partition)], async (consumer) => {
          await pollUntil(consumer, (got) => recordCount(got) > 0);
          for (const position of [1_500, 3, 1_999, 700]) {
            consumer.seek(partition, position);
            const [batch] = await pollUntil(consumer, (got) => got.length > 0);
            expect([batch!.requestedPosition, batch!.records[0]!.offset]).toEqual([position, position]);
          }
        });
      });

      it('gives nothing of a paused partition, and goes on without a gap when it is resumed', async () => {
        const topic = await contract.topic(2, (name) => [...numbered(name, 0, 50, 0), ...numbered(name, 0, 50, 1)]);
        const [first, second] = [{ topic, partition: 0 }, { topic, partition: 1 }];
        await contract.withConsumer([task('a_0', first), task('a_1', second)], async (consumer) => {
          await pollUntil(consumer, (got) => recordCount(got) >= 100);
          consumer.pause([first]);
          await contract.append([...numbered(topic, 50, 60, 0), ...numbered(topic, 50, 60, 1)]);
          const during = await pollUntil(consumer, (got) => recordCount(got) >= 10);
          expect(new Set(during.map((batch) => batch.partition))).toEqual(new Set([1]));
          expect(recordCount(await consumer.poll(100))).toBe(0);
          consumer.resume([first]);
          expect(values(recordsOf(await pollUntil(consumer, (got) => recordCount(got) >= 10)))).toEqual(numberedValues(50, 60));
        });
      });

      it('waits when there is nothing, and wakes up when something is appended', async () => {
        const topic = await contract.topic(1);
        await contract.withConsumer([task('only_0', { topic, partition: 0 })], async (consumer) => {
          expect(recordCount(await consumer.poll(30))).toBe(0);
          const waiting = pollUntil(consumer, (got) => recordCount(got) > 0);
          await contract.append(numbered(topic, 0, 1));
          expect(values(recordsOf(await waiting))).toEqual(['value-0']);
        });
      });

      it('says so once when a position is not in the log', async () => {
        const topic = await contract.topic(1, (name) => numbered(name, 0, 20));
        const partition = { topic, partition: 0 };
        await contract.log.deleteRecords([{ ...partition, offset: 10 }]);
        await contract.withConsumer([task('only_0', partition)], async (consumer) => {
          await expect(pollUntil(consumer, (got) => recordCount(got) > 0)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
          expect(recordCount(await consumer.poll(100))).toBe(0);
          consumer.seek(partition, 10);
          expect(values(recordsOf(await pollUntil(consumer, (got) => recordCount(got) >= 10)))).toEqual(numberedValues(10, 20));
        });
      });

      it('keeps group offsets, and says null where there are none', async () => {
        const topic = await contract.topic(2);
        const partitions = [{ topic, partition: 0 }, { topic, partition: 1 }];
        const tasks = partitions.map((partition) => task(`a_${partition.partition}`, partition));
        const group = unique('group');
        const consumer = contract.log.consumer({ group, tasks });
        await consumer.start(fromStart(consumer));
        await pollUntil(consumer, () => true);
        await consumer.confirmMembership();
        expect(await consumer.committedOffsets(partitions)).toEqual([null, null]);
        await consumer.commitOffsets([{ ...partitions[0]!, offset: 17 }]);
        expect(await consumer.committedOffsets(partitions)).toEqual([17, null]);
        await consumer.stop();
        const again = contract.log.consumer({ group, tasks });
        await again.start(fromStart(again));
        expect(await again.committedOffsets(partitions)).toEqual([17, null]);
        await again.stop();
      });

      it('gives every task to one member', async () => {
        const [left, right] = [await contract.topic(3), await contract.topic(3)];
        const tasks = [0, 1, 2].map((partition) => task(`join_${partition}`, { topic: left, partition }, { topic: right, partition }));
        const seen: (readonly TaskAssignment[])[] = [];
        const consumer = contract.log.consumer({ group: unique('group'), tasks });
        await consumer.start(fromStart(consumer, (got) => seen.push(got)));
        await pollUntil(consumer, () => seen.length > 0);
        expect(seen.at(-1)!.map((one) => one.task).toSorted()).toEqual(['join_0', 'join_1', 'join_2']);
        expect(seen.at(-1)!.every((one) => one.partitions.length === 2)).toBe(true);
        await consumer.stop();
      });
    });
  });
}

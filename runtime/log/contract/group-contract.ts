import { describe, expect, it } from 'vitest';
import type { LogConsumer } from '../log.ts';
import {
  ContractLog, fromStart, numbered, pollUntil, recordCount, recordsOf, string, task, unique, type LogHarness,
} from './contract-log.ts';

/** Only for logs whose groups have several members. */
export function groupContract(name: string, sessionMs: number, start: () => Promise<LogHarness>): void {
  describe(`log contract, groups: ${name}`, () => {
    const contract = new ContractLog(start);

    describe('several members', () => {
      it('share the tasks; when one leaves, the other has them all, and keeps what it had', async () => {
        const topic = await contract.topic(4);
        const tasks = [0, 1, 2, 3].map((partition) => task(`a_${partition}`, { topic, partition }));
        const group = unique('group');
        const held: Record<'left' | 'right', string[]> = { left: [], right: [] };
        const join = async (side: 'left' | 'right'): Promise<LogConsumer> => {
          const consumer = contract.log.consumer({ group, tasks });
          await consumer.start(fromStart(consumer, (got) => (held[side] = got.map((one) => one.task))));
          return consumer;
        };
        const left = await join('left');
        await expect.poll(() => held.left.length, { timeout: 10_000 }).toBe(4);
        const right = await join('right');
        await expect.poll(() => [held.left.length, held.right.length], { timeout: 10_000 }).toEqual([2, 2]);
        expect([...held.left, ...held.right].toSorted()).toEqual(['a_0', 'a_1', 'a_2', 'a_3']);
        const before = held.right;
        await left.stop();
        await expect.poll(() => held.right.length, { timeout: 10_000 }).toBe(4);
        expect(held.right).toEqual(expect.arrayContaining(before));
        await contract.append(tasks.flatMap((_, partition) => numbered(topic, 0, 5, partition)));
        const seen = new Set(recordsOf(await pollUntil(right, (got) => recordCount(got) >= 20)).map((record) => string(record.value)));
        expect(seen.size).toBe(5);
        await right.stop();
      });

      it('a reader that holds back longer than its session keeps its tasks, with a bounded buffer', async () => {
        const value = new Uint8Array(100_000);
        const topic = await contract.topic(1, (name) => Array.from({ length: 100 }, (_, index) => ({ topic: name, partition: 0, key: null, value, timestampMs: index })));
        let joins = 0;
        const consumer = contract.log.consumer({ group: unique('group'), bufferBytesMax: 1_000_000, tasks: [task('a_0', { topic, partition: 0 })] });
        await consumer.start(fromStart(consumer, () => joins++));
        const first = await pollUntil(consumer, (got) => recordCount(got) > 0);
        await new Promise((resolve) => setTimeout(resolve, sessionMs * 1.5));
        const rest = await pollUntil(consumer, (got) => recordCount(got) + recordCount(first) >= 100);
        expect(recordsOf([...first, ...rest]).map((record) => record.offset)).toEqual(Array.from({ length: 100 }, (_, index) => index));
        await consumer.confirmMembership();
        expect(joins).toBe(1);
        await consumer.stop();
      });
    });
  });
}

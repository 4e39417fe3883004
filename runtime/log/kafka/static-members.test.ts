import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { fromStart, pollUntil, task, unique } from '../contract/contract-log.ts';
import type { LogConsumer, TaskAssignment } from '../log.ts';
import { KafkaLog } from './kafka-log.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];

describe.skipIf(address === undefined)('Kafka, processes with a name', () => {
  const logs: KafkaLog[] = [];
  afterAll(() => Promise.all(logs.map((log) => log.close())));

  async function processCalled(instanceId: string): Promise<KafkaLog> {
    const log = new KafkaLog({ brokers: [address ?? ''], application: 'static', sessionTimeoutMs: 20_000, heartbeatMs: 300, instanceId });
    logs.push(log);
    await log.open();
    return log;
  }

  async function groupOf(): Promise<{ readonly join: (log: KafkaLog, seen: (tasks: readonly string[]) => void) => Promise<LogConsumer> }> {
    const topic = unique('static');
    await (await processCalled('maker')).createTopics([{ topic, partitions: 2 }]);
    const tasks = [0, 1].map((partition) => task(`a_${partition}`, { topic, partition }));
    const group = randomUUID();
    return {
      join: async (log, seen) => {
        const consumer = log.consumer({ group, tasks });
        await consumer.start(fromStart(consumer, (got) => seen(got.map((one) => one.task))));
        return consumer;
      },
    };
  }

  it('that restart within their session have their tasks again, and nobody else notices', async () => {
    const { join } = await groupOf();
    const [left, right] = [await processCalled('left'), await processCalled('right')];
    const seen: Record<'left' | 'right', (readonly string[])[]> = { left: [], right: [] };
    const one = await join(left, (tasks) => seen.left.push(tasks));
    const other = await join(right, (tasks) => seen.right.push(tasks));
    await expect.poll(() => [seen.left.at(-1)?.length, seen.right.at(-1)?.length], { timeout: 10_000 }).toEqual([1, 1]);
    const joins = seen.left.length;
    const before = seen.right.at(-1);
    await other.stop();
    const again = await join(await processCalled('right'), (tasks) => seen.right.push(tasks));
    await expect.poll(() => seen.right.at(-1), { timeout: 10_000 }).toEqual(before);
    await one.confirmMembership();
    expect(seen.left.length, 'the other process has joined only once').toBe(joins);
    await Promise.all([one.stop(), again.stop()]);
  }, 30_000);

  it('that come back with another topology have all of its tasks: the group shares out anew', async () => {
    const [before, after] = [unique('static'), unique('static')];
    await (await processCalled('maker')).createTopics([before, after].map((topic) => ({ topic, partitions: 2 })));
    const tasksOf = (name: string, topic: string): TaskAssignment[] => [0, 1].map((partition) => task(`${name}_${partition}`, { topic, partition }));
    const group = randomUUID();
    const seen: (readonly string[])[] = [];
    const join = async (tasks: readonly TaskAssignment[]): Promise<LogConsumer> => {
      const consumer = (await processCalled('alone')).consumer({ group, tasks });
      await consumer.start(fromStart(consumer, (got) => seen.push(got.map((one) => one.task))));
      return consumer;
    };
    const old = await join(tasksOf('a', before));
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toEqual(['a_0', 'a_1']);
    await old.stop();
    const again = await join([...tasksOf('a', before), ...tasksOf('b', after)]);
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toEqual(['a_0', 'a_1', 'b_0', 'b_1']);
    await again.stop();
  }, 30_000);

  it('of which there are two of one name: the earlier one ends with LOG_REFUSED', async () => {
    const { join } = await groupOf();
    const first = await join(await processCalled('same'), () => undefined);
    const second = await join(await processCalled('same'), () => undefined);
    await expect(pollUntil(first, () => false)).rejects.toMatchObject({ code: 'LOG_REFUSED' });
    await second.confirmMembership();
    await Promise.all([first.stop(), second.stop()]);
  }, 40_000);
});

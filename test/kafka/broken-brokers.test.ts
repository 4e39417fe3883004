import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createTopicsV7, deleteTopicsV6 } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromStart, numbered, numberedValues, pollUntil, readAll, recordCount, string, task, unique, values } from '../../runtime/log/contract/contract-log.ts';
import { Cluster } from '../../runtime/log/kafka/cluster.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import type { LogConsumer } from '../../runtime/log/log.ts';
import { KafkaService } from '../services/kafka.ts';

describe.skipIf(process.env['VOLTSTREAM_TEST_KAFKA'] === undefined)('Kafka that breaks', () => {
  const kafka = new KafkaService();
  let log: KafkaLog;
  let cluster: Cluster | null = null;

  beforeAll(async () => {
    await kafka.start();
    const options = { brokers: [kafka.address], application: `broken-${randomUUID()}`, sessionTimeoutMs: 6_000 };
    log = new KafkaLog(options);
    cluster = new Cluster(options);
    await log.open();
    await cluster.refresh([]);
  }, 120_000);
  afterAll(async () => {
    if (cluster !== null) await Promise.all([log.close(), cluster.close()]);
    await kafka.dispose();
  });

  async function newTopic(partitions = 1): Promise<string> {
    const topic = unique('broken');
    await log.createTopics([{ topic, partitions }]);
    return topic;
  }

  async function reading(topic: string): Promise<LogConsumer> {
    const consumer = log.consumer({ group: unique('group'), tasks: [task('a_0', { topic, partition: 0 })] });
    await consumer.start(fromStart(consumer));
    return consumer;
  }

  async function goesAround(how: 'stop' | 'kill'): Promise<void> {
    const topic = await newTopic();
    const writer = { application: unique('app'), run: 1, task: 'a_0', sink: 'out' };
    const plain = await log.producer();
    const exact = log.ordinalProducer(writer);
    await exact.open();
    await plain.append(numbered(topic, 0, 10));
    await exact.deliver(numbered(topic, 10, 20), 10);
    const partition = { topic, partition: 0 };
    const consumer = log.consumer({ group: unique('group'), tasks: [task('a_0', partition)] });
    let position = 0; // as a task keeps it: an outage that is longer than the session ends in a join
    await consumer.start({
      assigned: async () => {
        consumer.seek(partition, position);
        consumer.resume([partition]);
      },
    });
    const read: (string | null)[] = [];
    // Every batch counts, also one without records: the mark of a committed transaction may come by itself.
    const readOn = async (waitMs: number): Promise<void> => {
      for (const { requestedPosition, nextPosition, records } of await consumer.poll(waitMs)) {
        if (requestedPosition !== position) continue;
        position = nextPosition;
        read.push(...values(records));
      }
    };
    const readTo = async (count: number): Promise<void> => {
      for (const untilMs = Date.now() + 30_000; read.length < count && Date.now() < untilMs;) await readOn(100);
      expect(read).toEqual(numberedValues(0, count));
    };
    await readTo(20);
    await kafka[how]();
    const appended = plain.append(numbered(topic, 20, 30)); // nobody is there to take them
    await readOn(300);
    const answers = consumer.answers!();
    await readOn(300);
    expect(read).toEqual(numberedValues(0, 20));
    expect(consumer.answers!(), 'an outage is no answer').toBe(answers);
    await kafka.restart();
    await appended;
    await exact.deliver(numbered(topic, 30, 40), 20).catch(async (error: unknown) => {
      expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE' });
      const again = log.ordinalProducer(writer);
      const mark = await again.open();
      if (mark!.ordinal < 20) await again.deliver(numbered(topic, 30, 40), 20);
      await again.close();
    });
    await readTo(40);
    await consumer.confirmMembership();
    await consumer.commitOffsets([{ topic, partition: 0, offset: 40 }]);
    await Promise.all([consumer.stop(), plain.close(), exact.close()]);
    expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 40));
  }

  it('by a topic that is deleted is TOPIC_MISSING, not a wait for ever', async () => {
    const topic = await newTopic();
    const consumer = await reading(topic);
    await cluster!.onController((connection) => deleteTopicsV6.api.async(connection, [{ name: topic }], 10_000));
    const error: unknown = await pollUntil(consumer, () => false).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TOPIC_MISSING' });
    expect(String(error)).toContain(`topic ${topic} was deleted while it was read`);
    await consumer.stop();
  }, 60_000);

  it('by a topic that is deleted and made anew is TOPIC_MISSING: its offsets mean something else', async () => {
    const topic = await newTopic();
    const consumer = await reading(topic);
    const producer = await log.producer();
    await producer.append(numbered(topic, 0, 5));
    expect(recordCount(await pollUntil(consumer, (got) => recordCount(got) >= 5))).toBe(5);
    await cluster!.onController((connection) => deleteTopicsV6.api.async(connection, [{ name: topic }], 10_000));
    const anew = { name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    await expect.poll(() => cluster!.onController((connection) => createTopicsV7.api.async(connection, [anew], 10_000, false)).then(() => true, () => false), { timeout: 20_000 }).toBe(true);
    const other = await log.producer();
    await other.append(numbered(topic, 100, 120));
    const error: unknown = await pollUntil(consumer, () => false).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TOPIC_MISSING' });
    expect(String(error)).toContain('and made anew');
    await Promise.all([consumer.stop(), producer.close(), other.close()]);
  }, 60_000);

  it('in a storm of rebalances gives every record to somebody, and settles', async () => {
    const topic = await newTopic(4);
    const tasks = [0, 1, 2, 3].map((partition) => task(`a_${partition}`, { topic, partition }));
    const group = unique('storm');
    const positions = [0, 0, 0, 0];
    const seen = new Map<string, number>();
    const running = new Set<{ readonly consumer: LogConsumer; done: boolean; finished: Promise<void> }>();
    const join = async (): Promise<void> => {
      const consumer = log.consumer({ group, tasks });
      const member = { consumer, done: false, finished: Promise.resolve() };
      running.add(member);
      await consumer.start({
        assigned: async (assigned) => {
          for (const { partitions } of assigned) for (const one of partitions) consumer.seek(one, positions[one.partition]!);
          consumer.resume(assigned.flatMap(({ partitions }) => partitions));
        },
      });
      member.finished = (async () => {
        while (!member.done) {
          for (const batch of await consumer.poll(50)) {
            // the store's part: a batch counts only from exactly the position that comes next
            if (batch.requestedPosition !== positions[batch.partition]) continue;
            positions[batch.partition] = batch.nextPosition;
            for (const record of batch.records) seen.set(string(record.value)!, (seen.get(string(record.value)!) ?? 0) + 1);
          }
        }
        await consumer.stop();
      })();
    };
    const leave = async (): Promise<void> => {
      const [member] = running;
      running.delete(member!);
      member!.done = true;
      await member!.finished;
    };
    const producer = await log.producer();
    await join();
    for (let round = 0; round < 12; round++) {
      await producer.append(Array.from({ length: 4 }, (_, partition) => numbered(topic, round * 400 + partition * 100, round * 400 + partition * 100 + 100, partition)).flat());
      if (running.size < 2 || round % 3 !== 0) await join();
      else await leave();
      if (running.size > 3) await leave();
    }
    await expect.poll(() => seen.size, { timeout: 30_000 }).toBe(4_800);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    while (running.size > 0) await leave();
    await producer.close();
  }, 120_000);

  it('reads what a Java producer has compressed by gzip, snappy, lz4 and zstd', async () => {
    const topics = await Promise.all(['gzip', 'snappy', 'lz4', 'zstd'].map(async (compression) => ({ compression, topic: await newTopic() })));
    await kafka.runJava(join(import.meta.dirname, 'CompressedProducer.java'), '2000', ...topics.map(({ compression, topic }) => `${compression}:${topic}`));
    for (const { compression, topic } of topics) {
      const records = await readAll(log, { topic, partition: 0 });
      expect(values(records), compression).toEqual(Array.from({ length: 2_000 }, (_, index) => `value-${index}`.repeat(10)));
      expect(string(records[7]!.headers![0]!.value)).toBe('7');
    }
  }, 60_000);

  it('shows the lag of a group to whoever asks the broker', async () => {
    const topic = await newTopic(2);
    const producer = await log.producer();
    await producer.append([...numbered(topic, 0, 30, 0), ...numbered(topic, 0, 30, 1)]);
    const group = unique('lag');
    const consumer = log.consumer({ group, tasks: [task('a_0', { topic, partition: 0 }), task('a_1', { topic, partition: 1 })] });
    await consumer.start(fromStart(consumer));
    await pollUntil(consumer, (got) => recordCount(got) >= 60);
    await consumer.commitOffsets([{ topic, partition: 0, offset: 30 }, { topic, partition: 1, offset: 12 }]);
    const seen = await kafka.runJava(join(import.meta.dirname, 'GroupLag.java'), group);
    expect(seen.trim().split('\n')).toEqual([`Stable 1 member: ${topic}-0 ${topic}-1`, `${topic}-0 30 of 30`, `${topic}-1 12 of 30`]);
    await Promise.all([consumer.stop(), producer.close()]);
  }, 60_000);

  it('and comes back: what was under way goes on by itself, each record once', () => goesAround('stop'), 90_000);

  it('by kill -9 as well', () => goesAround('kill'), 90_000);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogBatch, LogConsumer, OutboundRecord } from '../log.ts';
import { Cluster } from './cluster.ts';
import { KafkaLog } from './kafka-log.ts';
import type { KafkaLogOptions } from './options.ts';
import { ProducerSession } from './producer-session.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];

describe.skipIf(address === undefined)('Kafka, when something breaks', () => {
  const options: KafkaLogOptions = { brokers: [address ?? ''], application: `crash-${randomUUID()}`, sessionTimeoutMs: 2_000 };
  const log = new KafkaLog(options);
  const cluster = new Cluster(options);
  beforeAll(() => log.open());
  afterAll(() => Promise.all([log.close(), cluster.close()]));

  async function transactional(id: string): Promise<ProducerSession> {
    const session = new ProducerSession(cluster, id);
    await session.open();
    return session;
  }

  const record = (topic: string, value: string): OutboundRecord => ({ topic, partition: 0, key: null, value: Buffer.from(value), timestampMs: 1 });

  async function newTopic(): Promise<string> {
    const topic = `crash-${randomUUID()}`;
    await log.createTopics([{ topic, partitions: 1 }]);
    return topic;
  }

  async function reading(topic: string): Promise<LogConsumer> {
    const consumer = log.consumer({ group: randomUUID(), tasks: [{ task: 'a_0', partitions: [{ topic, partition: 0 }] }] });
    await consumer.start({
      assigned: async () => {
        consumer.seek({ topic, partition: 0 }, 0);
        consumer.resume([{ topic, partition: 0 }]);
      },
    });
    return consumer;
  }

  async function pollTo(consumer: LogConsumer, done: (batches: readonly LogBatch[]) => boolean): Promise<LogBatch[]> {
    const batches: LogBatch[] = [];
    for (const untilMs = Date.now() + 20_000; !done(batches) && Date.now() < untilMs;) batches.push(...(await consumer.poll(100)));
    return batches;
  }

  const texts = (batches: readonly LogBatch[]): string[] => batches.flatMap((batch) => batch.records.map((one) => Buffer.from(one.value!).toString()));
  const atEnd = (batches: readonly LogBatch[]): boolean => batches.length > 0 && batches.at(-1)!.nextPosition === batches.at(-1)!.endOffset;

  it('a delivery cut off before its commit leaves nothing: the mark is the old one, readers see the second attempt only', async () => {
    const topic = await newTopic();
    const writer = { application: options.application, run: 1, task: 'a_0', sink: topic };
    const first = log.ordinalProducer(writer);
    await first.open();
    await first.deliver([record(topic, 'one')], 1);
    await first.close();
    const killed = await transactional(`${options.application}-outbox-a_0-${topic}`);
    await killed.send([record(topic, 'two, cut off')]);
    const second = log.ordinalProducer(writer);
    expect(await second.open()).toEqual({ run: 1, ordinal: 1 });
    await second.deliver([record(topic, 'two')], 2);
    await Promise.all([second.close(), killed.close()]);
    const consumer = await reading(topic);
    expect(texts(await pollTo(consumer, (got) => texts(got).includes('two') && atEnd(got)))).toEqual(['one', 'two']);
    await consumer.stop();
  });

  it('a partition that ends in aborted records is read to its end', async () => {
    const topic = await newTopic();
    const producer = await transactional(randomUUID());
    await producer.send([record(topic, 'kept')]);
    await producer.commit();
    await producer.send([record(topic, 'dropped')]);
    await producer.abort();
    await producer.close();
    const consumer = await reading(topic);
    const batches = await pollTo(consumer, (got) => atEnd(got) && got.at(-1)!.nextPosition === 4);
    expect(texts(batches)).toEqual(['kept']);
    expect(batches.at(-1)!.nextPosition).toBe(4);
    await consumer.stop();
  });

  it('a member that the group has thrown out joins again and reads on', async () => {
    const topic = await newTopic();
    const group = randomUUID();
    const consumer = log.consumer({ group, tasks: [{ task: 'a_0', partitions: [{ topic, partition: 0 }] }] });
    let joins = 0;
    await consumer.start({
      assigned: async () => {
        joins += 1;
        consumer.seek({ topic, partition: 0 }, 0);
        consumer.resume([{ topic, partition: 0 }]);
      },
    });
    const producer = await log.producer();
    await producer.append([record(topic, 'before')]);
    expect(texts(await pollTo(consumer, (got) => texts(got).length > 0))).toEqual(['before']);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000); // as if stopped for longer than the session
    await producer.append([record(topic, 'after')]);
    expect(texts(await pollTo(consumer, (got) => texts(got).includes('after')))).toContain('after');
    await consumer.confirmMembership();
    await expect.poll(() => joins, { timeout: 10_000 }).toBe(2);
    await Promise.all([producer.close(), consumer.stop()]);
  });
});

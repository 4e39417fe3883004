import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromStart, pollUntil, readAll, recordsOf, string, task, unique } from '../contract/contract-log.ts';
import type { OutboundRecord } from '../log.ts';
import { Cluster } from './cluster.ts';
import { leftOutHeader } from './fitting-letters.ts';
import { KafkaLog } from './kafka-log.ts';
import { ProducerSession } from './producer-session.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];

describe.skipIf(address === undefined)('Kafka, transactions', () => {
  const options = { brokers: [address ?? ''], application: `transactions-${randomUUID()}`, sessionTimeoutMs: 2_000 };
  const log = new KafkaLog(options);
  const cluster = new Cluster(options);
  beforeAll(() => log.open());
  afterAll(() => Promise.all([log.close(), cluster.close()]));

  const record = (topic: string, value: string): OutboundRecord => ({ topic, partition: 0, key: null, value: Buffer.from(value), timestampMs: 1 });

  async function newTopic(settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = unique('transactions');
    await log.createTopics([{ topic, partitions: 1, settings }]);
    return topic;
  }

  async function session(id: string | null): Promise<ProducerSession> {
    const made = new ProducerSession(cluster, id);
    await made.open();
    return made;
  }

  const committed = async (topic: string): Promise<(string | null)[]> => (await readAll(log, { topic, partition: 0 })).map(({ value }) => string(value));

  it('of two foreign producers that overlap on one partition are given or dropped each by itself', async () => {
    const topic = await newTopic();
    const [left, right, plain] = await Promise.all([session(randomUUID()), session(randomUUID()), session(null)]);
    const kept: string[] = [];
    // a fixed walk through every way in which two transactions can begin and end around each other
    const walk = 'l r l L r R r l R L l p r L p R r l r l R p L l R r L l r L R'.split(' ');
    const open: Record<'l' | 'r', string[]> = { l: [], r: [] };
    let abort = 0;
    for (const [index, move] of walk.entries()) {
      const value = `${move}${index}`;
      if (move === 'p') {
        await plain.send([record(topic, value)]);
        kept.push(value);
        continue;
      }
      const [name, producer] = move.toLowerCase() === 'l' ? (['l', left] as const) : (['r', right] as const);
      if (move === name) {
        await producer.send([record(topic, value)]);
        open[name].push(value);
        continue;
      }
      abort += 1;
      if (abort % 3 === 0) {
        await producer.commit();
        kept.push(...open[name]);
      } else await producer.abort();
      open[name] = [];
    }
    await Promise.all([left.abort(), right.abort()]);
    await Promise.all([left, right, plain].map((one) => one.close()));
    const wanted = kept.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
    expect(wanted.length).toBeGreaterThan(4);
    await expect.poll(() => committed(topic), { timeout: 10_000 }).toEqual(wanted);
    const consumer = log.consumer({ group: unique('group'), tasks: [task('a_0', { topic, partition: 0 })] });
    await consumer.start(fromStart(consumer));
    const batches = await pollUntil(consumer, (got) => recordsOf(got).length >= wanted.length && got.at(-1)!.nextPosition === got.at(-1)!.endOffset);
    expect(recordsOf(batches).map(({ value }) => string(value))).toEqual(wanted);
    await consumer.stop();
  });

  it('that is open hides what lies behind it: the end is the last stable offset', async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    const [open, plain] = await Promise.all([session(randomUUID()), session(null)]);
    await plain.send([record(topic, 'before')]);
    await open.send([record(topic, 'open')]);
    await plain.send([record(topic, 'behind')]);
    expect(await log.bounds(partition)).toEqual({ start: 0, end: 1 });
    expect(await committed(topic)).toEqual(['before']);
    const consumer = log.consumer({ group: unique('group'), tasks: [task('a_0', partition)] });
    await consumer.start(fromStart(consumer));
    const [batch] = await pollUntil(consumer, (got) => got.length > 0);
    expect(batch).toMatchObject({ nextPosition: 1, endOffset: 1 });
    await open.commit();
    expect(recordsOf(await pollUntil(consumer, (got) => recordsOf(got).length >= 2)).map(({ value }) => string(value))).toEqual(['open', 'behind']);
    await Promise.all([consumer.stop(), open.close(), plain.close()]);
  });

  it('a dead letter that is too large for its topic is delivered without its value, once', async () => {
    const topic = await newTopic({ 'max.message.bytes': '2000' });
    const producer = log.ordinalProducer({ application: options.application, run: 1, task: 'a_0', sink: topic });
    await producer.open();
    const headers = [{ key: '__streams.errors.topic', value: Buffer.from('events') }];
    const letter = (bytes: number): OutboundRecord => ({ topic, partition: 0, key: Buffer.from('k'), value: Buffer.alloc(bytes, 1), timestampMs: 1, headers });
    await producer.deliver([letter(100), letter(5_000), letter(200)], 3);
    await producer.deliver([letter(100)], 4);
    await expect.poll(async () => (await readAll(log, { topic, partition: 0 })).map(({ value }) => value?.length ?? null), { timeout: 10_000 })
      .toEqual([100, null, 200, 100]);
    const records = await readAll(log, { topic, partition: 0 });
    expect(string(records[1]!.headers!.find(({ key }) => key === leftOutHeader)!.value)).toBe('5000');
    await producer.close();
  });

  it('records go in order into a topic that takes less than a batch of ours', async () => {
    const topic = await newTopic({ 'max.message.bytes': '3000' });
    const producer = log.ordinalProducer({ application: options.application, run: 1, task: 'a_0', sink: topic });
    await producer.open();
    const values = Array.from({ length: 300 }, (_, index) => `${index}-`.padEnd(index % 7 === 0 ? 2_000 : 90, 'x'));
    await producer.deliver(values.slice(0, 200).map((value) => record(topic, value)), 200);
    await producer.deliver(values.slice(200).map((value) => record(topic, value)), 300);
    await producer.close();
    await expect.poll(() => committed(topic), { timeout: 10_000 }).toEqual(values);
  });

  it('a result that is too large is RECORD_TOO_LARGE, and nothing of its delivery is seen', async () => {
    const topic = await newTopic({ 'max.message.bytes': '2000' });
    const writer = { application: options.application, run: 1, task: 'a_0', sink: topic };
    const producer = log.ordinalProducer(writer);
    await producer.open();
    const large = { ...record(topic, ''), value: Buffer.alloc(5_000) };
    await expect(producer.deliver([record(topic, 'small'), large], 2)).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    const again = log.ordinalProducer(writer);
    expect(await again.open()).toBeNull();
    await again.deliver([record(topic, 'small')], 1);
    await again.close();
    await expect.poll(() => committed(topic), { timeout: 10_000 }).toEqual(['small']);
    const plain = await log.producer();
    await expect(plain.append([large])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    await plain.append([record(topic, 'next')]);
    expect(await committed(topic)).toEqual(['small', 'next']);
    await plain.close();
  });

  it('a result that its topic will never take is LOG_REFUSED, and says why', async () => {
    const [timed, compacted] = [await newTopic({ 'message.timestamp.after.max.ms': '3600000' }), await newTopic({ 'cleanup.policy': 'compact' })];
    const refusedAs = async (topic: string, sent: OutboundRecord): Promise<unknown> => {
      const producer = log.ordinalProducer({ application: options.application, run: 1, task: 'a_0', sink: topic });
      await producer.open();
      return producer.deliver([sent], 1).then(() => null, (error: unknown) => error);
    };
    const late = await refusedAs(timed, { ...record(timed, 'in two days'), timestampMs: Date.now() + 2 * 86_400_000 });
    expect(String(late)).toMatch(/LOG_REFUSED: (.|\n)*INVALID_TIMESTAMP(.|\n)*message\.timestamp\.after\.max\.ms/);
    const keyless = await refusedAs(compacted, record(compacted, 'without a key'));
    expect(String(keyless)).toMatch(/LOG_REFUSED: (.|\n)*INVALID_RECORD(.|\n)*without a key/);
  });

  it('a session that the brokers do not allow is LOG_REFUSED', async () => {
    const topic = await newTopic();
    const hasty = new KafkaLog({ ...options, sessionTimeoutMs: 500 });
    const consumer = hasty.consumer({ group: unique('hasty'), tasks: [task('a_0', { topic, partition: 0 })] });
    await expect(consumer.start(fromStart(consumer))).rejects.toMatchObject({ code: 'LOG_REFUSED', message: expect.stringContaining('INVALID_SESSION_TIMEOUT') });
    await consumer.stop();
    await hasty.close();
  });
});

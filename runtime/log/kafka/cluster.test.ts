import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Cluster } from './cluster.ts';
import { kafkaErrorType, refusal } from './failure.ts';
import { KafkaLog } from './kafka-log.ts';
import { Links } from './links.ts';
import { ProducerSession } from './producer-session.ts';
import { readRange } from './read-range.ts';
import {
  coordinatorAnswer, fetchAnswer, metadataAnswer, offsetAnswer, partitionErrorsAnswer, producerIdAnswer, requests, ScriptedBroker, type ScriptedTopic,
} from './testing/scripted-broker.ts';

const topics: readonly ScriptedTopic[] = [{ name: 't', id: 'a'.repeat(32), leaders: [1, 1] }];
const [unknownTopic, notAttempted, refused] = [3, 55, 29];

describe('brokers', () => {
  const ending: (() => Promise<void>)[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const end of ending.splice(0)) await end();
  });

  async function broker(): Promise<ScriptedBroker> {
    const made = await new ScriptedBroker().listen();
    ending.push(() => made.close());
    return made.on(requests.metadata, () => metadataAnswer(new Map([[1, made]]), topics));
  }

  function logOf(...brokers: readonly ScriptedBroker[]): KafkaLog {
    const log = new KafkaLog({ brokers: brokers.map(({ address }) => address), application: 'brokers' });
    ending.unshift(() => log.close());
    return log;
  }

  it('are asked one after the other: one that takes connections and says nothing is left behind, and asked last from then on', async () => {
    const [silent, second] = [await broker(), await broker()];
    silent.on(requests.metadata, () => null);
    const log = logOf(silent, second);
    await log.open();
    for (let times = 0; times < 3; times++) expect(await log.partitionCount('t')).toBe(2);
    expect(silent.asked(requests.metadata)).toBe(1);
    expect(second.asked(requests.metadata)).toBe(4);
  });

  it('learn of a new topic one after the other: its leader may be the last to know', async () => {
    const one = await broker();
    let asked = 0;
    one.on(requests.listOffsets, () => offsetAnswer('t', 0, asked++ < 2 ? unknownTopic : 0, 12));
    expect(await logOf(one).bounds({ topic: 't', partition: 0 })).toEqual({ start: 12, end: 12 });
  });

  it('may tell of a topic a moment after another one has made it', async () => {
    const one = await broker();
    let known = false;
    one.on(requests.metadata, () => metadataAnswer(new Map([[1, one]]), known ? topics : []));
    one.on(requests.listOffsets, () => offsetAnswer('t', 0, 0, 12)).on(requests.initProducerId, producerIdAnswer).on(requests.produce, () => null);
    const log = logOf(one);
    const bounds = log.bounds({ topic: 't', partition: 0 });
    const producer = await log.producer();
    void producer.append([{ topic: 't', partition: 0, key: null, value: null, timestampMs: 1 }]).catch(() => undefined);
    await expect.poll(() => one.asked(requests.metadata), { timeout: 5_000 }).toBeGreaterThan(4);
    known = true;
    expect(await bounds).toEqual({ start: 12, end: 12 });
    await expect.poll(() => one.asked(requests.produce), { timeout: 5_000 }).toBe(1);
  });

  it('that coordinate may be the last to know as well', async () => {
    const one = await broker();
    one.on(requests.findCoordinator, () => coordinatorAnswer(one)).on(requests.initProducerId, producerIdAnswer);
    let asked = 0;
    one.on(requests.addPartitionsToTransaction, () => partitionErrorsAnswer('t', asked++ < 2 ? [notAttempted, unknownTopic] : [0, 0]));
    one.on(requests.produce, () => null);
    const cluster = new Cluster({ brokers: [one.address], application: 'brokers' });
    const session = new ProducerSession(cluster, 'transactions');
    ending.unshift(async () => {
      await session.close();
      await cluster.close();
    });
    await session.open();
    void session.send([0, 1].map((partition) => ({ topic: 't', partition, key: null, value: null, timestampMs: 1 }))).catch(() => undefined);
    await expect.poll(() => one.asked(requests.produce), { timeout: 5_000 }).toBe(1);
  });

  it('that refuse one of several say what they refuse, not that they tried nothing with the others', () => {
    expect(kafkaErrorType(new AggregateError([refusal(notAttempted), refusal(refused)]))).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(kafkaErrorType(new AggregateError([refusal(notAttempted)]))).toBe('OPERATION_NOT_ATTEMPTED');
  });

  it('have one connection of each user: one that breaks late does not take the next one with it', async () => {
    const one = await broker();
    const links = new Links({ brokers: [one.address], application: 'brokers' });
    const [host, port] = ['127.0.0.1', one.port];
    const first = await links.to({ host, port });
    first.emit('error', Object.assign(new Error('it breaks'), { code: 'PLT_KFK_NETWORK' }));
    const second = await links.to({ host, port });
    expect(second).not.toBe(first);
    await first.close();
    expect(await links.to({ host, port })).toBe(second);
    await links.close();
    await expect.poll(() => one.connections, { timeout: 2_000 }).toBe(0);
  });

  it('that do not answer hold up neither group offsets nor what frees repartition topics: both come again, and an end waits for them', async () => {
    const one = await broker();
    one.on(requests.findCoordinator, () => coordinatorAnswer(one)).on(requests.offsetCommit, () => null).on(requests.listOffsets, () => null);
    const log = logOf(one);
    const partition = { topic: 't', partition: 0 };
    const consumer = log.consumer({ group: 'g', tasks: [{ task: 'a_0', partitions: [partition] }] });
    await Promise.all([
      expect(consumer.commitOffsets([{ ...partition, offset: 1 }])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' }),
      expect(log.deleteRecords([{ ...partition, offset: 1 }])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' }),
    ]);
    await consumer.stop();
  }, 9_000);

  it('that read nothing of what they are sent hold up no end', async () => {
    const server = createServer((socket) => void socket.pause()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const links = new Links({ brokers: [], application: 'brokers' });
    const connection = await links.to({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    connection.socket.write(Buffer.alloc(64 * 1024 * 1024));
    await links.close();
    expect(connection.socket.destroyed).toBe(true);
    server.close();
  }, 10_000);

  it('that elected a leader which lacks records end a read of a range, rather than have it wait for ever', async () => {
    const one = await broker();
    one.on(requests.listOffsets, () => offsetAnswer('t', 0, 0, 12)).on(requests.fetch, () => fetchAnswer('a'.repeat(32), [{ partition: 0, end: 3 }]));
    const cluster = new Cluster({ brokers: [one.address], application: 'brokers' });
    ending.unshift(() => cluster.close());
    one.on(requests.listOffsets, () => offsetAnswer('t', 0, 0, one.asked(requests.listOffsets) % 2 === 1 ? 0 : 12));
    const now = performance.now.bind(performance);
    const read = (async () => {
      for await (const batch of readRange(cluster, { topic: 't', partition: 0 }, 0, 100)) expect(batch).toBeNull();
    })();
    const failed = expect(read).rejects.toThrow(/LOG_UNAVAILABLE: cannot read t\/0: it ended at 12 at first, and gives nothing from 0 on/);
    await expect.poll(() => one.asked(requests.fetch), { timeout: 5_000 }).toBeGreaterThan(2);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    await failed;
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbered, numberedValues, pollUntil, readAll, recordCount, task, unique, values } from '../../runtime/log/contract/contract-log.ts';
import { Cluster } from '../../runtime/log/kafka/cluster.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import type { KafkaLogOptions } from '../../runtime/log/kafka/options.ts';
import { KafkaCluster } from '../services/kafka-cluster.ts';
import { freePort } from '../services/local-process.ts';
import { controllerOf, coordinatedBy, coordinatorOf, electPreferred, partitionsOf, reassign } from './cluster-admin.ts';
import { Traffic } from './traffic.ts';

/** Nothing stands still for longer: a broker's session, elections, and pauses of ours take 5 s; many times more on a machine that does other things. */
const standstillMs = 60_000;

describe.skipIf(process.env['VOLTSTREAM_TEST_KAFKA'] === undefined)('a cluster of three brokers', () => {
  const kafka = new KafkaCluster();
  const application = unique('leaders');
  const ending: { close(): Promise<void> }[] = [];
  let options: KafkaLogOptions;
  let log: KafkaLog;
  let cluster: Cluster;

  beforeAll(async () => {
    await kafka.start();
    options = { brokers: kafka.addresses, application, sessionTimeoutMs: 6_000, heartbeatMs: 300 };
    log = new KafkaLog(options);
    cluster = new Cluster(options);
    ending.push(log, cluster);
    await log.open();
    await cluster.refresh([]);
  }, 180_000);
  afterAll(async () => {
    await Promise.all(ending.map((one) => one.close()));
    await kafka.dispose();
  });

  /** Everything that can hang on one broker does: it leads, and coordinates the group and the transactions. */
  async function trafficOn(node: number): Promise<{ readonly traffic: Traffic; readonly topics: readonly string[] }> {
    const [topic, output] = [unique('in'), unique('out')];
    const others = [1, 2, 3].filter((one) => one !== node);
    await log.createTopics([{ topic, partitions: 3 }, { topic: output, partitions: 1 }]);
    await reassign(cluster, topic, [[node, ...others], [others[0]!, node, others[1]!], [others[1]!, others[0]!, node]]);
    await reassign(cluster, output, [[node, ...others]]);
    await Promise.all([coordinatorOf(cluster, 0, topic), coordinatorOf(cluster, 1, topic)]); // makes the topics of the coordinators
    for (const one of [topic, output, '__consumer_offsets', '__transaction_state']) await electPreferred(cluster, one);
    await leads(topic, 0, node);
    await leads(output, 0, node);
    const group = await coordinatedBy(cluster, 0, node, (attempt) => ({ name: `${topic}-${attempt}`, key: `${topic}-${attempt}` }));
    const sink = await coordinatedBy(cluster, 1, node, (attempt) => ({ name: `${topic}-${attempt}`, key: `${application}-outbox-a_0-${topic}-${attempt}` }));
    const traffic = new Traffic(log, { topic, partitions: 3, output, group, application, sink });
    await traffic.start();
    await traffic.goesOn(standstillMs);
    return { traffic, topics: [topic, output] };
  }

  async function leads(topic: string, partition: number, node: number): Promise<void> {
    await expect.poll(async () => (await partitionsOf(cluster, topic))[partition]!.leader, { timeout: standstillMs }).toBe(node);
  }

  async function inSync(topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      await expect.poll(async () => (await partitionsOf(cluster, topic)).every(({ replicas, inSync: nodes }) => nodes.length === replicas.length), { timeout: 60_000 }).toBe(true);
    }
  }

  async function worksWith(brokers: readonly string[]): Promise<void> {
    const fresh = new KafkaLog({ ...options, brokers });
    await fresh.open();
    const topic = unique('fresh');
    await fresh.createTopics([{ topic, partitions: 1 }]);
    const producer = await fresh.producer();
    await producer.append(numbered(topic, 0, 5));
    expect(values(await readAll(fresh, { topic, partition: 0 }))).toEqual(numberedValues(0, 5));
    await producer.close();
    await fresh.close();
  }

  it('loses the one that leads, coordinates and controls, gets it back, and moves leaders back to it: each record once, in order', async () => {
    const node = await controllerOf(cluster);
    const { traffic, topics } = await trafficOn(node);
    await kafka.broker(node).kill();
    const living = [1, 2, 3].filter((one) => one !== node).map((one) => kafka.broker(one).address);
    await Promise.all([traffic.goesOn(standstillMs), worksWith([await nobody(), kafka.broker(node).address, ...living])]);
    expect(await controllerOf(cluster)).not.toBe(node);
    await kafka.broker(node).restart();
    await inSync(topics);
    for (const topic of topics) await electPreferred(cluster, topic);
    await leads(topics[0]!, 0, node);
    await traffic.goesOn(standstillMs);
    await traffic.stopAndJudge();
  }, 180_000);

  it('has one that stands still: it takes connections, and answers nobody', async () => {
    const controller = await controllerOf(cluster);
    const node = controller === 1 ? 2 : 1;
    const { traffic, topics } = await trafficOn(node);
    await kafka.broker(node).freeze();
    try {
      await Promise.all([traffic.goesOn(standstillMs), worksWith([kafka.broker(node).address, kafka.broker(controller).address])]);
    } finally {
      await kafka.broker(node).thaw();
    }
    await inSync(topics);
    await traffic.goesOn(standstillMs);
    await traffic.stopAndJudge();
  }, 180_000);

  it('elects a leader that lacks records which were read: said, not passed over', async () => {
    const topic = unique('unclean');
    await log.createTopics([{ topic, partitions: 1, settings: { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' } }]);
    await reassign(cluster, topic, [[2, 3]]);
    await electPreferred(cluster, topic);
    await leads(topic, 0, 2);
    const producer = await log.producer();
    const partition = { topic, partition: 0 };
    const consumer = log.consumer({ group: topic, tasks: [task('a_0', partition)] });
    let position = 0; // as a task keeps it: while brokers are away, a session may end
    await consumer.start({
      assigned: async () => {
        consumer.seek(partition, position);
        consumer.resume([partition]);
      },
    });
    await kafka.broker(3).kill();
    await expect.poll(async () => (await partitionsOf(cluster, topic))[0]!.inSync, { timeout: standstillMs }).toEqual([2]);
    await producer.append(numbered(topic, 0, 10));
    expect(recordCount(await pollUntil(consumer, (got) => recordCount(got) >= 10))).toBe(10);
    position = 10;
    await kafka.broker(2).kill();
    await kafka.broker(3).restart(); // has none of them, and leads: so the topic says
    await producer.append(numbered(topic, 100, 120)); // the positions of those that were read are taken again
    await expect(pollUntil(consumer, () => false)).rejects.toThrow(`OFFSET_OUT_OF_RANGE: ${topic}/0 lost records that were read`);
    await Promise.all([consumer.stop(), producer.close()]);
    await kafka.broker(2).restart();
  }, 180_000);

  it('gives one up for good, which the list of brokers still names first', async () => {
    const { traffic, topics } = await trafficOn(1);
    for (const topic of topics) await reassign(cluster, topic, (await partitionsOf(cluster, topic)).map(({ replicas }) => replicas.filter((node) => node !== 1)));
    await traffic.goesOn(standstillMs);
    await kafka.broker(1).stop();
    await Promise.all([traffic.goesOn(standstillMs), worksWith(kafka.addresses)]);
    await traffic.stopAndJudge();
  }, 180_000);

  /** A port at which nobody listens. */
  async function nobody(): Promise<string> {
    return `127.0.0.1:${await freePort()}`;
  }
});

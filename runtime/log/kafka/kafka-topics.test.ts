import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unique } from '../contract/contract-log.ts';
import type { TopicDefinition } from '../log.ts';
import { Cluster } from './cluster.ts';
import { KafkaLog } from './kafka-log.ts';
import type { KafkaNotice, OnMismatch } from './options.ts';
import { describeTopics, suffices } from './topics.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];

describe('a setting that is there', () => {
  it.each([
    ['retention.ms', '-1', '-1', true], ['retention.ms', '1000', '-1', true], ['retention.ms', '-1', '604800000', false], ['retention.ms', '5000', '6000', true],
    ['min.compaction.lag.ms', '9223372036854775807', '9223372036854775807', true], ['min.compaction.lag.ms', '100', '0', false],
    ['max.message.bytes', '1000', '1048588', true], ['max.message.bytes', '2000000', '1048588', false],
    ['cleanup.policy', 'compact', 'compact', true], ['cleanup.policy', 'compact,delete', 'delete, compact', true], ['cleanup.policy', 'compact', 'delete', false],
    ['message.timestamp.type', 'CreateTime', 'LogAppendTime', false], ['segment.ms', '1000', '2000', false],
  ] as const)('%s: %s wanted, %s there', (setting, wanted, got, enough) => {
    expect(suffices(setting, wanted, got)).toBe(enough);
  });
});

describe.skipIf(address === undefined)('Kafka, topics that exist', () => {
  const notices: KafkaNotice[] = [];
  const logs: KafkaLog[] = [];
  const logWith = async (onMismatch?: OnMismatch): Promise<KafkaLog> => {
    const log = new KafkaLog({
      brokers: [address ?? ''], application: `topics-${randomUUID()}`, ...(onMismatch === undefined ? {} : { onMismatch }), onNotice: (notice) => notices.push(notice),
    });
    logs.push(log);
    await log.open();
    return log;
  };
  const cluster = new Cluster({ brokers: [address ?? ''], application: 'topics' });
  beforeAll(() => cluster.refresh([]));
  afterAll(() => Promise.all([...logs.map((log) => log.close()), cluster.close()]));

  const wanted = (topic: string): TopicDefinition => ({
    topic, partitions: 2, settings: { 'retention.ms': '-1', 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '1000' },
  });
  const retention = async (topic: string): Promise<string | undefined> => (await describeTopics(cluster, [topic], ['retention.ms'])).get(topic)?.get('retention.ms');

  async function shortLived(): Promise<string> {
    const topic = unique('topics');
    await (await logWith()).createTopics([{ topic, partitions: 2, settings: { 'retention.ms': '3600000', 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '0' } }]);
    return topic;
  }

  it('are left alone when they are as they should be', async () => {
    const topic = unique('topics');
    const log = await logWith();
    await log.createTopics([wanted(topic)]);
    await log.createTopics([wanted(topic), { topic, partitions: 2 }]);
  });

  it('are refused when a setting would lose records: which, what was wanted, what is there, how to cure it', async () => {
    const topic = await shortLived();
    const error: unknown = await (await logWith()).createTopics([wanted(topic)]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TOPIC_MISCONFIGURED' });
    expect(String(error)).toContain(`topic ${topic} has another retention.ms than it needs (and 1 more: ${topic} min.compaction.lag.ms)`);
    expect((error as Error).message).toMatch(/wanted: -1[^]*got: 3600000[^]*cure: kafka-configs .*retention\.ms=\[-1\]/);
    expect(await retention(topic)).toBe('3600000');
  });

  it('are told of by warn, and set by repair', async () => {
    const topic = await shortLived();
    notices.length = 0;
    await (await logWith('warn')).createTopics([wanted(topic)]);
    expect(notices.map(({ message }) => message)).toEqual([
      `topic ${topic}: retention.ms is 3600000, not -1`, `topic ${topic}: min.compaction.lag.ms is 0, not 1000`,
    ]);
    expect(await retention(topic)).toBe('3600000');
    await (await logWith('repair')).createTopics([wanted(topic)]);
    await expect.poll(() => retention(topic)).toBe('-1');
    await (await logWith()).createTopics([wanted(topic)]);
  });

  it('of another number of partitions are refused, whatever the setting says', async () => {
    const topic = await shortLived();
    await expect((await logWith('repair')).createTopics([{ topic, partitions: 3 }])).rejects.toMatchObject({ code: 'PARTITIONS_CHANGED' });
  });

  it('made by several processes at once are one topic', async () => {
    const topic = unique('topics');
    const several = await Promise.all([logWith(), logWith(), logWith()]);
    await Promise.all(several.map((log) => log.createTopics([wanted(topic)])));
    expect(await several[0]!.partitionCount(topic)).toBe(2);
  });
});

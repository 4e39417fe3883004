import { randomUUID } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { VoltstreamError } from '../../../errors.ts';
import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, OrdinalProducer, OrdinalProducerOptions, TopicDefinition, TopicPartition,
} from '../log.ts';
import { kafkaClient, type KafkaLogOptions } from './client.ts';
import { asKafkaFailure } from './failure.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { KafkaOrdinalProducer } from './kafka-ordinal-producer.ts';
import { type KafkaAccess, KafkaProducer } from './kafka-producer.ts';

/** How often `read` looks again when nothing came. */
const readPollMs = 1_000;
/** `read` gives up when nothing at all came for so long. */
const readSilenceMs = 60_000;

/** Kafka behind the log port, by kafkajs. See README.md beside this folder. */
export class KafkaLog implements Log {
  readonly #options: KafkaLogOptions;
  readonly #admin: Admin;
  readonly #access: KafkaAccess;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#admin = kafkaClient(options).admin({ retry: { initialRetryTime: 100, retries: 5 } });
    this.#access = { options, admin: this.#admin, partitionCount: (topic) => this.partitionCount(topic) };
  }

  async open(): Promise<void> {
    await asKafkaFailure(`cannot connect to Kafka at ${this.#options.brokers.join(', ')}`, () => this.#admin.connect());
  }

  async createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    await asKafkaFailure('cannot create topics', async () => {
      const existing = new Set(await this.#admin.listTopics());
      const missing = topics.filter(({ topic }) => !existing.has(topic));
      if (missing.length > 0) {
        await this.#admin.createTopics({
          waitForLeaders: true,
          topics: missing.map(({ topic, partitions, settings }) => ({
            topic,
            numPartitions: partitions,
            replicationFactor: this.#options.replicationFactor ?? -1,
            configEntries: Object.entries(settings ?? {}).map(([name, value]) => ({ name, value })),
          })),
        });
      }
      for (const { topic, partitions } of topics) {
        const count = await this.partitionCount(topic);
        if (count === partitions) continue;
        throw new VoltstreamError('PARTITIONS_CHANGED', `topic ${topic} has another number of partitions`, {
          wanted: String(partitions), got: String(count),
        });
      }
    });
  }

  async partitionCount(topic: string): Promise<number | null> {
    return asKafkaFailure(`cannot look at topic ${topic}`, async () => {
      if (!(await this.#admin.listTopics()).includes(topic)) return null;
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length ?? null;
    });
  }

  /** `end` is the high watermark, which is the last stable offset as long as no transaction is open on the partition. */
  async bounds({ topic, partition }: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return asKafkaFailure(`cannot look at topic ${topic}`, async () => {
      const found = (await this.#admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
      if (found === undefined) throw new VoltstreamError('TOPIC_MISSING', `topic ${topic} has no partition ${partition}`);
      return { start: Number(found.low), end: Number(found.high) };
    });
  }

  /**
   * By a group of its own that is deleted afterwards, for kafkajs cannot read without one. Brokers wait
   * `group.initial.rebalance.delay.ms` (3 s by default) before its first record.
   */
  async *read({ topic, partition }: TopicPartition, from: number, to: number): AsyncGenerator<LogBatch> {
    const { start, end } = await this.bounds({ topic, partition });
    const until = Math.min(to, end);
    if (from >= until) return;
    if (from < start) {
      throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${topic}/${partition} at ${from}`, {
        wanted: `an offset from ${start} to ${end}`, got: String(from),
      });
    }
    const group = `${this.#options.application}-read-${randomUUID()}`;
    const consumer = this.consumer({ group, tasks: [{ task: 'read', partitions: [{ topic, partition }] }] });
    let position = from;
    try {
      await consumer.start({
        assigned: async () => {
          consumer.seek({ topic, partition }, position);
          consumer.resume([{ topic, partition }]);
        },
      });
      for (let lastMs = performance.now(); position < until;) {
        const batches = await consumer.poll(readPollMs);
        if (batches.length > 0) lastMs = performance.now();
        else if (performance.now() - lastMs > readSilenceMs) throw new Error(`no records of ${topic}/${partition} from ${position} on`);
        for (const batch of batches) {
          if (batch.requestedPosition !== position || position >= until) continue;
          position = Math.min(batch.nextPosition, until);
          yield { ...batch, records: batch.records.filter((record) => record.offset < until), nextPosition: position };
        }
      }
    } finally {
      await consumer.stop();
      await asKafkaFailure(`cannot delete the group ${group}`, () => this.#admin.deleteGroups([group]));
    }
  }

  consumer(options: ConsumerOptions): LogConsumer {
    return new KafkaConsumer(this.#access, options);
  }

  async producer(): Promise<LogProducer> {
    return new KafkaProducer(this.#access);
  }

  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    return new KafkaOrdinalProducer(this.#access, options);
  }

  async deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    for (const { topic, partition, offset } of positions) {
      const { start, end } = await this.bounds({ topic, partition });
      if (offset <= start) continue;
      await asKafkaFailure(`cannot delete records of ${topic}/${partition}`, () => this.#admin.deleteTopicRecords({
        topic, partitions: [{ partition, offset: String(Math.min(offset, end)) }],
      }));
    }
  }

  async close(): Promise<void> {
    await asKafkaFailure('cannot disconnect', () => this.#admin.disconnect());
  }
}

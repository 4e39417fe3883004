import { deleteRecordsV2 } from '@platformatic/kafka';
import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, LogRemoval, OrdinalProducer, OrdinalProducerOptions, TopicDefinition, TopicPartition,
} from '../log.ts';
import { boundsOf } from './bounds.ts';
import { besideTimeoutMs, brokerWithin, Cluster } from './cluster.ts';
import { asKafkaFailure } from './failure.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { KafkaOrdinalProducer } from './kafka-ordinal-producer.ts';
import { KafkaProducer } from './kafka-producer.ts';
import type { KafkaLogOptions } from './options.ts';
import { readRange } from './read-range.ts';
import { removeFrom } from './removal.ts';
import { settleTopics } from './topics.ts';

const openTimeoutMs = 5_000;

/** Kafka behind the log port: connections and control requests of @platformatic/kafka, records by `protocol/`. See docs/kafka.md. */
export class KafkaLog implements Log {
  readonly #options: KafkaLogOptions;
  #cluster: Cluster;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#cluster = new Cluster(options);
  }

  async open(): Promise<void> {
    const { brokers } = this.#options;
    await asKafkaFailure(`cannot connect to Kafka at ${brokers.join(', ')}`, () => this.#cluster.retrying(() => this.#cluster.refresh([]), openTimeoutMs));
  }

  async createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    if (topics.length > 0) await asKafkaFailure('cannot create or check topics', () => settleTopics(this.#cluster, topics));
  }

  async partitionCount(topic: string): Promise<number | null> {
    return asKafkaFailure(`cannot look at topic ${topic}`, async () => (await this.#cluster.topic(topic, true))?.leaders.length ?? null);
  }

  async bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return asKafkaFailure(`cannot look at topic ${partition.topic}`, () => boundsOf(this.#cluster, partition));
  }

  async *read(partition: TopicPartition, from: number, to: number): AsyncGenerator<LogBatch> {
    yield* readRange(this.#cluster, partition, from, to);
  }

  consumer(options: ConsumerOptions): LogConsumer {
    return new KafkaConsumer(this.#cluster, options);
  }

  async producer(): Promise<LogProducer> {
    return new KafkaProducer(this.#cluster);
  }

  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    return new KafkaOrdinalProducer(this.#cluster, options);
  }

  async deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await Promise.all(positions.map((position) => asKafkaFailure(
      `cannot delete records of ${position.topic}/${position.partition}`, () => brokerWithin(besideTimeoutMs, () => this.#deleteBelow(position)))));
  }

  async #deleteBelow({ topic, partition, offset }: TopicPartition & { readonly offset: number }): Promise<void> {
    const { start, end } = await this.bounds({ topic, partition });
    if (offset <= start) return;
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset: BigInt(Math.min(offset, end)) }] }];
    await this.#cluster.onLeader(topic, partition, this.#cluster.ownLinks, (connection) => deleteRecordsV2.api.async(connection, topics, besideTimeoutMs));
  }

  async removeAll(what: LogRemoval): Promise<void> {
    await asKafkaFailure(`cannot delete topics ${what.topicPrefix}* and groups of ${what.application}`, () => removeFrom(this.#cluster, what));
  }

  /** May be opened again. */
  async close(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = new Cluster(this.#options);
    await asKafkaFailure('cannot disconnect', () => cluster.close());
  }
}

export type { KafkaLogOptions } from './options.ts';

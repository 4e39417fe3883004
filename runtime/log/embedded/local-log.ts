import { VoltstreamError } from '../../../errors.ts';
import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, OrdinalProducer, OrdinalProducerOptions, TopicDefinition, TopicPartition,
} from '../log.ts';
import { LocalConsumer } from './local-consumer.ts';
import { LocalOrdinalProducer, LocalProducer } from './local-producers.ts';
import type { LogStorage } from './storage.ts';

/** How often old records are looked for; Kafka's own default (`log.retention.check.interval.ms`). */
const retentionEveryMs = 300_000;
/** Bytes of one batch of `read`. */
const readBytesMax = 1024 * 1024;

export interface LocalLogOptions {
  /** Wall clock for retention. */
  readonly now?: () => number;
}

/** A log within this process, over LMDB or memory: the part that both share. */
export class LocalLog implements Log {
  readonly #storage: LogStorage;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #retention: Promise<unknown> = Promise.resolve();

  constructor(storage: LogStorage, options: LocalLogOptions) {
    this.#storage = storage;
    this.#now = options.now ?? Date.now;
  }

  async open(): Promise<void> {
    await this.#storage.open();
    this.#timer = setInterval(() => {
      this.#retention = this.applyRetention().catch((error: unknown) => {
        process.emitWarning(`voltstream: old records were not deleted: ${String(error)}`); // tried again next time
      });
    }, retentionEveryMs);
    this.#timer.unref();
  }

  async createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    this.#storage.createTopics(topics);
    for (const { topic, partitions } of topics) {
      const found = this.#storage.topic(topic);
      if (found === null || found.partitions === partitions) continue;
      throw new VoltstreamError('PARTITIONS_CHANGED', `topic ${topic} has another number of partitions`, {
        wanted: String(partitions), got: String(found.partitions),
      });
    }
  }

  async partitionCount(topic: string): Promise<number | null> {
    return this.#storage.topic(topic)?.partitions ?? null;
  }

  async bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#storage.bounds(partition);
  }

  async *read(partition: TopicPartition, from: number, to: number): AsyncGenerator<LogBatch> {
    let position = from;
    while (position < to) {
      const { start, end } = this.#storage.bounds(partition);
      if (position >= end) return;
      if (position < start) {
        throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${partition.topic}/${partition.partition} at ${position}`, {
          wanted: `an offset from ${start} to ${end}`, got: String(position),
        });
      }
      const read = this.#storage.read(partition, position, readBytesMax);
      const nextPosition = Math.min(read.nextPosition, to);
      const records = nextPosition < read.nextPosition ? read.records.filter((record) => record.offset < to) : read.records;
      const { topic, partition: number } = partition;
      yield { topic, partition: number, requestedPosition: position, records, nextPosition, endOffset: read.endOffset };
      position = nextPosition;
    }
  }

  consumer(options: ConsumerOptions): LogConsumer {
    return new LocalConsumer(this.#storage, options);
  }

  async producer(): Promise<LogProducer> {
    return new LocalProducer(this.#storage);
  }

  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    return new LocalOrdinalProducer(this.#storage, options);
  }

  async deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await this.#storage.deleteRecords(positions);
  }

  /** Deletes what is older than each topic's `retention.ms` by record timestamp; also done every five minutes. */
  async applyRetention(): Promise<number> {
    return this.#storage.applyRetention(this.#now());
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#retention;
    await this.#storage.close();
  }
}

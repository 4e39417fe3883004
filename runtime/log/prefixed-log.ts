import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, LogRemoval, OrdinalProducer, OrdinalProducerOptions, OutboundRecord, TaskAssignment, TopicDefinition,
  TopicPartition, WriterMark,
} from './log.ts';

/**
 * A log whose topics have one more prefix in the cluster than everybody here calls them, so that applications with topics of the same names share a cluster
 * without meeting. Groups, marks and headers stay as they are: they have the application's name in them.
 */
export class PrefixedLog implements Log {
  readonly #log: Log;
  readonly #prefix: string;

  constructor(log: Log, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  open(): Promise<void> {
    return this.#log.open();
  }

  createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    return this.#log.createTopics(topics.map((topic) => this.#outside(topic)));
  }

  partitionCount(topic: string): Promise<number | null> {
    return this.#log.partitionCount(this.#prefix + topic);
  }

  bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#log.bounds(this.#outside(partition));
  }

  async *read(partition: TopicPartition, from: number, to: number): AsyncGenerator<LogBatch> {
    for await (const batch of this.#log.read(this.#outside(partition), from, to)) yield { ...batch, topic: partition.topic };
  }

  consumer(options: ConsumerOptions): LogConsumer {
    return new PrefixedConsumer(this.#log, options, this.#prefix);
  }

  async producer(): Promise<LogProducer> {
    const producer = await this.#log.producer();
    return {
      append: (records: readonly OutboundRecord[], mark?: WriterMark) => producer.append(records.map((record) => this.#outside(record)), mark),
      mark: (writer) => producer.mark(writer),
      close: () => producer.close(),
    };
  }

  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    const producer = this.#log.ordinalProducer(options);
    return {
      open: () => producer.open(),
      deliver: (records, lastOrdinal) => producer.deliver(records.map((record) => this.#outside(record)), lastOrdinal),
      close: () => producer.close(),
    };
  }

  deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    return this.#log.deleteRecords(positions.map((position) => this.#outside(position)));
  }

  async removeAll({ topicPrefix, application }: LogRemoval): Promise<void> {
    await this.#log.removeAll?.({ topicPrefix: this.#prefix + topicPrefix, application });
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #outside<T extends { readonly topic: string }>(one: T): T {
    return { ...one, topic: this.#prefix + one.topic };
  }
}

class PrefixedConsumer implements LogConsumer {
  readonly #consumer: LogConsumer;
  readonly #tasks: ReadonlyMap<string, TaskAssignment>;
  readonly #prefix: string;

  constructor(log: Log, options: ConsumerOptions, prefix: string) {
    this.#prefix = prefix;
    this.#tasks = new Map(options.tasks.map((task) => [task.task, task]));
    this.#consumer = log.consumer({ ...options, tasks: options.tasks.map((task) => ({ ...task, partitions: this.#outside(task.partitions) })) });
  }

  start(listener: { assigned(tasks: readonly TaskAssignment[]): Promise<void> }): Promise<void> {
    return this.#consumer.start({ assigned: (tasks) => listener.assigned(tasks.flatMap(({ task }) => this.#tasks.get(task) ?? [])) });
  }

  async poll(waitMs: number): Promise<readonly LogBatch[]> {
    return (await this.#consumer.poll(waitMs)).map((batch) => ({ ...batch, topic: batch.topic.slice(this.#prefix.length) }));
  }

  answers(): number {
    return this.#consumer.answers?.() ?? 0;
  }

  seek({ topic, partition }: TopicPartition, position: number): void {
    this.#consumer.seek({ topic: this.#prefix + topic, partition }, position);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#consumer.pause(this.#outside(partitions));
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#consumer.resume(this.#outside(partitions));
  }

  commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    return this.#consumer.commitOffsets(this.#outside(positions));
  }

  committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]> {
    return this.#consumer.committedOffsets(this.#outside(partitions));
  }

  confirmMembership(): Promise<void> {
    return this.#consumer.confirmMembership();
  }

  stop(): Promise<void> {
    return this.#consumer.stop();
  }

  #outside<T extends TopicPartition>(partitions: readonly T[]): T[] {
    return partitions.map((one) => ({ ...one, topic: this.#prefix + one.topic }));
  }
}

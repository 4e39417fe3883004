import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, OrdinalProducer, OrdinalProducerOptions, OutboundRecord, TaskAssignment, TopicDefinition,
  TopicPartition, WriterMark,
} from '../../runtime/log/log.ts';

/** Topic as the engine knows it -> topic of the cluster. Topics that are not named keep their names. */
export type TopicNames = Readonly<Record<string, string>>;

/** A log under other topic names, so that many runs of one topology share a cluster without meeting. */
export class RenamedLog implements Log {
  readonly #log: Log;
  readonly #names: TopicNames;

  constructor(log: Log, names: TopicNames) {
    this.#log = log;
    this.#names = names;
  }

  open(): Promise<void> {
    return this.#log.open();
  }

  createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    return this.#log.createTopics(topics.map((topic) => this.#outside(topic)));
  }

  partitionCount(topic: string): Promise<number | null> {
    return this.#log.partitionCount(this.#nameOf(topic));
  }

  bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#log.bounds(this.#outside(partition));
  }

  async *read(partition: TopicPartition, from: number, to: number): AsyncIterable<LogBatch> {
    for await (const batch of this.#log.read(this.#outside(partition), from, to)) yield { ...batch, topic: partition.topic };
  }

  consumer(options: ConsumerOptions): LogConsumer {
    return new RenamedConsumer(this.#log, options, (partition) => this.#outside(partition));
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

  close(): Promise<void> {
    return this.#log.close();
  }

  #nameOf(topic: string): string {
    return this.#names[topic] ?? topic;
  }

  #outside<T extends { readonly topic: string }>(one: T): T {
    return { ...one, topic: this.#nameOf(one.topic) };
  }
}

class RenamedConsumer implements LogConsumer {
  readonly #consumer: LogConsumer;
  readonly #options: ConsumerOptions;
  readonly #outside: <T extends TopicPartition>(partition: T) => T;
  readonly #inside = new Map<string, string>();

  constructor(log: Log, options: ConsumerOptions, outside: <T extends TopicPartition>(partition: T) => T) {
    this.#options = options;
    this.#outside = outside;
    for (const partition of options.tasks.flatMap((task) => task.partitions)) this.#inside.set(outside(partition).topic, partition.topic);
    this.#consumer = log.consumer({ ...options, tasks: options.tasks.map((task) => ({ ...task, partitions: task.partitions.map(outside) })) });
  }

  start(listener: { assigned(tasks: readonly TaskAssignment[]): Promise<void> }): Promise<void> {
    return this.#consumer.start({
      assigned: (tasks) => listener.assigned(this.#options.tasks.filter((own) => tasks.some((task) => task.task === own.task))),
    });
  }

  async poll(waitMs: number): Promise<readonly LogBatch[]> {
    return (await this.#consumer.poll(waitMs)).map((batch) => ({ ...batch, topic: this.#inside.get(batch.topic) ?? batch.topic }));
  }

  seek(partition: TopicPartition, position: number): void {
    this.#consumer.seek(this.#outside(partition), position);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#consumer.pause(partitions.map(this.#outside));
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#consumer.resume(partitions.map(this.#outside));
  }

  commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    return this.#consumer.commitOffsets(positions.map(this.#outside));
  }

  committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]> {
    return this.#consumer.committedOffsets(partitions.map(this.#outside));
  }

  confirmMembership(): Promise<void> {
    return this.#consumer.confirmMembership();
  }

  stop(): Promise<void> {
    return this.#consumer.stop();
  }
}

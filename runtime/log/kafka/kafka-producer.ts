import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Producer, Transaction } from 'kafkajs';
import { VoltstreamError } from '../../../errors.ts';
import type { LogProducer, OutboundRecord, WriterMark } from '../log.ts';
import { Partitioner } from '../partitioner.ts';
import { kafkaClient, type KafkaLogOptions } from './client.ts';
import { asKafkaFailure, kafkaErrorType, kafkaFailure } from './failure.ts';
import { fetchGroupOffsets } from './group-offsets.ts';
import { requestsOf } from './messages.ts';

/** What a producer needs of its log. */
export interface KafkaAccess {
  readonly options: KafkaLogOptions;
  readonly admin: Admin;
  partitionCount(topic: string): Promise<number | null>;
}

/** Sends are tried again for about so many times before the caller hears of it. */
const retries = 5;

export type KafkaSend = Pick<Producer, 'sendBatch'>;

/** Chooses partitions and sends in order, in requests that suit kafkajs. */
export class KafkaSender {
  readonly #access: KafkaAccess;
  readonly #partitioner = new Partitioner();
  readonly #partitions = new Map<string, number>();

  constructor(access: KafkaAccess) {
    this.#access = access;
  }

  async send(producer: KafkaSend, records: readonly OutboundRecord[]): Promise<void> {
    for (const topic of new Set(records.map((record) => record.topic))) await this.#know(topic);
    const requests = requestsOf(records, (record) => this.#partitioner.choose(record, this.#partitions.get(record.topic)!));
    this.#partitioner.appendEnded();
    for (const topicMessages of requests) await producer.sendBatch({ acks: -1, topicMessages });
  }

  async #know(topic: string): Promise<void> {
    if (this.#partitions.has(topic)) return;
    const count = await this.#access.partitionCount(topic);
    if (count === null) throw new VoltstreamError('TOPIC_MISSING', `cannot append to topic ${topic}: it does not exist`);
    this.#partitions.set(topic, count);
  }
}

const partitionOfMessage = () => ({ message }: { readonly message: { readonly partition?: number } }): number => message.partition!;

export async function idempotentProducer(options: KafkaLogOptions): Promise<Producer> {
  const producer = kafkaClient(options).producer({
    idempotent: true, allowAutoTopicCreation: false, createPartitioner: partitionOfMessage, retry: { initialRetryTime: 100, retries },
  });
  await producer.connect();
  return producer;
}

/** Fences earlier producers of the same id when it connects, and ends the transaction they left open. */
export async function transactionalProducer(options: KafkaLogOptions, transactionalId: string): Promise<Producer> {
  const producer = kafkaClient(options).producer({
    idempotent: true,
    transactionalId,
    transactionTimeout: 10_000, // what a killed process leaves open holds back readers of committed records for so long
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: partitionOfMessage,
    retry: { initialRetryTime: 30, retries: 8 }, // kafkajs waits so long whenever the coordinator still ends the one before
  });
  await producer.connect();
  // kafkajs registers the transactional id only with the first transaction: an empty one, so that the fencing happens now
  await (await producer.transaction()).abort();
  return producer;
}

interface StoredMark {
  readonly topic: string;
  /** The offset number of the mark: it only has to grow. */
  readonly sequence: number;
  readonly metadata: string;
}

/**
 * A text kept as offset metadata of a group of its own. The group's name is the key; the topic partition that carries it is
 * partition 0 of the topic that was written first. If several carry one, the highest offset number is the last.
 */
export class OffsetMark {
  readonly #admin: Admin;
  readonly group: string;
  #last: StoredMark | null = null;

  constructor(admin: Admin, group: string) {
    this.#admin = admin;
    this.group = group;
  }

  /** As this object read or wrote it last. */
  get last(): string | null {
    return this.#last?.metadata ?? null;
  }

  /** What others wrote a moment ago may be missing: the coordinator ends their transaction behind the scenes. */
  async read(): Promise<string | null> {
    this.#last = null;
    for (const { topic, partitions } of await fetchGroupOffsets(this.#admin, { groupId: this.group })) {
      for (const { offset, metadata } of partitions) {
        const sequence = Number(offset);
        if (metadata === null || metadata === '' || sequence < 0 || sequence < (this.#last?.sequence ?? 0)) continue;
        this.#last = { topic, sequence, metadata };
      }
    }
    return this.#last?.metadata ?? null;
  }

  /** What to commit with a transaction; call `written` afterwards. */
  next(metadata: string, records: readonly OutboundRecord[]): StoredMark {
    const topic = this.#last?.topic ?? records[0]?.topic;
    if (topic === undefined) throw new Error(`invariant violated: the first mark of ${this.group} comes without a record`);
    return { topic, sequence: (this.#last?.sequence ?? 0) + 1, metadata };
  }

  written(mark: StoredMark): void {
    this.#last = mark;
  }
}

/** How often, and how long each time, offsets wait for the transaction before to be ended by the coordinator. */
const offsetRetries = 100;
const offsetRetryMs = 20;

/** kafkajs tries records again while the coordinator still ends the transaction before, but not offsets. */
export async function sendMark(transaction: Transaction, group: string, mark: StoredMark): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await transaction.sendOffsets(offsetsOf(group, mark));
      return;
    } catch (error) {
      if (kafkaErrorType(error) !== 'CONCURRENT_TRANSACTIONS' || attempt > offsetRetries) throw error;
      await sleep(offsetRetryMs);
    }
  }
}

function offsetsOf(group: string, { topic, sequence, metadata }: StoredMark): {
  consumerGroupId: string;
  topics: { topic: string; partitions: { partition: number; offset: string; metadata: string }[] }[];
} {
  return { consumerGroupId: group, topics: [{ topic, partitions: [{ partition: 0, offset: String(sequence), metadata }] }] };
}

/** Idempotent, acks by all replicas, one append after the other. */
export class KafkaProducer implements LogProducer {
  readonly #access: KafkaAccess;
  readonly #sender: KafkaSender;
  readonly #marks = new Map<string, { readonly mark: OffsetMark; readonly producer: Promise<Producer> }>();
  #producer: Promise<Producer> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(access: KafkaAccess) {
    this.#access = access;
    this.#sender = new KafkaSender(access);
  }

  append(records: readonly OutboundRecord[], mark?: WriterMark): Promise<void> {
    const appended = this.#last.then(() => this.#append(records, mark));
    this.#last = appended.catch(() => undefined); // its caller hears of it; the next append is tried all the same
    return appended;
  }

  async mark(writer: string): Promise<string | null> {
    await this.#last;
    const own = this.#marks.get(writer)?.mark.last;
    if (own !== undefined && own !== null) return own;
    return asKafkaFailure('cannot read a mark', () => new OffsetMark(this.#access.admin, this.#group(writer)).read());
  }

  async close(): Promise<void> {
    await this.#last;
    const producers = [this.#producer, ...[...this.#marks.values()].map(({ producer }) => producer)];
    await Promise.all(producers.map(async (producer) => (await producer)?.disconnect()));
    this.#marks.clear();
    this.#producer = null;
  }

  async #append(records: readonly OutboundRecord[], mark: WriterMark | undefined): Promise<void> {
    try {
      if (records.length > 0) await this.#sender.send(await (this.#producer ??= idempotentProducer(this.#access.options)), records);
      if (mark !== undefined) await this.#writeMark(mark, records);
    } catch (error) {
      const failed = this.#producer;
      this.#producer = null; // its sequence numbers may be spoilt: a new one next time
      await failed?.then((producer) => producer.disconnect()).catch(() => undefined); // it is given up in any case
      throw kafkaFailure(error, 'cannot append');
    }
  }

  async #writeMark({ writer, position }: WriterMark, records: readonly OutboundRecord[]): Promise<void> {
    let kept = this.#marks.get(writer);
    if (kept === undefined) {
      const group = this.#group(writer);
      kept = { mark: new OffsetMark(this.#access.admin, group), producer: transactionalProducer(this.#access.options, group) };
      this.#marks.set(writer, kept);
      await kept.producer;
      await kept.mark.read();
    }
    const { mark } = kept;
    try {
      const transaction = await (await kept.producer).transaction();
      const next = mark.next(position, records);
      await sendMark(transaction, mark.group, next);
      await transaction.commit();
      mark.written(next);
    } catch (error) {
      this.#marks.delete(writer);
      await kept.producer.then((producer) => producer.disconnect()).catch(() => undefined); // given up, as above
      throw error;
    }
  }

  #group(writer: string): string {
    return `${this.#access.options.application}-ingest-${writer}`;
  }
}

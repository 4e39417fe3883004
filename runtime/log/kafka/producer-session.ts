import { setTimeout as sleep } from 'node:timers/promises';
import { addOffsetsToTxnV3, addPartitionsToTxnV3, type Connection, endTxnV3, initProducerIdV4, txnOffsetCommitV3 } from '@platformatic/kafka';
import { VoltstreamError } from '../../../errors.ts';
import type { OutboundRecord } from '../log.ts';
import { Partitioner } from '../partitioner.ts';
import { type PlannedBatch, roundsOf } from './batches.ts';
import { type Cluster, unknownTopicTimeoutMs } from './cluster.ts';
import { isPassing, kafkaErrorType, refusal } from './failure.ts';
import type { Links } from './links.ts';
import { encodeBatch, recordBytes } from './protocol/encode-batch.ts';
import { produceApi, type ProducePartition } from './protocol/produce-request.ts';

/** What a killed process leaves open holds back readers of committed records for so long. */
const transactionTimeoutMs = 10_000;
/** A broker waits so long for its replicas. */
const produceTimeoutMs = 10_000;
/** Records are sent again for so long before the caller hears of it: longer than a broker takes to start. */
const deliveryTimeoutMs = 30_000;
const retryFirstMs = 20;
const retryLongestMs = 500;
/** While the coordinator still ends the transaction before. */
const concurrentRetryMs = 3;

const sequenceLimit = 0x8000_0000;
/** The broker has this very batch already: an earlier answer was lost. */
const duplicateSequence = 'DUPLICATE_SEQUENCE_NUMBER';
const tooLargeTypes: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

export interface StoredMark {
  readonly topic: string;
  /** The offset number of the mark: it only has to grow. */
  readonly sequence: number;
  readonly metadata: string;
}

interface Encoded extends ProducePartition {
  readonly records: readonly OutboundRecord[];
  readonly sequence: number;
}

/**
 * One producer id and its sequence numbers: each batch is in the log once, however often it is sent. With a transactional id also transactions.
 * After an error that it throws it must not be used any more: what is in the log is not known.
 */
export class ProducerSession {
  readonly #cluster: Cluster;
  readonly #links: Links;
  readonly #transactionalId: string | null;
  readonly #partitioner = new Partitioner();
  readonly #sequences = new Map<string, number>();
  /** Partitions, and groups, that the coordinator has been told of for the present transaction. */
  readonly #told = new Set<string>();
  #producerId = -1n;
  #epoch = -1;

  constructor(cluster: Cluster, transactionalId: string | null = null) {
    this.#cluster = cluster;
    this.#links = cluster.links();
    this.#transactionalId = transactionalId;
  }

  /** Fences earlier producers of the same transactional id, and waits until what they left open is aborted. */
  async open(): Promise<void> {
    const initialise = initProducerIdV4.api;
    const answer = this.#transactionalId === null
      ? await this.#cluster.retrying(() => this.#cluster.ask((connection) => initialise.async(connection, null, transactionTimeoutMs), this.#links))
      : await this.#coordinate((connection) => initialise.async(connection, this.#transactionalId, transactionTimeoutMs));
    this.#producerId = answer.producerId;
    this.#epoch = answer.producerEpoch;
  }

  /** Resolves when all records are in the log, in the order given per partition. */
  async send(records: readonly OutboundRecord[]): Promise<void> {
    const counts = new Map<string, number>();
    for (const { topic } of records) if (!counts.has(topic)) counts.set(topic, await this.#partitionCount(topic));
    const rounds = roundsOf(records, (record) => this.#partitioner.choose(record, counts.get(record.topic)!));
    this.#partitioner.appendEnded();
    if (this.#transactionalId !== null) await this.#tellPartitions(rounds.flat());
    for (const round of rounds) await this.#deliver(round.map((batch) => this.#encode(batch)));
  }

  /** The mark becomes visible with the transaction. */
  async sendMark(group: string, { topic, sequence, metadata }: StoredMark): Promise<void> {
    const id = this.#transactionalId!;
    if (!this.#told.has(`group ${group}`)) {
      await this.#coordinate((connection) => addOffsetsToTxnV3.api.async(connection, id, this.#producerId, this.#epoch, group));
      this.#told.add(`group ${group}`);
    }
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: BigInt(sequence), committedLeaderEpoch: -1, committedMetadata: metadata }] }];
    await untilKnown(() => this.#cluster.onCoordinator('group', group, this.#links, (connection) => txnOffsetCommitV3.api.async(
      connection, id, group, this.#producerId, this.#epoch, -1, '', null, topics)));
  }

  async commit(): Promise<void> {
    await this.#end(true);
  }

  async abort(): Promise<void> {
    await this.#end(false);
  }

  async close(): Promise<void> {
    await this.#links.close();
  }

  async #end(committed: boolean): Promise<void> {
    if (this.#told.size === 0) return;
    this.#told.clear();
    await this.#coordinate((connection) => endTxnV3.api.async(connection, this.#transactionalId!, this.#producerId, this.#epoch, committed));
  }

  async #tellPartitions(batches: readonly PlannedBatch[]): Promise<void> {
    const topics = new Map<string, number[]>();
    const names: string[] = [];
    for (const { topic, partition } of batches) {
      const name = `${topic}/${partition}`;
      if (this.#told.has(name) || names.includes(name)) continue;
      names.push(name);
      topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    }
    if (names.length === 0) return;
    const transaction = {
      transactionalId: this.#transactionalId!, producerId: this.#producerId, producerEpoch: this.#epoch, verifyOnly: false,
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    };
    await untilKnown(() => this.#coordinate((connection) => addPartitionsToTxnV3.api.async(connection, [transaction])));
    for (const name of names) this.#told.add(name);
  }

  /** The coordinator answers so until it has ended the transaction before, which takes it milliseconds. */
  async #coordinate<T>(action: (connection: Connection) => Promise<T>): Promise<T> {
    const untilMs = performance.now() + deliveryTimeoutMs;
    for (;;) {
      try {
        return await this.#cluster.onCoordinator('transaction', this.#transactionalId!, this.#links, async (connection) => {
          try {
            return await action(connection);
          } catch (error) {
            if (kafkaErrorType(error) === 'CONCURRENT_TRANSACTIONS') throw new StillEnding('the transaction before is still ending', { cause: error });
            throw error;
          }
        });
      } catch (error) {
        if (!(error instanceof StillEnding) || performance.now() > untilMs) throw error;
        await sleep(concurrentRetryMs);
      }
    }
  }

  async #partitionCount(topic: string): Promise<number> {
    for (const untilMs = performance.now() + unknownTopicTimeoutMs; ;) {
      const facts = await this.#cluster.topic(topic);
      if (facts !== null) return facts.leaders.length;
      if (performance.now() > untilMs) throw missing(topic);
      await sleep(retryLongestMs);
    }
  }

  #encode(planned: PlannedBatch): Encoded {
    const name = `${planned.topic}/${planned.partition}`;
    const sequence = this.#sequences.get(name) ?? 0;
    this.#sequences.set(name, (sequence + planned.records.length) % sequenceLimit);
    return this.#encodeFrom(planned, sequence);
  }

  #encodeFrom({ topic, partition, records, bytes }: PlannedBatch, sequence: number): Encoded {
    const batch = encodeBatch(records, bytes, {
      producerId: this.#producerId, epoch: this.#epoch, sequence, transactional: this.#transactionalId !== null,
    });
    return { topic, partition, batch, records, sequence };
  }

  /** A topic may take less than our batches have: the same records in two halves. Nothing of a refused batch is in the log. */
  async #deliverHalves({ topic, partition, records, sequence }: Encoded): Promise<void> {
    const middle = records.length >> 1;
    for (const [half, from] of [[records.slice(0, middle), sequence], [records.slice(middle), (sequence + middle) % sequenceLimit]] as const) {
      const bytes = half.reduce((sum, record) => sum + recordBytes(record), 0);
      await this.#deliver([this.#encodeFrom({ topic, partition, records: half, bytes }, from)]);
    }
  }

  /** Sends batches of different partitions until all are in the log: the same bytes again to whoever leads by then. */
  async #deliver(batches: readonly Encoded[]): Promise<void> {
    const untilMs = performance.now() + deliveryTimeoutMs;
    let knownMs = performance.now();
    let left = batches;
    for (let pauseMs = retryFirstMs; ; pauseMs = Math.min(pauseMs * 2, retryLongestMs)) {
      let failures: { readonly batch: Encoded; readonly error: unknown }[] = [];
      await Promise.all([...Map.groupBy(left, (batch) => this.#leader(batch))].map(([node, ofNode]) => this.#produce(node, ofNode, failures)));
      const halved = failures.filter(({ batch, error }) => batch.records.length > 1 && tooLargeTypes.has(kafkaErrorType(error) ?? ''));
      for (const { batch } of halved) await this.#deliverHalves(batch);
      failures = failures.filter((failure) => !halved.includes(failure));
      if (failures.length === 0) return;
      const fatal = failures.find(({ error }) => !isPassing(error) && kafkaErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION');
      if (fatal !== undefined || performance.now() > untilMs) throw (fatal ?? failures[0]!).error;
      await sleep(pauseMs);
      left = failures.map(({ batch }) => batch);
      await this.#cluster.retrying(() => this.#cluster.refresh([...new Set(left.map(({ topic }) => topic))]));
      const unknown = left.find(({ topic }) => this.#cluster.known(topic) === undefined);
      if (unknown === undefined) knownMs = performance.now();
      else if (performance.now() - knownMs > unknownTopicTimeoutMs) throw missing(unknown.topic);
    }
  }

  #leader({ topic, partition }: Encoded): number {
    return this.#cluster.known(topic)?.leaders[partition]?.node ?? -1;
  }

  async #produce(node: number, batches: readonly Encoded[], failures: { batch: Encoded; error: unknown }[]): Promise<void> {
    const broker = this.#cluster.broker(node);
    try {
      if (broker === undefined) throw refusal(5); // no leader at the moment
      const connection = await this.#links.to(broker);
      const answers = await produceApi.async(connection, this.#transactionalId, produceTimeoutMs, batches);
      for (const { topic, partition, errorCode, errorMessage } of answers) {
        if (errorCode === 0) continue;
        const error = refusal(errorCode, errorMessage);
        if (kafkaErrorType(error) === duplicateSequence) continue;
        failures.push({ batch: batches.find((one) => one.topic === topic && one.partition === partition)!, error });
      }
    } catch (error) {
      for (const batch of batches) failures.push({ batch, error });
    }
  }
}

/** Asks again while a coordinator does not know a topic that metadata tells of. */
async function untilKnown<T>(action: () => Promise<T>): Promise<T> {
  for (const untilMs = performance.now() + unknownTopicTimeoutMs; ;) {
    try {
      return await action();
    } catch (error) {
      if (kafkaErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION' || performance.now() > untilMs) throw error;
      await sleep(retryFirstMs);
    }
  }
}

function missing(topic: string): VoltstreamError {
  return new VoltstreamError('TOPIC_MISSING', `cannot append to topic ${topic}: it does not exist`);
}

class StillEnding extends Error {}

import type { LogBatch, LogRecord, TopicPartition } from '../log.ts';

/** What a record costs in memory beyond its key and value. */
const recordOverheadBytes = 100;

export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** What was fetched of one partition and not yet asked for; batches link up: each begins where the one before ended. */
export class PartitionBuffer implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  assigned = false;
  paused = true;
  outOfRange = false;
  /** Where the next batch must begin; null until a seek. */
  position: number | null = null;
  bytes = 0;
  #batches: LogBatch[] = [];
  #fetchesAtSeek = 0;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  reset(): void {
    this.position = null;
    this.outOfRange = false;
    this.#batches = [];
    this.bytes = 0;
  }

  seek(position: number, fetchesEnded: number): void {
    this.reset();
    this.position = position;
    this.#fetchesAtSeek = fetchesEnded;
  }

  /** False for what was fetched before the last seek: kafkajs drops such records itself, but not news of skipped ones. */
  fetchedSinceSeek(fetchesEnded: number): boolean {
    return fetchesEnded > this.#fetchesAtSeek;
  }

  add(records: readonly LogRecord[], nextPosition: number, endOffset: number): void {
    for (const { key, value } of records) this.bytes += recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0);
    const { topic, partition } = this;
    this.#batches.push({ topic, partition, requestedPosition: this.position!, records, nextPosition, endOffset });
    this.position = nextPosition;
  }

  /** Control records, or offsets that compaction took away. */
  passOver(nextPosition: number, endOffset: number): void {
    this.add([], nextPosition, endOffset);
  }

  take(into: LogBatch[]): void {
    if (this.paused || this.#batches.length === 0) return;
    into.push(...this.#batches);
    this.#batches = [];
    this.bytes = 0;
  }
}

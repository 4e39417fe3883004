import type { LogBatch, TopicPartition } from '../log.ts';
import { type AbortedTransaction, decodeBatches, endOf } from './protocol/record-batches.ts';

export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

interface Chunk {
  readonly requestedPosition: number;
  readonly nextPosition: number;
  readonly endOffset: number;
  readonly leaderEpoch: number;
  readonly bytes: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

/**
 * What was fetched of one partition and not yet asked for, as it came from the broker; it is decoded when it is taken. Chunks link up: each
 * begins where the one before ended.
 */
export class PartitionBuffer implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  assigned = false;
  paused = true;
  outOfRange = false;
  /** Where the log was cut, when records before the position are no longer in it; the partition is out of range then. */
  cutAt: number | null = null;
  /** Where the next fetch must begin; null until a seek. */
  position: number | null = null;
  /** A fetch is under way, or its partition waits for a new leader. */
  busy = false;
  bytes = 0;
  /** Grows with each seek and reset: what was asked for before is dropped. */
  version = 0;
  #chunks: Chunk[] = [];
  /** Up to where the reader has come, and the epoch of the last batch before it. */
  #taken = { position: -1, leaderEpoch: -1 };

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  reset(): void {
    this.position = null;
    this.outOfRange = false;
    this.cutAt = null;
    this.version += 1;
    this.#chunks = [];
    this.bytes = 0;
  }

  seek(position: number): void {
    this.reset();
    this.position = position;
  }

  /** In which epoch the record before the position was written, so that the broker can tell whether it is still there; -1: not known. */
  get readEpoch(): number {
    return this.#chunks.at(-1)?.leaderEpoch ?? (this.#taken.position === this.position ? this.#taken.leaderEpoch : -1);
  }

  /** False when there was not one whole record batch. */
  add(bytes: Buffer, endOffset: number, aborted: readonly AbortedTransaction[]): boolean {
    const end = endOf(bytes);
    if (end === null) return false;
    // A position inside a batch that compaction has shortened can lie behind all that is left of it.
    const next = Math.max(end.position, this.position!);
    this.#chunks.push({ requestedPosition: this.position!, nextPosition: next, endOffset: Math.max(endOffset, next), leaderEpoch: end.leaderEpoch, bytes, aborted });
    this.position = next;
    this.bytes += bytes.length;
    return true;
  }

  get waiting(): boolean {
    return !this.paused && this.#chunks.length > 0;
  }

  /** The next chunk, decoded. A damaged one stays where it is. */
  take(): LogBatch | null {
    const chunk = this.paused ? undefined : this.#chunks[0];
    if (chunk === undefined) return null;
    const { requestedPosition, nextPosition, endOffset, leaderEpoch, bytes, aborted } = chunk;
    const records = decodeBatches(bytes, requestedPosition, aborted);
    this.#chunks.shift();
    this.bytes -= bytes.length;
    this.#taken = { position: nextPosition, leaderEpoch };
    return { topic: this.topic, partition: this.partition, requestedPosition, records, nextPosition, endOffset };
  }
}

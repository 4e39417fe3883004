import type { LogRecord, OutboundRecord, TopicDefinition, TopicPartition } from '../log.ts';

export interface StoredTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface StoredBounds {
  readonly start: number;
  readonly end: number;
}

export interface StoredRead {
  readonly records: readonly LogRecord[];
  readonly nextPosition: number;
  readonly endOffset: number;
}

export interface PlacedRecord {
  readonly partition: number;
  readonly record: OutboundRecord;
}

/** Records and cells that become visible in one atomic step. */
export interface AppendJob {
  readonly records: readonly PlacedRecord[];
  readonly cells: readonly (readonly [key: string, value: string])[];
  /** Runs inside the atomic step, on what is stored then; throws to refuse this job, without harm to others. */
  readonly check?: (cell: (key: string) => string | null) => void;
}

/** What a log without a server needs below it: LMDB, or memory. */
export interface LogStorage {
  open(): Promise<void>;
  close(): Promise<void>;
  createTopics(topics: readonly TopicDefinition[]): void;
  topic(name: string): StoredTopic | null;
  /** All that `work` reads is of one moment. Synchronous. */
  snapshot<T>(work: () => T): T;
  bounds(partition: TopicPartition): StoredBounds;
  /** Records from `position` (within bounds) on: at least one when there is one, then while they fit into `bytesMax`. */
  read(partition: TopicPartition, position: number, bytesMax: number): StoredRead;
  append(job: AppendJob): Promise<void>;
  /** Raises the first offset; `offset` beyond the end means the end. */
  deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
  /** Small facts: marks, ordinals, group offsets. */
  cell(key: string): string | null;
  writeCells(cells: readonly (readonly [key: string, value: string])[]): void;
  /** Deletes whole batches older than their topic's `retention.ms` and gives the number of records. */
  applyRetention(nowMs: number): Promise<number>;
  /** Calls back after appends by this process (by any log on the same folder); gives the function that ends it. */
  onAppend(listener: () => void): () => void;
  /** How long at most a waiting reader may sleep, so that appends of other processes are seen; Infinity: no others. */
  readonly checkEveryMs: number;
}

/** `retention.ms` of a topic, or -1 for ever. `cleanup.policy=compact` keeps everything: compacting is never owed. */
export function retentionMs(topic: StoredTopic): number {
  const policy = topic.settings['cleanup.policy'] ?? 'delete';
  if (!policy.split(',').includes('delete')) return -1;
  return Number(topic.settings['retention.ms'] ?? -1);
}

import { VoltstreamError } from '../../errors.ts';
import { LocalLog, type LocalLogOptions } from './embedded/local-log.ts';
import { type AppendJob, type LogStorage, retentionMs, type StoredBounds, type StoredRead, type StoredTopic } from './embedded/storage.ts';
import type { LogRecord, TopicDefinition, TopicPartition } from './log.ts';

/** Records in one read: as many as the embedded log's batches give for small records. */
const readRecordsMax = 2_000;

interface MemoryPartition {
  start: number;
  readonly records: LogRecord[];
}

class MemoryStorage implements LogStorage {
  readonly checkEveryMs = Infinity;
  readonly #topics = new Map<string, StoredTopic & { readonly data: readonly MemoryPartition[] }>();
  readonly #cells = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  async open(): Promise<void> {
    // memory is always open
  }

  async close(): Promise<void> {
    // what was appended stays readable, so that a test can open the same log again
  }

  createTopics(topics: readonly TopicDefinition[]): void {
    for (const { topic, partitions, settings } of topics) {
      if (this.#topics.has(topic)) continue;
      const data = Array.from({ length: partitions }, () => ({ start: 0, records: [] }));
      this.#topics.set(topic, { topic, partitions, settings: settings ?? {}, data });
    }
  }

  topic(name: string): StoredTopic | null {
    return this.#topics.get(name) ?? null;
  }

  snapshot<T>(work: () => T): T {
    return work();
  }

  bounds(partition: TopicPartition): StoredBounds {
    const { start, records } = this.#partition(partition);
    return { start, end: start + records.length };
  }

  read(partition: TopicPartition, position: number): StoredRead {
    const { start, records } = this.#partition(partition);
    const part = records.slice(position - start, position - start + readRecordsMax);
    return { records: part, nextPosition: position + part.length, endOffset: start + records.length };
  }

  async append({ records, cells, check }: AppendJob): Promise<void> {
    check?.((key) => this.cell(key));
    for (const { partition, record } of records) {
      const { start, records: stored } = this.#partition({ topic: record.topic, partition });
      const { timestampMs, key, value, headers } = record;
      const kept = headers === null || headers === undefined || headers.length === 0 ? null : headers;
      stored.push({ offset: start + stored.length, timestampMs, key, value, headers: kept });
    }
    this.writeCells(cells);
    for (const listener of this.#listeners) listener();
  }

  async deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    for (const position of positions) {
      const partition = this.#partition(position);
      partition.start += partition.records.splice(0, position.offset - partition.start).length;
    }
  }

  cell(key: string): string | null {
    return this.#cells.get(key) ?? null;
  }

  writeCells(cells: readonly (readonly [key: string, value: string])[]): void {
    for (const [key, value] of cells) this.#cells.set(key, value);
  }

  async applyRetention(nowMs: number): Promise<number> {
    let deleted = 0;
    for (const topic of this.#topics.values()) {
      const keepMs = retentionMs(topic);
      for (const partition of keepMs < 0 ? [] : topic.data) {
        const kept = partition.records.findIndex((record) => record.timestampMs >= nowMs - keepMs);
        const removed = partition.records.splice(0, kept < 0 ? partition.records.length : kept).length;
        partition.start += removed;
        deleted += removed;
      }
    }
    return deleted;
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #partition({ topic, partition }: TopicPartition): MemoryPartition {
    const found = this.#topics.get(topic)?.data[partition];
    if (found === undefined) throw new VoltstreamError('TOPIC_MISSING', `the memory log has no partition ${partition} of topic ${topic}`);
    return found;
  }
}

/** The log in memory, for tests. It outlives `close`, so that a restart can be played: open it again. */
export class MemoryLog extends LocalLog {
  constructor(options: LocalLogOptions = {}) {
    super(new MemoryStorage(), options);
  }
}

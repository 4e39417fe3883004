import type { LogBatch, LogHeader, LogRecord } from '../log/log.ts';
import { partitionOf } from '../log/partitioner.ts';

export interface DriverRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers: readonly LogHeader[] | null;
}

/** Topics in memory, synchronous. */
export class DriverLog {
  readonly #partitions: number;
  readonly #topics = new Map<string, LogRecord[][]>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  append(topic: string, record: DriverRecord): void {
    const partition = record.key === null ? 0 : partitionOf(record.key, this.#partitions);
    const records = this.#records(topic, partition);
    records.push({ offset: records.length, ...record });
  }

  /** Everything from `position` on as one batch. */
  fetch(topic: string, partition: number, position: number): LogBatch {
    const records = this.#records(topic, partition);
    return {
      topic, partition, requestedPosition: position, records: records.slice(position), nextPosition: records.length, endOffset: records.length,
    };
  }

  end(topic: string, partition: number): number {
    return this.#records(topic, partition).length;
  }

  #records(topic: string, partition: number): LogRecord[] {
    const partitions = this.#topics.get(topic) ?? Array.from({ length: this.#partitions }, () => []);
    this.#topics.set(topic, partitions);
    return partitions[partition] as LogRecord[];
  }
}

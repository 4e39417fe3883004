import { afterAll, beforeAll, expect } from 'vitest';
import type { AssignmentListener, Log, LogBatch, LogConsumer, LogRecord, OutboundRecord, TaskAssignment, TopicPartition } from '../log.ts';

export interface LogHarness {
  /** A log of its own on the same data, not yet opened. */
  make(): Log;
  dispose(): Promise<void>;
  /** Largest value that is accepted without configuration. */
  readonly valueBytesMax: number;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const string = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes));
export const values = (records: readonly LogRecord[]): (string | null)[] => records.map((record) => string(record.value));

let names = 0;
export const unique = (prefix: string): string => `${prefix}-${Date.now().toString(36)}-${names++}`;

export function numbered(topic: string, from: number, to: number, partition = 0): OutboundRecord[] {
  return Array.from({ length: to - from }, (_, index) => ({
    topic, partition, key: text(`key-${from + index}`), value: text(`value-${from + index}`), timestampMs: 1_700_000_000_000 + from + index,
  }));
}

export function numberedValues(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `value-${from + index}`);
}

export async function readAll(log: Log, partition: TopicPartition, from?: number, to?: number): Promise<LogRecord[]> {
  const bounds = await log.bounds(partition);
  const records: LogRecord[] = [];
  for await (const batch of log.read(partition, from ?? bounds.start, to ?? bounds.end)) records.push(...batch.records);
  return records;
}

/** Polls until the condition holds or 20 s are over. */
export async function pollUntil(consumer: LogConsumer, enough: (batches: readonly LogBatch[]) => boolean): Promise<LogBatch[]> {
  const batches: LogBatch[] = [];
  const untilMs = Date.now() + 20_000;
  while (!enough(batches) && Date.now() < untilMs) batches.push(...(await consumer.poll(100)));
  return batches;
}

export const recordsOf = (batches: readonly LogBatch[]): LogRecord[] => batches.flatMap((batch) => [...batch.records]);
export const recordCount = (batches: readonly LogBatch[]): number => batches.reduce((sum, batch) => sum + batch.records.length, 0);

/** Reads every task from offset 0, as a runtime would after a claim. */
export function fromStart(consumer: LogConsumer, seen: (tasks: readonly TaskAssignment[]) => void = () => undefined): AssignmentListener {
  return {
    async assigned(tasks) {
      seen(tasks);
      for (const { partitions } of tasks) {
        for (const partition of partitions) consumer.seek(partition, 0);
        consumer.resume(partitions);
      }
    },
  };
}

export const task = (name: string, ...partitions: TopicPartition[]): TaskAssignment => ({ task: name, partitions });

/** One log for all laws of a suite, and what most of them do with it. */
export class ContractLog {
  #harness: LogHarness | null = null;
  #log: Log | null = null;

  /** To be called inside `describe`. */
  constructor(start: () => Promise<LogHarness>) {
    beforeAll(async () => {
      this.#harness = await start();
      this.#log = this.#harness.make();
      await this.#log.open();
    });
    afterAll(async () => {
      await this.#log?.close();
      await this.#harness?.dispose();
    });
  }

  get harness(): LogHarness {
    return this.#harness!;
  }

  get log(): Log {
    return this.#log!;
  }

  async topic(partitions: number, records: (topic: string) => readonly OutboundRecord[] = () => []): Promise<string> {
    const topic = unique('contract');
    await this.log.createTopics([{ topic, partitions, settings: { 'retention.ms': '-1' } }]);
    await this.append(records(topic));
    return topic;
  }

  async append(records: readonly OutboundRecord[]): Promise<void> {
    const producer = await this.log.producer();
    await producer.append(records);
    await producer.close();
  }

  /** A consumer that reads all its tasks from offset 0. */
  async withConsumer(tasks: readonly TaskAssignment[], action: (consumer: LogConsumer) => Promise<void>): Promise<void> {
    const consumer = this.log.consumer({ group: unique('group'), tasks });
    try {
      await consumer.start(fromStart(consumer));
      await action(consumer);
    } finally {
      await consumer.stop();
    }
  }

  /** What was delivered becomes visible a moment after `deliver` where a coordinator ends transactions behind the scenes. */
  async expectDelivered(partition: TopicPartition, expected: readonly string[]): Promise<void> {
    await expect.poll(async () => values(await readAll(this.log, partition)), { timeout: 10_000, interval: 50 }).toEqual(expected);
  }
}

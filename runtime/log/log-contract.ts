/** One suite for every log: each `it` is a law of the port in `log.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AssignmentListener, Log, LogBatch, LogConsumer, LogRecord, OrdinalProducerOptions, OutboundRecord, TaskAssignment, TopicPartition,
} from './log.ts';

export interface LogHarness {
  /** A log of its own on the same data, not yet opened. */
  make(): Log;
  dispose(): Promise<void>;
  /** Several consumers share the tasks of a group (Kafka); else one process has them all. */
  readonly groups: boolean;
  /** Largest value that is accepted without configuration. */
  readonly valueBytesMax: number;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const string = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes));
const values = (records: readonly LogRecord[]): (string | null)[] => records.map((record) => string(record.value));

let names = 0;
const unique = (prefix: string): string => `${prefix}-${Date.now().toString(36)}-${names++}`;

function numbered(topic: string, from: number, to: number, partition = 0): OutboundRecord[] {
  return Array.from({ length: to - from }, (_, index) => ({
    topic, partition, key: text(`key-${from + index}`), value: text(`value-${from + index}`), timestampMs: 1_700_000_000_000 + from + index,
  }));
}

function numberedValues(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `value-${from + index}`);
}

async function readAll(log: Log, partition: TopicPartition, from?: number, to?: number): Promise<LogRecord[]> {
  const bounds = await log.bounds(partition);
  const records: LogRecord[] = [];
  for await (const batch of log.read(partition, from ?? bounds.start, to ?? bounds.end)) records.push(...batch.records);
  return records;
}

/** Polls until the condition holds or 20 s are over. */
async function pollUntil(consumer: LogConsumer, enough: (batches: readonly LogBatch[]) => boolean): Promise<LogBatch[]> {
  const batches: LogBatch[] = [];
  const untilMs = Date.now() + 20_000;
  while (!enough(batches) && Date.now() < untilMs) batches.push(...(await consumer.poll(100)));
  return batches;
}

const recordsOf = (batches: readonly LogBatch[]): LogRecord[] => batches.flatMap((batch) => [...batch.records]);
const recordCount = (batches: readonly LogBatch[]): number => batches.reduce((sum, batch) => sum + batch.records.length, 0);

/** Reads every task from offset 0, as a runtime would after a claim. */
function fromStart(consumer: LogConsumer, seen: (tasks: readonly TaskAssignment[]) => void = () => undefined): AssignmentListener {
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

const task = (name: string, ...partitions: TopicPartition[]): TaskAssignment => ({ task: name, partitions });

export function logContract(name: string, start: () => Promise<LogHarness>): void {
  describe(`log contract: ${name}`, () => {
    let harness: LogHarness;
    let log: Log;

    beforeAll(async () => {
      harness = await start();
      log = harness.make();
      await log.open();
    });

    afterAll(async () => {
      await log.close();
      await harness.dispose();
    });

    async function topicOf(partitions: number, records: (topic: string) => readonly OutboundRecord[] = () => []): Promise<string> {
      const topic = unique('contract');
      await log.createTopics([{ topic, partitions, settings: { 'retention.ms': '-1' } }]);
      const producer = await log.producer();
      await producer.append(records(topic));
      await producer.close();
      return topic;
    }

    async function append(records: readonly OutboundRecord[]): Promise<void> {
      const producer = await log.producer();
      await producer.append(records);
      await producer.close();
    }

    async function withConsumer(tasks: readonly TaskAssignment[], action: (consumer: LogConsumer) => Promise<void>): Promise<void> {
      const consumer = log.consumer({ group: unique('group'), tasks });
      try {
        await consumer.start(fromStart(consumer));
        await action(consumer);
      } finally {
        await consumer.stop();
      }
    }

    describe('topics', () => {
      it('says how many partitions a topic has, and null for one that is not there', async () => {
        const topic = await topicOf(3);
        expect(await log.partitionCount(topic)).toBe(3);
        expect(await log.partitionCount(unique('nowhere'))).toBeNull();
      });

      it('creates what is missing, and refuses another number of partitions', async () => {
        const topic = await topicOf(2);
        await log.createTopics([{ topic, partitions: 2 }]);
        await expect(log.createTopics([{ topic, partitions: 3 }])).rejects.toMatchObject({ code: 'PARTITIONS_CHANGED' });
      });

      it('refuses to append to a topic that is not there', async () => {
        await expect(append(numbered(unique('nowhere'), 0, 1))).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
      });
    });

    describe('records', () => {
      it('come back in order, partition by partition, with the offsets from 0 on', async () => {
        const topic = await topicOf(2, (name) => [...numbered(name, 0, 700, 0), ...numbered(name, 700, 1_000, 1)]);
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 700));
        const second = await readAll(log, { topic, partition: 1 });
        expect(values(second)).toEqual(numberedValues(700, 1_000));
        expect(second.map((record) => record.offset)).toEqual(Array.from({ length: 300 }, (_, index) => index));
        expect(await log.bounds({ topic, partition: 0 })).toEqual({ start: 0, end: 700 });
      });

      it('keep keys, values, nulls, emptiness, timestamps and headers', async () => {
        const headers = [{ key: 'a', value: text('1') }, { key: 'ü', value: new Uint8Array([0, 255]) }];
        const topic = await topicOf(1, (name) => [
          { topic: name, partition: 0, key: null, value: text('no key'), timestampMs: 5 },
          { topic: name, partition: 0, key: text('no value'), value: null, timestampMs: 1_700_000_000_123 },
          { topic: name, partition: 0, key: new Uint8Array(0), value: new Uint8Array(0), timestampMs: 7, headers },
        ]);
        const [first, second, third] = await readAll(log, { topic, partition: 0 });
        expect([first!.key, string(first!.value), first!.timestampMs, first!.headers]).toEqual([null, 'no key', 5, null]);
        expect([string(second!.key), second!.value, second!.timestampMs]).toEqual(['no value', null, 1_700_000_000_123]);
        expect([third!.key!.length, third!.value!.length, third!.timestampMs]).toEqual([0, 0, 7]);
        expect(third!.headers!.map(({ key, value }) => [key, [...value]])).toEqual([['a', [49]], ['ü', [0, 255]]]);
      });

      it('stay in the order in which appends were called, without waiting for each other', async () => {
        const topic = await topicOf(1);
        const producer = await log.producer();
        await Promise.all(Array.from({ length: 20 }, (_, index) => producer.append(numbered(topic, index * 10, index * 10 + 10))));
        await producer.close();
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 200));
      });

      it('go to the partition of their key, as Kafka chooses it', async () => {
        const keyed = (topic: string, key: string): OutboundRecord => ({ topic, key: text(key), value: text(key), timestampMs: 1 });
        const topic = await topicOf(4, (name) => ['21', 'foobar', 'abc'].map((key) => keyed(name, key)));
        // murmur2: 21 = -973932308, foobar = -790332482, abc = 479470107; each & 0x7fffffff, modulo 4
        expect(values(await readAll(log, { topic, partition: -973932308 & 3 }))).toContain('21');
        expect(values(await readAll(log, { topic, partition: -790332482 & 3 }))).toContain('foobar');
        expect(values(await readAll(log, { topic, partition: 479470107 & 3 }))).toContain('abc');
      });

      it('may be as large as the log says', async () => {
        const value = new Uint8Array(harness.valueBytesMax).fill(7);
        const topic = await topicOf(1, (name) => [{ topic: name, partition: 0, key: null, value, timestampMs: 1 }]);
        const [record] = await readAll(log, { topic, partition: 0 });
        expect(Buffer.compare(record!.value!, value)).toBe(0);
      });
    });

    describe('read', () => {
      it('gives exactly the range asked for', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 500));
        const partition = { topic, partition: 0 };
        expect(values(await readAll(log, partition, 123, 321))).toEqual(numberedValues(123, 321));
        const batches: LogBatch[] = [];
        for await (const batch of log.read(partition, 490, 500)) batches.push(batch);
        expect(batches[0]!.requestedPosition).toBe(490);
        expect(batches.at(-1)).toMatchObject({ nextPosition: 500, endOffset: 500 });
        expect(await readAll(log, partition, 500, 500)).toEqual([]);
      });
    });

    describe('consumer', () => {
      it('gives nothing before seek and resume, and everything from there after', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 100));
        const partition = { topic, partition: 0 };
        const consumer = log.consumer({ group: unique('group'), tasks: [task('only_0', partition)] });
        let joined = (): void => undefined;
        const join = new Promise<void>((resolve) => (joined = resolve));
        await consumer.start({ assigned: async () => joined() });
        await join;
        expect(await consumer.poll(50)).toEqual([]);
        consumer.seek(partition, 40);
        expect(await consumer.poll(50)).toEqual([]);
        consumer.resume([partition]);
        const batches = await pollUntil(consumer, (got) => recordCount(got) >= 60);
        expect(values(recordsOf(batches))).toEqual(numberedValues(40, 100));
        expect(batches.at(-1)).toMatchObject({ nextPosition: 100, endOffset: 100 });
        await consumer.stop();
      });

      it('links batches: each was asked for where the one before ended', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 3_000));
        await withConsumer([task('only_0', { topic, partition: 0 })], async (consumer) => {
          let next = 0;
          for (const batch of await pollUntil(consumer, (got) => recordCount(got) >= 3_000)) {
            expect(batch.requestedPosition).toBe(next);
            if (batch.records.length > 0) expect(batch.records[0]!.offset).toBe(next);
            next = batch.nextPosition;
          }
          expect(next).toBe(3_000);
        });
      });

      it('never gives after a seek what was fetched before it', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 2_000));
        const partition = { topic, partition: 0 };
        await withConsumer([task('only_0', partition)], async (consumer) => {
          await pollUntil(consumer, (got) => recordCount(got) > 0);
          for (const position of [1_500, 3, 1_999, 700]) {
            consumer.seek(partition, position);
            const [batch] = await pollUntil(consumer, (got) => got.length > 0);
            expect([batch!.requestedPosition, batch!.records[0]!.offset]).toEqual([position, position]);
          }
        });
      });

      it('gives nothing of a paused partition, and goes on without a gap when it is resumed', async () => {
        const topic = await topicOf(2, (name) => [...numbered(name, 0, 50, 0), ...numbered(name, 0, 50, 1)]);
        const [first, second] = [{ topic, partition: 0 }, { topic, partition: 1 }];
        await withConsumer([task('a_0', first), task('a_1', second)], async (consumer) => {
          await pollUntil(consumer, (got) => recordCount(got) >= 100);
          consumer.pause([first]);
          await append([...numbered(topic, 50, 60, 0), ...numbered(topic, 50, 60, 1)]);
          const during = await pollUntil(consumer, (got) => recordCount(got) >= 10);
          expect(new Set(during.map((batch) => batch.partition))).toEqual(new Set([1]));
          expect(recordCount(await consumer.poll(100))).toBe(0);
          consumer.resume([first]);
          expect(values(recordsOf(await pollUntil(consumer, (got) => recordCount(got) >= 10)))).toEqual(numberedValues(50, 60));
        });
      });

      it('waits when there is nothing, and wakes up when something is appended', async () => {
        const topic = await topicOf(1);
        await withConsumer([task('only_0', { topic, partition: 0 })], async (consumer) => {
          expect(recordCount(await consumer.poll(30))).toBe(0);
          const waiting = pollUntil(consumer, (got) => recordCount(got) > 0);
          await append(numbered(topic, 0, 1));
          expect(values(recordsOf(await waiting))).toEqual(['value-0']);
        });
      });

      it('says so once when a position is not in the log', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 20));
        const partition = { topic, partition: 0 };
        await log.deleteRecords([{ ...partition, offset: 10 }]);
        await withConsumer([task('only_0', partition)], async (consumer) => {
          await expect(pollUntil(consumer, (got) => recordCount(got) > 0)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
          expect(recordCount(await consumer.poll(100))).toBe(0);
          consumer.seek(partition, 10);
          expect(values(recordsOf(await pollUntil(consumer, (got) => recordCount(got) >= 10)))).toEqual(numberedValues(10, 20));
        });
      });

      it('keeps group offsets, and says null where there are none', async () => {
        const topic = await topicOf(2);
        const partitions = [{ topic, partition: 0 }, { topic, partition: 1 }];
        const tasks = partitions.map((partition) => task(`a_${partition.partition}`, partition));
        const group = unique('group');
        const consumer = log.consumer({ group, tasks });
        await consumer.start(fromStart(consumer));
        await pollUntil(consumer, () => true);
        await consumer.confirmMembership();
        expect(await consumer.committedOffsets(partitions)).toEqual([null, null]);
        await consumer.commitOffsets([{ ...partitions[0]!, offset: 17 }]);
        expect(await consumer.committedOffsets(partitions)).toEqual([17, null]);
        await consumer.stop();
        const again = log.consumer({ group, tasks });
        await again.start(fromStart(again));
        expect(await again.committedOffsets(partitions)).toEqual([17, null]);
        await again.stop();
      });

      it('gives every task to one member', async () => {
        const [left, right] = [await topicOf(3), await topicOf(3)];
        const tasks = [0, 1, 2].map((partition) => task(`join_${partition}`, { topic: left, partition }, { topic: right, partition }));
        const seen: (readonly TaskAssignment[])[] = [];
        const consumer = log.consumer({ group: unique('group'), tasks });
        await consumer.start(fromStart(consumer, (got) => seen.push(got)));
        await pollUntil(consumer, () => seen.length > 0);
        expect(seen.at(-1)!.map((one) => one.task).toSorted()).toEqual(['join_0', 'join_1', 'join_2']);
        expect(seen.at(-1)!.every((one) => one.partitions.length === 2)).toBe(true);
        await consumer.stop();
      });
    });

    describe('deleteRecords', () => {
      it('moves the start, also into the middle of a batch and to the very end', async () => {
        const topic = await topicOf(1, (name) => numbered(name, 0, 100));
        const partition = { topic, partition: 0 };
        await log.deleteRecords([{ ...partition, offset: 33 }]);
        expect(await log.bounds(partition)).toEqual({ start: 33, end: 100 });
        expect(values(await readAll(log, partition))).toEqual(numberedValues(33, 100));
        await log.deleteRecords([{ ...partition, offset: 100 }]);
        expect(await log.bounds(partition)).toEqual({ start: 100, end: 100 });
        await append(numbered(topic, 100, 103));
        expect((await readAll(log, partition)).map((record) => record.offset)).toEqual([100, 101, 102]);
      });
    });

    describe('marks of writers', () => {
      it('come back as they were stored last, also from another log on the same data', async () => {
        const topic = await topicOf(1);
        const writer = unique('file');
        const producer = await log.producer();
        expect(await producer.mark(writer)).toBeNull();
        await producer.append(numbered(topic, 0, 10), { writer, position: 'line 10' });
        await producer.append(numbered(topic, 10, 20), { writer, position: 'line 20, "süß"' });
        expect(await producer.mark(writer)).toBe('line 20, "süß"');
        expect(await producer.mark(unique('other'))).toBeNull();
        await producer.close();
        const other = harness.make();
        await other.open();
        const second = await other.producer();
        expect(await second.mark(writer)).toBe('line 20, "süß"');
        await second.close();
        await other.close();
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 20));
      });
    });

    describe('ordinal producer', () => {
      const options = (): OrdinalProducerOptions => ({ application: unique('app'), run: 1, task: 'a_0', sink: 'out' });

      it('has no mark at first, and the last delivered one after', async () => {
        const topic = await topicOf(1);
        const writer = options();
        const first = log.ordinalProducer(writer);
        expect(await first.open()).toBeNull();
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.deliver(numbered(topic, 5, 8), 8);
        await first.close();
        const second = log.ordinalProducer({ ...writer, run: 2 });
        expect(await second.open()).toEqual({ run: 1, ordinal: 8 });
        await second.close();
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 8));
      });

      it('delivers the same ordinals once, also after a restart', async () => {
        const topic = await topicOf(1);
        const writer = options();
        const first = log.ordinalProducer(writer);
        await first.open();
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.deliver(numbered(topic, 0, 5), 5);
        await first.close();
        const second = log.ordinalProducer(writer);
        await second.open();
        await second.deliver(numbered(topic, 0, 5), 5);
        await second.deliver(numbered(topic, 5, 7), 7);
        await second.close();
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 7));
      });

      it('fences the producer that was opened before it', async () => {
        const topic = await topicOf(1);
        const writer = options();
        const old = log.ordinalProducer(writer);
        await old.open();
        await old.deliver(numbered(topic, 0, 2), 2);
        const young = log.ordinalProducer(writer);
        expect(await young.open()).toEqual({ run: 1, ordinal: 2 });
        await expect(old.deliver(numbered(topic, 90, 95), 7)).rejects.toMatchObject({ code: 'FENCED' });
        await young.deliver(numbered(topic, 2, 4), 4);
        await Promise.all([old.close(), young.close()]);
        expect(values(await readAll(log, { topic, partition: 0 }))).toEqual(numberedValues(0, 4));
      });

      it('keeps the marks of tasks and sinks apart', async () => {
        const topic = await topicOf(2);
        const writer = options();
        const first = log.ordinalProducer(writer);
        await first.open();
        await first.deliver([...numbered(topic, 0, 2, 0), ...numbered(topic, 0, 2, 1)], 4);
        await first.close();
        for (const other of [{ ...writer, task: 'a_1' }, { ...writer, sink: 'second' }, { ...writer, application: unique('other') }]) {
          const producer = log.ordinalProducer(other);
          expect(await producer.open()).toBeNull();
          await producer.close();
        }
      });
    });
  });
}

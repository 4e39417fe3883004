import type { Batch, Consumer, EachBatchPayload } from 'kafkajs';
import { VoltstreamError } from '../../../errors.ts';
import { Waiter } from '../embedded/waiter.ts';
import type { AssignmentListener, ConsumerOptions, LogBatch, LogConsumer, TaskAssignment, TopicPartition } from '../log.ts';
import { kafkaClient, type KafkaLogLine } from './client.ts';
import { asKafkaFailure, kafkaFailure } from './failure.ts';
import type { KafkaAccess } from './kafka-producer.ts';
import { fetchGroupOffsets } from './group-offsets.ts';
import { logRecordOf } from './messages.ts';
import { PartitionBuffer, partitionName } from './partition-buffer.ts';
import { taskAssigner } from './task-assigner.ts';

/** Default of `bufferBytesMax`: fetched ahead of the reader, over all partitions that are not paused. */
const bufferBytesDefault = 16 * 1024 * 1024;
/** A fetch waits so long for records, and a resumed or sought partition so long for its first fetch. */
const fetchWaitMs = 100;
const partitionFetchBytesMax = 1024 * 1024;
const sessionTimeoutDefaultMs = 10_000;
/** Time that members have to come back at a rebalance; they notice it at their next heartbeat. */
const rebalanceTimeoutMs = 30_000;
/** How often a full buffer looks whether a heartbeat is due. */
const backPressureMs = 200;
/** The line by which kafkajs tells that it goes on elsewhere than where it was told to read. */
const outOfRangeMessage = 'Offset out of range, resetting to default offset';

/** kafkajs' push consumer behind the pull port: `eachBatch` fills bounded buffers, `poll` empties them. */
export class KafkaConsumer implements LogConsumer {
  readonly #access: KafkaAccess;
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #buffers = new Map<string, PartitionBuffer>();
  readonly #filled = new Waiter();
  readonly #emptied = new Waiter();
  readonly #confirmations: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #listener: AssignmentListener | null = null;
  #held: { readonly held: readonly string[]; readonly heldSinceMs: number } = { held: [], heldSinceMs: 0 };
  #generation = 0;
  #assigning = 0;
  #assignments: Promise<void> = Promise.resolve();
  #fetchesEnded = 0;
  #failure: unknown = null;
  #stopped = false;

  constructor(access: KafkaAccess, options: ConsumerOptions) {
    this.#access = access;
    this.#options = options;
    const sessionTimeout = access.options.sessionTimeoutMs ?? sessionTimeoutDefaultMs;
    this.#consumer = kafkaClient(access.options, (line) => this.#logged(line)).consumer({
      groupId: options.group,
      partitionAssigners: [taskAssigner(options.tasks, () => this.#held)],
      sessionTimeout,
      heartbeatInterval: access.options.heartbeatMs ?? sessionTimeout / 10,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: partitionFetchBytesMax,
      allowAutoTopicCreation: false,
      readUncommitted: false,
    });
    for (const { topic, partition } of options.tasks.flatMap((task) => task.partitions)) {
      const name = partitionName({ topic, partition });
      if (this.#buffers.has(name)) throw new Error(`invariant violated: ${name} belongs to two tasks of group ${options.group}`);
      this.#buffers.set(name, new PartitionBuffer({ topic, partition }));
    }
  }

  async start(listener: AssignmentListener): Promise<void> {
    this.#listener = listener;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    this.#consumer.on(events.HEARTBEAT, () => this.#confirm());
    this.#consumer.on(events.FETCH, () => void (this.#fetchesEnded += 1));
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#passedOver(payload, Number(payload.lastOffset) + 1, Number(payload.highWatermark));
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#fail(payload.error);
    });
    await asKafkaFailure(`cannot join the group ${this.#options.group}`, async () => {
      await this.#consumer.connect();
      const topics = [...new Set([...this.#buffers.values()].map((buffer) => buffer.topic))];
      await this.#consumer.subscribe({ topics, fromBeginning: true });
      await this.#consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.#eachBatch(payload) });
    });
  }

  async poll(waitMs: number): Promise<readonly LogBatch[]> {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      if (this.#failure !== null) throw kafkaFailure(this.#failure, `the consumer of group ${this.#options.group} has ended`);
      const batches: LogBatch[] = [];
      if (this.#assigning === 0) {
        for (const buffer of this.#buffers.values()) {
          await this.#throwIfOutOfRange(buffer);
          buffer.take(batches);
        }
      }
      if (batches.length > 0) this.#emptied.wake();
      const leftMs = untilMs - performance.now();
      if (batches.length > 0 || leftMs <= 0) return batches;
      await this.#filled.sleep(leftMs);
    }
  }

  /** Fetches that a broker has answered; with several brokers, of any of them. */
  answers(): number {
    return this.#fetchesEnded;
  }

  seek(partition: TopicPartition, position: number): void {
    const buffer = this.#get(partition);
    if (!buffer.assigned) return; // a join came between: the listener is called again
    buffer.seek(position, this.#fetchesEnded);
    this.#consumer.seek({ topic: buffer.topic, partition: buffer.partition, offset: String(position) });
    this.#emptied.wake();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#pause(this.#get(partition));
    this.#emptied.wake();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) {
      const buffer = this.#get(one);
      buffer.paused = false;
      if (buffer.assigned) this.#consumer.resume([{ topic: buffer.topic, partitions: [buffer.partition] }]);
    }
    this.#filled.wake();
  }

  async commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await asKafkaFailure('cannot commit group offsets', () => this.#consumer.commitOffsets(
      positions.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) }))));
  }

  async committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]> {
    return asKafkaFailure('cannot read group offsets', async () => {
      const topics = [...new Set(partitions.map(({ topic }) => topic))];
      const stored = await fetchGroupOffsets(this.#access.admin, { groupId: this.#options.group, topics });
      return partitions.map(({ topic, partition }) => {
        const found = stored.find((one) => one.topic === topic)?.partitions.find((one) => one.partition === partition);
        return found === undefined || Number(found.offset) < 0 ? null : Number(found.offset);
      });
    });
  }

  confirmMembership(): Promise<void> {
    if (this.#failure !== null || this.#stopped) {
      return Promise.reject(kafkaFailure(this.#failure ?? 'stopped', `no member of group ${this.#options.group}`));
    }
    return new Promise((resolve, reject) => this.#confirmations.push({ resolve, reject }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#emptied.wake();
    this.#filled.wake();
    for (const { reject } of this.#confirmations.splice(0)) reject(kafkaFailure('stopped', `no member of group ${this.#options.group}`));
    await asKafkaFailure('cannot leave the group', () => this.#consumer.disconnect());
    await this.#assignments;
  }

  /** Runs inside kafkajs' event, before the first fetch of the new generation. */
  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#generation += 1;
    const generation = this.#generation;
    for (const buffer of this.#buffers.values()) buffer.assigned = assignment[buffer.topic]?.includes(buffer.partition) ?? false;
    this.#pauseAll();
    const tasks = this.#options.tasks.filter((task) => task.partitions.every((one) => this.#get(one).assigned));
    this.#held = { held: tasks.map(({ task }) => task), heldSinceMs: Date.now() };
    this.#confirm();
    this.#assigning += 1;
    this.#assignments = this.#assignments.then(() => this.#assigned(generation, tasks));
  }

  async #assigned(generation: number, tasks: readonly TaskAssignment[]): Promise<void> {
    try {
      if (generation !== this.#generation || this.#stopped) return; // a later join is waiting behind this one
      this.#pauseAll();
      await this.#listener!.assigned(tasks);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#assigning -= 1;
      this.#filled.wake();
    }
  }

  async #eachBatch({ batch, isStale, resolveOffset, heartbeat, isRunning }: EachBatchPayload): Promise<void> {
    const buffer = this.#get(batch);
    const requested = Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset);
    if (isStale() || buffer.position === null) return; // fetched before a seek or a join
    if (requested < buffer.position) {
      this.#consumer.seek({ topic: buffer.topic, partition: buffer.partition, offset: String(buffer.position) });
      return;
    }
    if (requested > buffer.position) buffer.passOver(requested, Number(batch.highWatermark));
    buffer.add(batch.messages.map(logRecordOf), Number(batch.lastOffset()) + 1, Number(batch.highWatermark));
    resolveOffset(batch.lastOffset());
    this.#filled.wake();
    while (isRunning() && !this.#stopped && this.#bufferedBytes() >= (this.#options.bufferBytesMax ?? bufferBytesDefault)) {
      await heartbeat();
      await this.#emptied.sleep(backPressureMs);
    }
  }

  /** kafkajs keeps batches that hold only control or aborted records to itself; their end matters to who waits for the end. */
  #passedOver(partition: TopicPartition, nextPosition: number, endOffset: number): void {
    const buffer = this.#get(partition);
    if (buffer.position === null || !buffer.fetchedSinceSeek(this.#fetchesEnded) || nextPosition <= buffer.position) return;
    buffer.passOver(nextPosition, endOffset);
    this.#filled.wake();
  }

  #bufferedBytes(): number {
    let bytes = 0;
    for (const buffer of this.#buffers.values()) if (!buffer.paused) bytes += buffer.bytes;
    return bytes;
  }

  #logged({ message, details }: KafkaLogLine): void {
    if (message !== outOfRangeMessage) return;
    const buffer = this.#buffers.get(partitionName({ topic: String(details['topic']), partition: Number(details['partition']) }));
    if (buffer === undefined) return;
    buffer.outOfRange = true;
    this.#filled.wake();
  }

  async #throwIfOutOfRange(buffer: PartitionBuffer): Promise<void> {
    if (!buffer.outOfRange) return;
    const position = buffer.position;
    buffer.reset();
    if (position === null) return;
    const bounds = (await this.#access.admin.fetchTopicOffsets(buffer.topic)).find((one) => one.partition === buffer.partition);
    throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${partitionName(buffer)} at ${position}`, {
      where: partitionName(buffer), wanted: `an offset from ${bounds?.low} to ${bounds?.high}`, got: String(position),
    });
  }

  /** Each partition by its number: pausing one after pausing a whole topic would resume all others in kafkajs. */
  #pauseAll(): void {
    for (const buffer of this.#buffers.values()) {
      buffer.reset();
      this.#pause(buffer);
    }
  }

  #pause(buffer: PartitionBuffer): void {
    buffer.paused = true;
    this.#consumer.pause([{ topic: buffer.topic, partitions: [buffer.partition] }]);
  }

  #confirm(): void {
    for (const { resolve } of this.#confirmations.splice(0)) resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#filled.wake();
    this.#emptied.wake();
    for (const { reject } of this.#confirmations.splice(0)) reject(kafkaFailure(error, `no member of group ${this.#options.group}`));
  }

  #get(partition: TopicPartition): PartitionBuffer {
    const buffer = this.#buffers.get(partitionName(partition));
    if (buffer === undefined) throw new Error(`invariant violated: ${partitionName(partition)} is in no task`);
    return buffer;
  }
}

import { VoltstreamError } from '../../../errors.ts';
import type { AssignmentListener, ConsumerOptions, LogBatch, LogConsumer, TopicPartition } from '../log.ts';
import type { LogStorage } from './storage.ts';
import { Waiter } from './waiter.ts';

/** Bytes that one poll gives at most, over all partitions (default of `bufferBytesMax`): about 35,000 small records. */
const pollBytesMax = 4 * 1024 * 1024;
/** Bytes of one partition in one poll, so that no partition keeps the others waiting. */
const partitionBytesMax = 1024 * 1024;

interface Reading extends TopicPartition {
  position: number | null;
  paused: boolean;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export const groupOffsetKey = (group: string, partition: TopicPartition): string => `group ${group} ${nameOf(partition)}`;

/** The only member of its group: it gets all tasks, once. Reads straight from the storage, so nothing is fetched ahead. */
export class LocalConsumer implements LogConsumer {
  readonly #storage: LogStorage;
  readonly #options: ConsumerOptions;
  readonly #reading = new Map<string, Reading>();
  readonly #waiter = new Waiter();
  #turn = 0;
  #running = false;
  #unsubscribe: () => void = () => undefined;

  constructor(storage: LogStorage, options: ConsumerOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  async start(listener: AssignmentListener): Promise<void> {
    for (const { topic, partition } of this.#options.tasks.flatMap((task) => task.partitions)) {
      this.#storage.bounds({ topic, partition });
      this.#reading.set(nameOf({ topic, partition }), { topic, partition, position: null, paused: true });
    }
    this.#unsubscribe = this.#storage.onAppend(() => this.#waiter.wake());
    this.#running = true;
    await listener.assigned(this.#options.tasks);
    this.#waiter.wake();
  }

  async poll(waitMs: number): Promise<readonly LogBatch[]> {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      const batches = this.#running ? this.#take() : [];
      const leftMs = untilMs - performance.now();
      if (batches.length > 0 || leftMs <= 0) return batches;
      await this.#waiter.sleep(Math.min(leftMs, this.#storage.checkEveryMs));
    }
  }

  seek(partition: TopicPartition, position: number): void {
    this.#get(partition).position = position;
    this.#waiter.wake();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).paused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).paused = false;
    this.#waiter.wake();
  }

  async commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    this.#storage.writeCells(positions.map((one) => [groupOffsetKey(this.#options.group, one), String(one.offset)]));
  }

  async committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]> {
    return partitions.map((partition) => {
      const stored = this.#storage.cell(groupOffsetKey(this.#options.group, partition));
      return stored === null ? null : Number(stored);
    });
  }

  async confirmMembership(): Promise<void> {
    if (!this.#running) throw new VoltstreamError('LOG_UNAVAILABLE', `the consumer of group ${this.#options.group} does not run`);
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#unsubscribe();
    this.#waiter.wake();
  }

  /**
   * One look at all partitions of one moment. What does not fit is told as a batch without records: a task that merges
   * several inputs by time must know that there is something to wait for.
   */
  #take(): LogBatch[] {
    const active = [...this.#reading.values()].filter((one) => !one.paused && one.position !== null);
    const batches: LogBatch[] = [];
    let bytes = this.#options.bufferBytesMax ?? pollBytesMax;
    this.#storage.snapshot(() => {
      for (let index = 0; index < active.length; index++) {
        const reading = active[(this.#turn + index) % active.length]!;
        const batch = this.#read(reading, Math.min(bytes, partitionBytesMax));
        if (batch === null) continue;
        batches.push(batch);
        for (const { key, value } of batch.records) bytes -= (key?.length ?? 0) + (value?.length ?? 0);
      }
    });
    this.#turn += 1;
    return batches;
  }

  #read(reading: Reading, bytesMax: number): LogBatch | null {
    const position = reading.position!;
    const { topic, partition } = reading;
    const { start, end } = this.#storage.bounds(reading);
    if (position < start || position > end) {
      reading.position = null;
      throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${nameOf(reading)} at ${position}`, {
        where: nameOf(reading), wanted: `an offset from ${start} to ${end}`, got: String(position),
      });
    }
    if (position === end) return null;
    if (bytesMax <= 0) return { topic, partition, requestedPosition: position, records: [], nextPosition: position, endOffset: end };
    const read = this.#storage.read(reading, position, bytesMax);
    reading.position = read.nextPosition;
    return { topic, partition, requestedPosition: position, ...read };
  }

  #get(partition: TopicPartition): Reading {
    const reading = this.#reading.get(nameOf(partition));
    if (reading === undefined) throw new Error(`invariant violated: ${nameOf(partition)} is not assigned`);
    return reading;
  }
}

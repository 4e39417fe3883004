import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { numbered, numberedValues, readAll, task, values } from '../../runtime/log/contract/contract-log.ts';
import type { Log, LogConsumer, OrdinalProducer } from '../../runtime/log/log.ts';

const recordsPerRound = 5;
const pauseMs = 10;

export interface TrafficOptions {
  /** Appended to by a plain producer and read by a group, partition by partition. */
  readonly topic: string;
  readonly partitions: number;
  /** Delivered to exactly once; partition 0. */
  readonly output: string;
  readonly group: string;
  readonly application: string;
  readonly sink: string;
}

/**
 * What an application does with the log, all at once: appends, delivers exactly once, reads as a member of a group. Records are numbered, so that
 * a loss, a repeat or a swap shows.
 */
export class Traffic {
  readonly #log: Log;
  readonly #options: TrafficOptions;
  readonly #positions: number[];
  readonly #read: (string | null)[][];
  readonly #consumer: LogConsumer;
  #rounds = 0;
  #delivered = 0;
  #reopened = 0;
  #stopping = false;
  #drained = false;
  #running: readonly Promise<void>[] = [];
  #failure: unknown = null;

  constructor(log: Log, options: TrafficOptions) {
    this.#log = log;
    this.#options = options;
    this.#positions = Array.from({ length: options.partitions }, () => 0);
    this.#read = this.#positions.map(() => []);
    this.#consumer = log.consumer({
      group: options.group, tasks: this.#positions.map((_, partition) => task(`a_${partition}`, { topic: options.topic, partition })),
    });
  }

  /** How often the producer that delivers was opened anew after an error. */
  get reopened(): number {
    return this.#reopened;
  }

  async start(): Promise<void> {
    await this.#consumer.start({
      assigned: async (assigned) => {
        for (const { partitions } of assigned) for (const one of partitions) this.#consumer.seek(one, this.#positions[one.partition]!);
        this.#consumer.resume(assigned.flatMap(({ partitions }) => partitions));
      },
    });
    this.#running = [this.#append(), this.#deliver(), this.#poll()].map((loop) => loop.catch((error: unknown) => void (this.#failure ??= error)));
  }

  /** All of it goes on from now, several rounds, within the time. */
  async goesOn(timeoutMs: number): Promise<void> {
    const target = this.#progress().map((count) => count + 5 * recordsPerRound);
    await expect.poll(() => {
      if (this.#failure !== null) throw this.#failure;
      return this.#progress().map((count, index) => Math.min(count, target[index]!));
    }, { timeout: timeoutMs, interval: 50, message: 'appended, delivered, read of each partition' }).toEqual(target);
  }

  /** Ends it, and looks at what is in the log and at what was read: each record once, in order. */
  async stopAndJudge(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running.slice(0, 2));
    const appended = this.#rounds * recordsPerRound;
    await expect.poll(() => this.#failure !== null || this.#read.every((partition) => partition.length >= appended), { timeout: 20_000 }).toBe(true);
    this.#drained = true;
    await Promise.all(this.#running);
    await this.#consumer.confirmMembership();
    await this.#consumer.commitOffsets(this.#positions.map((offset, partition) => ({ topic: this.#options.topic, partition, offset })));
    await this.#consumer.stop();
    if (this.#failure !== null) throw this.#failure;
    for (const [partition, read] of this.#read.entries()) {
      expect(read, `read of partition ${partition}`).toEqual(numberedValues(0, appended));
      expect(values(await readAll(this.#log, { topic: this.#options.topic, partition })), `log of partition ${partition}`).toEqual(numberedValues(0, appended));
    }
    expect(values(await readAll(this.#log, { topic: this.#options.output, partition: 0 })), 'delivered').toEqual(numberedValues(0, this.#delivered));
  }

  #progress(): readonly number[] {
    return [this.#rounds * recordsPerRound, this.#delivered, ...this.#read.map((partition) => partition.length)];
  }

  async #append(): Promise<void> {
    const { topic } = this.#options;
    const producer = await this.#log.producer();
    for (; !this.#stopping; this.#rounds += 1) {
      const from = this.#rounds * recordsPerRound;
      await producer.append(this.#positions.flatMap((_, partition) => numbered(topic, from, from + recordsPerRound, partition)));
      await sleep(pauseMs);
    }
    await producer.close();
  }

  async #deliver(): Promise<void> {
    const { output, application, sink } = this.#options;
    const open = async (): Promise<{ readonly producer: OrdinalProducer; readonly mark: number }> => {
      const producer = this.#log.ordinalProducer({ application, run: 1, task: 'a_0', sink });
      return { producer, mark: (await producer.open())?.ordinal ?? 0 };
    };
    let { producer } = await open();
    while (!this.#stopping) {
      const to = this.#delivered + recordsPerRound;
      try {
        await producer.deliver(numbered(output, this.#delivered, to), to);
        this.#delivered = to;
      } catch (error) {
        // As the runtime does: the outcome is unknown, the mark of the next producer tells it.
        if (!(error instanceof VoltstreamError) || (error.code !== 'LOG_UNAVAILABLE' && error.code !== 'FENCED')) throw error;
        await producer.close();
        this.#reopened += 1;
        const again = await open();
        producer = again.producer;
        this.#delivered = Math.max(this.#delivered, again.mark);
      }
      await sleep(pauseMs);
    }
    await producer.close();
  }

  async #poll(): Promise<void> {
    while (!this.#drained && this.#failure === null) {
      for (const { partition, requestedPosition, nextPosition, records } of await this.#consumer.poll(100)) {
        if (requestedPosition !== this.#positions[partition]) continue; // as a task does (Law 3)
        this.#positions[partition] = nextPosition;
        this.#read[partition]!.push(...values(records));
      }
    }
  }
}

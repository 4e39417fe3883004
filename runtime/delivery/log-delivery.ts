import { isPassing, VoltstreamError } from '../../errors.ts';
import type { Log, LogProducer, OrdinalProducer, OutboundRecord } from '../log/log.ts';
import type { SealedBatch } from '../task/outbox.ts';
import { visitBatch } from '../task/outbox.ts';
import { writerHeader } from '../task/writer-header.ts';
import type { DeliveryTask, SinkDelivery } from './delivery.ts';
import { BackOff } from '../task/back-off.ts';
import { decodeTopicRow } from './topic-row.ts';

/**
 * Into an output topic, each ordinal once: the log keeps the highest delivered ordinal in the same step as the records, so a
 * batch that is sent again leaves out what is there, however it is cut (Law 4).
 */
export class TopicDelivery implements SinkDelivery {
  readonly #make: () => OrdinalProducer;
  readonly #topic: string;
  readonly #task: DeliveryTask;
  #producer: OrdinalProducer | null = null;
  #deliveredUpTo = -1;

  constructor(log: Log, application: string, sink: string, topic: string, task: DeliveryTask) {
    this.#make = () => log.ordinalProducer({ application, run: task.run, task: task.id, sink });
    this.#topic = topic;
    this.#task = task;
  }

  async open(): Promise<void> {
    await this.#retry('open producer', () => this.#opened());
  }

  async deliver(batch: SealedBatch): Promise<void> {
    await this.#retry('deliver to topic', async () => {
      const producer = await this.#opened();
      if (batch.last <= this.#deliveredUpTo) return;
      const records: OutboundRecord[] = [];
      visitBatch(batch, (ordinal, _group, bytes, start, end) => {
        if (ordinal > this.#deliveredUpTo) records.push(decodeTopicRow(this.#topic, bytes.subarray(start, end), null));
      });
      await producer.deliver(records, batch.last);
      this.#deliveredUpTo = batch.last;
    });
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  /** Order matters: fence, prove that we are the owner, then send (an old owner fails the proof). */
  async #opened(): Promise<OrdinalProducer> {
    if (this.#producer !== null) return this.#producer;
    const producer = this.#make();
    try {
      const mark = await producer.open();
      await this.#task.verifyOwner();
      this.#deliveredUpTo = mark !== null && mark.run === this.#task.run ? mark.ordinal : -1;
    } catch (error) {
      await producer.close();
      throw error;
    }
    this.#producer = producer;
    return producer;
  }

  async #retry(operation: string, attempt: () => Promise<unknown>): Promise<void> {
    const backOff = new BackOff(this.#task.signal);
    for (;;) {
      try {
        this.#task.signal.throwIfAborted();
        await attempt();
        return;
      } catch (error) {
        if (this.#task.signal.aborted || final(error)) throw error;
        this.#task.retrying(operation, error);
        await this.close();
        await backOff.wait();
      }
    }
  }
}

/** Into a repartition topic, at least once; every record names its writer and ordinal, and the reader drops repeated ones. */
export class RepartitionDelivery implements SinkDelivery {
  readonly #log: Log;
  readonly #topic: string;
  readonly #task: DeliveryTask;
  #producer: LogProducer | null = null;

  constructor(log: Log, topic: string, task: DeliveryTask) {
    this.#log = log;
    this.#topic = topic;
    this.#task = task;
  }

  async open(): Promise<void> {
    // The producer is opened with the first batch: nothing has to be fenced here.
  }

  async deliver(batch: SealedBatch): Promise<void> {
    const backOff = new BackOff(this.#task.signal);
    const records: OutboundRecord[] = [];
    visitBatch(batch, (ordinal, _group, bytes, start, end) => {
      records.push(decodeTopicRow(this.#topic, bytes.subarray(start, end), [writerHeader({ run: this.#task.run, task: this.#task.id, ordinal })]));
    });
    for (;;) {
      try {
        this.#task.signal.throwIfAborted();
        this.#producer ??= await this.#log.producer();
        await this.#producer.append(records);
        return;
      } catch (error) {
        if (this.#task.signal.aborted || final(error)) throw error;
        this.#task.retrying('deliver to repartition topic', error);
        await this.close();
        await backOff.wait();
      }
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }
}

/** Another claim may cure it, or nothing: the same call again does not. */
function final(error: unknown): boolean {
  return error instanceof VoltstreamError && !isPassing(error);
}

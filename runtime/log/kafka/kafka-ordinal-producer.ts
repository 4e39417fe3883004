import type { Producer } from 'kafkajs';
import { VoltstreamError } from '../../../errors.ts';
import type { OrdinalProducer, OrdinalProducerOptions, OutboundRecord } from '../log.ts';
import { asKafkaFailure, kafkaFailure } from './failure.ts';
import { type KafkaAccess, KafkaSender, OffsetMark, sendMark, transactionalProducer } from './kafka-producer.ts';

interface Delivered {
  readonly run: number;
  readonly ordinal: number;
}

/**
 * One transaction per delivery: the records, then the mark as offset metadata of the group
 * `<application>-outbox-<task>-<sink>`, which is also the transactional id. A missing mark (the broker's offset retention is over)
 * means "as acknowledged in the store".
 */
export class KafkaOrdinalProducer implements OrdinalProducer {
  readonly #access: KafkaAccess;
  readonly #sender: KafkaSender;
  readonly #run: number;
  readonly #mark: OffsetMark;
  #producer: Producer | null = null;
  #delivered: Delivered | null = null;

  constructor(access: KafkaAccess, { application, task, sink, run }: OrdinalProducerOptions) {
    this.#access = access;
    this.#sender = new KafkaSender(access);
    this.#run = run;
    this.#mark = new OffsetMark(access.admin, `${application}-outbox-${task}-${sink}`);
  }

  async open(): Promise<Delivered | null> {
    return asKafkaFailure(`cannot open the producer ${this.#mark.group}`, async () => {
      this.#producer = await transactionalProducer(this.#access.options, this.#mark.group);
      const metadata = await this.#mark.read();
      this.#delivered = metadata === null ? null : (JSON.parse(metadata) as Delivered);
      return this.#delivered;
    });
  }

  async deliver(records: readonly OutboundRecord[], lastOrdinal: number): Promise<void> {
    const producer = this.#producer;
    if (producer === null) throw new VoltstreamError('LOG_UNAVAILABLE', 'this producer was given up after an error: open a new one');
    if (this.#delivered !== null && this.#delivered.run === this.#run && lastOrdinal <= this.#delivered.ordinal) return;
    const delivered: Delivered = { run: this.#run, ordinal: lastOrdinal };
    try {
      const transaction = await producer.transaction();
      await this.#sender.send(transaction, records);
      const mark = this.#mark.next(JSON.stringify(delivered), records);
      await sendMark(transaction, this.#mark.group, mark);
      await transaction.commit();
      this.#mark.written(mark);
      this.#delivered = delivered;
    } catch (error) {
      await this.close().catch(() => undefined); // the outcome is unknown: the next `open` finds out; this error tells why
      throw kafkaFailure(error, `cannot deliver as ${this.#mark.group}`);
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect();
  }
}

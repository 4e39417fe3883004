import { VoltstreamError } from '../../../errors.ts';
import type { OrdinalProducer, OrdinalProducerOptions, OutboundRecord } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { fittingLetters } from './fitting-letters.ts';
import { asKafkaFailure, kafkaErrorType, kafkaFailure } from './failure.ts';
import { OffsetMark } from './offset-mark.ts';
import { ProducerSession } from './producer-session.ts';

interface Delivered {
  readonly run: number;
  readonly ordinal: number;
}

/**
 * One transaction per delivery: the records, and the mark as offset metadata of the group
 * `<application>-outbox-<task>-<sink>`, which is also the transactional id. A missing mark (the broker's offset retention is over)
 * means "as acknowledged in the store".
 */
export class KafkaOrdinalProducer implements OrdinalProducer {
  readonly #cluster: Cluster;
  readonly #run: number;
  readonly #mark: OffsetMark;
  #session: ProducerSession | null = null;
  #delivered: Delivered | null = null;

  constructor(cluster: Cluster, { application, task, sink, run }: OrdinalProducerOptions) {
    this.#cluster = cluster;
    this.#run = run;
    this.#mark = new OffsetMark(cluster, `${application}-outbox-${task}-${sink}`);
  }

  async open(): Promise<Delivered | null> {
    return asKafkaFailure(`cannot open the producer ${this.#mark.group}`, async () => {
      await this.#openSession();
      const metadata = await this.#mark.read();
      this.#delivered = metadata === null ? null : (JSON.parse(metadata) as Delivered);
      return this.#delivered;
    });
  }

  async deliver(records: readonly OutboundRecord[], lastOrdinal: number): Promise<void> {
    if (this.#session === null) throw new VoltstreamError('LOG_UNAVAILABLE', 'this producer was given up after an error: open a new one');
    if (this.#delivered !== null && this.#delivered.run === this.#run && lastOrdinal <= this.#delivered.ordinal) return;
    const delivered: Delivered = { run: this.#run, ordinal: lastOrdinal };
    try {
      await this.#transact(records, delivered);
    } catch (error) {
      if (kafkaErrorType(error) === 'MESSAGE_TOO_LARGE' && await this.#deliverFitting(records, delivered)) return;
      await this.close();
      throw kafkaFailure(error, `cannot deliver as ${this.#mark.group}`); // the outcome is unknown: the next `open` finds out
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #openSession(): Promise<void> {
    this.#session = new ProducerSession(this.#cluster, this.#mark.group);
    await this.#session.open();
  }

  async #transact(records: readonly OutboundRecord[], delivered: Delivered): Promise<void> {
    const session = this.#session!;
    const mark = this.#mark.next(JSON.stringify(delivered), records);
    const parts = await Promise.allSettled([session.send(records), session.sendMark(this.#mark.group, mark)]);
    for (const part of parts) if (part.status === 'rejected') throw part.reason;
    await session.commit();
    this.#mark.written(mark);
    this.#delivered = delivered;
  }

  /** The transaction was refused as a whole: dead letters that are too large go again without their value. False when there are none. */
  async #deliverFitting(records: readonly OutboundRecord[], delivered: Delivered): Promise<boolean> {
    const fitting = await asKafkaFailure('cannot look at the size that a topic takes', () => fittingLetters(this.#cluster, records));
    if (fitting === null) return false;
    await this.close();
    await asKafkaFailure(`cannot deliver as ${this.#mark.group}`, async () => {
      await this.#openSession(); // this aborts what was refused
      await this.#transact(fitting, delivered);
    });
    return true;
  }
}

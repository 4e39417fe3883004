import { VoltstreamError } from '../../../errors.ts';
import type { LogProducer, OrdinalProducer, OrdinalProducerOptions, OutboundRecord, WriterMark } from '../log.ts';
import { Partitioner } from '../partitioner.ts';
import type { LogStorage, PlacedRecord } from './storage.ts';

/** Chooses partitions, and refuses topics and partitions that are not there before anything is queued. */
class Placer {
  readonly #storage: LogStorage;
  readonly #partitioner = new Partitioner();

  constructor(storage: LogStorage) {
    this.#storage = storage;
  }

  place(records: readonly OutboundRecord[]): readonly PlacedRecord[] {
    let topic = '';
    let partitions = 0;
    const placed = records.map((record) => {
      if (record.topic !== topic) {
        topic = record.topic;
        const found = this.#storage.topic(topic);
        if (found === null) throw new VoltstreamError('TOPIC_MISSING', `cannot append to topic ${topic}: it does not exist`);
        partitions = found.partitions;
      }
      const partition = this.#partitioner.choose(record, partitions);
      if (partition < 0 || partition >= partitions) {
        throw new VoltstreamError('TOPIC_MISSING', `topic ${topic} has no partition ${partition}`, { got: `${partitions} partitions` });
      }
      return { partition, record };
    });
    this.#partitioner.appendEnded();
    return placed;
  }
}

const markKey = (writer: string): string => `mark ${writer}`;

export class LocalProducer implements LogProducer {
  readonly #storage: LogStorage;
  readonly #placer: Placer;

  constructor(storage: LogStorage) {
    this.#storage = storage;
    this.#placer = new Placer(storage);
  }

  async append(records: readonly OutboundRecord[], mark?: WriterMark): Promise<void> {
    await this.#storage.append({
      records: this.#placer.place(records),
      cells: mark === undefined ? [] : [[markKey(mark.writer), mark.position]],
    });
  }

  async mark(writer: string): Promise<string | null> {
    return this.#storage.cell(markKey(writer));
  }

  async close(): Promise<void> {
    // nothing is kept between appends
  }
}

interface StoredOrdinal {
  /** Raised by each `open`; deliveries of a lower one are refused. */
  readonly epoch: number;
  readonly delivered: { readonly run: number; readonly ordinal: number } | null;
}

/** Keeps (epoch, run, ordinal) of its writer in one cell, written in the same step as the records. */
export class LocalOrdinalProducer implements OrdinalProducer {
  readonly #storage: LogStorage;
  readonly #placer: Placer;
  readonly #options: OrdinalProducerOptions;
  readonly #key: string;
  #epoch = 0;

  constructor(storage: LogStorage, options: OrdinalProducerOptions) {
    this.#storage = storage;
    this.#placer = new Placer(storage);
    this.#options = options;
    this.#key = `ordinal ${options.application} ${options.task} ${options.sink}`;
  }

  async open(): Promise<{ readonly run: number; readonly ordinal: number } | null> {
    const stored = this.#parse(this.#storage.cell(this.#key));
    const epoch = stored.epoch + 1;
    await this.#storage.append({
      records: [],
      cells: [[this.#key, JSON.stringify({ ...stored, epoch } satisfies StoredOrdinal)]],
      check: (cell) => {
        if (this.#parse(cell(this.#key)).epoch >= epoch) this.#fenced();
      },
    });
    this.#epoch = epoch;
    return this.#parse(this.#storage.cell(this.#key)).delivered;
  }

  async deliver(records: readonly OutboundRecord[], lastOrdinal: number): Promise<void> {
    const epoch = this.#epoch;
    if (epoch === 0) throw new Error('invariant violated: deliver before open');
    const { run } = this.#options;
    const before = this.#parse(this.#storage.cell(this.#key));
    if (before.epoch !== epoch) this.#fenced();
    if (before.delivered !== null && before.delivered.run === run && lastOrdinal <= before.delivered.ordinal) return;
    await this.#storage.append({
      records: this.#placer.place(records),
      cells: [[this.#key, JSON.stringify({ epoch, delivered: { run, ordinal: lastOrdinal } } satisfies StoredOrdinal)]],
      check: (cell) => {
        if (this.#parse(cell(this.#key)).epoch !== epoch) this.#fenced();
      },
    });
  }

  async close(): Promise<void> {
    this.#epoch = 0;
  }

  #parse(cell: string | null): StoredOrdinal {
    return cell === null ? { epoch: 0, delivered: null } : (JSON.parse(cell) as StoredOrdinal);
  }

  #fenced(): never {
    throw new VoltstreamError('FENCED', `another producer delivers for ${this.#key}`);
  }
}

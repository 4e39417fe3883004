import type { LogProducer, OutboundRecord, WriterMark } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { asKafkaFailure, kafkaFailure } from './failure.ts';
import { OffsetMark } from './offset-mark.ts';
import { ProducerSession } from './producer-session.ts';

/** Idempotent, acks by all replicas, one append after the other. */
export class KafkaProducer implements LogProducer {
  readonly #cluster: Cluster;
  readonly #marks = new Map<string, { readonly mark: OffsetMark; readonly session: ProducerSession }>();
  #session: ProducerSession | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  append(records: readonly OutboundRecord[], mark?: WriterMark): Promise<void> {
    const appended = this.#last.then(() => this.#append(records, mark));
    this.#last = appended.catch(() => undefined); // its caller hears of it; the next append is tried all the same
    return appended;
  }

  async mark(writer: string): Promise<string | null> {
    await this.#last;
    const own = this.#marks.get(writer)?.mark.last;
    if (own !== undefined && own !== null) return own;
    return asKafkaFailure('cannot read a mark', () => new OffsetMark(this.#cluster, this.#group(writer)).read());
  }

  async close(): Promise<void> {
    await this.#last;
    await Promise.all([this.#session, ...[...this.#marks.values()].map(({ session }) => session)].map((session) => session?.close()));
    this.#marks.clear();
    this.#session = null;
  }

  async #append(records: readonly OutboundRecord[], mark: WriterMark | undefined): Promise<void> {
    try {
      if (records.length > 0) await (await this.#opened()).send(records);
      if (mark !== undefined) await this.#writeMark(mark, records);
    } catch (error) {
      const failed = this.#session;
      this.#session = null; // its sequence numbers may be spoilt: a new one next time
      await failed?.close();
      throw kafkaFailure(error, 'cannot append');
    }
  }

  async #opened(): Promise<ProducerSession> {
    if (this.#session !== null) return this.#session;
    const session = new ProducerSession(this.#cluster);
    this.#session = session;
    await session.open();
    return session;
  }

  async #writeMark({ writer, position }: WriterMark, records: readonly OutboundRecord[]): Promise<void> {
    let kept = this.#marks.get(writer);
    if (kept === undefined) {
      const group = this.#group(writer);
      kept = { mark: new OffsetMark(this.#cluster, group), session: new ProducerSession(this.#cluster, group) };
      this.#marks.set(writer, kept);
    }
    const { mark, session } = kept;
    try {
      if (mark.last === null) {
        await session.open();
        await mark.read();
      }
      const next = mark.next(position, records);
      await session.sendMark(mark.group, next);
      await session.commit();
      mark.written(next);
    } catch (error) {
      this.#marks.delete(writer);
      await session.close();
      throw error;
    }
  }

  #group(writer: string): string {
    return `${this.#cluster.options.application}-ingest-${writer}`;
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { isPassing } from '../../errors.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from './simulation-output.ts';
import { sliceRecords } from './slice-records.ts';

const APPEND_RECORDS_MAX = 20_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Appends to the topics of events and stations. The mark of each append is the slice with which to go on, so that a simulation that was killed goes on where
 * it was; with Kafka its last append may come again, which the topology drops by event id.
 */
export class LogOutput implements SimulationOutput {
  readonly firstSlice: number;
  readonly #producer: LogProducer;
  readonly #writer: string;
  readonly #retrying: (error: unknown) => void;
  #records: OutboundRecord[] = [];
  #nextSlice: number;

  private constructor(producer: LogProducer, writer: string, firstSlice: number, retrying: (error: unknown) => void) {
    this.#producer = producer;
    this.#writer = writer;
    this.firstSlice = firstSlice;
    this.#nextSlice = firstSlice;
    this.#retrying = retrying;
  }

  /** `writer` names profile, seed and start: what has been appended of it before is not appended again. `first` goes before all else, once. */
  static async open(producer: LogProducer, writer: string, first: readonly OutboundRecord[], retrying: (error: unknown) => void): Promise<LogOutput> {
    const mark = await producer.mark(writer);
    const output = new LogOutput(producer, writer, mark === null ? 0 : Number(mark), retrying);
    if (mark === null) output.#records.push(...first);
    return output;
  }

  async write(slice: Slice): Promise<void> {
    if (slice.number < this.firstSlice) return;
    for (const record of sliceRecords(slice)) this.#records.push(record);
    this.#nextSlice = slice.number + 1;
    if (this.#records.length >= APPEND_RECORDS_MAX) await this.flush();
  }

  async finish(): Promise<void> {
    await this.flush();
    await this.#producer.close();
  }

  async abandon(): Promise<void> {
    await this.finish();
  }

  /** What was written can be seen: for whoever must not wait for the append to fill. */
  async flush(): Promise<void> {
    if (this.#records.length === 0) return;
    const records = this.#records;
    this.#records = [];
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        await this.#producer.append(records, { writer: this.#writer, position: String(this.#nextSlice) });
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#retrying(error);
        await pause(waitMs);
      }
    }
  }
}

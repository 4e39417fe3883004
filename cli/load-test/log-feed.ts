import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { eventsTopic } from '../../charging/topology.ts';
import { partitionOf } from '../../runtime/log/partitioner.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from '../simulate/simulation-output.ts';
import { sliceRecords } from '../simulate/slice-records.ts';

const APPEND_RECORDS_MAX = 5_000;

/** Messages of a slice by partition of the topic of events: `counts[n]` go to partition n. */
export type CountsTaken = (counts: readonly number[]) => void;

/** Appends a simulation to an empty log, from its beginning; nobody goes on with it. */
export class LogFeed implements SimulationOutput {
  readonly firstSlice = 0;
  readonly #producer: LogProducer;
  readonly #partitions: number;
  readonly #taken: CountsTaken;
  #records: OutboundRecord[] = [];

  /** `taken` hears of messages before any of them is in the log. */
  constructor(producer: LogProducer, partitions: number, taken: CountsTaken) {
    this.#producer = producer;
    this.#partitions = partitions;
    this.#taken = taken;
  }

  async write(slice: Slice): Promise<void> {
    const counts = Array.from({ length: this.#partitions }, () => 0);
    for (const record of sliceRecords(slice)) {
      const partition = record.key === null ? 0 : partitionOf(record.key, this.#partitions);
      if (record.topic === eventsTopic) counts[partition] = (counts[partition] ?? 0) + 1;
      this.#records.push({ ...record, partition });
    }
    this.#taken(counts);
    if (this.#records.length >= APPEND_RECORDS_MAX) await this.flush();
  }

  async flush(): Promise<void> {
    const records = this.#records;
    this.#records = [];
    if (records.length > 0) await this.#producer.append(records);
  }

  async finish(): Promise<void> {
    await this.flush();
    await this.#producer.close();
  }

  async abandon(): Promise<void> {
    await this.finish();
  }
}

import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from '../simulate/simulation-output.ts';
import { sliceRecords } from '../simulate/slice-records.ts';

const APPEND_RECORDS_MAX = 5_000;

/** Appends a simulation to an empty log, from its beginning; nobody goes on with it. */
export class LogFeed implements SimulationOutput {
  readonly firstSlice = 0;
  readonly #producer: LogProducer;
  #records: OutboundRecord[] = [];

  constructor(producer: LogProducer) {
    this.#producer = producer;
  }

  async write(slice: Slice): Promise<void> {
    for (const record of sliceRecords(slice)) this.#records.push(record);
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

import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import { emptyDraft } from '../../simulator/messages/message-sink.ts';
import { readRecords } from '../../simulator/messages/record-encoder.ts';
import type { SchemaIds } from '../../simulator/messages/record-encoder.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from '../simulate/simulation-output.ts';

const APPEND_RECORDS_MAX = 5_000;

/** Appends a simulation to an empty log, from its beginning; nobody goes on with it. */
export class LogFeed implements SimulationOutput {
  readonly firstSlice = 0;
  readonly #producer: LogProducer;
  #records: OutboundRecord[] = [];

  constructor(producer: LogProducer) {
    this.#producer = producer;
  }

  async write({ districts }: Slice): Promise<void> {
    for (const { segment } of districts) this.#take(stationsTopic, segment.stations);
    for (const { segment } of districts) this.#take(eventsTopic, segment.events);
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

  #take(topic: string, bytes: Uint8Array): void {
    for (const { key, value, timestampMs } of readRecords(bytes)) this.#records.push({ topic, key, value, timestampMs });
  }
}

/** The ids of the schemas are in front of every record that the registry's writers encode, behind a zero. */
export async function schemaIdsOf(registry: SchemaRegistry): Promise<SchemaIds> {
  const event = await registry.writer(`${eventsTopic}-value`, chargingEvent);
  const place = await registry.writer(`${stationsTopic}-value`, station);
  const idOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return {
    event: idOf(event.encode(emptyDraft())),
    station: idOf(place.encode({
      stationId: '', siteId: null, name: null, operator: null, address: null, city: null, region: null, country: null, latitude: null, longitude: null,
      timeZone: 'UTC', access: 'public', openAlways: false, openingHours: null, validFromMs: 0, evses: [], tariffId: null, registerScope: 'lifetime',
    })),
  };
}

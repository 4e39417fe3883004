import type { Station } from '../../schemas/generated/station.ts';
import { chargingEventOf } from './message-sink.ts';
import type { SimulatedEvent } from './message-sink.ts';
import type { SegmentEncoder } from './segment.ts';
import { GrowingBuffer } from './segment.ts';

/** Events as JSON, one a line, as `voltstream ingest` reads them; what is malformed is a line of its own. Stations apart, in the same way. */
export class JsonLinesEncoder implements SegmentEncoder {
  readonly #events = new GrowingBuffer();
  readonly #stations = new GrowingBuffer();
  #count = 0;

  event(event: SimulatedEvent): void {
    this.#count += 1;
    this.#events.text(`${JSON.stringify(chargingEventOf(event))}\n`);
  }

  malformed(_stationId: string, bytes: Uint8Array): void {
    this.#count += 1;
    this.#events.bytes(bytes);
    this.#events.text('\n');
  }

  station(station: Station): void {
    this.#stations.text(`${JSON.stringify(station)}\n`);
  }

  take(): { readonly messages: number; readonly events: Uint8Array; readonly stations: Uint8Array } {
    const messages = this.#count;
    this.#count = 0;
    return { messages, events: this.#events.take(), stations: this.#stations.take() };
  }
}

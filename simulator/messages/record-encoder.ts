import { avroBodyWriter } from '../../schemas/avro-body.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { station as stationForm } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { Segment, SegmentEncoder } from './segment.ts';
import { GrowingBuffer } from './segment.ts';

/** Ids under which the registry knows the schemas. */
export interface SchemaIds {
  readonly event: number;
  readonly station: number;
}

export interface EncodedRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const MAGIC = 0;

/**
 * Records of the topics `charging.events` and `stations`: key, time of reception, value in Confluent's wire format (0, schema id, Avro). One behind the other as
 * [key length, key, time, value length, value], so that a segment travels between threads as one piece; `readRecords` takes it apart.
 */
export class RecordEncoder implements SegmentEncoder {
  readonly #ids: SchemaIds;
  readonly #writeEvent = avroBodyWriter(chargingEvent);
  readonly #writeStation = avroBodyWriter(stationForm);
  readonly #events = new GrowingBuffer();
  readonly #stations = new GrowingBuffer();
  #count = 0;

  constructor(ids: SchemaIds) {
    this.#ids = ids;
  }

  event(event: Readonly<ChargingEvent>, receivedMs: number): void {
    this.#count += 1;
    this.#record(this.#events, event.stationId, receivedMs, this.#ids.event, this.#writeEvent, event);
  }

  malformed(stationId: string, bytes: Uint8Array, receivedMs: number): void {
    this.#count += 1;
    const into = this.#events;
    this.#head(into, stationId, receivedMs);
    into.uint32(bytes.length);
    into.bytes(bytes);
  }

  station(station: Station, sentMs: number): void {
    this.#record(this.#stations, station.stationId, sentMs, this.#ids.station, this.#writeStation, station);
  }

  take(): Segment {
    const messages = this.#count;
    this.#count = 0;
    return { messages, events: this.#events.take(), stations: this.#stations.take() };
  }

  #head(into: GrowingBuffer, key: string, timeMs: number): void {
    const at = into.skipUint32();
    into.shortText(key);
    into.setUint32(at, into.length - at - 4);
    into.double(timeMs);
  }

  #record<T>(
    into: GrowingBuffer, key: string, timeMs: number, schemaId: number, write: (value: T, buffer: Buffer, from: number) => number, value: T,
  ): void {
    this.#head(into, key, timeMs);
    const at = into.skipUint32();
    into.need(5);
    into.uint8(MAGIC);
    into.uint8(schemaId >>> 24);
    into.uint8((schemaId >>> 16) & 255);
    into.uint8((schemaId >>> 8) & 255);
    into.uint8(schemaId & 255);
    into.fill(write, value);
    into.setUint32(at, into.length - at - 4);
  }
}

/** The records of a segment, as views of it. */
export function* readRecords(bytes: Uint8Array): Generator<EncodedRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const keyLength = view.getUint32(at, true);
    const key = bytes.subarray(at + 4, at + 4 + keyLength);
    at += 4 + keyLength;
    const timestampMs = view.getFloat64(at, true);
    const valueLength = view.getUint32(at + 8, true);
    yield { timestampMs, key, value: bytes.subarray(at + 12, at + 12 + valueLength) };
    at += 12 + valueLength;
  }
}

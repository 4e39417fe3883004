import { avroBodyWriter } from '../../schemas/avro-body.ts';
import { registered } from '../../schemas/avro-codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { station as stationForm } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { SimulatedEvent } from './message-sink.ts';
import type { Segment, SegmentEncoder } from './segment.ts';
import { digitsOf, GrowingBuffer } from './segment.ts';

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
const SLASH = 47;

/** The first fields of an event, which are written here: they are made of the station's id, which stands before them as the key already. */
const headFields = ['eventId', 'type', 'stationId'];
const { fields } = chargingEvent.schema as { readonly fields: readonly { readonly name: string; readonly type: { readonly symbols?: readonly string[] } }[] };
if (headFields.some((name, at) => fields[at]?.name !== name)) throw new Error(`an event no longer begins with ${headFields.join(', ')}`);
const typeBytes = new Map((fields[1]?.type.symbols ?? []).map((symbol, place) => [symbol, 2 * place]));
/** All that comes behind. */
const tailForm = registered<SimulatedEvent>({ ...chargingEvent.schema, fields: fields.slice(headFields.length) });

/**
 * Records of the topics `charging.events` and `stations`: key, time of reception, value in Confluent's wire format (0, schema id, Avro). One behind the other as
 * [key length, key, time, value length, value], so that a segment travels between threads as one piece; `readRecords` takes it apart.
 */
export class RecordEncoder implements SegmentEncoder {
  readonly #ids: SchemaIds;
  readonly #writeTail = avroBodyWriter(tailForm);
  readonly #writeStation = avroBodyWriter(stationForm);
  readonly #events = new GrowingBuffer();
  readonly #stations = new GrowingBuffer();
  #count = 0;

  constructor(ids: SchemaIds) {
    this.#ids = ids;
  }

  event(event: SimulatedEvent, receivedMs: number): void {
    this.#count += 1;
    const into = this.#events;
    const { stationId, eventNumber, eventSuffix } = event;
    const keyAt = into.length + 4;
    const keyBytes = this.#head(into, stationId, receivedMs);
    const at = this.#begin(into, this.#ids.event);
    into.shortLength(keyBytes + 1 + digitsOf(eventNumber) + eventSuffix.length);
    into.again(keyAt, keyBytes);
    into.uint8(SLASH);
    into.digits(eventNumber);
    into.shortText(eventSuffix);
    into.uint8(typeBytes.get(event.type) as number);
    into.shortLength(keyBytes);
    into.again(keyAt, keyBytes);
    into.fill(this.#writeTail, event);
    into.setUint32(at, into.length - at - 4);
  }

  malformed(stationId: string, bytes: Uint8Array, receivedMs: number): void {
    this.#count += 1;
    const into = this.#events;
    this.#head(into, stationId, receivedMs);
    into.uint32(bytes.length);
    into.bytes(bytes);
  }

  station(station: Station, sentMs: number): void {
    const into = this.#stations;
    this.#head(into, station.stationId, sentMs);
    const at = this.#begin(into, this.#ids.station);
    into.fill(this.#writeStation, station);
    into.setUint32(at, into.length - at - 4);
  }

  take(): Segment {
    const messages = this.#count;
    this.#count = 0;
    return { messages, events: this.#events.take(), stations: this.#stations.take() };
  }

  /** Key and time; gives how many bytes the key has. */
  #head(into: GrowingBuffer, key: string, timeMs: number): number {
    const at = into.skipUint32();
    into.shortText(key);
    const keyBytes = into.length - at - 4;
    into.setUint32(at, keyBytes);
    into.double(timeMs);
    return keyBytes;
  }

  /** A value's first bytes; gives the place of its length, which is known later. */
  #begin(into: GrowingBuffer, schemaId: number): number {
    const at = into.skipUint32();
    into.uint8(MAGIC);
    into.uint8(schemaId >>> 24);
    into.uint8((schemaId >>> 16) & 255);
    into.uint8((schemaId >>> 8) & 255);
    into.uint8(schemaId & 255);
    return at;
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

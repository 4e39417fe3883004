import { setTimeout as pause } from 'node:timers/promises';
import { isPassing } from '../../errors.ts';
import type { VoltstreamError } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { SchemaRegistry, WireWriter } from '../../schemas/codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { LogProducer, OutboundRecord } from '../engine.ts';
import { eventTimeOf } from '../session-event.ts';
import { eventsTopic, stationsTopic } from '../topology.ts';
import { dataQualityTopic, qualityFinding } from './data-quality.ts';
import type { QualityFinding } from './data-quality.ts';
import type { QuarantinedLine } from './quarantine.ts';
import { quarantinedLine, quarantineTopic } from './quarantine.ts';
import type { TakenRows } from './taken-rows.ts';
import { takenRows, takenTopic } from './taken-rows.ts';

/** Records of one append: small enough for one frame of the log, large enough that an append costs nothing per record. */
const APPEND_RECORDS_MAX = 5_000;
const APPEND_BYTES_MAX = 4_000_000;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

export interface FlushOptions {
  /** Ends a wait for the log. */
  readonly signal?: AbortSignal | undefined;
  /** A failure that is tried again. */
  readonly retrying?: ((error: VoltstreamError) => void) | undefined;
}

/**
 * Appends events, stations and quarantined lines to their topics, together with a mark of how far the input has been taken. The
 * embedded log stores the mark in the same step as the records, so that a killed ingestion goes on exactly where it was;
 * with Kafka it may repeat its last append, which `deduplicate` drops by event id.
 */
export class EventAppender {
  readonly #producer: LogProducer;
  readonly #event: WireWriter<ChargingEvent>;
  readonly #station: WireWriter<Station>;
  readonly #writer: string;
  #records: OutboundRecord[] = [];
  #bytes = 0;
  readonly #recordsMax: number;
  appended = 0;

  private constructor(producer: LogProducer, event: WireWriter<ChargingEvent>, place: WireWriter<Station>, writer: string, recordsMax: number) {
    this.#producer = producer;
    this.#event = event;
    this.#station = place;
    this.#writer = writer;
    this.#recordsMax = recordsMax;
  }

  /** `writer` names the input: its mark is kept under this name. */
  static async open(producer: LogProducer, registry: SchemaRegistry, writer: string, recordsMax = APPEND_RECORDS_MAX): Promise<EventAppender> {
    return new EventAppender(
      producer,
      await registry.writer(`${eventsTopic}-value`, chargingEvent),
      await registry.writer(`${stationsTopic}-value`, station),
      writer,
      recordsMax,
    );
  }

  /** How far this input has been taken, as the last `flush` said; null when it is new. */
  mark(): Promise<string | null> {
    return this.#producer.mark(this.#writer);
  }

  addEvent(event: ChargingEvent): void {
    const found = eventTimeOf(event);
    this.#add(eventsTopic, event.stationId, this.#event.encode(event), found.kind === 'unknown' ? 0 : found.ms);
  }

  addStation(place: Station): void {
    this.#add(stationsTopic, place.stationId, this.#station.encode(place), place.validFromMs);
  }

  addQuarantined(line: QuarantinedLine, timestampMs: number): void {
    this.#add(quarantineTopic, `${line.file}:${line.line}`, quarantinedLine.encode(line), timestampMs);
  }

  addFinding(finding: QualityFinding): void {
    this.#add(dataQualityTopic, `${finding.source}/${finding.batch}/${finding.check}`, qualityFinding.encode(finding), finding.checkedMs);
  }

  addTaken(rows: TakenRows, timestampMs: number): void {
    this.#add(takenTopic, rows.source, takenRows.encode(rows), timestampMs, 0);
  }

  /** Any other record of the product's topics, encoded already. */
  addRecord(record: OutboundRecord): void {
    this.#records.push(record);
    this.#bytes += record.value?.length ?? 0;
  }

  /** True when it is time to flush: the caller knows the position that the mark must name. */
  get full(): boolean {
    return this.#records.length >= this.#recordsMax || this.#bytes >= APPEND_BYTES_MAX;
  }

  /** True when it must not wait any longer for a better moment. */
  get overfull(): boolean {
    return this.#records.length >= 4 * this.#recordsMax || this.#bytes >= 2 * APPEND_BYTES_MAX;
  }

  /**
   * Appends what was added. A log that is full or does not answer is tried again until it takes it, with the very same records and
   * mark; ends early only by the signal.
   */
  async flush(position: string, { signal, retrying }: FlushOptions = {}): Promise<void> {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    const mark = { writer: this.#writer, position };
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        await this.#producer.append(records, mark);
        this.appended += records.length;
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        retrying?.(error);
        await pause(waitMs, undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  #add(topic: string, key: string, value: Uint8Array, timestampMs: number, partition?: number): void {
    const place = partition === undefined ? {} : { partition };
    this.#records.push({ topic, key: utf8.encode(key), value, timestampMs: Math.max(0, timestampMs), ...place });
    this.#bytes += value.length;
  }
}

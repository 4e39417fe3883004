import { SchemaNotLoaded } from '../../schemas/codec.ts';
import type { WireReader } from '../../schemas/codec.ts';
import type { SourceNode } from '../../topology/graph.ts';
import type { LogBatch, LogRecord } from '../log/log.ts';
import { VoltstreamError } from '../../errors.ts';
import type { WriterMark } from './writer-header.ts';
import { writerMarkOf } from './writer-header.ts';

export interface SourceReaders {
  readonly key: WireReader<unknown>;
  readonly value: WireReader<unknown>;
}

/** What a queue tells its task while it decodes. */
export interface QueueListener {
  /** Bytes that do not fit, or a time that cannot be: the record is set aside and its position passed. */
  malformed(source: SourceNode, partition: number, raw: LogRecord, error: unknown): void;
  /** True when a repartition record has been taken before and must be dropped. Asked again when it had to wait for a schema. */
  repeated(source: SourceNode, mark: WriterMark): boolean;
  /** A repartition record has been passed. Not earlier: a commit must not say of a waiting head that it was taken. */
  taken(source: SourceNode, mark: WriterMark): void;
}

/**
 * Fetched records of one topic partition, waiting for their turn. The head is decoded, since its event time decides which
 * partition of the task goes next.
 */
export class PartitionQueue {
  readonly source: SourceNode;
  readonly partition: number;
  readonly #readers: SourceReaders;
  readonly #listener: QueueListener;
  readonly #batches: LogBatch[] = [];
  #recordIndex = 0;
  /** Who wrote the record that is passed next; null when it does not say so. */
  #mark: WriterMark | null = null;
  #position = -1;
  #requested = -1;

  /** End of the partition as last heard. */
  endOffset = 0;
  buffered = 0;
  /** Records taken over since the claim, and those of them that could not be decoded: for metrics. */
  accepted = 0;
  malformed = 0;
  hasHead = false;
  headRaw: LogRecord | null = null;
  headKey: unknown = null;
  headValue: unknown = null;
  headTimestampMs = 0;
  /** A schema that must be loaded before the head can be decoded. */
  awaitedSchema: { readonly reader: WireReader<unknown>; readonly schemaId: number } | null = null;

  constructor(source: SourceNode, partition: number, readers: SourceReaders, listener: QueueListener) {
    this.source = source;
    this.partition = partition;
    this.#readers = readers;
    this.#listener = listener;
  }

  /** Next offset to process: what a commit records. */
  get position(): number {
    return this.#position;
  }

  /** True when everything up to the known end has been taken: nothing to wait for. */
  get atEnd(): boolean {
    return !this.hasHead && this.buffered === 0 && this.#position >= this.endOffset;
  }

  start(position: number, endOffset: number): void {
    this.#batches.length = 0;
    this.#recordIndex = 0;
    this.#mark = null;
    this.buffered = 0;
    this.hasHead = false;
    this.awaitedSchema = null;
    this.#position = position;
    this.#requested = position;
    this.endOffset = endOffset;
  }

  /** Takes a batch of its own partition, only when it was asked for at exactly the position that comes next (Law 3). */
  accept(batch: LogBatch): boolean {
    if (batch.topic !== this.source.topic || batch.partition !== this.partition) return false;
    if (batch.requestedPosition !== this.#requested) return false;
    this.#requested = batch.nextPosition;
    this.endOffset = batch.endOffset;
    if (this.buffered === 0 && batch.records.length === 0) {
      this.#position = batch.nextPosition;
      return true;
    }
    // Without records it waits its turn too: what was passed over lies behind the records before it.
    this.#batches.push(batch);
    this.buffered += batch.records.length;
    this.accepted += batch.records.length;
    return true;
  }

  /** The position to ask for next. */
  get requestPosition(): number {
    return this.#requested;
  }

  /** Decodes up to the next sound record; false when there is none, or when a schema must be loaded first. */
  fill(): boolean {
    if (this.hasHead) return true;
    this.awaitedSchema = null;
    for (;;) {
      const batch = this.#batches[0];
      if (batch === undefined) return false;
      // A batch is let go with its last record, so there is one.
      const raw = batch.records[this.#recordIndex] as LogRecord;
      if (this.source.role === 'repartition') {
        this.#mark = writerMarkOf(raw);
        if (this.#mark !== null && this.#listener.repeated(this.source, this.#mark)) {
          this.#mark = null;
          this.#pass(batch, raw);
          continue;
        }
      }
      try {
        this.#decode(raw);
      } catch (error) {
        if (error instanceof SchemaNotLoaded && this.awaitedSchema !== null) return false;
        this.#refuse(raw, error);
        this.#pass(batch, raw);
        continue;
      }
      this.headRaw = raw;
      this.hasHead = true;
      return true;
    }
  }

  /** Passes the head, which has been processed. */
  shift(): void {
    const batch = this.#batches[0] as LogBatch;
    this.hasHead = false;
    this.#pass(batch, this.headRaw as LogRecord);
  }

  /** Sets the head's undecodable record aside after all: its schema does not exist. */
  refuseAwaited(error: unknown): void {
    const batch = this.#batches[0] as LogBatch;
    const raw = batch.records[this.#recordIndex] as LogRecord;
    this.awaitedSchema = null;
    this.#refuse(raw, error);
    this.#pass(batch, raw);
  }

  #refuse(raw: LogRecord, error: unknown): void {
    this.malformed++;
    this.#listener.malformed(this.source, this.partition, raw, error);
  }

  #decode(raw: LogRecord): void {
    const { key, value } = this.#readers;
    this.headKey = raw.key === null ? null : this.#read(key, raw.key);
    this.headValue = raw.value === null ? null : this.#read(value, raw.value);
    const { timestampOf } = this.source.form;
    const timestampMs = timestampOf === undefined || raw.value === null
      ? raw.timestampMs
      : timestampOf(this.headValue, raw.timestampMs);
    if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
      throw new VoltstreamError('DESERIALISATION_FAILED', 'the event time cannot be used', {
        wanted: 'whole milliseconds since 1970, not negative', got: String(timestampMs),
      });
    }
    this.headTimestampMs = timestampMs;
  }

  #read(reader: WireReader<unknown>, bytes: Uint8Array): unknown {
    try {
      return reader.decode(bytes);
    } catch (error) {
      if (error instanceof SchemaNotLoaded) this.awaitedSchema = { reader, schemaId: error.schemaId };
      throw error;
    }
  }

  #pass(batch: LogBatch, raw: LogRecord): void {
    if (this.#mark !== null) this.#listener.taken(this.source, this.#mark);
    this.#mark = null;
    this.#position = raw.offset + 1;
    this.#recordIndex++;
    this.buffered--;
    if (this.#recordIndex >= batch.records.length) this.#nextBatch(batch);
  }

  /** Lets go of a batch at once, and of those without records behind it: a full log keeps the queue from ever running empty. */
  #nextBatch(batch: LogBatch): void {
    this.#position = batch.nextPosition;
    this.#recordIndex = 0;
    this.#batches.shift();
    for (let next = this.#batches[0]; next?.records.length === 0; next = this.#batches[0]) {
      this.#position = next.nextPosition;
      this.#batches.shift();
    }
  }
}

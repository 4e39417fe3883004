import type { ByteWriter } from './byte-writer.ts';

/**
 * How a value becomes bytes and comes back, for state stores and for keys and values of topics.
 *
 * `schemaId` names the form of the bytes. It is kept beside the state, so that a changed codec is noticed before it
 * misreads what an earlier version wrote. Both directions are synchronous. `decode` throws on bytes that do not fit.
 */
export interface Codec<T> {
  readonly kind: 'codec';
  readonly schemaId: string;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  /**
   * Writes what `encode` gives, the very same bytes, behind what the writer holds: for state, which is written often, without memory of its own. Left
   * out: what `encode` gives is copied. Codecs of ours lose it in a spread, so that another `encode` in its place counts; see encode-into.ts.
   */
  encodeInto?(value: T, writer: ByteWriter): void;
  /** For codecs that can read what other versions of them have written; see codec-evolution.ts. Left out: the same codec only. */
  readonly evolution?: CodecEvolution<T>;
}

export interface CodecEvolution<T> {
  readonly description: CodecDescription;
  /** Reads what a codec of that description has written; throws VoltstreamError SCHEMA_INCOMPATIBLE. */
  decoderOf(written: CodecDescription): (bytes: Uint8Array) => T;
}

/** What must be kept beside the bytes of a codec, as JSON, so that later versions of it can read them. */
export interface CodecDescription {
  /** The codec's `schemaId`. */
  readonly id: string;
  /** The Avro schema it writes with. */
  readonly avro?: object;
  /** Of a codec around others: its own name, and those others. */
  readonly around?: string;
  readonly parts?: readonly CodecDescription[];
}

/** A form whose writer schema is found by the id in front of the bytes (Confluent wire format: 0, id, Avro body). */
export interface RegisteredForm<T> {
  readonly kind: 'registered';
  /** Full name of the Avro record, e.g. `voltstream.ChargingEvent`. */
  readonly name: string;
  /** The reader's schema, as parsed from the .avsc file. */
  readonly schema: object;
  /** Never set; carries the type. */
  readonly valueType?: T;
}

/** What a topic's keys or values look like: bytes with a fixed form, or Avro by registry. */
export type Form<T> = Codec<T> | RegisteredForm<T>;

/** Thrown by `WireReader.decode` when the writer's schema has not been fetched yet: await `load(schemaId)`, decode again. */
export class SchemaNotLoaded extends Error {
  readonly schemaId: number;
  constructor(schemaId: number) {
    super(`schema ${schemaId} is not loaded yet`);
    this.name = 'SchemaNotLoaded';
    this.schemaId = schemaId;
  }
}

/** Decodes synchronously, writer's schema resolved to the reader's by cached resolvers. Throws on malformed bytes. */
export interface WireReader<T> {
  decode(bytes: Uint8Array): T;
  /** Fetches a writer's schema. Throws VoltstreamError SCHEMA_UNKNOWN when the registry does not know it, and
   * STORE-like unavailability errors as they come (these are retried, they are not the record's fault). */
  load(schemaId: number): Promise<void>;
}

export interface WireWriter<T> {
  encode(value: T): Uint8Array;
}

/** The port to a schema registry: Confluent-compatible REST, or file-backed in the process. */
export interface SchemaRegistry {
  open(): Promise<void>;
  reader<T>(form: Form<T>): WireReader<T>;
  /** Registers the form's schema under `<topic>-key` or `<topic>-value` when it is new, after a compatibility check. */
  writer<T>(subject: string, form: Form<T>): Promise<WireWriter<T>>;
  close(): Promise<void>;
}

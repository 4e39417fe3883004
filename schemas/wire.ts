import { VoltstreamError } from '../errors.ts';
import { AvroDecoder, AvroEncoder, typeOfForm } from './avro-codec.ts';
import { writerType } from './avro-types.ts';
import { repeatedUtf8, utf8 } from './builtin-codecs.ts';
import { SchemaNotLoaded } from './codec.ts';
import type { Codec, Form, RegisteredForm, WireReader, WireWriter } from './codec.ts';
import { asBuffer, bytesPreview, malformed, messageOf } from './malformed.ts';

/**
 * The wire format of Confluent's schema registry: a zero byte, the id of the writer's schema as 4 bytes big endian, the Avro
 * body. What is known of a writer's schema is kept per reader, so decoding waits for nothing after the first record.
 */

const magicByte = 0;
const headerBytes = 5;

/**
 * Gives the text of a schema by id, or null when the registry does not know it. Rejects with SCHEMA_INVALID when what the
 * registry has is no Avro schema, and otherwise when the registry does not answer.
 */
export type SchemaSource = (schemaId: number) => Promise<string | null>;

/** How a writer's bytes become the reader's value, or why they never can. */
type Resolution = AvroDecoder | VoltstreamError;

/** Decodes values of any writer's schema into the form's own. Make it with `wireReader`. */
class RegisteredReader<T> implements WireReader<T> {
  readonly #form: RegisteredForm<T>;
  readonly #name: string;
  readonly #source: SchemaSource;
  readonly #resolutions = new Map<number, Resolution>();
  // The last writer's schema: nearly always that of the next record, too.
  #lastId = -1;
  #last: Resolution | undefined;

  constructor(form: RegisteredForm<T>, source: SchemaSource) {
    typeOfForm(form); // Throws when the schema is not valid.
    this.#form = form;
    this.#name = form.name;
    this.#source = source;
  }

  decode(bytes: Uint8Array): T {
    const source = asBuffer(bytes);
    if (source.length < headerBytes || source[0] !== magicByte) {
      throw malformed(`a record of ${this.#name} has no schema id`, 'a zero byte and 4 bytes of schema id', bytesPreview(source));
    }
    const schemaId = source.readUInt32BE(1);
    if (schemaId !== this.#lastId) this.#turnTo(schemaId);
    const resolution = this.#last as Resolution;
    if (resolution instanceof VoltstreamError) throw resolution;
    return resolution.decode(source, headerBytes) as T;
  }

  async load(schemaId: number): Promise<void> {
    if (this.#resolutions.has(schemaId)) return;
    const text = await this.#fetch(schemaId);
    if (text instanceof VoltstreamError) {
      this.#resolutions.set(schemaId, text);
      return;
    }
    if (text === null) {
      throw new VoltstreamError('SCHEMA_UNKNOWN', `schema ${schemaId} of a ${this.#name} is not in the registry`, {
        wanted: 'an id that the registry knows',
        got: String(schemaId),
      });
    }
    this.#resolutions.set(schemaId, this.#resolve(schemaId, text));
  }

  /** A schema that is known but no use makes each of its records a dead letter; other failures are the registry's. */
  async #fetch(schemaId: number): Promise<string | VoltstreamError | null> {
    try {
      return await this.#source(schemaId);
    } catch (error) {
      if (!(error instanceof VoltstreamError) || error.code !== 'SCHEMA_INVALID') throw error;
      return malformed(`schema ${schemaId} cannot be used to read ${this.#name}`, 'an Avro schema', error.message, error);
    }
  }

  #turnTo(schemaId: number): void {
    const resolution = this.#resolutions.get(schemaId);
    if (resolution === undefined) throw new SchemaNotLoaded(schemaId);
    this.#lastId = schemaId;
    this.#last = resolution;
  }

  #resolve(schemaId: number, text: string): Resolution {
    try {
      return new AvroDecoder(this.#form, writerType(text));
    } catch (error) {
      // Not thrown here: it is the record that cannot be read, each time; it goes to the dead letters.
      return malformed(
        `what was written with schema ${schemaId} cannot be read as ${this.#name}`,
        `a schema that ${this.#name} can read`,
        messageOf(error),
        error,
      );
    }
  }
}

/** Reads bytes of a form: by schema id for registered ones, as they are for codecs. */
export function wireReader<T>(form: Form<T>, source: SchemaSource): WireReader<T> {
  if (form.kind === 'registered') return new RegisteredReader(form, source);
  const codec = isUtf8(form) ? { ...form, decode: repeatedUtf8() as (bytes: Uint8Array) => T } : form;
  return {
    decode: (bytes) => decodeWith(codec, bytes),
    load: () => Promise.resolve(),
  };
}

/** Keys nearly always are text, and few: see `repeatedUtf8`. */
function isUtf8(codec: Codec<unknown>): boolean {
  return codec === (utf8 as Codec<unknown>);
}

/** A codec of a user may throw what it likes: for the record it always means the same. */
function decodeWith<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof VoltstreamError && error.code === 'DESERIALISATION_FAILED') throw error;
    throw malformed(`bytes do not fit codec ${codec.schemaId}`, codec.schemaId, `${messageOf(error)}; ${bytesPreview(bytes)}`, error);
  }
}

/** Writes values of a form; registered ones with the id that the registry gave the form's schema. */
export function wireWriter<T>(form: RegisteredForm<T>, schemaId: number): WireWriter<T> {
  const header = Buffer.alloc(headerBytes);
  header[0] = magicByte;
  header.writeUInt32BE(schemaId, 1);
  return new AvroEncoder(form, header);
}

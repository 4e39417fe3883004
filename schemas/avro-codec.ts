import { createHash } from 'node:crypto';
import type { Type } from 'avsc';
import { VoltstreamError } from '../errors.ts';
import { avroType, writerType } from './avro-types.ts';
import type { Codec, CodecDescription, RegisteredForm } from './codec.ts';
import { unreadable } from './codec-evolution.ts';
import { compileDecoder } from './compiled-decoder.ts';
import type { FastDecode } from './compiled-decoder.ts';
import { compileEncoder } from './compiled-encoder.ts';
import type { FastEncode } from './compiled-encoder.ts';
import { asBuffer, bytesPreview, malformed, messageOf } from './malformed.ts';

/** Records up to this size are written without a second try; the buffer grows when a larger one comes and stays grown. */
const scratchBytes = 65_536;

/**
 * Makes a form whose writer's schema is found by the id in front of the bytes. The schema's full name becomes the form's.
 *
 * @example
 * const reading = registered<{ readonly wh: number }>({
 *   type: 'record', name: 'Reading', namespace: 'example', fields: [{ name: 'wh', type: 'double' }],
 * });
 */
export function registered<T>(schema: object): RegisteredForm<T> {
  const { name, namespace } = schema as { readonly name?: unknown; readonly namespace?: unknown };
  if (typeof name !== 'string') {
    throw new VoltstreamError('SCHEMA_INVALID', 'a registered form needs a named schema', { got: JSON.stringify(schema).slice(0, 80) });
  }
  const fullName = typeof namespace === 'string' && namespace !== '' && !name.includes('.') ? `${namespace}.${name}` : name;
  return Object.freeze({ kind: 'registered', name: fullName, schema });
}

const types = new WeakMap<object, Type>();

/** The avsc type of a form's schema, made once per schema object. */
export function typeOfForm(form: RegisteredForm<unknown>): Type {
  let type = types.get(form.schema);
  if (type === undefined) {
    try {
      type = avroType(form.schema);
    } catch (error) {
      throw new VoltstreamError('SCHEMA_INVALID', `the schema of ${form.name} cannot be used`, { got: messageOf(error), cause: error });
    }
    types.set(form.schema, type);
  }
  return type;
}

/** Writes values behind a fixed header; each result is memory of its own, as long as it has to be. */
export class AvroEncoder {
  readonly #type: Type;
  readonly #name: string;
  readonly #header: Uint8Array;
  readonly #fast: FastEncode | null;
  #scratch: Buffer;

  constructor(form: RegisteredForm<unknown>, header: Uint8Array) {
    this.#type = typeOfForm(form);
    this.#name = form.name;
    this.#header = header;
    this.#fast = compileEncoder(this.#type);
    this.#scratch = Buffer.allocUnsafeSlow(scratchBytes);
    this.#scratch.set(header);
  }

  encode(value: unknown): Buffer {
    let end = this.#fast === null ? -1 : this.#fast(value, this.#scratch, this.#header.length);
    if (end < 0) end = this.#encodeSlowly(value);
    const encoded = Buffer.allocUnsafe(end);
    this.#scratch.copy(encoded, 0, 0, end);
    return encoded;
  }

  #encodeSlowly(value: unknown): number {
    try {
      let end = this.#type.encode(value, this.#scratch, this.#header.length);
      if (end < 0) {
        this.#scratch = Buffer.allocUnsafeSlow(this.#scratch.length - end);
        this.#scratch.set(this.#header);
        end = this.#type.encode(value, this.#scratch, this.#header.length);
      }
      return end;
    } catch (error) {
      throw this.#misfit(value, error);
    }
  }

  /** Only a failure pays for finding out which field it was. */
  #misfit(value: unknown, error: unknown): VoltstreamError {
    let where = '';
    let got = messageOf(error);
    this.#type.isValid(value, {
      errorHook: (path, found, type) => {
        if (where === '') {
          where = path.join('.');
          got = `${describe(found)} where ${type.typeName} is wanted`;
        }
      },
    });
    return new VoltstreamError('SERIALISATION_FAILED', `a value does not fit ${this.#name}`, {
      ...(where === '' ? {} : { where: `field ${where}` }),
      got,
      cause: error,
    });
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/**
 * The plain Avro body (no id in front) of one fixed schema, for values of state stores. `schemaId` is name and fingerprint
 * of the schema, so state written with another form of it is noticed. Bytes that do not fit: DESERIALISATION_FAILED; a
 * value that does not: SERIALISATION_FAILED.
 */
export function avroCodec<T>(form: RegisteredForm<T>): Codec<T> {
  const type = typeOfForm(form);
  const encoder = new AvroEncoder(form, new Uint8Array(0));
  const decoder = new AvroDecoder(form);
  const fingerprint = createHash('sha256').update(JSON.stringify(type.schema())).digest('hex').slice(0, 16);
  const schemaId = `${form.name}:${fingerprint}`;
  return Object.freeze({
    kind: 'codec',
    schemaId,
    encode: (value: T): Uint8Array => encoder.encode(value),
    decode: (encoded: Uint8Array): T => decoder.decode(asBuffer(encoded), 0) as T,
    evolution: {
      description: { id: schemaId, avro: form.schema },
      decoderOf: (written: CodecDescription) => {
        const earlier = decoderOfWriter(form, written, schemaId);
        return (encoded: Uint8Array): T => earlier.decode(asBuffer(encoded), 0) as T;
      },
    },
  });
}

/** By Avro's rules: fields that came have defaults, fields that went are skipped, numbers may widen. */
function decoderOfWriter(form: RegisteredForm<unknown>, written: CodecDescription, schemaId: string): AvroDecoder {
  if (written.avro === undefined) throw unreadable({ schemaId }, written, 'it was not written with an Avro schema');
  try {
    return new AvroDecoder(form, writerType(JSON.stringify(written.avro)));
  } catch (error) {
    throw unreadable({ schemaId }, written, messageOf(error));
  }
}

/** Decodes whole Avro bodies of one writer's schema: by a function made for it where writer and reader agree, else by avsc. */
export class AvroDecoder {
  readonly #type: Type;
  readonly #name: string;
  readonly #resolver: ReturnType<Type['createResolver']> | undefined;
  readonly #fast: FastDecode | null;

  /** `writer` undefined: the form's own schema. Throws avsc's error when the form cannot read what `writer` writes. */
  constructor(form: RegisteredForm<unknown>, writer?: Type) {
    this.#type = typeOfForm(form);
    this.#name = form.name;
    const same = writer === undefined || writer.equals(this.#type);
    this.#resolver = same ? undefined : this.#type.createResolver(writer);
    this.#fast = same ? compileDecoder(this.#type) : null;
  }

  /** The body starts at `from` and must end with the bytes; throws DESERIALISATION_FAILED. */
  decode(bytes: Buffer, from: number): unknown {
    return this.#fast?.(bytes, from) ?? this.#decodeSlowly(bytes, from);
  }

  #decodeSlowly(bytes: Buffer, from: number): unknown {
    const name = this.#name;
    let decoded: { value: unknown; offset: number };
    try {
      decoded = this.#type.decode(bytes, from, this.#resolver);
    } catch (error) {
      throw malformed(`the body of a ${name} cannot be read`, name, `${messageOf(error)}; ${bytesPreview(bytes)}`, error);
    }
    if (decoded.offset === bytes.length) return decoded.value;
    if (decoded.offset < 0) throw malformed(`the body of a ${name} is cut off`, name, bytesPreview(bytes));
    throw malformed(`there are bytes behind a ${name}`, `${decoded.offset} bytes`, bytesPreview(bytes));
  }
}

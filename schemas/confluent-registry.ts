import { COMPATIBILITY, SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry';
import { VoltstreamError } from '../errors.ts';
import { typeOfForm } from './avro-codec.ts';
import type { Form, RegisteredForm, SchemaRegistry, WireReader, WireWriter } from './codec.ts';
import type { CompatibilityLevel } from './compatibility.ts';
import { messageOf } from './malformed.ts';
import { wireReader, wireWriter } from './wire.ts';

/**
 * A Confluent-compatible registry over REST. The client only fetches and registers; bytes are decoded by `wire.ts`, since the
 * client's own decoding is a promise per record.
 */

export interface ConfluentRegistryOptions {
  /** e.g. `http://localhost:8081`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Level that a new subject gets; an existing subject must have it. BACKWARD, as is the registry's own default. */
  readonly compatibility?: CompatibilityLevel;
  /** After this long without an answer a request counts as an outage. */
  readonly requestMaxMs?: number;
  /** How long "this id is unknown" is believed, so that a stream of foreign records does not become a stream of requests. */
  readonly unknownKeptMs?: number;
}

const requestMaxMsDefault = 10_000;
const unknownKeptMsDefault = 10_000;
/** Unknown ids kept at most; beyond it all are forgotten and asked for again. */
const unknownKeptMax = 10_000;

export class ConfluentRegistry implements SchemaRegistry {
  readonly #client: Client;
  readonly #url: string;
  readonly #compatibility: CompatibilityLevel;
  readonly #requestMaxMs: number;
  readonly #unknownKeptMs: number;
  readonly #textById = new Map<number, string>();
  /** Unknown ids and until when that is believed, by the monotonic clock. */
  readonly #unknownUntil = new Map<number, number>();

  constructor(options: ConfluentRegistryOptions) {
    const { url, username, password } = options;
    this.#url = new URL(url).origin; // Without credentials that someone may have put into the address.
    this.#compatibility = options.compatibility ?? 'BACKWARD';
    this.#requestMaxMs = options.requestMaxMs ?? requestMaxMsDefault;
    this.#unknownKeptMs = options.unknownKeptMs ?? unknownKeptMsDefault;
    this.#client = new Client({
      host: url.replace(/\/+$/, ''),
      clientId: 'voltstream',
      ...(username === undefined ? {} : { auth: { username, password: password ?? '' } }),
    });
  }

  /** Nothing to open: the first use connects, and an outage is met where it matters. */
  open(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  reader<T>(form: Form<T>): WireReader<T> {
    return wireReader(form, (schemaId) => this.#fetch(schemaId));
  }

  async writer<T>(subject: string, form: Form<T>): Promise<WireWriter<T>> {
    return form.kind === 'codec' ? form : wireWriter(form, await this.register(subject, form));
  }

  /** Id of the form's schema under a subject; registered when it is new there. Throws SCHEMA_INCOMPATIBLE. */
  async register(subject: string, form: RegisteredForm<unknown>): Promise<number> {
    typeOfForm(form); // Throws when the schema is not valid.
    const schema = JSON.stringify(form.schema);
    const options = { subject, compatibility: COMPATIBILITY[this.#compatibility] };
    // The client's schema type is a non-exported enum; leaving the plain schema object makes it Avro.
    const raw = JSON.parse(schema) as Parameters<Client['getRegistryIdBySchema']>[1];
    const known = await this.#knownId(subject, raw);
    if (known !== null) return known;
    try {
      const answer = await this.#answered(this.#client.register(raw as Parameters<Client['register']>[0], options));
      return answer.id;
    } catch (error) {
      throw this.#registrationError(subject, error);
    }
  }

  /** A restart finds its schema without the right to write and whatever the subject's compatibility level is. */
  async #knownId(subject: string, schema: Parameters<Client['getRegistryIdBySchema']>[1]): Promise<number | null> {
    try {
      return await this.#answered(this.#client.getRegistryIdBySchema(subject, schema));
    } catch (error) {
      // The client turns exactly the answer 404 into this error, which has no status of its own.
      if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError' && !isBareStatus(error)) return null;
      throw this.#outage(error);
    }
  }

  async #fetch(schemaId: number): Promise<string | null> {
    const kept = this.#textById.get(schemaId);
    if (kept !== undefined) return kept;
    const unknownUntil = this.#unknownUntil.get(schemaId);
    if (unknownUntil !== undefined && performance.now() < unknownUntil) return null;
    try {
      const schema = await this.#answered(this.#client.getSchema(schemaId));
      const text = JSON.stringify(schema); // avsc's type gives back its schema; other kinds become a misfit in the reader.
      this.#textById.set(schemaId, text);
      return text;
    } catch (error) {
      if (error instanceof VoltstreamError) throw error;
      if (statusOf(error) === undefined) {
        // The registry answered, with something that is no Avro schema: asking again will not help.
        throw new VoltstreamError('SCHEMA_INVALID', `schema ${schemaId} of the registry cannot be read`, { got: messageOf(error), cause: error });
      }
      if (statusOf(error) !== 404 || isBareStatus(error)) throw this.#outage(error);
      if (this.#unknownUntil.size >= unknownKeptMax) this.#unknownUntil.clear();
      this.#unknownUntil.set(schemaId, performance.now() + this.#unknownKeptMs);
      return null;
    }
  }

  async #answered<R>(request: Promise<R>): Promise<R> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#outage(`no answer within ${this.#requestMaxMs} ms`)), this.#requestMaxMs);
    });
    try {
      return await Promise.race([request, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #registrationError(subject: string, error: unknown): VoltstreamError {
    const where = `subject ${subject}`;
    if (error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError') {
      return new VoltstreamError('CONFIGURATION_INVALID', 'the subject has another compatibility level', {
        where,
        wanted: this.#compatibility,
        got: error.message,
        cure: 'Change the level of the subject, or the setting.',
      });
    }
    const status = statusOf(error);
    if (status === 409 || status === 422) {
      const wanted = 'a schema that the registry accepts';
      return new VoltstreamError('SCHEMA_INCOMPATIBLE', 'the registry refused a schema', { where, wanted, got: messageOf(error), cause: error });
    }
    return this.#outage(error);
  }

  #outage(error: unknown): VoltstreamError {
    if (error instanceof VoltstreamError) return error;
    return new VoltstreamError('REGISTRY_UNAVAILABLE', 'the schema registry did not answer as it should', {
      where: this.#url,
      got: messageOf(error),
      cause: error,
    });
  }
}

/** The client gives network errors the status 400. */
function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}

/** An answer without the registry's own message: a proxy or a wrong address, which knows nothing of schemas. */
function isBareStatus(error: unknown): boolean {
  return /Error, status \d+/.test(messageOf(error));
}

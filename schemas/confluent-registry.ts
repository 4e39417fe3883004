import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { COMPATIBILITY, SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry';
import { isPassing, VoltstreamError } from '../errors.ts';
import { answerWithin } from './answer-within.ts';
import { typeOfForm } from './avro-codec.ts';
import type { Form, RegisteredForm, SchemaRegistry, WireReader, WireWriter } from './codec.ts';
import type { CompatibilityLevel } from './compatibility.ts';
import { messageOf } from './malformed.ts';
import { RegistryCache } from './registry-cache.ts';
import { isTrustFailure } from './trust-failure.ts';
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
  /** PEM text of who vouches for its certificate (https), when that is nobody whom Node knows. */
  readonly ca?: string;
  /** Where to keep what it has said, so that its outage stops no restart; nowhere when left out. */
  readonly cacheFolder?: string;
  /** How long `writer` asks again while the registry is away and the cache does not know either. */
  readonly writerRetryMs?: number;
}

const requestMaxMsDefault = 10_000;
/** A registry that restarts is back by then; a start that waits for longer looks as if it hung. */
const writerRetryMsDefault = 30_000;
const retryPauseMsMax = 5_000;
const unknownKeptMsDefault = 10_000;
/** Unknown ids kept at most; beyond it all are forgotten and asked for again. */
const unknownKeptMax = 10_000;

export class ConfluentRegistry implements SchemaRegistry {
  readonly #client: Client;
  readonly #url: string;
  readonly #options: ConfluentRegistryOptions;
  readonly #agent: Agent | undefined;
  readonly #cache: RegistryCache | null;
  readonly #compatibility: CompatibilityLevel;
  readonly #requestMaxMs: number;
  readonly #unknownKeptMs: number;
  readonly #textById = new Map<number, string>();
  /** Unknown ids and until when that is believed, by the monotonic clock. */
  readonly #unknownUntil = new Map<number, number>();

  constructor(options: ConfluentRegistryOptions) {
    const { url, username, password, ca, cacheFolder } = options;
    const { origin, pathname } = new URL(url);
    this.#url = origin; // Without credentials that someone may have put into the address.
    this.#options = options;
    this.#agent = ca === undefined ? undefined : new Agent({ ca, keepAlive: true });
    this.#cache = cacheFolder === undefined ? null : new RegistryCache(cacheFolder, `${origin}${pathname}`);
    this.#compatibility = options.compatibility ?? 'BACKWARD';
    this.#requestMaxMs = options.requestMaxMs ?? requestMaxMsDefault;
    this.#unknownKeptMs = options.unknownKeptMs ?? unknownKeptMsDefault;
    this.#client = new Client({
      host: url.replace(/\/+$/, ''),
      clientId: 'voltstream',
      ...(this.#agent === undefined ? {} : { agent: this.#agent }),
      ...(username === undefined ? {} : { auth: { username, password: password ?? '' } }),
    });
  }

  /** Asks whether the login is right: LOGIN_REFUSED when it is not, or there is no trust. An outage is met where it matters, or not at all. */
  async open(): Promise<void> {
    const { url, username, password, ca } = this.#options;
    const { protocol, hostname, port, pathname } = new URL(url);
    const ask = protocol === 'https:' ? httpsRequest : httpRequest;
    const status = await new Promise<number | Error>((done) => {
      const asking = ask({
        protocol, hostname, port, path: `${pathname.replace(/\/+$/, '')}/schemas/types`, timeout: this.#requestMaxMs,
        ...(username === undefined ? {} : { auth: `${username}:${password ?? ''}` }), ...(ca === undefined ? {} : { ca }),
      }, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      });
      asking.once('timeout', () => asking.destroy());
      asking.once('error', done);
      asking.once('close', () => done(0));
      asking.end();
    });
    if (status instanceof Error && isTrustFailure(status)) throw this.#refusal('there is no trust between this process and the schema registry', status.message, 'Name the PEM file of the authority that signed its certificate with registry.caFile.');
    if (status === 401 || status === 403) throw this.#refusal('the schema registry refused the login', `status ${status}`);
  }

  close(): Promise<void> {
    this.#agent?.destroy();
    return Promise.resolve();
  }

  reader<T>(form: Form<T>): WireReader<T> {
    return wireReader(form, (schemaId) => this.#fetch(schemaId));
  }

  async writer<T>(subject: string, form: Form<T>): Promise<WireWriter<T>> {
    return form.kind === 'codec' ? form : wireWriter(form, await this.register(subject, form));
  }

  /**
   * Id of the form's schema under a subject; registered when it is new there. While the registry is away, what it said before is believed; when that is not
   * known, it is asked again for a while. Throws SCHEMA_INCOMPATIBLE, LOGIN_REFUSED, REGISTRY_UNAVAILABLE.
   */
  async register(subject: string, form: RegisteredForm<unknown>): Promise<number> {
    typeOfForm(form); // Throws when the schema is not valid.
    const schema = JSON.stringify(form.schema);
    const untilMs = performance.now() + (this.#options.writerRetryMs ?? writerRetryMsDefault);
    for (let pauseMs = 200; ; pauseMs = Math.min(retryPauseMsMax, pauseMs * 2)) {
      try {
        const schemaId = await this.#register(subject, schema);
        await this.#cache?.keepId(subject, schema, schemaId);
        return schemaId;
      } catch (error) {
        if (!isPassing(error)) throw error;
        const kept = await this.#cache?.idOf(subject, schema);
        if (typeof kept === 'number') return kept;
        const waitMs = pauseMs * (0.5 + Math.random() / 2);
        if (performance.now() + waitMs > untilMs) throw error;
        await sleepFor(waitMs);
      }
    }
  }

  async #register(subject: string, schema: string): Promise<number> {
    const options = { subject, compatibility: COMPATIBILITY[this.#compatibility] };
    // The client's schema type is a non-exported enum; leaving the plain schema object makes it Avro.
    const raw = JSON.parse(schema) as Parameters<Client['getRegistryIdBySchema']>[1];
    const known = await this.#knownId(subject, raw);
    if (known !== null) return known;
    try {
      const answer = await this.#answered(() => this.#client.register(raw as Parameters<Client['register']>[0], options));
      return answer.id;
    } catch (error) {
      throw this.#registrationError(subject, error);
    }
  }

  /** A restart finds its schema without the right to write and whatever the subject's compatibility level is. */
  async #knownId(subject: string, schema: Parameters<Client['getRegistryIdBySchema']>[1]): Promise<number | null> {
    try {
      return await this.#answered(() => this.#client.getRegistryIdBySchema(subject, schema));
    } catch (error) {
      // The client turns exactly the answer 404 into this error, which has no status of its own.
      if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError' && !isBareStatus(error)) return null;
      throw isLoginRefused(error) ? this.#refusal('the schema registry refused the login', messageOf(error)) : this.#outage(error);
    }
  }

  async #fetch(schemaId: number): Promise<string | null> {
    const kept = this.#textById.get(schemaId);
    if (kept !== undefined) return kept;
    const cached = await this.#cache?.schema(schemaId);
    if (typeof cached === 'string') {
      this.#textById.set(schemaId, cached);
      return cached;
    }
    const unknownUntil = this.#unknownUntil.get(schemaId);
    if (unknownUntil !== undefined && performance.now() < unknownUntil) return null;
    try {
      const schema = await this.#answered(() => this.#client.getSchema(schemaId));
      const text = JSON.stringify(schema); // avsc's type gives back its schema; other kinds become a misfit in the reader.
      this.#textById.set(schemaId, text);
      await this.#cache?.keepSchema(schemaId, text);
      return text;
    } catch (error) {
      if (error instanceof VoltstreamError) throw error;
      if (statusOf(error) === undefined) {
        // The registry answered, with something that is no Avro schema: asking again will not help.
        throw new VoltstreamError('SCHEMA_INVALID', `schema ${schemaId} of the registry cannot be read`, { got: messageOf(error) });
      }
      if (statusOf(error) !== 404 || isBareStatus(error)) throw this.#outage(error);
      if (this.#unknownUntil.size >= unknownKeptMax) this.#unknownUntil.clear();
      this.#unknownUntil.set(schemaId, performance.now() + this.#unknownKeptMs);
      return null;
    }
  }

  #answered<R>(ask: () => Promise<R>): Promise<R> {
    return answerWithin({ timeoutMs: this.#requestMaxMs, silent: () => this.#outage(`no answer within ${this.#requestMaxMs} ms`) }, ask);
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
    if (isLoginRefused(error)) return this.#refusal(`the schema registry does not let this user register a schema under ${subject}`, messageOf(error));
    const status = statusOf(error);
    if (status === 409 || status === 422) {
      const wanted = 'a schema that the registry accepts';
      return new VoltstreamError('SCHEMA_INCOMPATIBLE', 'the registry refused a schema', { where, wanted, got: messageOf(error) });
    }
    return this.#outage(error);
  }

  /** Errors of the client hold the request with its login: only their text goes on. */
  #outage(error: unknown): VoltstreamError {
    if (error instanceof VoltstreamError) return error;
    const cure = isLoginRefused(error) ? 'Correct the user name and password: registry.username and registry.password.'
      : isTrustFailure(error) ? 'Name the PEM file of the authority that signed its certificate with registry.caFile.'
      : isBareStatus(error) && statusOf(error) === 404 ? 'Something else than a schema registry answers: check the path of registry.url.' : undefined;
    return new VoltstreamError('REGISTRY_UNAVAILABLE', 'the schema registry did not answer as it should', {
      where: this.#url, got: messageOf(error), ...(cure === undefined ? {} : { cure }),
    });
  }

  #refusal(what: string, got: string, cure = 'Correct the user name and password: registry.username and registry.password.'): VoltstreamError {
    return new VoltstreamError('LOGIN_REFUSED', what, { where: this.#url, got, cure });
  }
}

function isLoginRefused(error: unknown): boolean {
  const status = statusOf(error);
  return status === 401 || status === 403;
}

/** The client gives network errors the status 400. */
function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}

/** An answer without the registry's own message: a proxy or a wrong address, which knows nothing of schemas. */
function isBareStatus(error: unknown): boolean {
  return /Error, status \d+/.test(messageOf(error));
}

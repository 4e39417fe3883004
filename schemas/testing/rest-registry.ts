import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkCompatibility } from '../compatibility.ts';
import type { CompatibilityLevel } from '../compatibility.ts';

/**
 * The part of Confluent's registry REST interface that clients use, in memory, for tests: subjects, versions, ids,
 * configuration, compatibility, with the error codes of the original. Requests are recorded; failures can be planted.
 */
export class RestRegistry {
  readonly #server: Server;
  readonly #schemas: string[] = [];
  readonly #subjects = new Map<string, number[]>();
  readonly #levels = new Map<string, CompatibilityLevel>();
  /** `METHOD path` of each request, in order. */
  readonly requests: string[] = [];
  /** Authorization headers, in order of the requests. */
  readonly authorizations: (string | undefined)[] = [];
  /** Answered instead of the real answer while it is set; `hang` never answers. */
  failure: { readonly status: number; readonly body: string } | 'hang' | null = null;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        if (status === 0) return;
        response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
        response.end(body);
      });
    });
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Puts a schema in without any check, as another producer's tool might. Gives its id. */
  plant(text: string): number {
    this.#schemas.push(text);
    return this.#schemas.length;
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname);
    this.requests.push(`${request.method} ${path}`);
    this.authorizations.push(request.headers.authorization);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    if (this.failure === 'hang') return { status: 0, body: '' };
    if (this.failure !== null) return this.failure;
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const { status, answer } = this.#route(`${request.method} ${path}`, body);
    return { status, body: JSON.stringify(answer) };
  }

  #route(request: string, body: Record<string, unknown>): { status: number; answer: unknown } {
    const schema = String(body['schema']);
    let parts = /^GET \/schemas\/ids\/(\d+)$/.exec(request);
    if (parts !== null) {
      const found = this.#schemas[Number(parts[1]) - 1];
      return found === undefined ? refuse(404, 40403, 'Schema not found') : { status: 200, answer: { schema: found } };
    }
    parts = /^(GET|PUT) \/config\/(.+)$/.exec(request);
    if (parts !== null) return this.#config(parts[1] === 'PUT', parts[2] as string, body);
    parts = /^POST \/subjects\/([^/]+)$/.exec(request);
    if (parts !== null) {
      const id = this.#schemas.indexOf(schema) + 1;
      const version = (this.#subjects.get(parts[1] as string) ?? []).indexOf(id) + 1;
      return id === 0 || version === 0 ? refuse(404, 40403, 'Schema not found') : { status: 200, answer: { subject: parts[1], id, version, schema } };
    }
    parts = /^POST \/subjects\/([^/]+)\/versions$/.exec(request);
    if (parts !== null) return this.#register(parts[1] as string, schema);
    parts = /^GET \/subjects\/([^/]+)\/versions\/latest$/.exec(request);
    if (parts !== null) return this.#latest(parts[1] as string);
    return refuse(404, 404, 'HTTP 404 Not Found');
  }

  #config(set: boolean, subject: string, body: Record<string, unknown>): { status: number; answer: unknown } {
    if (set) {
      this.#levels.set(subject, body['compatibility'] as CompatibilityLevel);
      return { status: 200, answer: body };
    }
    const level = this.#levels.get(subject);
    if (level === undefined) return refuse(404, 40408, `Subject '${subject}' does not have subject-level compatibility configured`);
    return { status: 200, answer: { compatibilityLevel: level } };
  }

  #register(subject: string, text: string): { status: number; answer: unknown } {
    const versions = this.#subjects.get(subject) ?? [];
    const earlier = versions.map((id) => JSON.parse(this.#schemas[id - 1] as string) as object);
    try {
      checkCompatibility(subject, JSON.parse(text) as object, earlier, this.#levels.get(subject) ?? 'BACKWARD');
    } catch {
      return refuse(409, 409, 'Schema being registered is incompatible with an earlier schema');
    }
    const id = this.#schemas.indexOf(text) + 1 || this.plant(text);
    if (!versions.includes(id)) this.#subjects.set(subject, [...versions, id]);
    return { status: 200, answer: { id } };
  }

  #latest(subject: string): { status: number; answer: unknown } {
    const versions = this.#subjects.get(subject);
    const id = versions?.at(-1);
    if (versions === undefined || id === undefined) return refuse(404, 40401, `Subject '${subject}' not found.`);
    return { status: 200, answer: { subject, id, version: versions.length, schema: this.#schemas[id - 1] } };
  }
}

function refuse(status: number, code: number, message: string): { status: number; answer: unknown } {
  return { status, answer: { error_code: code, message } };
}

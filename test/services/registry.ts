import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { VoltstreamError } from '../../errors.ts';
import { registered } from '../../schemas/avro-codec.ts';
import { compatibilityLevels } from '../../schemas/compatibility.ts';
import type { CompatibilityLevel } from '../../schemas/compatibility.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import type { LocalPlace } from './local-process.ts';

export interface RegistryServiceOptions extends LocalPlace {
  /** Asked of every request by basic authentication; nobody is asked when it is left out. */
  readonly login?: { readonly username: string; readonly password: string };
  /** PEM texts: answers by https only. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

interface SubjectParameters {
  readonly Params: { readonly subject: string; readonly version?: string };
  readonly Body: { readonly schema?: string; readonly compatibility?: string };
}

/**
 * A schema registry by Confluent's REST interface, over the file registry: subjects, versions, ids, levels of compatibility, basic
 * authentication, TLS. Avro only, and of the interface what clients use. It lives in the calling process, on 127.0.0.1.
 */
export class RegistryService {
  readonly #options: RegistryServiceOptions;
  #server: FastifyInstance | null = null;
  #folder = '';
  #port = 0;

  constructor(options: RegistryServiceOptions = {}) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** Without the login. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    if (this.#folder === '') this.#folder = this.#options.folder ?? mkdtempSync(join(tmpdir(), 'voltstream-registry-'));
    const registry = new FileRegistry({ folder: this.#folder });
    await registry.open();
    const common = { logger: false, forceCloseConnections: true } as const;
    const { tls } = this.#options;
    const server = tls === undefined ? fastify(common) : (fastify({ ...common, https: tls }) as unknown as FastifyInstance);
    this.#routes(server, registry);
    await server.listen({ host: '127.0.0.1', port: this.#port });
    const address = server.server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Answers no more, and may be started again on its data and port. */
  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }

  async dispose(): Promise<void> {
    await this.stop();
    if (this.#folder !== '' && this.#options.folder === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #routes(server: FastifyInstance, registry: FileRegistry): void {
    server.addContentTypeParser(/^application\/.*json/, { parseAs: 'string' }, (_request, text, done) => {
      try {
        done(null, JSON.parse(String(text) === '' ? '{}' : String(text)));
      } catch (error) {
        done(error as Error);
      }
    });
    server.addHook('onRequest', async (request, reply) => {
      const { login } = this.#options;
      if (login === undefined) return;
      const wanted = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
      if (request.headers.authorization !== wanted) await refuse(reply, 401, 401, 'Unauthorized');
    });
    server.setNotFoundHandler((_request, reply) => refuse(reply, 404, 404, 'HTTP 404 Not Found'));
    server.get('/subjects', async () => registry.subjects());
    server.get<{ Params: { id: string } }>('/schemas/ids/:id', async ({ params }, reply) => {
      const schema = await registry.schema(Number(params.id));
      return schema === null ? refuse(reply, 404, 40_403, 'Schema not found') : { schema };
    });
    server.get<SubjectParameters>('/subjects/:subject/versions', async ({ params }, reply) => {
      const ids = await registry.versions(params.subject);
      return ids.length === 0 ? refuse(reply, 404, 40_401, `Subject '${params.subject}' not found.`) : ids.map((_, index) => index + 1);
    });
    server.get<SubjectParameters>('/subjects/:subject/versions/:version', async ({ params: { subject, version = '' } }, reply) => {
      const ids = await registry.versions(subject);
      const number = version === 'latest' ? ids.length : Number(version);
      const id = ids[number - 1];
      return id === undefined
        ? refuse(reply, 404, 40_401, `Subject '${subject}' not found.`)
        : { subject, id, version: number, schema: await registry.schema(id) };
    });
    server.post<SubjectParameters>('/subjects/:subject', async ({ params: { subject }, body }, reply) => {
      const ids = await registry.versions(subject);
      const text = canonical(body.schema);
      for (const [index, id] of ids.entries()) {
        if ((await registry.schema(id)) === text) return { subject, id, version: index + 1, schema: text };
      }
      return refuse(reply, 404, 40_403, 'Schema not found');
    });
    server.post<SubjectParameters>('/subjects/:subject/versions', async ({ params: { subject }, body }, reply) => {
      try {
        return { id: await registry.register(subject, registered(JSON.parse(body.schema ?? '') as object)) };
      } catch (error) {
        if (error instanceof VoltstreamError && error.code === 'SCHEMA_INCOMPATIBLE') return refuse(reply, 409, 409, `Schema being registered is incompatible with an earlier schema; details: ${error.message}`);
        return refuse(reply, 422, 42_201, `Invalid schema ${error instanceof Error ? error.message : ''}`);
      }
    });
    this.#levels(server, registry);
  }

  #levels(server: FastifyInstance, registry: FileRegistry): void {
    server.get('/config', async () => ({ compatibilityLevel: 'BACKWARD' }));
    server.get<SubjectParameters>('/config/:subject', async ({ params: { subject } }, reply) => {
      const compatibilityLevel = await registry.compatibilityOf(subject);
      return compatibilityLevel === null
        ? refuse(reply, 404, 40_408, `Subject '${subject}' does not have subject-level compatibility configured`)
        : { compatibilityLevel };
    });
    server.put<SubjectParameters>('/config/:subject', async ({ params: { subject }, body }, reply) => {
      const level = compatibilityLevels.find((one) => one === body.compatibility);
      if (level === undefined) return refuse(reply, 422, 42_203, 'Invalid compatibility level');
      await registry.setCompatibility(subject, level satisfies CompatibilityLevel);
      return { compatibility: level };
    });
  }
}

function canonical(schema: string | undefined): string {
  return JSON.stringify(JSON.parse(schema ?? 'null'));
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ error_code: code, message });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { VoltstreamError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { addExportEndpoint } from './export-endpoint.ts';
import type { ExportAnswers } from './export-endpoint.ts';
import { refusalOf } from './read-only.ts';
import { stateQueryNames } from '../runtime/queries/state-query.ts';
import { addStateEndpoint } from './state-endpoint.ts';
import type { StateAnswers } from './state-endpoint.ts';
import type { StatusReport } from './status.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Why the process is not ready (a task not yet restored, the store away...); empty when it is. */
  readonly notReadyBecause: () => readonly string[];
  readonly status: () => StatusReport | Promise<StatusReport>;
  /**
   * Answers a statement that only reads tables, as text in a ClickHouse format. It must limit time and size by itself. Left out
   * where there is no warehouse: the path then does not exist.
   */
  readonly query?: (sql: string, format: string) => Promise<string>;
  /** Gives answers in pieces, for `voltstream export`; only beside `query`. */
  readonly export?: ExportAnswers;
  /** Takes secrets out of texts: of errors, metrics and the status. */
  readonly redact?: (text: string) => string;
  /** Answers questions about committed state. Left out where nobody may ask: the paths then do not exist. */
  readonly state?: StateAnswers;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A statement is text that a person or a program wrote: 256 KiB is far beyond that. */
const bodyBytesMax = 262_144;

/** Answers that are ours; those to questions about tables are the user's, and stay as they are. */
const ownTexts: ReadonlySet<string> = new Set(['/metrics', '/ready', '/api/status']);

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Serves the live page, `/metrics`, `/health`, `/ready`, `/api/status`, `/api/state` (see state-endpoint.ts), `/api/export` (see export-endpoint.ts) and `POST /api/query?format=CSV` (the statement as plain text; the
 * answer is text in that format, or the message of the error with its code in the header `x-voltstream-error`).
 *
 * There is no password: it is bound to loopback unless configured otherwise. Web pages of others that a browser on this machine
 * shows cannot use it: a foreign `Origin` is refused, and on loopback so is a foreign `Host` (DNS rebinding).
 *
 * @throws VoltstreamError HTTP_PORT_BUSY
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = fastify({ logger: false, bodyLimit: bodyBytesMax, forceCloseConnections: true });
  const onLoopback = loopbackNames.includes(options.host) || options.host === '::1';
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    if (isForeign(request, onLoopback)) await reply.code(403).send({ error: 'this address serves its own pages only' });
  });
  const { redact } = options;
  if (redact !== undefined) {
    server.addHook('onSend', async (request, reply, payload) =>
      (typeof payload === 'string' && (reply.statusCode >= 400 || ownTexts.has(request.url)) ? redact(payload) : payload));
  }
  addProbes(server, options);
  addPage(server);
  addInterfaces(server, options);
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new VoltstreamError('HTTP_PORT_BUSY', `cannot listen on port ${options.port}`, {
      where: `http.host ${options.host}, http.port ${options.port}`, cause: error,
    });
  }
  const address = server.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.port;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, port, close: async () => { await server.close(); } };
}

function isForeign(request: FastifyRequest, onLoopback: boolean): boolean {
  const host = request.headers.host ?? '';
  const origin = request.headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return true;
  return onLoopback && !loopbackNames.includes(host.replace(/:\d+$/, ''));
}

function addProbes(server: FastifyInstance, options: HttpServerOptions): void {
  server.get('/health', async () => ({ alive: true }));
  server.get('/ready', async (_request, reply) => {
    const reasons = options.notReadyBecause();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  server.get('/metrics', async (_request, reply) => reply.type(options.metrics.contentType).send(await options.metrics.text()));
}

/** The page is three files beside this one; it loads nothing from elsewhere, and may not. */
function addPage(server: FastifyInstance): void {
  for (const [path, file, type] of [
    ['/', 'page.html', 'text/html'], ['/page.css', 'page.css', 'text/css'], ['/page.js', 'page.js', 'text/javascript'],
  ] as const) {
    const content = readFileSync(join(import.meta.dirname, 'page', file), 'utf8');
    server.get(path, async (_request, reply) =>
      reply.type(`${type}; charset=utf-8`)
        .header('content-security-policy', "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'")
        .send(content));
  }
}

const queryParameters = {
  type: 'object', additionalProperties: false, properties: { format: { type: 'string', pattern: '^[A-Za-z0-9]{1,64}$' } },
} as const;

function addInterfaces(server: FastifyInstance, options: HttpServerOptions): void {
  server.get('/api/status', async () => ({ ...await options.status(), notReadyBecause: options.notReadyBecause() }));
  if (options.state !== undefined) addStateEndpoint(server, options.state, stateQueryNames);
  const { query } = options;
  if (query === undefined) return;
  server.removeContentTypeParser('application/json');
  if (options.export !== undefined) addExportEndpoint(server, options.export);
  server.post<{ Body: string | undefined; Querystring: { readonly format?: string } }>(
    '/api/query', { schema: { querystring: queryParameters } },
    async (request, reply) => answer(request.body ?? '', request.query.format ?? 'JSONEachRow', query, reply),
  );
}

async function answer(
  sql: string, format: string, query: NonNullable<HttpServerOptions['query']>, reply: FastifyReply,
): Promise<FastifyReply> {
  const refusal = refusalOf(sql);
  try {
    if (refusal !== null) throw new VoltstreamError('QUERY_REFUSED', refusal);
    const text = await query(sql, format);
    return await reply.type('text/plain; charset=utf-8').send(text);
  } catch (error) {
    const code = error instanceof VoltstreamError ? error.code : 'WAREHOUSE_REFUSED';
    return reply.code(statusOf(code)).header('x-voltstream-error', code).type('text/plain; charset=utf-8').send((error as Error).message);
  }
}

function statusOf(code: ErrorCode): number {
  if (code === 'QUERY_REFUSED') return 403;
  return code === 'WAREHOUSE_UNAVAILABLE' ? 503 : 422;
}

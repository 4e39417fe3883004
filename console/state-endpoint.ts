import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { errorCatalogue, VoltstreamError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** How the process that works on a data folder tells others of its committed state. */
export interface StateAnswers {
  /** Answers a question of `stateQueryNames` with what JSON can hold. */
  answer(query: Readonly<Record<string, string>>): Promise<unknown>;
  /** All committed state as a compressed savepoint. */
  savepoint(compression: 'gzip' | 'zstd'): Readable;
}

const savepointParameters = {
  type: 'object', additionalProperties: false, properties: { compression: { type: 'string', enum: ['gzip', 'zstd'] } },
} as const;

/** Adds `GET /api/state?action=list` (or get, range) and `GET /api/state/savepoint?compression=zstd`; errors as those of `/api/query`. */
export function addStateEndpoint(server: FastifyInstance, state: StateAnswers, names: readonly string[]): void {
  const parameters = {
    type: 'object', additionalProperties: false, required: ['action'],
    properties: { ...Object.fromEntries(names.map((name) => [name, { type: 'string', maxLength: 100_000 }])), action: { type: 'string', enum: ['list', 'get', 'range'] } },
  } as const;
  server.get<{ Querystring: Readonly<Record<string, string>> }>('/api/state', { schema: { querystring: parameters } }, async (request, reply) => {
    try {
      return await reply.type('application/json; charset=utf-8').send(JSON.stringify(await state.answer(request.query), jsonValue));
    } catch (error) {
      return failed(reply, error);
    }
  });
  server.get<{ Querystring: { readonly compression?: 'gzip' | 'zstd' } }>(
    '/api/state/savepoint', { schema: { querystring: savepointParameters } },
    async (request, reply) => reply.type('application/octet-stream').send(state.savepoint(request.query.compression ?? 'zstd')),
  );
}

/** What JSON has no form of: bytes as hexadecimal text, large integers as text. */
export function jsonValue(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'bigint' ? String(value) : value;
}

const statuses: Partial<Record<ErrorCode, number>> = { STORE_UNKNOWN: 404, STORE_UNAVAILABLE: 503 };

function failed(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof VoltstreamError)) throw error;
  return reply.code(statuses[error.code] ?? 422).header('x-voltstream-error', error.code).type('text/plain; charset=utf-8').send(error.message);
}

/** The error that a process has answered with; a stream that fails before its first byte answers as JSON. */
export function errorOf(header: string | null, body: string, url: string): VoltstreamError {
  const answer = body.startsWith('{') ? JSON.parse(body) as { readonly code?: string; readonly message?: string } : {};
  const code = header ?? answer.code ?? null;
  const message = answer.message ?? body;
  if (code === null || !(code in errorCatalogue)) return new VoltstreamError('QUERY_REFUSED', message, { where: url });
  const [first = '', ...lines] = message.split('\n');
  const details = Object.fromEntries(lines.flatMap((line) => {
    const [, name, text] = /^\s*(where|wanted|got|cure): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, text]];
  }));
  return new VoltstreamError(code as ErrorCode, first.replace(`${code}: `, ''), details);
}

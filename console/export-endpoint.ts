import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { VoltstreamError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { refusalOf } from './read-only.ts';

/** Forms in which answers leave; of CSV there is no line of column names. */
export const exportFormats = ['CSV', 'JSONEachRow', 'Parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Gives the answer to a statement in pieces. */
export type ExportAnswers = (sql: string, format: ExportFormat) => AsyncIterable<Uint8Array>;

const parameters = {
  type: 'object', additionalProperties: false, required: ['format'], properties: { format: { type: 'string', enum: exportFormats } },
} as const;

const statuses: Partial<Record<ErrorCode, number>> = { QUERY_REFUSED: 403, WAREHOUSE_UNAVAILABLE: 503 };

/**
 * Adds `POST /api/export?format=Parquet`: one SELECT as plain text, the answer as bytes, however many. What fails before the first of them
 * answers as `/api/query` does; what fails later ends the connection, so that half an answer is never taken for all of it.
 */
export function addExportEndpoint(server: FastifyInstance, answers: ExportAnswers): void {
  server.post<{ Body: string | undefined; Querystring: { readonly format: ExportFormat } }>(
    '/api/export', { schema: { querystring: parameters } }, async (request, reply) => {
      try {
        return await send(reply, checkedSelect(request.body ?? ''), request.query.format, answers);
      } catch (error) {
        const code = error instanceof VoltstreamError ? error.code : 'WAREHOUSE_REFUSED';
        return reply.code(statuses[code] ?? 422).header('x-voltstream-error', code).type('text/plain; charset=utf-8').send((error as Error).message);
      }
    },
  );
}

/** The statement, when it is one SELECT that only reads tables. */
export function checkedSelect(sql: string): string {
  const refusal = refusalOf(sql) ?? (/^[\s(]*(SELECT|WITH)\b/i.test(sql) ? null : 'it is no SELECT');
  if (refusal !== null) throw new VoltstreamError('QUERY_REFUSED', refusal, { wanted: 'one SELECT over tables', got: sql.slice(0, 80) });
  return sql.trim().replace(/;\s*$/, '');
}

async function send(reply: FastifyReply, sql: string, format: ExportFormat, answers: ExportAnswers): Promise<FastifyReply> {
  const pieces = answers(sql, format)[Symbol.asyncIterator]();
  const first = await pieces.next();
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      if (first.done !== true) yield first.value;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    } finally {
      await pieces.return?.();
    }
  };
  return reply.type('application/octet-stream').send(Readable.from(first.done === true ? [] : all(), { objectMode: false }));
}

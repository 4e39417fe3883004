import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VoltstreamError } from '../../../errors.ts';
import type { Warehouse } from '../warehouse.ts';
import { quoteText } from './statements.ts';
import { warehouseFailure } from './warehouse-error.ts';

export interface HttpFront {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a warehouse by as much of ClickHouse's HTTP interface as `ServerWarehouse` uses, on this machine only. For tests in
 * which several processes share one chDB, and to run the client's code for a server where there is none. It knows no users;
 * settings in the address are left out, those in the statement are kept.
 */
export async function serveWarehouse(warehouse: Warehouse, port = 0): Promise<HttpFront> {
  const server = createServer((request, response) => {
    answer(warehouse, request).then(
      (text) => response.end(text),
      (error: unknown) => refuse(response, error),
    );
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

const insertForm = /^\s*INSERT INTO `(\w+)`\.`(\w+)` \(([^)]*)\) SETTINGS (.*) FORMAT RowBinary\s*$/s;
const formatForm = /\sFORMAT\s+(\w+)\s*;?\s*$/i;
const readForm = /^\s*(?:SELECT|WITH|SHOW|DESCRIBE|EXPLAIN|EXISTS)\b/i;

async function answer(warehouse: Warehouse, request: IncomingMessage): Promise<string> {
  const address = new URL(request.url ?? '/', 'http://localhost');
  if (address.pathname === '/ping') return 'Ok.\n';
  const body = await bodyOf(request);
  const inAddress = address.searchParams.get('query');
  const sql = inAddress ?? body.toString();
  const insert = insertForm.exec(sql);
  if (insert !== null && inAddress !== null) {
    await insertRows(warehouse, insert, body);
    return '';
  }
  const format = formatForm.exec(sql)?.[1];
  if (format !== undefined && readForm.test(sql)) return warehouse.queryText(sql.replace(formatForm, ''), format);
  if (readForm.test(sql)) return warehouse.queryText(sql, 'TabSeparated');
  await warehouse.command(sql);
  return '';
}

async function insertRows(warehouse: Warehouse, [, database = '', table = '', names = '', settings = '']: RegExpExecArray, body: Buffer): Promise<void> {
  const columns = names.split(',').map((name) => name.trim().replaceAll('`', ''));
  const sql = `SELECT name, type FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(table)}`;
  const types = new Map((await warehouse.query<{ name: string; type: string }>(sql)).map(({ name, type }) => [name, type]));
  if (types.size === 0) throw new Error(`Code: 60. DB::Exception: Table ${database}.${table} does not exist. (UNKNOWN_TABLE)`);
  const missing = columns.find((column) => !types.has(column));
  if (missing !== undefined) throw new Error(`Code: 16. DB::Exception: No such column ${missing}. (NO_SUCH_COLUMN_IN_TABLE)`);
  await warehouse.insert({
    database,
    table,
    columns,
    types: columns.map((column) => types.get(column) ?? ''),
    rows: [body],
    rowCount: 0,
    token: /insert_deduplication_token = '([^']*)'/.exec(settings)?.[1] ?? null,
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** As a server words it, so that the client reads code and type out of it. */
function refuse(response: ServerResponse, error: unknown): void {
  const failure = warehouseFailure(error instanceof VoltstreamError && error.cause !== undefined ? error.cause : error);
  const given = typeof error === 'object' && error instanceof VoltstreamError ? (error.cause as { message?: unknown } | undefined) : undefined;
  const message = typeof given?.message === 'string' ? given.message : failure.message;
  response.statusCode = 500;
  response.setHeader('X-ClickHouse-Exception-Code', failure.code ?? '0');
  response.end(failure.type === null || message.startsWith('Code:') ? message : `Code: ${failure.code}. DB::Exception: ${message} (${failure.type})`);
}

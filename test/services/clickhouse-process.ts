/**
 * chDB behind as much of ClickHouse's HTTP interface as clients of a test use, in a process of its own:
 * `node test/services/clickhouse-process.ts FOLDER PORT CONTROL_PORT [--stop-merges]`. Started by `ClickHouseService`.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Session } from 'chdb';
import type { ClickHouseMode } from './clickhouse.ts';

const [folderArgument = '', portText = '', controlPortText = '', ...flags] = process.argv.slice(2);
const folder = resolve(folderArgument);
const spoolFolder = join(folder, 'spool');
const stopMerges = flags.includes('--stop-merges');

/** Parameters of an address that are no settings. */
const notSettings = new Set(['query', 'database', 'default_format', 'query_id', 'session_id', 'session_timeout', 'session_check', 'user', 'password',
  'role', 'quota_key', 'compress', 'decompress', 'stacktrace', 'buffer_size', 'wait_end_of_query', 'enable_http_compression']);

/** As ClickHouse's HTTP handler chooses the status by the error; everything else is 500. */
const statusOf: Readonly<Record<string, number>> = {
  ACCESS_DENIED: 403, AUTHENTICATION_FAILED: 403, UNKNOWN_USER: 403,
  UNKNOWN_TABLE: 404, UNKNOWN_DATABASE: 404, UNKNOWN_FUNCTION: 404, UNKNOWN_IDENTIFIER: 404, UNKNOWN_TYPE: 404, UNKNOWN_STORAGE: 404,
  UNKNOWN_SETTING: 404, UNKNOWN_FORMAT: 404, NO_SUCH_COLUMN_IN_TABLE: 404, UNKNOWN_AGGREGATE_FUNCTION: 404,
  SYNTAX_ERROR: 400, BAD_ARGUMENTS: 400, TYPE_MISMATCH: 400, INCORRECT_DATA: 400, CANNOT_PARSE_TEXT: 400, CANNOT_READ_ALL_DATA: 400,
  ILLEGAL_COLUMN: 400, ILLEGAL_TYPE_OF_ARGUMENT: 400, NUMBER_OF_ARGUMENTS_DOESNT_MATCH: 400, NUMBER_OF_COLUMNS_DOESNT_MATCH: 400,
  NOT_IMPLEMENTED: 501,
};

interface Answer {
  readonly body: Buffer;
  readonly format: string;
  /** The engine does not tell how many rows one insert took: 0 for inserts. */
  readonly readRows: number;
}

const insertForm = /^\s*INSERT\s+INTO\s+((?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))?)\s*\(([^)]*)\)\s*(SETTINGS\s.*?)?\s*(?:SELECT\s+\*\s+FROM\s+input\('((?:[^'\\]|\\.)*)'\)\s*)?FORMAT\s+(RowBinary|JSONEachRow|Native)\s*$/is;
const insertOrChangeForm = /^\s*(?:INSERT|CREATE|DROP|ALTER|TRUNCATE|RENAME|SYSTEM|OPTIMIZE|DELETE|UPDATE|SET|USE|EXCHANGE|ATTACH|DETACH|GRANT|KILL)\b/i;
const formatForm = /\sFORMAT\s+(\w+)\s*;?\s*$/i;

/** The folder stays open as long as the process lives. */
const holder = openEngine();
/** What `refuse`, `hang` and the rest do, and for how many statements still. */
let mode: ClickHouseMode = 'serve';
let times = Number.POSITIVE_INFINITY;
let inserts = 0;

function openEngine(): Session {
  const session = new Session(folder);
  if (stopMerges) session.query('SYSTEM STOP MERGES');
  rmSync(spoolFolder, { recursive: true, force: true });
  mkdirSync(spoolFolder, { recursive: true });
  return session;
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** One statement in a session of its own: what the address sets belongs to this statement and ends with it. */
async function run(parameters: URLSearchParams, sqlText: string, body: Buffer): Promise<Answer> {
  const session = new Session(folder);
  try {
    const database = parameters.get('database');
    if (database !== null && database !== '' && database !== 'default') session.query(`USE \`${database}\``);
    const settings = [...parameters].filter(([name]) => !notSettings.has(name)).map(([name, value]) => `${name} = ${literal(value)}`);
    if (settings.length > 0) session.query(`SET ${settings.join(', ')}`);
    const insert = insertForm.exec(sqlText);
    if (insert !== null) return await insertRows(session, insert, body);
    const sql = `${sqlText}${body.toString()}`.replace(/;\s*$/, '');
    const format = formatForm.exec(sql)?.[1] ?? parameters.get('default_format') ?? 'TabSeparated';
    const result = await session.queryAsync(sql.replace(formatForm, ''), { format });
    if (stopMerges && /^\s*(?:CREATE|ATTACH|RENAME|EXCHANGE)\b/i.test(sql)) session.query('SYSTEM STOP MERGES');
    const answersRows = !insertOrChangeForm.test(sql);
    return { body: answersRows ? Buffer.from(result.bytes()) : Buffer.alloc(0), format, readRows: result.rowsRead };
  } finally {
    session.close();
  }
}

/** Types of the table's columns, as a server takes rows by when the statement does not say otherwise. */
async function structureOf(session: Session, table: string, columns: readonly string[]): Promise<string> {
  const described = (await session.queryAsync(`DESCRIBE TABLE ${table}`, { format: 'JSONEachRow' })).text().trim().split('\n');
  const types = new Map(described.map((line) => JSON.parse(line) as { name: string; type: string }).map(({ name, type }) => [name, type]));
  return columns.map((column) => {
    const type = types.get(column);
    if (type === undefined) throw new Error(`Code: 16. DB::Exception: No such column ${column} in table ${table}. (NO_SUCH_COLUMN_IN_TABLE)`);
    return `\`${column}\` ${type}`;
  }).join(', ');
}

/** Rows inserted since the start, as the engine counts them. */
function insertedRows(session: Session): number {
  return Number(session.query("SELECT value FROM system.events WHERE event = 'InsertedRows'", 'TabSeparated'));
}

/** Through a file: a payload inside the statement ends at its first blank line. Read by one thread as one block, as it came. */
async function insertRows(session: Session, form: RegExpExecArray, body: Buffer): Promise<Answer> {
  const [, table = '', names = '', settings = '', input, format = ''] = form;
  const columns = names.split(',').map((name) => name.trim().replaceAll('`', ''));
  const structure = input === undefined ? literal(await structureOf(session, table, columns)) : `'${input}'`;
  const file = join(spoolFolder, `${randomUUID()}.rows`);
  writeFileSync(file, body);
  try {
    session.query('SET max_threads = 1, max_insert_threads = 1, max_block_size = 1000000');
    await session.queryAsync(`INSERT INTO ${table} (${names}) ${settings} SELECT * FROM file(${literal(file)}, ${literal(format)}, ${structure})`);
    inserts++;
    return { body: Buffer.alloc(0), format, readRows: 0 };
  } finally {
    rmSync(file, { force: true });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function refuse(response: ServerResponse, error: unknown): void {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Query failed: /, '');
  const [, code = '1002', type = ''] = /Code: (\d+)\..*\(([A-Z0-9_]+)\)/s.exec(text) ?? [];
  response.statusCode = statusOf[type] ?? 500;
  response.setHeader('X-ClickHouse-Exception-Code', code);
  response.end(text);
}

/** The mode for one statement; a mode for a number of statements ends by itself. */
function takeMode(): ClickHouseMode {
  const now = mode;
  if (now !== 'serve' && --times <= 0) mode = 'serve';
  return now;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const body = await bodyOf(request);
  const sql = searchParams.get('query') ?? '';
  const isInsert = /^\s*INSERT\b/i.test(sql);
  const now = isInsert || mode === 'hang' ? takeMode() : 'serve';
  if (now === 'hang') return;
  if (pathname === '/ping' || (request.method === 'GET' && pathname === '/' && sql === '')) return void response.end('Ok.\n');
  if (now === 'fail') throw new Error('Code: 252. DB::Exception: Too many parts, as the test wants it. (TOO_MANY_PARTS)');
  const result = await run(searchParams, sql, body);
  if (now === 'lose-answer') return void request.socket.destroy();
  if (now === 'fail-afterwards') throw new Error('Code: 159. DB::Exception: Timeout exceeded, as the test wants it. (TIMEOUT_EXCEEDED)');
  response.setHeader('X-ClickHouse-Query-Id', searchParams.get('query_id') ?? randomUUID());
  response.setHeader('X-ClickHouse-Format', result.format);
  response.setHeader('X-ClickHouse-Summary', JSON.stringify({
    read_rows: String(result.readRows), read_bytes: '0',
    total_rows_to_read: '0', result_rows: '0', result_bytes: String(result.body.length), elapsed_ns: '0',
  }));
  const compressed = searchParams.get('enable_http_compression') === '1' && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  if (compressed) response.setHeader('Content-Encoding', 'gzip');
  response.end(compressed ? gzipSync(result.body) : result.body);
}

let front: Server | null = null;

async function listen(): Promise<void> {
  if (front !== null) return;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, error));
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(Number(portText), '127.0.0.1', listening));
  front = server;
}

async function shut(): Promise<void> {
  const server = front;
  front = null;
  if (server === null) return;
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}

/** `POST /mode?mode=...&times=...`; `GET /totals`. On a port of its own, so that it answers while nothing else does. */
const control = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/totals') return void response.end(JSON.stringify({ inserts, insertedRows: insertedRows(holder) }));
  mode = (searchParams.get('mode') ?? 'serve') as ClickHouseMode;
  times = Number(searchParams.get('times') ?? Number.POSITIVE_INFINITY);
  (mode === 'refuse' ? shut() : listen()).then(() => response.end(), (error: unknown) => refuse(response, error));
});
control.listen(Number(controlPortText), '127.0.0.1', () => void listen());

process.once('SIGTERM', () => {
  control.close();
  void shut().then(() => {
    holder.close();
    process.exit(0);
  });
});

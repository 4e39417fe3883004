import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import { checkedSelect } from '../console/export-endpoint.ts';
import { quoteName, quoteText } from '../runtime/sinks/clickhouse/statements.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';
import { writeWhole } from '../runtime/savepoint/export-savepoint.ts';
import { exportTargets, formatNames } from './export-target.ts';
import type { ExportTarget, FormatName } from './export-target.ts';
import { thousands } from './progress.ts';
import { withQuery } from './query.ts';
import type { Ask, Take } from './query.ts';
import { RowCounter } from './row-counter.ts';

export interface ExportOptions {
  /** A table or view of the database; null with `query`. */
  readonly table: string | null;
  /** One SELECT in place of a table. */
  readonly query: string | null;
  readonly formats: readonly string[];
  readonly out: readonly string[];
  /** Condition on the table's rows. */
  readonly where: string | null;
  /** Columns of the table; null: all but those that only the engine needs (their names begin with _). */
  readonly columns: readonly string[] | null;
  /** False: every version of a row that is still there, not only the newest. */
  readonly final: boolean;
  /** Write over files that are there. */
  readonly force: boolean;
  readonly json: boolean;
}

/** What was written. */
export interface Exported extends ExportTarget {
  readonly rows: number | null;
  /** Before compression. */
  readonly bytes: number;
}

/**
 * Takes a table, a view or the answer to a query away, as files or on standard output, without holding it in memory. A file appears under its
 * name when all of it is on the disk. Tables that keep versions of their rows are read with FINAL. Several formats are asked for one after
 * another, and each is as the table is at that moment.
 */
export async function exportTable(sources: ConfigurationSources, options: ExportOptions): Promise<void> {
  const targets = exportTargets(options.out, options.formats);
  checkUse(options, targets);
  const configuration = loadConfiguration(sources);
  const { database } = configuration.warehouse;
  const stop = new AbortController();
  const interrupted = (): void => stop.abort(new Error('interrupted'));
  process.once('SIGINT', interrupted);
  try {
    const done = await withQuery(configuration, async (ask, take) => {
      const sql = options.query === null ? await tableSql(ask, database, options) : checkedSelect(options.query);
      const columns = await columnsOf(ask, sql);
      const written: Exported[] = [];
      for (const target of targets) written.push(await writeTarget(target, sql, columns, take, stop.signal));
      return written;
    });
    report(options, done);
  } catch (error) {
    // Half a file has been removed on the way here; Ctrl-C wants no more words.
    if (!stop.signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

function checkUse({ table, query, where, columns, final, force }: ExportOptions, targets: readonly ExportTarget[]): void {
  if ((table === null) === (query === null)) throw wrong('there must be one thing to export', 'TABLE, or --query SQL', table === null ? 'neither' : 'both');
  if (query !== null && (where !== null || columns !== null || !final)) throw wrong('a query says itself which rows and columns it wants', '--query without --where, --columns, --no-final', 'both');
  const existing = targets.filter(({ file }) => file !== null && existsSync(file));
  if (existing.length > 0 && !force) throw wrong('a file is there already', 'another name, or --force', existing.map(({ file }) => file).join(', '));
  if (targets.some(({ file, format }) => file === null && format === 'parquet') && process.stdout.isTTY) {
    throw wrong('Parquet is not for a terminal', '--out FILE.parquet, or standard output into a file or program', 'a terminal');
  }
}

interface TableRow {
  readonly name: string;
  readonly engine: string;
  readonly parameters: number;
}

/** The statement for a table's or view's rows: newest versions, and the columns that people want, computed ones among them. */
async function tableSql(ask: Ask, database: string, options: ExportOptions): Promise<string> {
  const { table, where, final } = options;
  const known = await rowsOf<TableRow>(ask, `SELECT name, engine, match(create_table_query, '\\\\{[A-Za-z_0-9]+:') AS parameters FROM system.tables WHERE database = ${quoteText(database)} ORDER BY name`);
  const name = table?.startsWith(`${database}.`) === true ? table.slice(database.length + 1) : table;
  const found = known.find((one) => one.name === name);
  if (found === undefined || found.parameters === 1) throw unknownTable(database, name ?? '', found, known);
  const source = `${quoteName(database)}.${quoteName(found.name)}`;
  const all = (await rowsOf<{ readonly name: string }>(ask, `DESCRIBE TABLE ${source}`)).map(({ name: column }) => column);
  const columns = options.columns ?? all.filter((column) => !column.startsWith('_'));
  const missing = columns.filter((column) => !all.includes(column));
  if (missing.length > 0) throw wrong('the table has no such column', all.join(', '), missing.join(', '));
  const newest = final && /(Replacing|Collapsing|Summing|Aggregating|Coalescing)/.test(found.engine) ? ' FINAL' : '';
  return `SELECT ${columns.map(quoteName).join(', ')} FROM ${source}${newest}${where === null ? '' : ` WHERE (${where}\n)`}`;
}

function unknownTable(database: string, name: string, found: TableRow | undefined, known: readonly TableRow[]): VoltstreamError {
  if (found !== undefined) {
    return wrong('this view wants parameters', `--query "SELECT * FROM ${database}.${name}(...)": docs/questions.md has an example`, name);
  }
  const names = known.filter(({ parameters }) => parameters !== 1).map((one) => one.name);
  return wrong('there is no table or view of this name', names.length === 0 ? `a table; the database ${database} has none yet` : names.join(', '), name);
}

async function rowsOf<Row>(ask: Ask, sql: string): Promise<readonly Row[]> {
  return (await ask(sql, 'JSONEachRow')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}

async function columnsOf(ask: Ask, sql: string): Promise<readonly string[]> {
  return (await rowsOf<{ readonly name: string }>(ask, `DESCRIBE TABLE (\n${sql.trim().replace(/;$/, '')}\n)`)).map(({ name }) => name);
}

async function writeTarget(target: ExportTarget, sql: string, columns: readonly string[], take: Take, signal: AbortSignal): Promise<Exported> {
  const { file, format, compression } = target;
  const counter = new RowCounter(format);
  const progress = new ExportProgress(file ?? 'standard output');
  const source = Readable.from(counted(sql, format, columns, take, (bytes) => {
    signal.throwIfAborted();
    counter.take(bytes);
    progress.take(bytes.length, counter.rows);
  }), { objectMode: false });
  const compress = compression === null ? null : compression === 'gzip' ? createGzip() : createZstdCompress();
  if (compress !== null) source.on('error', (error) => compress.destroy(error));
  try {
    if (file === null) await toStandardOutput(source);
    else await writeWhole(file, compress === null ? source : source.pipe(compress));
  } finally {
    progress.end();
  }
  return { ...target, rows: counter.rows, bytes: progress.bytes };
}

async function* counted(
  sql: string, format: FormatName, columns: readonly string[], take: Take, seen: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  if (format === 'csv') yield Buffer.from(`${columns.map(csvField).join(',')}\n`);
  for await (const piece of take(sql, formatNames[format])) {
    seen(piece);
    yield piece;
  }
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A reader that has seen enough (`| head`) is no failure. */
async function toStandardOutput(source: Readable): Promise<void> {
  const gone = new AbortController();
  const failed = (error: Error): void => gone.abort(error);
  process.stdout.on('error', failed);
  try {
    for await (const piece of source) {
      if (process.stdout.write(piece as Uint8Array)) continue;
      await once(process.stdout, 'drain', { signal: gone.signal }).catch(() => gone.signal.throwIfAborted());
      gone.signal.throwIfAborted();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  } finally {
    process.stdout.off('error', failed);
  }
}

/** Progress on standard error: one line that changes on a terminal, a line every two seconds elsewhere. */
class ExportProgress {
  readonly #name: string;
  readonly #startedMs = performance.now();
  #shownMs = performance.now();
  #shown = false;
  bytes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  take(bytes: number, rows: number | null): void {
    this.bytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < (process.stderr.isTTY ? 100 : 2_000)) return;
    this.#shownMs = nowMs;
    this.#shown = true;
    const rate = this.bytes / Math.max(1, nowMs - this.#startedMs) * 1_000;
    const line = `${this.#name}: ${rows === null ? '' : `${thousands(rows)} rows, `}${sizeText(this.bytes)}, ${sizeText(rate)}/s`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.#shown && process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  }
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${thousands(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** On standard output, or on standard error when that has the rows. */
function report({ json }: ExportOptions, done: readonly Exported[]): void {
  const out = done.some(({ file }) => file === null) ? process.stderr : process.stdout;
  if (json) {
    out.write(`${JSON.stringify(done)}\n`);
    return;
  }
  for (const { file, rows, bytes } of done) {
    out.write(`${file ?? 'standard output'}: ${rows === null ? '' : `${thousands(rows)} rows, `}${sizeText(bytes)}\n`);
  }
}

function wrong(what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', what, { where: 'voltstream export', wanted, got, cure: 'See voltstream export --help.' });
}

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { chargingTopology } from '../charging/topology.ts';
import { errorOf, jsonValue } from '../console/state-endpoint.ts';
import type { StateAnswers } from '../console/state-endpoint.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { logAndRegistryOf, storeOf } from '../runtime/ports.ts';
import { committedState, type StoreSummary } from '../runtime/queries/committed-state.ts';
import type { StatePage } from '../runtime/queries/state-page.ts';
import { answerStateQuery, stateQueryNames, type StateQuery } from '../runtime/queries/state-query.ts';
import { exportSavepoint, savepointStream, writeWhole, type SavepointProgress } from '../runtime/savepoint/export-savepoint.ts';
import { importSavepoint } from '../runtime/savepoint/import-savepoint.ts';
import { readSavepoint } from '../runtime/savepoint/read-savepoint.ts';
import type { StateStore } from '../state/state-store.ts';
import { productOptions } from './product-options.ts';
import { runningProcess, type RunningProcess } from './workplace.ts';

export interface StateOptions {
  readonly action: string;
  readonly store?: string | undefined;
  readonly key?: string | undefined;
  readonly export?: string;
  readonly import?: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

/** Looks at committed state, or takes it away and brings it back: through the process that has the data folder open, else directly. */
export async function state(sources: ConfigurationSources, options: StateOptions): Promise<void> {
  const configuration = loadConfiguration(sources);
  if (options.export !== undefined && options.import !== undefined) throw wrongUse('--export or --import', 'both');
  const embedded = configuration.state.kind === 'lmdb';
  const running = embedded ? await runningProcess(configuration.dataFolder) : null;
  if (options.import !== undefined) return bringIn(configuration, running, options.import, options);
  if (running === null && embedded && !existsSync(join(configuration.dataFolder, 'state'))) {
    throw new VoltstreamError('STATE_MISSING', 'there is no state in this folder', {
      where: configuration.dataFolder, cure: 'Name the folder that voltstream runs on with --data.',
    });
  }
  if (options.export !== undefined) return takeAway(configuration, running, options.export, options.json ?? false);
  const query = queryOf(options);
  const answer = running === null
    ? await withStore(configuration, (store) => answers(configuration, store).answer(query))
    : await askProcess(running, query);
  process.stdout.write(options.json === true ? `${JSON.stringify(answer, jsonValue)}\n` : textOf(query.action, answer));
}

/** What a running process answers to `voltstream state`. */
export function stateAnswers(configuration: Configuration, store: StateStore): StateAnswers {
  return {
    answer: (query) => answers(configuration, store).answer(query as unknown as StateQuery),
    savepoint: (compression) => savepointStream({ store, application: configuration.applicationId }, compression),
  };
}

function answers(configuration: Configuration, store: StateStore): { answer(query: StateQuery): Promise<unknown> } {
  const committed = committedState(chargingTopology(productOptions(configuration)), store);
  return { answer: (query) => answerStateQuery(committed, query) };
}

function queryOf(options: StateOptions): StateQuery {
  if (!['list', 'get', 'range'].includes(options.action)) throw wrongUse('list, get or range', options.action);
  const given = options as unknown as Readonly<Record<string, string | undefined>>;
  return Object.fromEntries(stateQueryNames.filter((name) => given[name] !== undefined).map((name) => [name, given[name]])) as unknown as StateQuery;
}

function wrongUse(wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', 'this is no use of voltstream state', { wanted, got, cure: 'See voltstream state --help.' });
}

async function withStore<T>(configuration: Configuration, work: (store: StateStore) => Promise<T>): Promise<T> {
  const store = await storeOf(configuration);
  await store.open();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function askProcess(running: RunningProcess, query: StateQuery): Promise<unknown> {
  const response = await fetch(`${running.url}/api/state?${new URLSearchParams({ ...query }).toString()}`);
  const text = await response.text();
  if (!response.ok) throw errorOf(response.headers.get('x-voltstream-error'), text, running.url);
  return JSON.parse(text) as unknown;
}

async function takeAway(configuration: Configuration, running: RunningProcess | null, file: string, json: boolean): Promise<void> {
  const progress = new SavepointLines();
  const summary = running === null
    ? await withStore(configuration, (store) => exportSavepoint({ store, application: configuration.applicationId, file, progress: (at) => progress.show(at) }))
    : await fetchSavepoint(running, file, progress);
  progress.end();
  process.stdout.write(json ? `${JSON.stringify({ file, ...summary })}\n` : `${file}: ${summary.tasks.length} tasks, ${summary.cells} cells.\n`);
}

async function fetchSavepoint(
  running: RunningProcess, file: string, progress: SavepointLines,
): Promise<{ readonly tasks: readonly string[]; readonly cells: number }> {
  const response = await fetch(`${running.url}/api/state/savepoint?compression=${file.endsWith('.gz') ? 'gzip' : 'zstd'}`);
  if (!response.ok || response.body === null) throw errorOf(response.headers.get('x-voltstream-error'), await response.text(), running.url);
  const tasks: string[] = [];
  let cells = 0;
  // What came is read to its end before it gets its name: a process that stops half way leaves no savepoint.
  await writeWhole(file, Readable.fromWeb(response.body as ReadableStream<Uint8Array>), async (partial) => {
    for await (const part of readSavepoint(partial)) {
      if (part.kind === 'task') tasks.push(part.task.task);
      if (part.kind !== 'cells') continue;
      cells += part.cells.length;
      progress.show({ phase: 'check', task: part.task, cells, cellsTotal: null });
    }
  });
  return { tasks, cells };
}

async function bringIn(configuration: Configuration, running: RunningProcess | null, file: string, options: StateOptions): Promise<void> {
  if (running !== null) {
    throw new VoltstreamError('DATA_FOLDER_BUSY', 'a process works on the state that is to be imported', {
      where: configuration.dataFolder, got: `process ${running.pid} at ${running.url}`,
    });
  }
  await mkdir(configuration.dataFolder, { recursive: true });
  const { log } = await logAndRegistryOf(configuration);
  await log.open();
  const progress = new SavepointLines();
  try {
    const summary = await withStore(configuration, (store) => importSavepoint({
      file, store, log, application: configuration.applicationId, topology: chargingTopology(productOptions(configuration)),
      replace: options.replace ?? false, progress: (at) => progress.show(at),
    }));
    progress.end();
    process.stdout.write(options.json === true ? `${JSON.stringify({ file, ...summary })}\n` : `${file}: ${summary.tasks.length} tasks, ${summary.cells} cells imported.\n`);
  } finally {
    await log.close();
  }
}

/** Progress on standard error: one line that changes on a terminal, a line every two seconds elsewhere. */
class SavepointLines {
  #shownMs = Date.now();
  #shown = false;

  show({ phase, task, cells, cellsTotal }: SavepointProgress): void {
    const terminal = process.stderr.isTTY;
    const nowMs = Date.now();
    if (nowMs - this.#shownMs < (terminal ? 100 : 2_000)) return;
    this.#shownMs = nowMs;
    this.#shown = true;
    const line = `${{ check: 'checking', clear: 'deleting what was there', write: 'writing' }[phase]}, task ${task}: ${cells}${cellsTotal === null ? '' : ` of ${cellsTotal}`} cells`;
    process.stderr.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.#shown && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}

function textOf(action: StateQuery['action'], answer: unknown): string {
  if (action === 'list') return listText((answer as { readonly stores: readonly StoreSummary[] }).stores);
  if (action === 'get') return `${JSON.stringify((answer as { readonly value: unknown }).value, jsonValue, 2)}\n`;
  const page = answer as StatePage<Readonly<Record<string, unknown>>>;
  const lines = page.entries.map((entry) => `${JSON.stringify(entry, jsonValue)}\n`).join('');
  if (page.next !== null) process.stderr.write(`There is more: --after ${page.next}\n`);
  return lines;
}

function listText(stores: readonly StoreSummary[]): string {
  const rows = [
    ['store', 'kind', 'step', 'task', 'cells', 'bytes'],
    ...stores.flatMap(({ store, kind, step, tasks }) => (tasks.length === 0 ? [{ task: '-', cells: 0, bytes: 0 }] : tasks)
      .map(({ task, cells, bytes }) => [store, kind, step, task, String(cells), String(bytes)])),
  ];
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `${row.map((text, column) => (column < 4 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ').trimEnd()}\n`).join('');
}

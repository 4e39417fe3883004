import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { VoltstreamError, assertInvariant } from '../../../errors.ts';
import type { SealRequest, StreamFormat, Warehouse, WarehouseInsert } from '../warehouse.ts';
import type { ChdbReply, ChdbRequest, ChdbWorkerData } from './chdb-messages.ts';
import { controlActive, controlStop } from './chdb-messages.ts';
import { parseRows, rowsFormat } from './client-statements.ts';
import type { SealedPiece } from './delivery.ts';
import { giveBackCrashSignals } from './crash-signals.ts';
import { insertInto, insertSelectSettings, insertSettings, joinRows, plainStructure, tableName } from './statements.ts';
import type { WarehouseFailure } from './warehouse-error.ts';
import { warehouseError, warehouseFailure } from './warehouse-error.ts';

export interface ChdbWarehouseOptions {
  /** The engine's data folder; made when it is not there. One process at a time. */
  readonly folder: string;
  /**
   * What the engine may use for queries, inserts and merges together. Default 500 MB: flat under load beside a Node process
   * on a small machine. A query that wants more fails; inserts of one block need about 50 MB.
   */
  readonly memoryBytesMax?: number;
  /** Cache of the marks that find granules in a file. Default 64 MB, enough for some 10 billion rows of 30 columns. */
  readonly markCacheBytes?: number;
  /**
   * Queries that run at the same time. Default 2: each takes a thread of Node's pool, which has 4 (UV_THREADPOOL_SIZE), and
   * the insert takes one, too.
   */
  readonly queryLanes?: number;
  /** Statements that wait or run at the same time; more are refused. Default 1,000. */
  readonly pendingMax?: number;
}

type Done = Extract<ChdbReply, { kind: 'done' }>;

interface Pending {
  readonly where: string;
  readonly resolve: (reply: Done) => void;
  readonly reject: (error: Error) => void;
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

/** chDB binds one folder a process, and two worker threads on it hang each other when one ends. */
const opened = new Set<ChdbWarehouse>();

/** TypeScript in development, JavaScript where it was built to be published. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './chdb-worker.ts' : './chdb-worker.js', import.meta.url);

/** How long `close` waits for the worker thread to end by itself. It has nothing left to do, so this is never reached. */
const closeWaitMs = 5_000;

/** How long the end of the process waits for statements in the engine: an insert needs far less, a long query is not worth more. */
const exitWaitMs = 1_000;

/**
 * ClickHouse in this process: chDB in one worker thread, so that neither parsing nor a long query stops the event loop.
 * Throws DATA_FOLDER_BUSY when another process, or this one, has the folder open.
 */
export class ChdbWarehouse implements Warehouse {
  readonly #folder: string;
  readonly #options: ChdbWarehouseOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #closing: Promise<void> | null = null;
  #nextId = 1;
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #onExit = (): void => this.#leaveEngine();

  constructor(options: ChdbWarehouseOptions) {
    this.#folder = resolve(options.folder);
    this.#options = options;
  }

  async open(): Promise<void> {
    const [other] = opened;
    if (other !== undefined) {
      throw new VoltstreamError('DATA_FOLDER_BUSY', 'chDB is already open in this process', {
        where: this.#folder,
        got: other.#folder,
        cure: 'Share the warehouse that is open; chDB serves one folder a process.',
      });
    }
    opened.add(this);
    try {
      // Loaded in this thread, too, though only the worker uses it: a library that only a worker has loaded is unloaded when
      // the worker ends, under the engine's own threads, and the process dies by SIGSEGV.
      await import('chdb');
      this.#worker = await this.#start(this.#prepareFolder());
      giveBackCrashSignals();
      process.on('exit', this.#onExit);
    } catch (error) {
      opened.delete(this);
      throw error instanceof VoltstreamError ? error : warehouseError(warehouseFailure(error), this.#folder, error);
    }
  }

  async query<Row>(sql: string): Promise<readonly Row[]> {
    return parseRows<Row>(await this.queryText(sql, rowsFormat));
  }

  async queryText(sql: string, format: string): Promise<string> {
    return (await this.#send({ kind: 'query', sql, format }, 'query, chDB')).text;
  }

  async * stream(sql: string, format: StreamFormat): AsyncGenerator<Uint8Array> {
    const where = 'query, chDB';
    const { id: stream } = await this.#send({ kind: 'stream', sql, format }, where);
    try {
      for (;;) {
        const { piece = null } = await this.#send({ kind: 'next', stream }, where);
        if (piece === null) return;
        if (piece.length > 0) yield piece;
      }
    } finally {
      // A thread that is gone has taken the answer with it.
      if (this.#worker !== null) await this.#send({ kind: 'end-stream', stream }, where);
    }
  }

  async command(sql: string): Promise<void> {
    await this.#send({ kind: 'command', sql }, 'command, chDB');
  }

  async seal(request: SealRequest): Promise<readonly SealedPiece[]> {
    // Copies, since an outbox keeps its chunks: a copy is a fifth of what cutting and hashing take.
    const chunks = request.chunks.map((chunk) => new Uint8Array(chunk));
    const { pieces } = await this.#send({ kind: 'seal', request: { ...request, chunks } }, 'seal, chDB', chunks.map(({ buffer }) => buffer));
    assertInvariant(pieces !== undefined, 'the chDB thread answers with the pieces of a batch');
    return pieces;
  }

  async insert(insert: WarehouseInsert): Promise<void> {
    const settings = [...insertSettings(insert.token), ...insertSelectSettings(insert.token)];
    const bytes = joinRows(insert.rows);
    const request: Unnumbered<Extract<ChdbRequest, { kind: 'insert' }>> = {
      kind: 'insert',
      into: `${insertInto(insert)} SETTINGS ${settings.join(', ')}`,
      structure: plainStructure(insert.types),
      bytes,
    };
    await this.#send(request, `insert into ${tableName(insert)}, chDB`, [bytes.buffer]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => (this.#closing = null));
    return this.#closing;
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return this.#released();
    const ended = new Promise<void>((done) => worker.once('exit', () => done()));
    await this.#send({ kind: 'close' }, 'close, chDB');
    this.#worker = null;
    // Never terminate(): ending a thread inside the engine hangs the process.
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise<void>((done) => (timer = setTimeout(done, closeWaitMs)))]);
    clearTimeout(timer);
    worker.unref();
    this.#released();
  }

  /**
   * When the process ends with a statement in the engine (process.exit, an uncaught error), Node would tear the thread down
   * under it, and the process would hang for ever. So let it come out; when it takes too long, a kill does no harm.
   */
  #leaveEngine(): void {
    Atomics.store(this.#control, controlStop, 1);
    Atomics.notify(this.#control, controlStop);
    const deadlineMs = performance.now() + exitWaitMs;
    for (;;) {
      const active = Atomics.load(this.#control, controlActive);
      if (active === 0) return;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) process.kill(process.pid, 'SIGKILL');
      Atomics.wait(this.#control, controlActive, active, Math.max(1, leftMs));
    }
  }

  #released(): void {
    process.off('exit', this.#onExit);
    opened.delete(this);
  }

  #prepareFolder(): ChdbWorkerData {
    const spoolFolder = join(this.#folder, 'voltstream-spool');
    const configFile = join(this.#folder, 'voltstream.xml');
    mkdirSync(this.#folder, { recursive: true });
    const { memoryBytesMax = 500_000_000, markCacheBytes = 67_108_864 } = this.#options;
    const settings = {
      max_server_memory_usage: memoryBytesMax,
      mark_cache_size: markCacheBytes,
      index_mark_cache_size: markCacheBytes,
      uncompressed_cache_size: 0,
      primary_index_cache_size: markCacheBytes,
    };
    const lines = Object.entries(settings).map(([name, value]) => `<${name}>${value}</${name}>`);
    const config = `<clickhouse>${lines.join('')}</clickhouse>\n`;
    if (readIfThere(configFile) !== config) writeFileSync(configFile, config);
    return { folder: this.#folder, spoolFolder, configFile, queryLanes: this.#options.queryLanes ?? 2, control: this.#control };
  }

  #start(data: ChdbWorkerData): Promise<Worker> {
    const worker = new Worker(workerFile, { workerData: data, name: 'chdb', execArgv: [] });
    return new Promise((resolveOpen, rejectOpen) => {
      worker.on('message', (reply: ChdbReply) => {
        if (reply.kind !== 'opened') return this.#settle(reply);
        if (reply.failure !== null) return rejectOpen(this.#openError(reply.failure));
        // Only now is the folder ours: what an earlier process left half written may go.
        rmSync(data.spoolFolder, { recursive: true, force: true });
        mkdirSync(data.spoolFolder);
        resolveOpen(worker);
      });
      const lost = (error: unknown): void => {
        const failure = warehouseError(warehouseFailure(error), this.#folder, error);
        rejectOpen(failure);
        if (this.#worker === worker) this.#worker = null;
        for (const pending of this.#pending.values()) pending.reject(failure);
        this.#pending.clear();
      };
      worker.on('error', lost);
      worker.on('exit', (code) => lost(new Error(`the chDB thread ended with code ${code}`)));
    });
  }

  /** chDB only says that it could not open; the file it locks names the process that has it. */
  #openError(failure: WarehouseFailure): VoltstreamError {
    const owner = Number(/PID: (\d+)/.exec(readIfThere(join(this.#folder, 'status')) ?? '')?.[1]);
    if (Number.isInteger(owner) && owner !== process.pid && isRunning(owner)) {
      return new VoltstreamError('DATA_FOLDER_BUSY', 'another process has the ClickHouse folder open', {
        where: this.#folder,
        got: `process ${owner}`,
      });
    }
    return warehouseError(failure, this.#folder);
  }

  #send(request: Unnumbered<ChdbRequest>, where: string, transfer: readonly ArrayBuffer[] = []): Promise<Done> {
    const worker = this.#worker;
    const pendingMax = this.#options.pendingMax ?? 1_000;
    if (worker === null || (this.#pending.size >= pendingMax && request.kind !== 'close')) {
      const message = worker === null ? 'the warehouse is not open' : `${pendingMax} statements wait already`;
      return Promise.reject(warehouseError({ message, code: null, type: null }, where));
    }
    const id = this.#nextId++;
    return new Promise((resolveSend, reject) => {
      this.#pending.set(id, { where, resolve: resolveSend, reject });
      worker.postMessage({ ...request, id } as ChdbRequest, transfer);
    });
  }

  #settle(reply: Exclude<ChdbReply, { kind: 'opened' }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'done') pending?.resolve(reply);
    else pending?.reject(warehouseError(reply.failure, pending.where));
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { open } from 'lmdb';
import type { Database, RootDatabase, RootDatabaseOptionsWithPath, Transaction } from 'lmdb';
import { assertInvariant, VoltstreamError } from '../errors.ts';
import { compareBytes, isInRange } from './cell-bytes.ts';
import { assertCommit, outcomeWithoutWrite, verifyClaim } from './commit-check.ts';
import type { TaskHead } from './commit-check.ts';
import { cellOf, endOfStore, endOfTask, isLong, lowerBound, storedKey, storedValue, storeNumberOf, storePrefix, upperBound } from './lmdb-cell-key.ts';
import { lmdbFailure } from './lmdb-failure.ts';
import { assertRoom, lmdbSpareBytes } from './lmdb-room.ts';
import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreSize, TaskSummary } from './state-store.ts';

export interface LmdbStateStoreOptions {
  /** Folder of its own LMDB environment; made when missing. Several processes may have it open. */
  readonly path: string;
  /** Cells and bytes handed out at once by `load`; the loop turns between two pages. */
  readonly pageCellsMax?: number;
  readonly pageBytesMax?: number;
  /** What writes leave free on its disk, bytes; they are refused with DISK_FULL before. Default 32 MB. */
  readonly spareBytes?: number;
}

/** A task's head as LMDB holds it (JSON), with the numbers that stand for names in the keys of its cells. */
interface StoredHead extends TaskHead {
  readonly number: number;
  /** A store's number is its place here. */
  readonly stores: readonly string[];
}

/** `revision` grows with each change of the head: the compare-and-set of a write is on it. */
interface HeadEntry {
  readonly head: StoredHead;
  readonly revision: number;
}

/** LMDB's page. */
const pageBytes = 4_096;
/** Each miss means that another process has written this head in between. */
const ATTEMPTS_MAX = 100;

/**
 * State in an LMDB folder: the embedded default.
 *
 * A commit is one LMDB transaction: "if the head is still at this revision, write these cells and the new head". It is
 * encoded here and carried out, compared and synced to disk in lmdb's write thread, so that the event loop is held only for
 * the encoding (20,000 cells of 100 bytes: about 7 ms instead of 25-40 ms), and it resolves when it is on disk.
 */
export class LmdbStateStore implements StateStore {
  readonly #path: string;
  readonly #pageCellsMax: number;
  readonly #pageBytesMax: number;
  readonly #spareBytes: number;
  #environment: RootDatabase<Buffer, Buffer> | undefined;
  #heads: Database<Buffer, Buffer> | undefined;
  #cells: Database<Buffer, Buffer> | undefined;

  constructor(options: LmdbStateStoreOptions) {
    this.#path = options.path;
    this.#pageCellsMax = options.pageCellsMax ?? 2_000;
    this.#pageBytesMax = options.pageBytesMax ?? 4_000_000;
    this.#spareBytes = options.spareBytes ?? lmdbSpareBytes;
  }

  async open(): Promise<void> {
    try {
      this.#environment = open({
        path: this.#path,
        noSubdir: false,
        maxDbs: 4,
        encoding: 'binary',
        // So that a resolved commit has been synced: measured to cost nothing more here.
        overlappingSync: false,
        // With it, lmdb opens a batch whose promise nobody holds: a full disk would be an unhandled rejection.
        eventTurnBatching: false,
      } as RootDatabaseOptionsWithPath & { eventTurnBatching: boolean });
      this.#heads = this.#environment.openDB({ name: 'heads', encoding: 'binary', keyEncoding: 'binary', useVersions: true });
      this.#cells = this.#environment.openDB({ name: 'cells', encoding: 'binary', keyEncoding: 'binary' });
    } catch (error) {
      throw await lmdbFailure(error, this.#path);
    }
  }

  async close(): Promise<void> {
    const environment = this.#environment;
    this.#environment = this.#heads = this.#cells = undefined;
    await environment?.close();
  }

  async claim(task: string): Promise<Claim> {
    await this.#addTask(task);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const found = this.#inSnapshot((transaction) => this.#head(task, transaction));
      assertInvariant(found !== undefined, `task ${task} has a head after it was added`);
      const head = { ...found.head, epoch: found.head.epoch + 1, owner: randomUUID() };
      if (!(await this.#writeIf(task, found.revision, head, 0, () => {}))) continue;
      return { task, owner: head.owner, epoch: head.epoch, sequence: head.sequence };
    }
    throw this.#contended(task);
  }

  async *load(claim: Claim): AsyncGenerator<readonly Cell[]> {
    let start: Buffer | undefined;
    do {
      const page = this.#inSnapshot((transaction) => this.#claimedPage(claim, start, transaction));
      if (page.cells.length > 0) yield page.cells;
      start = page.next;
      await nextTurn();
    } while (start !== undefined);
    verifyClaim(this.#inSnapshot((transaction) => this.#head(claim.task, transaction))?.head, claim);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    assertCommit(commit);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const found = this.#inSnapshot((transaction) => this.#head(commit.task, transaction));
      const refused = outcomeWithoutWrite(found?.head, commit);
      if (refused !== undefined || found === undefined) return refused ?? { kind: 'fenced' };
      const { head, keys, values, bytes } = encode(found.head, commit);
      const cells = this.#database('cells');
      const done = await this.#writeIf(commit.task, found.revision, head, this.#growth(keys.length, bytes), () => {
        for (let index = 0; index < keys.length; index++) {
          const key = keys[index];
          const value = values[index];
          if (key === undefined) continue;
          if (value === undefined || value === null) void cells.remove(key);
          else void cells.put(key, value as Buffer);
        }
      });
      if (done) return { kind: 'committed' };
    }
    throw this.#contended(commit.task);
  }

  async read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]> {
    return (await this.readPage(task, store, range)).cells;
  }

  async readPage(task: string, store: string, range: CellRange = {}): Promise<CellPage> {
    return this.#inSnapshot((transaction) => {
      const head = this.#head(task, transaction)?.head;
      const number = head?.stores.indexOf(store) ?? -1;
      const { epoch, sequence } = head ?? { epoch: 0, sequence: 0 };
      if (head === undefined || number < 0) return { epoch, sequence, cells: [] };
      const prefix = storePrefix(head.number, number);
      const start = lowerBound(prefix, range.from);
      const end = range.to === undefined ? endOfStore(head.number, number) : upperBound(prefix, range.to);
      const limit = range.limit ?? Infinity;
      const found: Cell[] = [];
      let sorted = 0;
      for (const entry of this.#database('cells').getRange({ start, end, transaction })) {
        // Long keys with one start lie in the order of their hashes, so that all of them are needed to sort them.
        if (!isLong(entry.key)) {
          if (found.length >= limit) break;
          sorted = sortFrom(found, sorted);
        }
        const { key, value } = cellOf(entry.key, entry.value);
        if (isInRange(key, range)) found.push({ store, key, value });
      }
      sortFrom(found, sorted);
      return { epoch, sequence, cells: found.slice(0, limit) };
    });
  }

  /** One read transaction from the first page to the last: LMDB keeps what it sees, so that its file grows while others commit. */
  async *snapshot(task: string): AsyncGenerator<CellPage> {
    const environment = this.#opened();
    environment.resetReadTxn();
    const transaction = environment.useReadTransaction();
    try {
      const head = this.#head(task, transaction)?.head;
      if (head === undefined) return;
      let start: Buffer | undefined;
      do {
        const page = this.#page(head, start, transaction);
        yield { epoch: head.epoch, sequence: head.sequence, cells: page.cells };
        start = page.next;
        await nextTurn();
      } while (start !== undefined);
    } finally {
      transaction.done();
    }
  }

  async sizes(task: string): Promise<readonly StoreSize[]> {
    const sizes = new Map<string, { cells: number; bytes: number }>();
    for await (const page of this.snapshot(task)) {
      for (const { store, key, value } of page.cells) {
        const size = sizes.get(store) ?? { cells: 0, bytes: 0 };
        size.cells += 1;
        size.bytes += key.length + (value?.length ?? 0);
        sizes.set(store, size);
      }
    }
    return [...sizes].map(([store, size]) => ({ store, ...size })).sort((left, right) => (left.store < right.store ? -1 : 1));
  }

  async tasks(): Promise<readonly TaskSummary[]> {
    return this.#inSnapshot((transaction) => {
      const summaries: TaskSummary[] = [];
      for (const entry of this.#database('heads').getRange({ start: TASKS_START, transaction })) {
        const head = parseHead(entry.value);
        summaries.push({ task: entry.key.subarray(1).toString(), epoch: head.epoch, sequence: head.sequence });
      }
      return summaries;
    });
  }

  async clear(task: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { found, keys } = this.#inSnapshot((transaction) => this.#headAndKeys(task, transaction));
      if (found === undefined) return;
      const head = { ...found.head, owner: '', sequence: 0, commitId: '', stores: [] };
      const cells = this.#database('cells');
      const done = await this.#writeIf(task, found.revision, head, this.#growth(keys.length, 0), () => {
        for (const key of keys) void cells.remove(key);
      });
      if (done) return;
    }
    throw this.#contended(task);
  }

  /** Runs `look` on one consistent state of the environment, the newest. */
  #inSnapshot<T>(look: (transaction: Transaction) => T): T {
    const environment = this.#opened();
    environment.resetReadTxn();
    const transaction = environment.useReadTransaction();
    try {
      return look(transaction);
    } finally {
      transaction.done();
    }
  }

  #head(task: string, transaction: Transaction): HeadEntry | undefined {
    const entry = this.#database('heads').getEntry(headKey(task), { transaction });
    if (entry === undefined) return undefined;
    assertInvariant(entry.version !== undefined, 'heads carry a revision');
    return { head: parseHead(entry.value), revision: entry.version };
  }

  #headAndKeys(task: string, transaction: Transaction): { found: HeadEntry | undefined; keys: readonly Buffer[] } {
    const found = this.#head(task, transaction);
    if (found === undefined) return { found, keys: [] };
    const start = storePrefix(found.head.number, 0);
    const end = endOfTask(found.head.number);
    return { found, keys: [...this.#database('cells').getKeys({ start, end, transaction })] };
  }

  /** Numbers a task the first time it is claimed. */
  async #addTask(task: string): Promise<void> {
    const heads = this.#database('heads');
    if (this.#inSnapshot((transaction) => this.#head(task, transaction)) !== undefined) return;
    assertRoom(this.#path, 0, this.#spareBytes);
    try {
      this.#opened().transactionSync(() => {
        if (heads.get(headKey(task)) !== undefined) return;
        const number = heads.get(COUNTER_KEY)?.readUInt32BE(0) ?? 0;
        const next = Buffer.alloc(4);
        next.writeUInt32BE(number + 1);
        const head: StoredHead = { number, epoch: 0, owner: '', sequence: 0, commitId: '', stores: [] };
        heads.putSync(COUNTER_KEY, next, 1);
        heads.putSync(headKey(task), Buffer.from(JSON.stringify(head)), 1);
      });
    } catch (error) {
      throw await lmdbFailure(error, this.#path);
    }
  }

  /** A page of a claim's cells; each is checked in the snapshot that it is read from. */
  #claimedPage(claim: Claim, from: Buffer | undefined, transaction: Transaction): { cells: Cell[]; next: Buffer | undefined } {
    const head = this.#head(claim.task, transaction)?.head;
    verifyClaim(head, claim);
    assertInvariant(head !== undefined, 'a verified claim has a head');
    return this.#page(head, from, transaction);
  }

  /** One page of a task's cells and where to go on. */
  #page(head: StoredHead, from: Buffer | undefined, transaction: Transaction): { cells: Cell[]; next: Buffer | undefined } {
    const cells: Cell[] = [];
    let bytes = 0;
    const start = from ?? storePrefix(head.number, 0);
    for (const entry of this.#database('cells').getRange({ start, end: endOfTask(head.number), transaction })) {
      const store = head.stores[storeNumberOf(entry.key)];
      assertInvariant(store !== undefined, 'every cell belongs to a store of its task');
      const { key, value } = cellOf(entry.key, entry.value);
      cells.push({ store, key, value });
      bytes += key.length + value.length;
      if (cells.length < this.#pageCellsMax && bytes < this.#pageBytesMax) continue;
      return { cells, next: Buffer.concat([entry.key, Buffer.alloc(1)]) };
    }
    return { cells, next: undefined };
  }

  /**
   * Writes a head and what `puts` adds, about so many `bytes`, in one transaction, if the head is still at `revision`. `puts` must not throw: what it
   * has put by then would be written.
   */
  async #writeIf(task: string, revision: number, head: StoredHead, bytes: number, puts: () => void): Promise<boolean> {
    assertRoom(this.#path, bytes, this.#spareBytes);
    const heads = this.#database('heads');
    const key = headKey(task);
    const value = Buffer.from(JSON.stringify(head));
    try {
      return await heads.ifVersion(key, revision, () => {
        puts();
        void heads.put(key, value, revision + 1);
      });
    } catch (error) {
      throw await lmdbFailure(error, this.#path);
    }
  }

  /**
   * Bytes by which a commit may make the file grow, at most: its own, and the pages of the cells that it changes, which are written
   * anew elsewhere. There are not more of these than the file has.
   */
  #growth(cells: number, bytes: number): number {
    return bytes + Math.min(cells * pageBytes, statSync(join(this.#path, 'data.mdb')).size);
  }

  #opened(): RootDatabase<Buffer, Buffer> {
    assertInvariant(this.#environment !== undefined, 'the state store is open');
    return this.#environment;
  }

  #database(name: 'heads' | 'cells'): Database<Buffer, Buffer> {
    const database = name === 'heads' ? this.#heads : this.#cells;
    assertInvariant(database !== undefined, 'the state store is open');
    return database;
  }

  #contended(task: string): VoltstreamError {
    return new VoltstreamError('STORE_UNAVAILABLE', 'others kept writing to the task', { where: `${this.#path}, task ${task}` });
  }
}

const COUNTER_KEY = Buffer.from([0]);
const TASKS_START = Buffer.from([1]);

function headKey(task: string): Buffer {
  return Buffer.concat([TASKS_START, Buffer.from(task)]);
}

function parseHead(value: Buffer): StoredHead {
  return JSON.parse(value.toString()) as StoredHead;
}

/** Everything that can fail is done here, before the first put. */
function encode(head: StoredHead, commit: Commit): { head: StoredHead; keys: Buffer[]; values: (Uint8Array | null)[]; bytes: number } {
  const stores = [...head.stores];
  const prefixes = new Map<string, Buffer>();
  const keys: Buffer[] = [];
  const values: (Uint8Array | null)[] = [];
  let bytes = 0;
  for (const cell of commit.cells) {
    let prefix = prefixes.get(cell.store);
    if (prefix === undefined) {
      let number = stores.indexOf(cell.store);
      if (number < 0) number = stores.push(cell.store) - 1;
      assertInvariant(number <= 0xffff, 'a task has at most 65,536 stores');
      prefixes.set(cell.store, (prefix = storePrefix(head.number, number)));
    }
    keys.push(storedKey(prefix, cell.key));
    values.push(cell.value === null ? null : storedValue(cell.key, cell.value));
    bytes += prefix.length + cell.key.length + (cell.value?.length ?? 0);
  }
  return { head: { ...head, sequence: commit.sequence, commitId: commit.commitId, stores }, keys, values, bytes };
}

/** Sorts what lies behind the first `sorted` cells; gives the number of cells, which are sorted now. */
function sortFrom(cells: Cell[], sorted: number): number {
  if (cells.length - sorted > 1) {
    cells.push(...cells.splice(sorted).sort((left, right) => compareBytes(left.key, right.key)));
  }
  return cells.length;
}

import { randomUUID } from 'node:crypto';
import { assertInvariant, VoltstreamError } from '../errors.ts';
import { isInRange, singleKeyOf } from './cell-bytes.ts';
import { assertCommit, verifyClaim } from './commit-check.ts';
import { describeConnection, mastersOf, redisClient } from './redis-connection.ts';
import type { RedisClient, RedisConnectionOptions } from './redis-connection.ts';
import { openingFailure } from './redis-failure.ts';
import { healthOf, redisFacts, refuseUnsafe } from './redis-health.ts';
import { bufferOf, nextCount, pairs, sorted } from './redis-cells.ts';
import { headOf } from './redis-head.ts';
import type { Head } from './redis-head.ts';
import { RedisKeys } from './redis-keys.ts';
import { matchOf } from './redis-match.ts';
import { cellsOfPage, ScannedKeys } from './redis-page.ts';
import { binary, list, RedisScripts, text } from './redis-scripts.ts';
import type { Intercept, Reply } from './redis-scripts.ts';
import { cut, groupByStore, weigh } from './redis-sections.ts';
import type { Changes } from './redis-sections.ts';
import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreHealth, StoreSize, TaskSummary } from './state-store.ts';

export interface RedisStateStoreOptions extends RedisConnectionOptions {
  /** Name of the application: part of every key. */
  readonly application: string;
  /** Number of the run: `--reset` begins another one, with keys of its own. */
  readonly run?: number;
  /** In front of every key, for a Redis that several share. */
  readonly keyPrefix?: string;
  /** A larger commit is staged. 20,000 cells of 100 bytes hold Redis for some 20 ms. */
  readonly commitCellsMax?: number;
  readonly commitBytesMax?: number;
  /** One chunk of a staged commit, so that Redis answers others in between. */
  readonly chunkCellsMax?: number;
  readonly chunkBytesMax?: number;
  /** `read` takes so many cells in one step of Redis; a larger store is scanned, and read again when a commit came between. */
  readonly readCellsMax?: number;
  /** What one page of `load` aims at. */
  readonly pageBytes?: number;
  readonly intercept?: Intercept;
}

/** A task's cells at one commit, under keys of their own. */
interface TaskCopy {
  readonly epoch: number;
  readonly sequence: number;
  readonly stores: readonly { readonly store: string; readonly key: string; readonly cells: number }[];
}

/** A copy goes away by itself after this, should its reader be killed; reading one task takes minutes at most. */
const COPY_SECONDS = 3_600;
/** Buckets in the first page of a scan: nobody knows yet how large cells are. */
const FIRST_COUNT = 100;
/** Scans of a large store that commits may spoil before `read` takes it in one (long) step. */
const SCANS_MAX = 3;
/** A commit that has to begin again meets another client's redo or a late chunk: rare, and never twice for one reason. */
const ATTEMPTS_MAX = 20;

/**
 * State in Redis: the truth for any number of processes.
 *
 * A commit is one script on one hash tag, one round trip. One too large for a script is staged in chunks, made valid by a
 * small script, and then applied chunk by chunk by whoever meets it first; until then nobody reads the cells. Scripts and
 * keys: `lua/` and README.md.
 */
export class RedisStateStore implements StateStore {
  readonly #options: RedisStateStoreOptions;
  readonly #keys: RedisKeys;
  readonly #where: string;
  #redis: RedisClient | undefined;
  #scripts: RedisScripts | undefined;

  constructor(options: RedisStateStoreOptions) {
    this.#options = options;
    this.#keys = new RedisKeys(options.keyPrefix ?? 'voltstream:', options.application, String(options.run ?? 1));
    this.#where = describeConnection(options);
  }

  /**
   * Connects and loads the scripts. Throws LOGIN_REFUSED for wrong credentials or certificates, and STORE_SETTING when this Redis could throw
   * state away or is no master.
   */
  async open(): Promise<void> {
    const redis = redisClient(this.#options);
    const scripts = new RedisScripts(redis, this.#where, { intercept: this.#options.intercept, timeoutMs: this.#options.commandTimeoutMs });
    try {
      await scripts.load();
      for (const node of mastersOf(redis)) refuseUnsafe(await redisFacts(node, this.#where), this.#where);
    } catch (error) {
      redis.disconnect();
      throw openingFailure(error, this.#where);
    }
    this.#redis = redis;
    this.#scripts = scripts;
  }

  async health(): Promise<StoreHealth> {
    assertInvariant(this.#redis !== undefined, 'the state store is open');
    return healthOf(await Promise.all(mastersOf(this.#redis).map((node) => redisFacts(node, this.#where))));
  }

  async close(): Promise<void> {
    this.#redis?.disconnect();
    this.#redis = this.#scripts = undefined;
  }

  async claim(task: string): Promise<Claim> {
    const scripts = this.#opened();
    const owner = randomUUID();
    // The name is for listing only, so that nothing has to wait for it.
    const [claimed] = await Promise.all([
      scripts.run('claim', [this.#keys.head(task), this.#keys.staged(task)], [owner]), scripts.command('SADD', this.#keys.tasks, task),
    ]);
    const [epoch, sequence, chunks] = list(claimed);
    if (text(chunks) !== '0') await this.#redo(task);
    return { task, owner, epoch: Number(text(epoch)), sequence: Number(text(sequence)) };
  }

  async *load(claim: Claim): AsyncGenerator<readonly Cell[]> {
    const head = await this.#settledHead(claim.task);
    verifyClaim(head, claim);
    const loaded = new Map<string, number>();
    // Most stores are one page: all of them are asked for at once.
    const scans = (head?.stores ?? []).map((store) => {
      const key = this.#keys.cells(claim.task, store);
      return { store, pages: this.#scan(key, store, undefined, this.#scanFrom(key, '0', FIRST_COUNT, undefined)) };
    });
    for (const { store, pages } of scans) {
      for await (const page of pages) {
        loaded.set(store, (loaded.get(store) ?? 0) + page.length);
        yield page;
      }
    }
    const [sizes, after] = await Promise.all([
      Promise.all((head?.stores ?? []).map(async (store) => ({ store, cells: await this.#cellCount(claim.task, store) }))), this.#head(claim.task),
    ]);
    verifyClaim(after, claim);
    for (const { store, cells } of sizes) this.#verifyWhole(claim.task, store, cells, loaded.get(store) ?? 0);
  }

  async #cellCount(task: string, store: string): Promise<number> {
    return Number(text(await this.#opened().command('HLEN', this.#keys.cells(task, store))));
  }

  /** A last look at what `#scan` has seen to already: less than the whole state must never pass for it. */
  #verifyWhole(task: string, store: string, cells: number, loaded: number): void {
    if (cells === loaded) return;
    throw new VoltstreamError('STORE_UNAVAILABLE', 'Redis was started again, or another one took over, while a task was loaded', {
      where: `${this.#where}, task ${task}, store ${store}`, wanted: `${cells} cells`, got: String(loaded),
    });
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    assertCommit(commit);
    const changes = groupByStore(commit.cells);
    const weight = weigh(changes);
    const small =
      weight.cells <= (this.#options.commitCellsMax ?? 20_000) && weight.bytes <= (this.#options.commitBytesMax ?? 8_000_000);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const answer = await (small ? this.#commitAtOnce(commit, changes) : this.#commitStaged(commit, changes));
      const kind = text(answer[0]);
      if (kind === 'begin') continue;
      if (kind === 'redo') {
        await this.#redo(commit.task);
        continue;
      }
      if (kind === 'rewound') return { kind, storedSequence: Number(text(answer[1])) };
      assertInvariant(kind === 'committed' || kind === 'repeated' || kind === 'fenced', `a commit script answers ${kind}`);
      if (!small && kind !== 'fenced') await this.#redo(commit.task);
      return { kind };
    }
    throw new VoltstreamError('STORE_UNAVAILABLE', 'a staged commit was disturbed again and again', {
      where: `${this.#where}, task ${commit.task}`,
    });
  }

  async read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]> {
    return (await this.readPage(task, store, range)).cells;
  }

  /** Redis keeps no order: it looks at all cells of the store, those that can be in the range are brought here, and sorted here. */
  async readPage(task: string, store: string, range: CellRange = {}): Promise<CellPage> {
    const scripts = this.#opened();
    const keys = [this.#keys.head(task), this.#keys.cells(task, store)];
    const one = singleKeyOf(range);
    const atOnceMax = this.#options.readCellsMax ?? 10_000;
    for (let scans = 0; ; ) {
      const cellsMax = scans < SCANS_MAX ? atOnceMax : Number.MAX_SAFE_INTEGER;
      const args = one === undefined ? ['all', String(cellsMax), matchOf(range) ?? ''] : ['one', bufferOf(one)];
      const answer = list(await scripts.run('read', keys, args));
      const kind = text(answer[0]);
      if (kind === 'cells') {
        return { epoch: Number(text(answer[2])), sequence: Number(text(answer[3])), cells: sorted(pairs(store, list(answer[1])), range) };
      }
      if (kind === 'redo') {
        await this.#redo(task);
        continue;
      }
      assertInvariant(kind === 'large', `the read script answers ${kind}`);
      const scanned = await this.#scanUndisturbed(task, store, range);
      if (scanned !== undefined) return { ...scanned, cells: sorted(scanned.cells, range) };
      scans += 1;
    }
  }

  /** One script copies the task's hashes within Redis at one moment; the copy is read at leisure and goes away at the end. */
  async *snapshot(task: string): AsyncGenerator<CellPage> {
    const copy = await this.#copy(task);
    if (copy === undefined) return;
    const { epoch, sequence, stores } = copy;
    try {
      yield { epoch, sequence, cells: [] };
      for (const { key, store, cells } of stores) {
        let left = cells;
        for await (const page of this.#scan(key, store)) {
          left -= page.length;
          yield { epoch, sequence, cells: page };
        }
        if (left !== 0) {
          throw new VoltstreamError('STORE_UNAVAILABLE', 'the copy of a task went away while it was read', {
            where: `${this.#where}, task ${task}, store ${store}`, wanted: `${cells} cells`, got: String(cells - left),
          });
        }
      }
    } finally {
      if (stores.length > 0) await this.#opened().command('UNLINK', ...stores.map(({ key }) => key));
    }
  }

  async sizes(task: string): Promise<readonly StoreSize[]> {
    const scripts = this.#opened();
    const stores = [...(await this.#settledHead(task))?.stores ?? []].sort();
    const sizes = await Promise.all(stores.map(async (store) => {
      const key = this.#keys.cells(task, store);
      const [cells, bytes] = await Promise.all([scripts.command('HLEN', key), scripts.command('MEMORY', 'USAGE', key)]);
      return { store, cells: Number(text(cells)), bytes: Number(text(bytes ?? 0)) };
    }));
    return sizes.filter(({ cells }) => cells > 0);
  }

  async tasks(): Promise<readonly TaskSummary[]> {
    const names = list(await this.#opened().command('SMEMBERS', this.#keys.tasks)).map(text).sort();
    const heads = await Promise.all(names.map((task) => this.#head(task)));
    return names.flatMap((task, index) => {
      const head = heads[index];
      return head === undefined ? [] : [{ task, epoch: head.epoch, sequence: head.sequence }];
    });
  }

  async clear(task: string): Promise<void> {
    for (;;) {
      const stores = (await this.#head(task))?.stores ?? [];
      const keys = [this.#keys.head(task), this.#keys.staged(task), ...stores.map((store) => this.#keys.cells(task, store))];
      if (text(await this.#opened().run('clear', keys, stores)) !== 'again') return;
    }
  }

  /** A commit that fits one script: one round trip. */
  async #commitAtOnce(commit: Commit, changes: readonly Changes[]): Promise<readonly Reply[]> {
    const sections = cut(changes, { cellsMax: Infinity, bytesMax: Infinity });
    const keys = sections.map(({ store }) => this.#keys.cells(commit.task, store));
    const args = sections.flatMap(({ store, puts, deletes }) => [store, puts, deletes]);
    return list(
      await this.#opened().run(
        'commit',
        [this.#keys.head(commit.task), this.#keys.staged(commit.task), ...keys],
        [commit.owner, String(commit.previousSequence), String(commit.sequence), commit.commitId, ...args],
      ),
    );
  }

  /** Chunks first, one after the other, then the small script that makes all of them valid at once. */
  async #commitStaged(commit: Commit, changes: readonly Changes[]): Promise<readonly Reply[]> {
    const scripts = this.#opened();
    const keys = [this.#keys.head(commit.task), this.#keys.staged(commit.task)];
    const sections = cut(changes, {
      cellsMax: this.#options.chunkCellsMax ?? 10_000,
      bytesMax: this.#options.chunkBytesMax ?? 2_000_000,
    });
    const { owner, commitId } = commit;
    const previous = String(commit.previousSequence);
    for (const [index, { puts, deletes }] of sections.entries()) {
      const answer = list(await scripts.run('stage', keys, [owner, previous, commitId, String(index), puts, deletes]));
      if (text(answer[0]) !== 'staged') return answer;
    }
    const stores = sections.map(({ store }) => store);
    return list(
      await scripts.run('seal', keys, [owner, previous, String(commit.sequence), commitId, String(stores.length), ...stores]),
    );
  }

  /** Applies what is left of a valid staged commit; does nothing when there is none. */
  async #redo(task: string): Promise<void> {
    const scripts = this.#opened();
    const keys = [this.#keys.head(task), this.#keys.staged(task)];
    const [id, ...stores] = list(await scripts.run('redo', keys, []));
    for (const [chunk, store] of stores.entries()) {
      if (store === null) continue;
      await scripts.run('apply', [...keys, this.#keys.cells(task, text(store))], [binary(id), String(chunk)]);
    }
  }

  async #head(task: string): Promise<Head | undefined> {
    return headOf(list(await this.#opened().command('HGETALL', this.#keys.head(task))));
  }

  /** The head of a task whose staged commit, if it had a valid one, has been applied. */
  async #settledHead(task: string): Promise<Head | undefined> {
    for (;;) {
      const head = await this.#head(task);
      if (head?.redo !== true) return head;
      await this.#redo(task);
    }
  }

  /**
   * Pages of a store's cells, each cell once: HSCAN gives a field again when the hash shrank meanwhile. The next page is asked for before this one
   * is looked at, so that Redis gathers it meanwhile. Throws STORE_UNAVAILABLE when another process of Redis goes on with the scan: it orders the
   * hash otherwise and passes cells over, though owner and sequence are the same.
   */
  async *#scan(key: string, store: string, match?: Buffer, first = this.#scanFrom(key, '0', FIRST_COUNT, match)): AsyncGenerator<Cell[]> {
    const pageBytes = this.#options.pageBytes ?? 1_000_000;
    const scanned = new ScannedKeys();
    let count = FIRST_COUNT;
    let server: string | null = null;
    for (let answer: Promise<Reply> | null = first; answer !== null;) {
      const [next, packed, run] = list(await answer);
      server ??= text(run);
      if (server !== text(run)) {
        throw new VoltstreamError('STORE_UNAVAILABLE', 'Redis was started again, or another one took over, while cells were read', {
          where: `${this.#where}, ${key}`, wanted: `all pages from the run ${server}`, got: text(run),
        });
      }
      const bytes = binary(packed);
      count = nextCount(count, bytes.length, pageBytes);
      answer = text(next) === '0' ? null : this.#scanFrom(key, text(next), count, match);
      const page = cellsOfPage(store, bytes).filter((cell) => scanned.add(cell.key));
      if (page.length > 0) yield page;
    }
  }

  #scanFrom(key: string, cursor: string, count: number, match: Buffer | undefined): Promise<Reply> {
    const answer = this.#opened().run('scan', [key], [cursor, String(count), match ?? '']);
    // Whoever waits for it is told; whoever has stopped reading before does not want to know.
    answer.catch(() => undefined);
    return answer;
  }

  /** All of a store's cells in the range, or undefined when the task changed meanwhile. */
  async #scanUndisturbed(task: string, store: string, range: CellRange): Promise<CellPage | undefined> {
    const before = await this.#settledHead(task);
    const match = matchOf(range);
    const found: Cell[] = [];
    let scanned = 0;
    for await (const page of this.#scan(this.#keys.cells(task, store), store, match)) {
      scanned += page.length;
      for (const cell of page) if (isInRange(cell.key, range)) found.push(cell);
    }
    if (match === undefined && scanned !== await this.#cellCount(task, store)) return undefined;
    const after = await this.#head(task);
    const unchanged =
      before?.owner === after?.owner && before?.sequence === after?.sequence && before?.commitId === after?.commitId;
    return unchanged && after?.redo !== true ? { epoch: after?.epoch ?? 0, sequence: after?.sequence ?? 0, cells: found } : undefined;
  }

  /** Copies all cells of a task; undefined for one that was never claimed. */
  async #copy(task: string): Promise<TaskCopy | undefined> {
    const id = randomUUID();
    for (;;) {
      const stores = (await this.#settledHead(task))?.stores ?? [];
      const copies = stores.map((store) => this.#keys.copy(task, id, store));
      const keys = stores.flatMap((store, index) => [this.#keys.cells(task, store), copies[index] as string]);
      const answer = list(await this.#opened().run('copy', [this.#keys.head(task), ...keys], [String(COPY_SECONDS), ...stores]));
      const kind = text(answer[0]);
      if (kind === 'unknown') return undefined;
      if (kind === 'again') continue;
      assertInvariant(kind === 'copied', `the copy script answers ${kind}`);
      return {
        epoch: Number(text(answer[1])),
        sequence: Number(text(answer[2])),
        stores: stores.map((store, index) => ({ store, key: copies[index] as string, cells: Number(text(answer[3 + index])) })),
      };
    }
  }

  #opened(): RedisScripts {
    assertInvariant(this.#scripts !== undefined, 'the state store is open');
    return this.#scripts;
  }
}

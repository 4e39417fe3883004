import { randomUUID } from 'node:crypto';
import { bytesToLatin1, compareBytes, isInRange, singleKeyOf } from './cell-bytes.ts';
import { assertCommit, outcomeWithoutWrite, verifyClaim } from './commit-check.ts';
import type { TaskHead } from './commit-check.ts';
import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreSize, TaskSummary } from './state-store.ts';

interface MemoryTask {
  head: TaskHead;
  /** Cells by store, then by key as latin1. */
  readonly stores: Map<string, Map<string, Cell>>;
}

export interface MemoryStateStoreOptions {
  /** Cells handed out at once by `load`. Small in tests that look at what happens between two pages. */
  readonly pageCellsMax?: number;
}

/** All tasks at one moment, for `restore`. Opaque. */
export type MemorySnapshot = ReadonlyMap<string, { readonly head: TaskHead; readonly cells: readonly Cell[] }>;

/**
 * State in the memory of one process: for tests and the test driver. It outlives `close`, so that a test can go on with the
 * same object as a restarted process would with its disk.
 *
 * @example
 * const store = new MemoryStateStore();
 * const claim = await store.claim('sessions_0');
 */
export class MemoryStateStore implements StateStore {
  readonly #tasks = new Map<string, MemoryTask>();
  readonly #pageCellsMax: number;

  constructor(options: MemoryStateStoreOptions = {}) {
    this.#pageCellsMax = options.pageCellsMax ?? 2_000;
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async claim(task: string): Promise<Claim> {
    const found = this.#tasks.get(task) ?? { head: { epoch: 0, owner: '', sequence: 0, commitId: '' }, stores: new Map() };
    found.head = { ...found.head, epoch: found.head.epoch + 1, owner: randomUUID() };
    this.#tasks.set(task, found);
    return { task, owner: found.head.owner, epoch: found.head.epoch, sequence: found.head.sequence };
  }

  async *load(claim: Claim): AsyncGenerator<readonly Cell[]> {
    let page: Cell[] = [];
    for (const cells of this.#tasks.get(claim.task)?.stores.values() ?? []) {
      for (const cell of cells.values()) {
        page.push(cell);
        if (page.length < this.#pageCellsMax) continue;
        yield page;
        page = [];
      }
    }
    if (page.length > 0) yield page;
    verifyClaim(this.#tasks.get(claim.task)?.head, claim);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    assertCommit(commit);
    const task = this.#tasks.get(commit.task);
    const refused = outcomeWithoutWrite(task?.head, commit);
    if (refused !== undefined || task === undefined) return refused ?? { kind: 'fenced' };
    for (const cell of commit.cells) put(task.stores, cell);
    task.head = { ...task.head, sequence: commit.sequence, commitId: commit.commitId };
    return { kind: 'committed' };
  }

  async read(task: string, store: string, range: CellRange = {}): Promise<readonly Cell[]> {
    const cells = this.#tasks.get(task)?.stores.get(store);
    if (cells === undefined) return [];
    const one = singleKeyOf(range);
    const candidates = one === undefined ? [...cells.values()] : [cells.get(bytesToLatin1(one))];
    const found = candidates.filter((cell) => cell !== undefined).filter((cell) => isInRange(cell.key, range));
    found.sort((left, right) => compareBytes(left.key, right.key));
    return range.limit === undefined ? found : found.slice(0, range.limit);
  }

  async readPage(task: string, store: string, range?: CellRange): Promise<CellPage> {
    const { epoch, sequence } = this.#tasks.get(task)?.head ?? { epoch: 0, sequence: 0 };
    return { epoch, sequence, cells: await this.read(task, store, range) };
  }

  async *snapshot(task: string): AsyncGenerator<CellPage> {
    const found = this.#tasks.get(task);
    if (found === undefined) return;
    const { epoch, sequence } = found.head;
    const cells = [...found.stores.values()].flatMap((byKey) => [...byKey.values()]);
    for (let at = 0; at === 0 || at < cells.length; at += this.#pageCellsMax) {
      yield { epoch, sequence, cells: cells.slice(at, at + this.#pageCellsMax) };
    }
  }

  async sizes(task: string): Promise<readonly StoreSize[]> {
    const sizes = [...this.#tasks.get(task)?.stores ?? []].map(([store, cells]) => sizeOf(store, cells.values()));
    return sizes.filter(({ cells }) => cells > 0).sort((left, right) => (left.store < right.store ? -1 : 1));
  }

  async tasks(): Promise<readonly TaskSummary[]> {
    return [...this.#tasks]
      .map(([task, { head }]) => ({ task, epoch: head.epoch, sequence: head.sequence }))
      .sort((left, right) => (left.task < right.task ? -1 : 1));
  }

  async clear(task: string): Promise<void> {
    const found = this.#tasks.get(task);
    if (found === undefined) return;
    found.stores.clear();
    found.head = { epoch: found.head.epoch, owner: '', sequence: 0, commitId: '' };
  }

  /** A copy of everything, as a backup would be. */
  backup(): MemorySnapshot {
    return new Map(
      [...this.#tasks].map(([task, { head, stores }]) => [
        task,
        { head, cells: [...stores.values()].flatMap((cells) => [...cells.values()]) },
      ]),
    );
  }

  /** Puts back an older copy: commits since then are lost, as in a fail-over. */
  restore(snapshot: MemorySnapshot): void {
    this.#tasks.clear();
    for (const [task, { head, cells }] of snapshot) {
      const stores = new Map<string, Map<string, Cell>>();
      for (const cell of cells) put(stores, cell);
      this.#tasks.set(task, { head, stores });
    }
  }
}

function sizeOf(store: string, cells: Iterable<Cell>): StoreSize {
  let count = 0;
  let bytes = 0;
  for (const { key, value } of cells) {
    count += 1;
    bytes += key.length + (value?.length ?? 0);
  }
  return { store, cells: count, bytes };
}

function put(stores: Map<string, Map<string, Cell>>, cell: Cell): void {
  let cells = stores.get(cell.store);
  if (cells === undefined) stores.set(cell.store, (cells = new Map()));
  if (cell.value === null) cells.delete(bytesToLatin1(cell.key));
  else cells.set(bytesToLatin1(cell.key), cell);
}

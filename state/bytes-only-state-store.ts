import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreSize, TaskSummary } from './state-store.ts';

/**
 * A test double around any store that keeps no object of its caller and hands out none of its own: every byte is copied on
 * the way in and on the way out. What worked only because two sides shared an array does not work with it.
 */
export class BytesOnlyStateStore implements StateStore {
  readonly #inner: StateStore;

  constructor(inner: StateStore) {
    this.#inner = inner;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  claim(task: string): Promise<Claim> {
    return this.#inner.claim(task);
  }

  async *load(claim: Claim): AsyncGenerator<readonly Cell[]> {
    for await (const page of this.#inner.load(claim)) yield page.map(copyOf);
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#inner.commit({ ...commit, cells: commit.cells.map(copyOf) });
  }

  async read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]> {
    return (await this.#inner.read(task, store, range)).map(copyOf);
  }

  async readPage(task: string, store: string, range?: CellRange): Promise<CellPage> {
    const page = await this.#inner.readPage(task, store, range);
    return { ...page, cells: page.cells.map(copyOf) };
  }

  async *snapshot(task: string): AsyncGenerator<CellPage> {
    for await (const page of this.#inner.snapshot(task)) yield { ...page, cells: page.cells.map(copyOf) };
  }

  sizes(task: string): Promise<readonly StoreSize[]> {
    return this.#inner.sizes(task);
  }

  tasks(): Promise<readonly TaskSummary[]> {
    return this.#inner.tasks();
  }

  clear(task: string): Promise<void> {
    return this.#inner.clear(task);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function copyOf(cell: Cell): Cell {
  return { store: cell.store, key: Uint8Array.from(cell.key), value: cell.value === null ? null : Uint8Array.from(cell.value) };
}

import type { Cell } from '../state-store.ts';

/** An entry of a store, as far as commits are concerned. */
export interface Tracked {
  /** In the list of changes of the commit under way. */
  changed: boolean;
  /** The durable store may hold a cell for it. */
  persisted: boolean;
  /** False when it was taken out; another entry of the same key may have come since. */
  live: boolean;
}

/** How a store makes cells of its entries. */
export interface CellForm<E> {
  readonly store: string;
  key(entry: E): Uint8Array;
  value(entry: E): Uint8Array;
  /** True when the store has an entry of this key. */
  has(entry: E): boolean;
}

/** Entries that changed since the last commit, each once, in the order of their first change. */
export class ChangeList<E extends Tracked> {
  #entries: E[] = [];

  get length(): number {
    return this.#entries.length;
  }

  mark(entry: E): void {
    if (entry.changed) return;
    entry.changed = true;
    this.#entries.push(entry);
  }

  /** Adds the cells of a commit: the values of what is there, null for what is gone and was written before; forgets the changes. */
  take(into: Cell[], form: CellForm<E>): void {
    const { store } = form;
    const entries = this.#entries;
    this.#entries = [];
    for (const entry of entries) {
      entry.changed = false;
      if (entry.live) {
        entry.persisted = true;
        into.push({ store, key: form.key(entry), value: form.value(entry) });
      } else if (entry.persisted && !form.has(entry)) {
        into.push({ store, key: form.key(entry), value: null });
      }
    }
  }
}

import { bytesToLatin1 } from '../../cell-bytes.ts';
import type { LocalStore, StoreDefinition } from '../../local-store.ts';
import type { Cell } from '../../state-store.ts';

/** What a durable store would hold of one local store; refuses two cells for one key in a commit. */
export class DurableCells {
  readonly #cells = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();

  get size(): number {
    return this.#cells.size;
  }

  /** Commits, and gives what was in the commit. */
  commit(store: LocalStore): readonly Cell[] {
    const cells: Cell[] = [];
    store.takeChanges(cells);
    const keys = cells.map((cell) => bytesToLatin1(cell.key));
    if (new Set(keys).size !== keys.length) throw new Error(`two cells for one key in one commit of ${store.name}`);
    for (const [at, cell] of cells.entries()) {
      const id = keys[at] as string;
      if (cell.value === null) this.#cells.delete(id);
      else this.#cells.set(id, { key: Uint8Array.from(cell.key), value: Uint8Array.from(cell.value) });
    }
    return cells;
  }

  /** A fresh store with what was committed, cells in key order as durable stores give them. */
  load<S extends LocalStore>(definition: StoreDefinition<S>): S {
    const store = definition.create();
    for (const [, { key, value }] of [...this.#cells].sort(([left], [right]) => (left < right ? -1 : 1))) store.restore(key, value);
    store.restored();
    return store;
  }
}

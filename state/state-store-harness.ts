import type { Cell, Claim, Commit, StateStore } from './state-store.ts';

/** Whether the n-th command fails before it reaches the store, or its answer is lost after it was carried out. */
export type FailureMoment = 'before' | 'after';

/** What the contract needs of an implementation: one set of data, reached by any number of handles. */
export interface StateStoreHarness {
  /** Another opened handle on the same data, as another process would have. */
  connect(): Promise<StateStore>;
  /** A copy of all data as it is now. */
  snapshot(): Promise<unknown>;
  /** Puts an older copy back while handles stay open: what was committed since is lost, as in a fail-over. */
  restore(snapshot: unknown): Promise<void>;
  /**
   * A handle whose `failAt`-th command (from 1) and all later ones fail, as if its process had died there; Infinity never
   * fails. Left out where a commit is a single call that cannot fail half way.
   */
  connectFailing?(failAt: number, moment: FailureMoment): Promise<{ readonly store: StateStore; commands(): number }>;
  close(): Promise<void>;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function cell(store: string, key: string | Uint8Array, value: string | Uint8Array | null): Cell {
  return {
    store,
    key: typeof key === 'string' ? bytes(key) : key,
    value: typeof value === 'string' ? bytes(value) : value,
  };
}

/** The commit that follows a claim, or another commit of the same owner. */
export function following(before: Claim | Commit, cells: readonly Cell[], commitId?: string): Commit {
  return {
    task: before.task,
    owner: before.owner,
    previousSequence: before.sequence,
    sequence: before.sequence + 1,
    commitId: commitId ?? `${before.owner}/${before.sequence + 1}`,
    cells,
  };
}

/** Cells as text that compares and prints well: `store/key (hex)` to value (hex), sorted. */
export function dump(cells: Iterable<Cell>): Record<string, string> {
  const entries = [...cells].map((each) => [`${each.store}/${hex(each.key)}`, hex(each.value ?? bytes('null'))] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

/** All cells that `load` gives; fails when one comes twice. */
export async function loadAll(store: StateStore, claim: Claim): Promise<Cell[]> {
  const cells: Cell[] = [];
  for await (const page of store.load(claim)) cells.push(...page);
  const distinct = new Set(cells.map((each) => `${each.store}/${hex(each.key)}`));
  if (distinct.size !== cells.length) throw new Error(`load gave ${cells.length} cells, only ${distinct.size} of them distinct`);
  return cells;
}

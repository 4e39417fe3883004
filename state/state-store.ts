/**
 * The port to the durable store of task state: Redis, LMDB or memory.
 *
 * The store knows nothing of windows, positions or outboxes: a task's state is a set of cells, and a commit is a list
 * of changed cells that becomes visible in one atomic step, or not at all. Two facts guard it: an owner, chosen at random
 * at each claim, and a sequence that grows by one with each commit. A commit is a compare-and-set on both. Nothing here
 * depends on a clock, a lease or a rebalance callback.
 */

/**
 * One value of a task's state. `key` is unique within `store`; `value` null deletes. Keys and values may hold any bytes and
 * may be empty (LMDB and Redis alike). Bytes handed to a store, and bytes that a store hands out, must never be changed
 * afterwards: values are immutable, and a store may keep what it was given.
 */
export interface Cell {
  readonly store: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface Claim {
  /** `<sub-topology>_<partition>`. */
  readonly task: string;
  /** Random, fresh at each claim. */
  readonly owner: string;
  /** One more than at the claim before. For people and metrics; correctness rests on owner and sequence. */
  readonly epoch: number;
  /** Sequence of the last commit; 0 when there was none. */
  readonly sequence: number;
}

export interface Commit {
  readonly task: string;
  readonly owner: string;
  readonly previousSequence: number;
  /** `previousSequence + 1`. */
  readonly sequence: number;
  /** Unique for this commit; the same id again means: sent twice. */
  readonly commitId: string;
  /** Absolute values. Should one (store, key) come more than once, the last one counts. */
  readonly cells: readonly Cell[];
}

export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** This very commit (same owner, same commit id) was the last one applied: the answer to it had been lost. */
  | { readonly kind: 'repeated' }
  /** The stored owner is another. */
  | { readonly kind: 'fenced' }
  /** The owner is the same, but the stored sequence is not `previousSequence`: the store has lost commits. */
  | { readonly kind: 'rewound'; readonly storedSequence: number };

export interface CellRange {
  /** Inclusive lower bound of the key bytes. */
  readonly from?: Uint8Array;
  /** Exclusive upper bound of the key bytes. */
  readonly to?: Uint8Array;
  readonly limit?: number;
  /** Which keys within the bounds count; asked before `limit`, so that one page needs one moment only. */
  readonly where?: (key: Uint8Array) => boolean;
}

/** Cells of one task, and the commit that they stand at: pages with the same epoch and sequence are of one moment. */
export interface CellPage {
  readonly epoch: number;
  readonly sequence: number;
  readonly cells: readonly Cell[];
}

/** How much a store of a task holds. `bytes` are about what the state store needs for it. */
export interface StoreSize {
  readonly store: string;
  readonly cells: number;
  readonly bytes: number;
}

/** What the server of a store tells of itself. */
export interface StoreHealth {
  /** Memory in use, over all nodes; null where it may not be asked. */
  readonly usedBytes: number | null;
  /** Its limit; null when there is none. */
  readonly bytesMax: number | null;
  /** What could be lost and when, and what could not be checked: a sentence each. */
  readonly remarks: readonly { readonly level: 'info' | 'warn'; readonly text: string }[];
}

/** What the server of a store has done since its start, over all nodes. */
export interface StoreCounters {
  /** Those that scripts call are among them. */
  readonly commands: number;
  /** Scripts that were sent: commits, claims, pages of loads. */
  readonly roundTrips: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly usedBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

/** The server that a store keeps its state on, seen from outside of any task. */
export interface StoreServer {
  open(): Promise<void>;
  /** Others may use it as well. Null where it may not be asked. */
  counters(): Promise<StoreCounters | null>;
  /** Deletes all that the application has there, its epochs, too, once nobody works on it any more. */
  removeAll(): Promise<void>;
  close(): Promise<void>;
}

export interface TaskSummary {
  readonly task: string;
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * Every method may throw VoltstreamError STORE_UNAVAILABLE (no answer: whether it was done is unknown) or DISK_FULL (it was
 * not done). Both are to be tried again: the same commit object is sent again, and is applied once.
 */
export interface StateStore {
  open(): Promise<void>;
  /**
   * Makes the caller the owner of a task: epoch + 1 and a fresh random owner, in one atomic step. Any earlier owner's
   * next commit is then answered with `fenced`. An unfinished staged commit that was made valid is applied first.
   */
  claim(task: string): Promise<Claim>;
  /**
   * All cells of a claimed task, each once, in no particular order, page by page, from the master. Owner and sequence are verified again after the last
   * page: throws VoltstreamError FENCED or REWOUND when they have changed meanwhile, and what was read must be dropped.
   */
  load(claim: Claim): AsyncIterable<readonly Cell[]>;
  commit(commit: Commit): Promise<CommitOutcome>;
  /**
   * Committed cells of one store of a task in key order, for readers that own nothing; never half of a commit within
   * one call.
   */
  read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]>;
  /** As `read`, with the commit that the cells stand at; epoch and sequence are 0 for a task that was never claimed. */
  readPage(task: string, store: string, range?: CellRange): Promise<CellPage>;
  /**
   * All committed cells of a task as they stand at one commit, each once, page by page, without a claim: its owner goes on
   * committing meanwhile. At least one page (it may be empty) for a task that was claimed, none for another.
   */
  snapshot(task: string): AsyncIterable<CellPage>;
  /** Stores of a task that hold cells, by name. Several commits may lie between two stores' figures. */
  sizes(task: string): Promise<readonly StoreSize[]>;
  tasks(): Promise<readonly TaskSummary[]>;
  /**
   * Forgets a task's cells (for `--reset`): the sequence is 0 again and nobody owns the task. Epochs go on rising, so that an
   * old owner stays fenced. A task that was never claimed stays unknown.
   */
  clear(task: string): Promise<void>;
  /** Asks the server; stores without one leave it out. */
  health?(): Promise<StoreHealth>;
  close(): Promise<void>;
}

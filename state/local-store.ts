import type { Codec } from '../schemas/codec.ts';
import type { Cell } from './state-store.ts';

/**
 * State in the memory of one task, written to the durable store once per commit (changed cells only) and read once per
 * claim. Operators see synchronous, typed access; the task sees cells.
 *
 * Values are immutable: a change is a put. (An operator of ours may write into a value that nobody else was ever given, when a put
 * of it follows at once: a store keeps no copy to compare with.) Iteration is in (time, key bytes) or key-bytes order, also after a restore.
 */
export interface LocalStore {
  readonly name: string;
  /** Adds a cell for each change since the last call, in a deterministic order, and forgets that they were changes. */
  takeChanges(into: Cell[]): void;
  /** Puts back one cell as `takeChanges` made it. */
  restore(key: Uint8Array, value: Uint8Array): void;
  /** Called once after the last `restore`: builds indexes. */
  restored(): void;
  readonly entries: number;
  /** Changes that the next commit will carry. */
  readonly changes: number;
}

export interface StoreDefinition<S extends LocalStore = LocalStore> {
  /** Name of the step that owns it, or `<step>.<part>` where a step has several. Unique in the topology. */
  readonly name: string;
  readonly kind: string;
  /** `<key schema>/<value schema>`; refused when it differs from what the state was written with. */
  readonly schemaId: string;
  /** Codecs of what the cells hold, for readers of committed state and for state of earlier versions. Left out: bytes for the store alone. */
  readonly key?: Codec<unknown>;
  readonly value?: Codec<unknown>;
  /** What else the cells depend on, e.g. the size of windows: kept with the state, and another one is refused. */
  readonly meaning?: string;
  create(): S;
}

export interface KeyValueStore<K, V> extends LocalStore {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  delete(key: K): void;
  /** Key-bytes order; bounds inclusive / exclusive. */
  range(from?: K, to?: K): IterableIterator<readonly [K, V]>;
}

/** Values by two texts, a group and a member of it. Those that rest (see `groupedStore`) are kept as their bytes. */
export interface GroupedStore<V> extends LocalStore {
  get(group: string, member: string): V | undefined;
  put(group: string, member: string, value: V): void;
  delete(group: string, member: string): void;
  /** The note on a member that rests; undefined: there is none, or it does not rest. Decodes nothing. */
  noteOf(group: string, member: string): number | undefined;
  /** A group's members and their values, in the order of the members' bytes. Each group costs its own size, whatever else is kept. */
  members(group: string): IterableIterator<readonly [member: string, value: V]>;
  /**
   * Shows a group's members in no order that could be relied on: for what does not depend on it. One that rests is shown without its
   * value, by the note on it alone. The one that is shown may be deleted meanwhile.
   */
  each(group: string, look: (member: string, value: V | undefined, note: number) => void): void;
}

/** How far a key has come in its own time, and what is due for it when: by due time, at equal ones by when they were set. */
export interface KeyProgress {
  readonly timeMs: number;
  readonly timers: readonly (readonly [dueMs: number, id: string])[];
}

/** Each key's own time, with timers by it. Keys and ids are texts; an id has one timer at most. */
export interface KeyTimerStore extends LocalStore {
  /** A copy of what is known of a key. */
  get(key: string): KeyProgress | undefined;
  /** The key's time, -1 before the first. */
  timeOf(key: string): number;
  /** Raises the key's time to `timestampMs`; false when it is not higher. */
  advance(key: string, timestampMs: number): boolean;
  /** When the key's first timer is due; undefined: it has none. */
  nextDueMs(key: string): number | undefined;
  /** When the timer of an id is due; undefined: it has none. */
  dueOf(key: string, id: string): number | undefined;
  /** Keys that have something due at or before `untilMs`, in the order of their bytes. Looks at every key. */
  keysDue(untilMs: number): readonly string[];
  /** Removes the key's timers that are due at or before `untilMs`, and gives their ids, first due first. */
  drain(key: string, untilMs: number): readonly string[];
  /** Sets the one timer of an id, in place of an earlier set one. */
  schedule(key: string, dueMs: number, id: string): void;
}

export interface TimeKeyEntry<K, V> {
  readonly key: K;
  readonly timeMs: number;
  readonly value: V;
}

/** Values by (time, key): windows by start, buffered records and timers by due time. Times are whole milliseconds. */
export interface TimeKeyStore<K, V> extends LocalStore {
  get(key: K, timeMs: number): V | undefined;
  put(key: K, timeMs: number, value: V): void;
  delete(key: K, timeMs: number): void;
  /** Times of one key within [fromMs, toMs], ascending. */
  fetch(key: K, fromMs: number, toMs: number): readonly { readonly timeMs: number; readonly value: V }[];
  /** One key's entry with the highest time <= toMs. What is given may change with the next put. */
  lastOf(key: K, toMs: number): { readonly timeMs: number; readonly value: V } | undefined;
  /** Removes and gives all entries with time <= untilMs, in (time, key bytes) order. */
  drain(untilMs: number): TimeKeyEntry<K, V>[];
  /** Removes all entries with time <= untilMs, for those that nobody asks for any more. */
  forget(untilMs: number): void;
  /** Removes and gives one key's entries with time <= untilMs, times ascending. */
  drainKey(key: K, untilMs: number): TimeKeyEntry<K, V>[];
  /** The lowest time held, or undefined. */
  readonly earliestMs: number | undefined;
  /** The highest time held, or undefined. Looks at every time; for the start of a step. */
  readonly latestMs: number | undefined;
  /** The lowest time held for one key, or undefined. */
  earliestOf(key: K): number | undefined;
  /** Calls `visit` with everything, a key's times ascending, the keys in no order that lasts: for what a step finds out when it starts. */
  each(visit: (key: K, timeMs: number, value: V) => void): void;
  /** Everything in (time, key bytes) order. Sorts; not for every record. */
  all(): IterableIterator<TimeKeyEntry<K, V>>;
}

/** Versions of each key by valid-from time, kept for `historyMs` behind the newest (Kafka Streams' versioned store). */
export interface VersionedStore<K, V> extends LocalStore {
  /** Null is a tombstone. False when the record is older than the history: then nothing has changed. */
  put(key: K, value: V | null, timestampMs: number): boolean;
  /** When the newest version begins, tombstones among them; undefined when the history knows of none. */
  newestMs(key: K): number | undefined;
  /** The latest version, undefined when that is a tombstone. */
  get(key: K): { readonly value: V; readonly timestampMs: number } | undefined;
  /** The version that was valid at a time. */
  getAsOf(key: K, asOfMs: number): { readonly value: V; readonly timestampMs: number } | undefined;
  /** The latest versions in key-bytes order, without tombstones. */
  latest(): IterableIterator<readonly [K, V]>;
}

export type KeyCodec<K> = Codec<K>;

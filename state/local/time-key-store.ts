import { int64 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StoreDefinition, TimeKeyEntry, TimeKeyStore } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { inByteOrder } from './byte-order.ts';
import { encodeValue } from './cell-value.ts';
import { timeThenKey } from './cell-writer.ts';
import { ChangeList, type CellForm, type Tracked } from './change-list.ts';
import { checkWellFormed, keyIdentity, type KeyIdentity } from './key-identity.ts';
import { timeBytes } from './time-bytes.ts';
import { TimeIndex, type Timed } from './time-index.ts';

export interface TimeKeyStoreOptions<K, V> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

/**
 * Defines a store of values by (time, key) in the task's memory: windows by start, timers and buffered records by due time.
 *
 * Made for many keys with few times each. Times are whole milliseconds. Iteration is in (time, key bytes) order. A cell's key
 * is the time (8 bytes, ordered) and then the key, so that the durable store reads in the same order.
 *
 * @example Open one-minute windows
 * const windows = timeKeyStore({ name: 'station-minute', key: utf8, value: json<Load>('load') });
 */
export function timeKeyStore<K, V>(options: TimeKeyStoreOptions<K, V>): StoreDefinition<TimeKeyStore<K, V>> {
  return {
    name: options.name,
    kind: 'time-key',
    schemaId: `${options.key.schemaId}/${options.value.schemaId}`,
    key: options.key,
    value: options.value,
    create: () => new MapTimeKeyStore(options),
  };
}

/** The entries of one key, times ascending. */
interface KeyEntries<K, V> {
  readonly identity: string;
  readonly key: K;
  list: Entry<K, V>[];
}

interface Entry<K, V> extends Timed, Tracked {
  readonly owner: KeyEntries<K, V>;
  readonly timeMs: number;
  place: number;
  value: V;
}

class MapTimeKeyStore<K, V> implements TimeKeyStore<K, V> {
  readonly name: string;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #identity: KeyIdentity<K>;
  readonly #direct: boolean;
  readonly #byKey = new Map<string, KeyEntries<K, V>>();
  /** Made when times over all keys are asked for the first time: a step that goes by each key's own time never does. */
  #byTime: TimeIndex<Entry<K, V>> | null = null;
  readonly #changes = new ChangeList<Entry<K, V>>();
  readonly #cells: CellForm<Entry<K, V>>;
  #entries = 0;
  /** What the last look-up found, and the very key that it was for: a put after a get needs no second one. */
  #recent: KeyEntries<K, V> | undefined = undefined;
  #recentKey: unknown = unknownKey;
  /** Where the last search in a key's list ended: the next one often ends there or right behind. */
  #recentPlace = 0;

  constructor(options: TimeKeyStoreOptions<K, V>) {
    this.name = options.name;
    this.#key = options.key;
    this.#value = options.value;
    this.#identity = keyIdentity(options.key);
    this.#direct = this.#identity.direct;
    this.#cells = {
      store: this.name,
      key: (entry) => timeThenKey(entry.timeMs, this.#key, entry.owner.key),
      value: (entry) => encodeValue(this.#value, entry.value, entry.owner.key, entry.timeMs),
      has: (entry) => this.get(entry.owner.key, entry.timeMs) !== undefined,
    };
  }

  get entries(): number {
    return this.#entries;
  }

  get changes(): number {
    return this.#changes.length;
  }

  get earliestMs(): number | undefined {
    return this.#timeIndex().earliestMs;
  }

  get latestMs(): number | undefined {
    return this.#timeIndex().latestMs;
  }

  get(key: K, timeMs: number): V | undefined {
    const owner = this.#find(key);
    if (owner === undefined) return undefined;
    const entry = owner.list[this.#place(owner.list, timeMs)];
    return entry !== undefined && entry.timeMs === timeMs ? entry.value : undefined;
  }

  put(key: K, timeMs: number, value: V): void {
    const owner = this.#find(key) ?? this.#own(key);
    const { list } = owner;
    const at = this.#place(list, timeMs);
    const found = list[at];
    if (found !== undefined && found.timeMs === timeMs) {
      found.value = value;
      this.#changes.mark(found);
      return;
    }
    this.#changes.mark(this.#insert(owner, at, timeMs, value, false));
  }

  delete(key: K, timeMs: number): void {
    const owner = this.#find(key);
    if (owner === undefined) return;
    const at = this.#place(owner.list, timeMs);
    const entry = owner.list[at];
    if (entry === undefined || entry.timeMs !== timeMs) return;
    this.#byTime?.remove(entry);
    this.#remove(entry, at);
  }

  fetch(key: K, fromMs: number, toMs: number): readonly { readonly timeMs: number; readonly value: V }[] {
    const list = this.#find(key)?.list;
    if (list === undefined) return none;
    const from = firstAtLeast(list, fromMs);
    let to = from;
    while (to < list.length && (list[to] as Entry<K, V>).timeMs <= toMs) to += 1;
    if (to === from) return none;
    // Of the right size from the start: an array that grows takes room for many more.
    const found = list.slice(from, to) as { readonly timeMs: number; readonly value: V }[];
    for (let at = 0; at < found.length; at += 1) {
      const { timeMs, value } = found[at] as Entry<K, V>;
      found[at] = { timeMs, value };
    }
    return found;
  }

  lastOf(key: K, toMs: number): { readonly timeMs: number; readonly value: V } | undefined {
    const list = this.#find(key)?.list;
    if (list === undefined) return undefined;
    const at = firstAtLeast(list, toMs + 1);
    // A look-up at -1 would be one by name.
    return at === 0 ? undefined : list[at - 1];
  }

  earliestOf(key: K): number | undefined {
    return this.#find(key)?.list[0]?.timeMs;
  }

  drain(untilMs: number): TimeKeyEntry<K, V>[] {
    const drained: TimeKeyEntry<K, V>[] = [];
    const byTime = this.#timeIndex();
    for (let bucket = byTime.takeEarliest(untilMs); bucket !== undefined; bucket = byTime.takeEarliest(untilMs)) {
      for (const entry of this.#inKeyOrder(bucket)) {
        this.#removeDue(entry);
        drained.push({ key: entry.owner.key, timeMs: entry.timeMs, value: entry.value });
      }
    }
    return drained;
  }

  forget(untilMs: number): void {
    const byTime = this.#timeIndex();
    for (let bucket = byTime.takeEarliest(untilMs); bucket !== undefined; bucket = byTime.takeEarliest(untilMs)) {
      for (let at = 0; at < bucket.length; at += 1) this.#removeDue(bucket[at] as Entry<K, V>);
    }
  }

  drainKey(key: K, untilMs: number): TimeKeyEntry<K, V>[] {
    const drained: TimeKeyEntry<K, V>[] = [];
    const owner = this.#find(key);
    for (let entry = owner?.list[0]; entry !== undefined && entry.timeMs <= untilMs; entry = owner?.list[0]) {
      this.#byTime?.remove(entry);
      this.#remove(entry, 0);
      drained.push({ key: entry.owner.key, timeMs: entry.timeMs, value: entry.value });
    }
    return drained;
  }

  each(visit: (key: K, timeMs: number, value: V) => void): void {
    for (const { key, list } of this.#byKey.values()) for (const { timeMs, value } of list) visit(key, timeMs, value);
  }

  *all(): IterableIterator<TimeKeyEntry<K, V>> {
    for (const bucket of this.#timeIndex().inOrder()) {
      for (const entry of this.#inKeyOrder(bucket.slice())) yield { key: entry.owner.key, timeMs: entry.timeMs, value: entry.value };
    }
  }

  takeChanges(into: Cell[]): void {
    this.#changes.take(into, this.#cells);
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    const decoded = this.#key.decode(key.subarray(timeBytes));
    const timeMs = int64.decode(key.subarray(0, timeBytes));
    const owner = this.#find(decoded) ?? this.#own(decoded);
    this.#insert(owner, firstAtLeast(owner.list, timeMs), timeMs, this.#value.decode(value), true);
  }

  restored(): void {}

  #find(key: K): KeyEntries<K, V> | undefined {
    if (key === this.#recentKey) return this.#recent;
    this.#recentKey = isCertain(key) ? key : unknownKey;
    return (this.#recent = this.#byKey.get(this.#direct ? (key as string) : this.#identity.of(key)));
  }

  /** Position of the first entry of the list with a time at or behind `timeMs`. */
  #place(list: readonly Entry<K, V>[], timeMs: number): number {
    const recent = this.#recentPlace;
    if (list[recent]?.timeMs === timeMs) return recent;
    if (list[recent + 1]?.timeMs === timeMs) return (this.#recentPlace = recent + 1);
    return (this.#recentPlace = firstAtLeast(list, timeMs));
  }

  #own(key: K): KeyEntries<K, V> {
    const identity = this.#identity.of(key);
    if (this.#direct) checkWellFormed(identity, this.name);
    const owner: KeyEntries<K, V> = { identity, key, list: [] };
    this.#byKey.set(identity, owner);
    this.#recent = owner;
    this.#recentKey = isCertain(key) ? key : unknownKey;
    return owner;
  }

  #insert(owner: KeyEntries<K, V>, at: number, timeMs: number, value: V, persisted: boolean): Entry<K, V> {
    const entry: Entry<K, V> = { owner, timeMs, place: 0, value, changed: false, persisted, live: true };
    // Most keys of many have one time only, and an array that grows from nothing takes room for 17.
    if (owner.list.length === 0) owner.list = [entry];
    else if (at === owner.list.length) owner.list.push(entry);
    else owner.list.splice(at, 0, entry);
    this.#byTime?.add(entry);
    this.#entries += 1;
    return entry;
  }

  #removeDue(entry: Entry<K, V>): void {
    const { list } = entry.owner;
    this.#remove(entry, list[0] === entry ? 0 : firstAtLeast(list, entry.timeMs));
  }

  /** Takes an entry that the time index has let go of out of its key's list. */
  #remove(entry: Entry<K, V>, at: number): void {
    const { owner } = entry;
    if (at === 0) owner.list.shift();
    else owner.list.splice(at, 1);
    if (owner.list.length === 0) {
      this.#byKey.delete(owner.identity);
      if (this.#recent === owner) this.#recent = undefined;
    }
    entry.live = false;
    this.#entries -= 1;
    this.#changes.mark(entry);
  }

  #timeIndex(): TimeIndex<Entry<K, V>> {
    if (this.#byTime !== null) return this.#byTime;
    const index = new TimeIndex<Entry<K, V>>();
    for (const owner of this.#byKey.values()) for (const entry of owner.list) index.add(entry);
    return (this.#byTime = index);
  }

  #inKeyOrder(bucket: Entry<K, V>[]): Entry<K, V>[] {
    return bucket.length === 1 ? bucket : inByteOrder(bucket, identityOf, this.#identity.compare);
  }
}

const none: readonly never[] = [];
const unknownKey: unknown = Symbol('no key');

/** Whether the same key again is certain to have the same bytes: an object may have been changed, and 0 may be -0. */
function isCertain(key: unknown): boolean {
  return typeof key === 'string' || typeof key === 'bigint' || (typeof key === 'number' && key !== 0);
}

function identityOf(entry: Entry<unknown, unknown>): string {
  return entry.owner.identity;
}

/** Position of the first entry with a time at or behind `timeMs`; looks at the newest first, where most look-ups end. */
function firstAtLeast(list: readonly { readonly timeMs: number }[], timeMs: number): number {
  let high = list.length;
  if (high === 0) return 0;
  const newestMs = (list[high - 1] as { readonly timeMs: number }).timeMs;
  if (newestMs < timeMs) return high;
  if (newestMs === timeMs) return high - 1;
  let low = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as { readonly timeMs: number }).timeMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

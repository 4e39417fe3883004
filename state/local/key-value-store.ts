import type { Codec } from '../../schemas/codec.ts';
import type { KeyValueStore, StoreDefinition } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { encodeValue } from './cell-value.ts';
import { cellKey } from './cell-writer.ts';
import { ChangeList, type CellForm, type Tracked } from './change-list.ts';
import { checkWellFormed, keyIdentity, type KeyIdentity } from './key-identity.ts';

export interface KeyValueStoreOptions<K, V> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

/**
 * Defines a store of values by key in the task's memory: one Map look-up per get or put.
 *
 * Values are immutable: a change is a put. `undefined` is not a value. Iteration is in key-bytes order.
 *
 * @example The last meter value of each connector
 * const lastMeter = keyValueStore({ name: 'last-meter', key: utf8, value: float64 });
 */
export function keyValueStore<K, V>(options: KeyValueStoreOptions<K, V>): StoreDefinition<KeyValueStore<K, V>> {
  return {
    name: options.name,
    kind: 'key-value',
    schemaId: `${options.key.schemaId}/${options.value.schemaId}`,
    key: options.key,
    value: options.value,
    create: () => new MapKeyValueStore(options),
  };
}

interface Entry<K, V> extends Tracked {
  readonly identity: string;
  readonly key: K;
  value: V;
}

class MapKeyValueStore<K, V> implements KeyValueStore<K, V> {
  readonly name: string;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #identity: KeyIdentity<K>;
  readonly #direct: boolean;
  readonly #entries = new Map<string, Entry<K, V>>();
  readonly #changes = new ChangeList<Entry<K, V>>();
  readonly #cells: CellForm<Entry<K, V>>;
  /** Entries in key order; null when keys came or went since. */
  #sorted: readonly Entry<K, V>[] | null = null;
  /** The entry of the last look-up: a put after a get of the same key needs no second one. */
  #recent: Entry<K, V> | undefined = undefined;

  constructor(options: KeyValueStoreOptions<K, V>) {
    this.name = options.name;
    this.#key = options.key;
    this.#value = options.value;
    this.#identity = keyIdentity(options.key);
    this.#direct = this.#identity.direct;
    this.#cells = {
      store: this.name,
      key: (entry) => cellKey(this.#key, entry.key),
      value: (entry) => encodeValue(this.#value, entry.value, entry.key),
      has: (entry) => this.#entries.has(entry.identity),
    };
  }

  get entries(): number {
    return this.#entries.size;
  }

  get changes(): number {
    return this.#changes.length;
  }

  get(key: K): V | undefined {
    return this.#find(this.#direct ? (key as string) : this.#identity.of(key))?.value;
  }

  put(key: K, value: V): void {
    const identity = this.#direct ? (key as string) : this.#identity.of(key);
    const entry = this.#find(identity);
    if (entry === undefined) {
      if (this.#direct) checkWellFormed(identity, this.name);
      this.#insert({ identity, key, value, changed: false, persisted: false, live: true });
      return;
    }
    entry.value = value;
    this.#changes.mark(entry);
  }

  delete(key: K): void {
    const entry = this.#find(this.#identity.of(key));
    if (entry === undefined) return;
    entry.live = false;
    this.#recent = undefined;
    this.#sorted = null;
    this.#entries.delete(entry.identity);
    this.#changes.mark(entry);
  }

  *range(from?: K, to?: K): IterableIterator<readonly [K, V]> {
    const { compare } = this.#identity;
    const sorted = this.#inOrder();
    const end = to === undefined ? undefined : this.#identity.of(to);
    for (let at = from === undefined ? 0 : firstAtLeast(sorted, this.#identity.of(from), compare); at < sorted.length; at += 1) {
      const entry = sorted[at] as Entry<K, V>;
      if (end !== undefined && compare(entry.identity, end) >= 0) return;
      if (entry.live) yield [entry.key, entry.value];
    }
  }

  takeChanges(into: Cell[]): void {
    this.#changes.take(into, this.#cells);
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    const decoded = this.#key.decode(key);
    const identity = this.#identity.of(decoded);
    this.#entries.set(identity, {
      identity, key: decoded, value: this.#value.decode(value), changed: false, persisted: true, live: true,
    });
  }

  restored(): void {
    this.#sorted = null;
  }

  #find(identity: string): Entry<K, V> | undefined {
    const recent = this.#recent;
    if (recent !== undefined && recent.identity === identity) return recent;
    return (this.#recent = this.#entries.get(identity));
  }

  #insert(entry: Entry<K, V>): void {
    this.#entries.set(entry.identity, entry);
    this.#changes.mark(entry);
    this.#recent = entry;
    this.#sorted = null;
  }

  #inOrder(): readonly Entry<K, V>[] {
    const { compare } = this.#identity;
    return (this.#sorted ??= [...this.#entries.values()].sort((left, right) => compare(left.identity, right.identity)));
  }
}

function firstAtLeast(
  sorted: readonly { readonly identity: string }[], identity: string, compare: (left: string, right: string) => number,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare((sorted[middle] as { readonly identity: string }).identity, identity) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

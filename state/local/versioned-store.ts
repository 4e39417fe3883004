import { int64 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StoreDefinition, VersionedStore } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { encodeMarkedValue } from './cell-value.ts';
import { keyThenTime } from './cell-writer.ts';
import { checkWellFormed, keyIdentity, type KeyIdentity } from './key-identity.ts';
import { timeBytes } from './time-bytes.ts';

export interface VersionedStoreOptions<K, V> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
  /** How far behind the store's newest timestamp versions are kept, and records are still taken. */
  readonly historyMs: number;
}

/**
 * Defines a store of the versions of each key by valid-from time, with the rules of Kafka Streams' versioned store (Kafka
 * proposal KIP-889): a version is valid until the next one; null is a tombstone; a put with the timestamp of a version
 * replaces it; a put more than `historyMs` behind the highest timestamp that the store has seen is refused. A look-up further
 * back than that finds only a latest version that was valid then already. A tombstone with the very time of the newest version is
 * remembered only when a value ends at that time: else nothing is known of it afterwards, as in Kafka Streams.
 *
 * @example Tariffs as they were when charging began
 * const tariffs = versionedStore({ name: 'tariffs', key: utf8, value: json<Tariff>('tariff'), historyMs: 400 * 86_400_000 });
 */
export function versionedStore<K, V>(options: VersionedStoreOptions<K, V>): StoreDefinition<VersionedStore<K, V>> {
  return {
    name: options.name,
    kind: 'versioned',
    schemaId: `${options.key.schemaId}/${options.value.schemaId}`,
    key: options.key,
    value: options.value,
    create: () => new MapVersionedStore(options),
  };
}

interface KeyVersions<K, V> {
  readonly identity: string;
  readonly key: K;
  /** Valid-from times ascending; never empty. */
  readonly list: Version<K, V>[];
}

interface Version<K, V> {
  readonly owner: KeyVersions<K, V>;
  readonly fromMs: number;
  value: V | null;
  /** Of a newest version: the history knows of a version that ends at its time, also where none stands before it. */
  endsAnother: boolean;
  changed: boolean;
  persisted: boolean;
  live: boolean;
}

/** The cell of the store's own stream time: shorter than any other, which end in 8 bytes of time. */
const observedCellKey = Uint8Array.of(0);
const tombstone = Uint8Array.of(0);
const valueMark = 1;
const endingMark = 2;
const sweepAfterPuts = 1_024;

class MapVersionedStore<K, V> implements VersionedStore<K, V> {
  readonly name: string;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #historyMs: number;
  readonly #identity: KeyIdentity<K>;
  readonly #byKey = new Map<string, KeyVersions<K, V>>();
  #changed: Version<K, V>[] = [];
  #entries = 0;
  /** The highest timestamp ever put; -1 before the first. */
  #observedMs = -1;
  #observedChanged = false;
  #putsSinceSweep = 0;

  constructor(options: VersionedStoreOptions<K, V>) {
    this.name = options.name;
    this.#key = options.key;
    this.#value = options.value;
    this.#historyMs = options.historyMs;
    this.#identity = keyIdentity(options.key);
  }

  /** Versions, tombstones among them. */
  get entries(): number {
    return this.#entries;
  }

  get changes(): number {
    return this.#changed.length + (this.#observedChanged ? 1 : 0);
  }

  put(key: K, value: V | null, timestampMs: number): boolean {
    if (timestampMs < this.#observedMs - this.#historyMs) return false;
    if (timestampMs > this.#observedMs) {
      this.#observedMs = timestampMs;
      this.#observedChanged = true;
    }
    const owner = this.#own(key);
    const at = firstBehind(owner.list, timestampMs);
    const found = owner.list[at - 1];
    if (found !== undefined && found.fromMs === timestampMs) this.#replace(owner, at - 1, value);
    else this.#markChanged(this.#insert(owner, at, timestampMs, value, false));
    const newest = owner.list.at(-1);
    if (value === null && newest !== undefined && owner.list.at(-2)?.fromMs === timestampMs) this.#endAnother(newest);
    this.#prune(owner);
    this.#sweepNowAndThen();
    return true;
  }

  get(key: K): { readonly value: V; readonly timestampMs: number } | undefined {
    return found(this.#byKey.get(this.#identity.of(key))?.list.at(-1));
  }

  newestMs(key: K): number | undefined {
    return this.#byKey.get(this.#identity.of(key))?.list.at(-1)?.fromMs;
  }

  getAsOf(key: K, asOfMs: number): { readonly value: V; readonly timestampMs: number } | undefined {
    const list = this.#byKey.get(this.#identity.of(key))?.list;
    if (list === undefined) return undefined;
    const at = firstBehind(list, asOfMs) - 1;
    if (asOfMs < this.#observedMs - this.#historyMs && at !== list.length - 1) return undefined;
    return found(list[at]);
  }

  *latest(): IterableIterator<readonly [K, V]> {
    const owners = [...this.#byKey.values()].sort((left, right) => this.#identity.compare(left.identity, right.identity));
    for (const owner of owners) {
      const value = owner.list.at(-1)?.value;
      if (value !== null && value !== undefined) yield [owner.key, value];
    }
  }

  takeChanges(into: Cell[]): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const version of changed) {
      version.changed = false;
      if (version.live) {
        version.persisted = true;
        into.push({ store: this.name, key: this.#cellKey(version), value: this.#cellValue(version) });
      } else if (version.persisted && !this.#holds(version)) {
        into.push({ store: this.name, key: this.#cellKey(version), value: null });
      }
    }
    if (!this.#observedChanged) return;
    this.#observedChanged = false;
    into.push({ store: this.name, key: observedCellKey, value: int64.encode(this.#observedMs) });
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    if (key.length === observedCellKey.length) {
      this.#observedMs = int64.decode(value);
      return;
    }
    const decoded = this.#key.decode(key.subarray(0, key.length - timeBytes));
    const fromMs = int64.decode(key.subarray(key.length - timeBytes));
    const owner = this.#own(decoded);
    const restored = value[0] === 0 ? null : this.#value.decode(value.subarray(1));
    this.#insert(owner, firstBehind(owner.list, fromMs), fromMs, restored, true).endsAnother = value[0] === endingMark;
  }

  restored(): void {}

  #own(key: K): KeyVersions<K, V> {
    const identity = this.#identity.of(key);
    let owner = this.#byKey.get(identity);
    if (owner === undefined) {
      if (this.#identity.direct) checkWellFormed(identity, this.name);
      owner = { identity, key, list: [] };
      this.#byKey.set(identity, owner);
    }
    return owner;
  }

  #insert(owner: KeyVersions<K, V>, at: number, fromMs: number, value: V | null, persisted: boolean): Version<K, V> {
    const version: Version<K, V> = { owner, fromMs, value, endsAnother: false, changed: false, persisted, live: true };
    owner.list.splice(at, 0, version);
    this.#entries += 1;
    return version;
  }

  #replace(owner: KeyVersions<K, V>, index: number, value: V | null): void {
    const { list } = owner;
    const version = list[index] as Version<K, V>;
    const isNewest = index === list.length - 1;
    const before = list[index - 1]?.value;
    if (isNewest && value === null && version.value !== null && !version.endsAnother && (before === null || before === undefined)) {
      list.pop();
      this.#forget(version);
      if (list.length === 0) this.#byKey.delete(owner.identity);
      return;
    }
    if (version.value === null && value !== null) version.endsAnother = isNewest;
    version.value = value;
    this.#markChanged(version);
  }

  #endAnother(newest: Version<K, V>): void {
    if (newest.value === null || newest.endsAnother) return;
    newest.endsAnother = true;
    this.#markChanged(newest);
  }

  /** Lets go of versions that ended before the history began, and of a key whose latest is a tombstone from before it. */
  #prune(owner: KeyVersions<K, V>): void {
    const { list } = owner;
    const historyBeginsMs = this.#observedMs - this.#historyMs;
    while (list.length > 1 && (list[1] as Version<K, V>).fromMs <= historyBeginsMs) this.#forget(list.shift() as Version<K, V>);
    const only = list.length === 1 ? (list[0] as Version<K, V>) : undefined;
    if (only === undefined || only.value !== null || only.fromMs >= historyBeginsMs) return;
    this.#forget(only);
    list.length = 0;
    this.#byKey.delete(owner.identity);
  }

  /** Keys that are not put any more are pruned here: once per as many puts as there are keys, so at a constant cost per put. */
  #sweepNowAndThen(): void {
    this.#putsSinceSweep += 1;
    if (this.#putsSinceSweep < Math.max(sweepAfterPuts, this.#byKey.size)) return;
    this.#putsSinceSweep = 0;
    for (const owner of this.#byKey.values()) this.#prune(owner);
  }

  #forget(version: Version<K, V>): void {
    version.live = false;
    this.#entries -= 1;
    this.#markChanged(version);
  }

  #markChanged(version: Version<K, V>): void {
    if (version.changed) return;
    version.changed = true;
    this.#changed.push(version);
  }

  #holds(version: Version<K, V>): boolean {
    const list = this.#byKey.get(version.owner.identity)?.list;
    return list?.some((held) => held.fromMs === version.fromMs) === true;
  }

  #cellKey(version: Version<K, V>): Uint8Array {
    return keyThenTime(this.#key, version.owner.key, version.fromMs);
  }

  #cellValue({ owner, fromMs, value, endsAnother }: Version<K, V>): Uint8Array {
    return value === null ? tombstone : encodeMarkedValue(endsAnother ? endingMark : valueMark, this.#value, value, owner.key, fromMs);
  }
}

function found<V>(
  version: { readonly value: V | null; readonly fromMs: number } | undefined,
): { readonly value: V; readonly timestampMs: number } | undefined {
  if (version === undefined || version.value === null) return undefined;
  return { value: version.value, timestampMs: version.fromMs };
}

/** Position of the first version that begins behind the time. */
function firstBehind(list: readonly { readonly fromMs: number }[], timeMs: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as { readonly fromMs: number }).fromMs <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

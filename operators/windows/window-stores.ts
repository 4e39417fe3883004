import type { Codec } from '../../schemas/codec.ts';
import { int64 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import { timestamped, type Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';
import type { Rollup } from './periodic-emission.ts';

export interface WindowStores<K, A> {
  /** Aggregates by window start. */
  readonly windows: StoreDefinition<TimeKeyStore<K, Timestamped<A>>>;
  /** The highest timestamp of each key; only where lateness is measured by key. */
  readonly progress: StoreDefinition<KeyValueStore<K, number>> | null;
  /** Results that wait for the close of their window; only where those differ from the windows themselves. */
  readonly pending: StoreDefinition<TimeKeyStore<K, Timestamped<A>>> | null;
  readonly all: readonly StoreDefinition[];
}

/** `meaning` names the windows: state of others would be taken for theirs. */
export function windowStores<K, A>(
  name: string,
  options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
  holdsPending: boolean,
  meaning: string,
): WindowStores<K, A> {
  const value = timestamped(options.aggregate);
  const windows = { ...timeKeyStore({ name, key: options.key, value }), meaning };
  const pending = holdsPending ? { ...timeKeyStore({ name: `${name}.pending`, key: options.key, value }), meaning } : null;
  const progress = options.timeScope === 'key' ? keyValueStore({ name: `${name}.progress`, key: options.key, value: int64 }) : null;
  return { windows, progress, pending, all: [windows, progress, pending].filter((store) => store !== null) };
}

/** What a step with `emit: { everyMs }` keeps: starts of what has changed since it was given, beside the windows. */
export interface PeriodicStores<K, A> extends Pick<WindowStores<K, A>, 'windows' | 'progress' | 'all'> {
  readonly everyMs: number;
  readonly pending: StoreDefinition<TimeKeyStore<K, number>>;
  /** Smallest first. */
  readonly rollups: readonly (Rollup<K, A> & { readonly name: string; readonly pending: StoreDefinition<TimeKeyStore<K, number>> })[];
}

export function periodicStores<K, A>(
  name: string,
  options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
  everyMs: number,
  rollups: readonly (Rollup<K, A> & { readonly name: string })[],
  meaning: string,
): PeriodicStores<K, A> {
  const { windows, progress, all } = windowStores(name, options, false, meaning);
  const pendingStore = (store: string): StoreDefinition<TimeKeyStore<K, number>> => ({ ...timeKeyStore({ name: store, key: options.key, value: int64 }), meaning });
  const pending = pendingStore(`${name}.pending`);
  const withStores = rollups.map((rollup) => ({ ...rollup, pending: pendingStore(`${name}.pending.${rollup.name}`) }));
  return { windows, progress, everyMs, pending, rollups: withStores, all: [...all, pending, ...withStores.map((rollup) => rollup.pending)] };
}

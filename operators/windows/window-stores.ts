import type { Codec } from '../../schemas/codec.ts';
import { int64 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import { timestamped, type Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';

export interface WindowStores<K, A> {
  /** Aggregates by window start. */
  readonly windows: StoreDefinition<TimeKeyStore<K, Timestamped<A>>>;
  /** The highest timestamp of each key; only where lateness is measured by key. */
  readonly progress: StoreDefinition<KeyValueStore<K, number>> | null;
  readonly all: readonly StoreDefinition[];
}

export function windowStores<K, A>(
  name: string,
  options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
): WindowStores<K, A> {
  const windows = timeKeyStore({ name, key: options.key, value: timestamped(options.aggregate) });
  if (options.timeScope !== 'key') return { windows, progress: null, all: [windows] };
  const progress = keyValueStore({ name: `${name}.progress`, key: options.key, value: int64 });
  return { windows, progress, all: [windows, progress] };
}

import type { KeyValueStore, StoreDefinition, VersionedStore } from '../state/local-store.ts';
import type { Timestamped } from '../state/local/timestamped.ts';
import type { TableStore } from './joins/table-lookup.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { handlerStep } from './record-step.ts';

/** What a record did to a table. Null is: not there. */
export interface Change<V> {
  readonly newValue: V | null;
  readonly oldValue: V | null;
  /** False for a record that went into the history behind a newer version. */
  readonly isLatest: boolean;
}

/**
 * Keeps a topic's records in a table's store, and passes on what each changed. A null value deletes. Records without a key are
 * dropped and counted (`null-key`), and those older than a versioned store's history, too (`expired`). Into a key-value store, an
 * out-of-order record goes like any other. Rules of Kafka Streams 4.2 (KTableSource; KIP-889, KIP-914).
 *
 * @example
 * tableSource('stations', versionedStore({ name: 'stations', key: utf8, value: station, historyMs: 400 * 86_400_000 }))
 */
export function tableSource<K, V>(
  name: string, store: TableStore<K, V>,
): Operator<K | null, V | null, K, Change<V>> {
  return {
    kind: 'tableSource',
    name,
    stores: [store],
    reads: [],
    ports: [],
    changesKey: false,
    detail: store.kind,
    build: (context) =>
      handlerStep<StreamRecord<K | null, V | null>, StreamRecord<K, Change<V>>>(context, (emit) => {
        const put = store.kind === 'versioned'
          ? versionedPut(context.store(store as StoreDefinition<VersionedStore<K, V>>))
          : keyValuePut(context.store(store as StoreDefinition<KeyValueStore<K, Timestamped<V>>>));
        return ({ key, value, timestampMs }) => {
          if (key === null || key === undefined) return context.dropped('null-key');
          context.streamTime.advance(timestampMs);
          const change = put(key, value ?? null, timestampMs);
          return change === null ? context.dropped('expired') : emit({ key, value: change, timestampMs });
        };
      }),
  };
}

type Put<K, V> = (key: K, value: V | null, timestampMs: number) => Change<V> | null;

function versionedPut<K, V>(store: VersionedStore<K, V>): Put<K, V> {
  return (key, value, timestampMs) => {
    const latest = store.get(key);
    const newestMs = store.newestMs(key);
    if (!store.put(key, value, timestampMs)) return null;
    return { newValue: value, oldValue: latest?.value ?? null, isLatest: newestMs === undefined || newestMs <= timestampMs };
  };
}

function keyValuePut<K, V>(store: KeyValueStore<K, Timestamped<V>>): Put<K, V> {
  return (key, value, timestampMs) => {
    const oldValue = store.get(key)?.value ?? null;
    if (value === null) store.delete(key);
    else store.put(key, { value, timestampMs });
    return { newValue: value, oldValue, isLatest: true };
  };
}

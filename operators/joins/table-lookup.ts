import type { KeyValueStore, StoreDefinition, VersionedStore } from '../../state/local-store.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { StepContext, TableLookup } from '../operator.ts';

/** The store of a table: the newest value of each key with its timestamp, or its versions. */
export type TableStore<K, V> = StoreDefinition<KeyValueStore<K, Timestamped<V>>> | StoreDefinition<VersionedStore<K, V>>;

/** Looks values up in the store that a table is kept in. */
export function storeLookup<K, V>(context: Pick<StepContext, 'store'>, definition: TableStore<K, V>): TableLookup<K, V> {
  if (definition.kind === 'versioned') return context.store(definition as StoreDefinition<VersionedStore<K, V>>);
  const values = context.store(definition as StoreDefinition<KeyValueStore<K, Timestamped<V>>>);
  return { get: (key) => values.get(key), getAsOf: (key) => values.get(key) };
}

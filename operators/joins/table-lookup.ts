import type { KeyValueStore, StoreDefinition, VersionedStore } from '../../state/local-store.ts';
import type { StepContext, TableReference } from '../operator.ts';

/** How a join finds a table's value: as of a time where the table keeps versions, else as it is now. */
export function tableLookup<K, T>(context: StepContext, table: TableReference<K, T>): (key: K, asOfMs: number) => T | undefined {
  if (table.store.kind === 'versioned') {
    const versions = context.store(table.store as StoreDefinition<VersionedStore<K, T>>);
    return (key, asOfMs) => versions.getAsOf(key, asOfMs)?.value;
  }
  const values = context.store(table.store as StoreDefinition<KeyValueStore<K, T>>);
  return (key) => values.get(key);
}

import type { TableReference } from '../operator.ts';
import { storeLookup, type TableStore } from '../joins/table-lookup.ts';

/** A table that is kept in a store, as a join sees it. */
export function tableIn<K, V>(name: string, store: TableStore<K, V>, global = false): TableReference<K, V> {
  return { name, global, versioned: store.kind === 'versioned', reads: [name], open: (context) => storeLookup(context, store) };
}

import {
  joinedLookup, joinTables, joinTableWithItself, selfJoinedLookup, type ChangingTable, type TableJoiner, type TableJoinType,
} from '../operators/join-tables.ts';
import type { Operator } from '../operators/operator.ts';
import { invalid } from './invalid.ts';
import type { TableAccess } from './table.ts';

/** A name, or none: then the topology numbers the step, which keeps nothing. */
export type TableJoinArguments<T, J> =
  | readonly [other: T, joiner: J]
  | readonly [name: string, other: T, joiner: J];

export function namedJoin<T, J>(given: TableJoinArguments<T, J>): { readonly name: string | null; readonly other: T; readonly joiner: J } {
  return given.length === 3 ? { name: given[0], other: given[1], joiner: given[2] } : { name: null, other: given[0], joiner: given[1] };
}

export interface TableJoin<K, J> {
  readonly operator: Operator<never, never, unknown, unknown>;
  readonly access: TableAccess<K, J>;
}

/**
 * The step that joins two tables' changes, and how the joined values are looked up.
 *
 * @throws VoltstreamError TOPOLOGY_INVALID when both are computed from one kept table, but are not the same: one record would
 * change both sides at once, so that no look-up could tell what the join held before.
 */
export function joinOfTables<K, L, R, J>(
  name: string | null, type: TableJoinType, left: ChangingTable<K, L>, right: ChangingTable<K, R>, joiner: TableJoiner<K, L, R, J>,
): TableJoin<K, J> {
  if (left.node === right.node) return joinWithItself(name, type, left, joiner as unknown as TableJoiner<K, L, L, J>);
  const shared = left.reads.filter((table) => right.reads.includes(table));
  if (shared.length > 0) {
    throw invalid(
      name ?? `${left.name} with ${right.name}`, 'both sides of a join of tables are computed from the same table',
      'tables that are kept apart, or mapValues() on the one that both come from', shared.join(', '),
    );
  }
  return {
    operator: joinTables(name, type, left, right, joiner) as Operator<never, never, unknown, unknown>,
    access: {
      versioned: false,
      reads: [...left.reads, ...right.reads],
      open: (context) => joinedLookup(type, left.open(context), right.open(context), joiner),
    },
  };
}

function joinWithItself<K, V, J>(
  name: string | null, type: TableJoinType, table: ChangingTable<K, V>, joiner: TableJoiner<K, V, V, J>,
): TableJoin<K, J> {
  return {
    operator: joinTableWithItself(name, type, table, joiner) as Operator<never, never, unknown, unknown>,
    access: { versioned: false, reads: table.reads, open: (context) => selfJoinedLookup(table.open(context), joiner) },
  };
}

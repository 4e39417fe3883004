import type { Change } from './table-source.ts';
import type { Operator, StreamRecord, TableLookup, TableReference } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';

/** Which keys a join of two tables has: those of both, of the left one, of either. */
export type TableJoinType = 'inner' | 'left' | 'outer';

/** A side that the type of the join does not need may be null; a null result is: not there. */
export type TableJoiner<K, L, R, J> = (left: L | null, right: R | null, key: K) => J | null;

/** A table that sends its changes, too: the node whose main output they are. */
export interface ChangingTable<K, V> extends TableReference<K, V> {
  readonly node: string;
}

/**
 * Joins the changes of two tables, each with what the other table holds at that moment: the left one's come by input 0, the
 * right one's by input 1. Keeps nothing.
 *
 * A change whose key the other table does not have gives nothing where the join needs both; where it does not, a change from
 * nothing to nothing gives nothing. Everything else is passed on, also when the result is the same as before, with the later
 * of both sides' timestamps. Changes behind the newest version of a versioned table are dropped and counted (`out-of-order`).
 * Rules of Kafka Streams 4.2 (KTableKTableInnerJoin, LeftJoin, RightJoin, OuterJoin; KIP-914).
 */
export function joinTables<K, L, R, J>(
  name: string | null, type: TableJoinType, left: TableReference<K, L>, right: ChangingTable<K, R>, joiner: TableJoiner<K, L, R, J>,
): Operator<K, Change<L> | Change<R>, K, Change<J>> {
  return {
    kind: `${type}JoinTables`,
    name,
    others: [{ node: right.node, port: 'out' }],
    stores: [],
    reads: [...left.reads, ...right.reads],
    ports: [],
    changesKey: false,
    detail: `${left.name} with ${right.name}`,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<L> | Change<R>>, StreamRecord<K, Change<J>>>(context, (emit) => {
        const fromLeft = new JoinSide<K, L, R, J>(right.open(context), type !== 'inner', type === 'outer', joiner);
        const fromRight = new JoinSide<K, R, L, J>(
          left.open(context), type === 'outer', type !== 'inner', (own, other, key) => joiner(other, own, key),
        );
        const leftIsVersioned = left.versioned;
        const rightIsVersioned = right.versioned;
        return (record) => {
          const isLeft = context.input === 0;
          if (!record.value.isLatest && (isLeft ? leftIsVersioned : rightIsVersioned)) return context.dropped('out-of-order');
          const joined = isLeft
            ? fromLeft.join(record as StreamRecord<K, Change<L>>) : fromRight.join(record as StreamRecord<K, Change<R>>);
          return joined === null ? undefined : emit(joined);
        };
      }),
  };
}

/** One side of a join: its changes, looked up in the other table. */
class JoinSide<K, V, O, J> {
  readonly #other: TableLookup<K, O>;
  /** The join has keys of this side that the other one has not. */
  readonly #standsAlone: boolean;
  /** And the other way round. */
  readonly #otherStandsAlone: boolean;
  readonly #joiner: TableJoiner<K, V, O, J>;

  constructor(other: TableLookup<K, O>, standsAlone: boolean, otherStandsAlone: boolean, joiner: TableJoiner<K, V, O, J>) {
    this.#other = other;
    this.#standsAlone = standsAlone;
    this.#otherStandsAlone = otherStandsAlone;
    this.#joiner = joiner;
  }

  join({ key, value, timestampMs }: StreamRecord<K, Change<V>>): StreamRecord<K, Change<J>> | null {
    const found = this.#other.get(key);
    const { newValue, oldValue, isLatest } = value;
    if (found === undefined && (!this.#standsAlone || (newValue === null && oldValue === null))) return null;
    const other = found === undefined ? null : found.value;
    return {
      key,
      value: { newValue: this.#value(newValue, other, key), oldValue: this.#value(oldValue, other, key), isLatest },
      timestampMs: found === undefined ? timestampMs : Math.max(timestampMs, found.timestampMs),
    };
  }

  #value(own: V | null, other: O | null, key: K): J | null {
    if (own === null && (other === null || !this.#otherStandsAlone)) return null;
    return this.#joiner(own, other, key);
  }
}

/**
 * What a join of two tables holds for a key: looked up in both and joined, nothing kept. Its timestamp is the later of both
 * sides'. A join has no versions of its own (KIP-914), so that it is always looked up as it is now.
 */
export function joinedLookup<K, L, R, J>(
  type: TableJoinType, left: TableLookup<K, L>, right: TableLookup<K, R>, joiner: TableJoiner<K, L, R, J>,
): TableLookup<K, J> {
  const get: TableLookup<K, J>['get'] = (key) => {
    const own = left.get(key);
    if (own === undefined && type !== 'outer') return undefined;
    const other = right.get(key);
    if (other === undefined && (type === 'inner' || own === undefined)) return undefined;
    const value = joiner(own === undefined ? null : own.value, other === undefined ? null : other.value, key);
    return value === null ? undefined : { value, timestampMs: Math.max(own?.timestampMs ?? -1, other?.timestampMs ?? -1) };
  };
  return { get, getAsOf: get };
}

/**
 * Joins a table with itself: each value with itself. One record changes both sides at once, so each change is passed on once,
 * also where Kafka Streams, which takes the sides one after the other, gives two records, or none for a deletion.
 */
export function joinTableWithItself<K, V, J>(
  name: string | null, type: TableJoinType, table: TableReference<K, V>, joiner: TableJoiner<K, V, V, J>,
): Operator<K, Change<V>, K, Change<J>> {
  const join = (value: V | null, key: K): J | null => (value === null ? null : joiner(value, value, key));
  return {
    ...stateless,
    kind: `${type}JoinTables`,
    name,
    detail: `${table.name} with itself`,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<K, Change<J>>>(context, (emit) => ({ key, value, timestampMs }) => {
        const { newValue, oldValue, isLatest } = value;
        if (!isLatest && table.versioned) return context.dropped('out-of-order');
        if (newValue === null && oldValue === null) return undefined;
        return emit({ key, value: { newValue: join(newValue, key), oldValue: join(oldValue, key), isLatest }, timestampMs });
      }),
  };
}

export function selfJoinedLookup<K, V, J>(table: TableLookup<K, V>, joiner: TableJoiner<K, V, V, J>): TableLookup<K, J> {
  const get: TableLookup<K, J>['get'] = (key) => {
    const found = table.get(key);
    const value = found === undefined ? null : joiner(found.value, found.value, key);
    return found === undefined || value === null ? undefined : { value, timestampMs: found.timestampMs };
  };
  return { get, getAsOf: get };
}

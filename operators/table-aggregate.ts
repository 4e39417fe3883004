import { aggregateUpdate, type AggregateStore, type Following } from './aggregates/aggregate-store.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { handlerStep } from './record-step.ts';
import type { Change } from './table-source.ts';
import type { Fold } from './aggregate.ts';

/** How a group's aggregate takes a value in, and out again. Null deletes the aggregate. */
export interface TableAggregateFolds<K, V, A, I = A> {
  readonly initial: () => I;
  readonly add: Fold<K, V, A, I>;
  /** Not called for a group without an aggregate: what it would be taken from is not there. */
  readonly subtract: Fold<K, V, A>;
}

export type TableReduceFolds<K, V> = Pick<TableAggregateFolds<K, V, V>, 'add' | 'subtract'>;

type Aggregating<K, V, A> = Operator<K, Change<V>, K, Change<A>>;

/**
 * Aggregates the rows of a table by group: of each change, the old value is subtracted first, then the new one is added, and
 * one change of the aggregate is emitted.
 *
 * When subtracting deletes the aggregate, adding starts from `initial` again. The change's timestamp is the highest of those
 * that the aggregate was made from, also of values that have been subtracted. Rules of Kafka Streams 4.2 (KTableAggregate,
 * KIP-904); a change without any aggregate before or after it is passed on, too.
 *
 * @example
 * aggregateTable('load', aggregateStore('load', utf8, float64), {
 *   initial: () => 0, add: (powerW, connector) => powerW + connector.powerW, subtract: (powerW, connector) => powerW - connector.powerW,
 * })
 */
export function aggregateTable<K, V, A, I = A>(
  name: string, store: AggregateStore<K, A>, { initial, add, subtract }: TableAggregateFolds<K, V, A, I>,
  kind: 'aggregateTable' | 'countTable' = 'aggregateTable',
): Aggregating<K, V, A> {
  return aggregating(kind, name, store, (aggregate, { oldValue, newValue }, key) => {
    const left = aggregate === null || oldValue === null ? aggregate : subtract(aggregate, oldValue, key) ?? null;
    return newValue === null ? left : add(left === null ? initial() : left, newValue, key);
  });
}

/**
 * Like `aggregateTable`, but a group's first value is its first aggregate, as it is (KTableReduce).
 *
 * @example
 * reduceTable('total', aggregateStore('total', utf8, float64), { add: (total, wh) => total + wh, subtract: (total, wh) => total - wh })
 */
export function reduceTable<K, V>(
  name: string, store: AggregateStore<K, V>, { add, subtract }: TableReduceFolds<K, V>,
): Aggregating<K, V, V> {
  return aggregating('reduceTable', name, store, (aggregate, { oldValue, newValue }, key) => {
    const left = aggregate === null || oldValue === null ? aggregate : subtract(aggregate, oldValue, key) ?? null;
    if (newValue === null) return left;
    return left === null ? newValue : add(left, newValue, key);
  });
}

function aggregating<K, V, A>(
  kind: string, name: string, store: AggregateStore<K, A>, following: Following<K, Change<V>, A>,
): Aggregating<K, V, A> {
  return {
    kind,
    name,
    stores: [store],
    reads: [],
    ports: [],
    changesKey: false,
    detail: 'subtracts old, adds new',
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<K, Change<A>>>(context, (emit) => {
        const update = aggregateUpdate<K, Change<V>, A>(context, store, emit);
        return ({ key, value, timestampMs }) => update(key, value, timestampMs, following);
      }),
  };
}

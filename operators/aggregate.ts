import { aggregateUpdate, type AggregateStore, type Following } from './aggregates/aggregate-store.ts';
import type { Operator, StreamRecord, StreamReference } from './operator.ts';
import { handlerStep } from './record-step.ts';
import type { Change } from './table-source.ts';

/**
 * How a key's aggregate, or what it starts at, goes on with a value. Gives a new aggregate, must not change the old one; null
 * deletes it.
 */
export type Fold<K, V, A, I = A> = (aggregate: A | I, value: V, key: K) => A | null;

type Aggregating<K, V, A> = Operator<K | null, V | null, K, Change<A>>;

/**
 * Folds the values of each key into one aggregate, kept as a table: a change for each record, at once.
 *
 * The change's timestamp is the highest of the records in the aggregate, whatever their order. Null from the fold deletes the
 * aggregate, and the next record starts a new one. Records without a key or a value are dropped and counted (`null-key`,
 * `null-value`). Rules of Kafka Streams 4.2 (KStreamAggregate), but the old value of a key's first change is null, where Kafka
 * Streams without a cache says that the initial aggregate had been there.
 *
 * @example
 * aggregateStream('energy', aggregateStore('energy', utf8, float64), () => 0, (wh, reading: MeterValue) => wh + reading.deltaWh)
 */
export function aggregateStream<K, V, A, I = A>(
  name: string, store: AggregateStore<K, A>, initial: () => I, fold: Fold<K, V, A, I>, kind: 'aggregate' | 'count' = 'aggregate',
): Aggregating<K, V, A> {
  return aggregating(kind, name, store, [startingAt(initial, fold)], []);
}

/**
 * Like `aggregateStream`, but a key's first value is its first aggregate, as it is (KStreamReduce).
 *
 * @example
 * reduceStream('highest', aggregateStore('highest', utf8, float64), (highest, value) => Math.max(highest, value))
 */
export function reduceStream<K, V>(name: string, store: AggregateStore<K, V>, fold: Fold<K, V, V>): Aggregating<K, V, V> {
  return aggregating<K, V, V>('reduce', name, store, [(aggregate, value, key) => (aggregate === null ? value : fold(aggregate, value, key))], []);
}

/**
 * Like `aggregateStream`, over several streams with a fold each: the first for the stream that is piped into it, then those of
 * `others` in order. Records come in the order in which the task takes them (lowest timestamp first). KIP-150.
 *
 * @example
 * cogroupStreams('activity', aggregateStore('activity', utf8, json<Activity>()), () => none, [addSession, addAlert], [alerts])
 */
export function cogroupStreams<K, A, I = A>(
  name: string, store: AggregateStore<K, A>, initial: () => I, folds: readonly Fold<K, unknown, A, I>[],
  others: readonly StreamReference<unknown, unknown>[],
): Aggregating<K, unknown, A> {
  return aggregating('cogroup', name, store, folds.map((fold) => startingAt(initial, fold)), others);
}

function startingAt<K, V, A, I>(initial: () => I, fold: Fold<K, V, A, I>): Following<K, V, A> {
  return (aggregate, value, key) => fold(aggregate === null ? initial() : aggregate, value, key);
}

function aggregating<K, V, A>(
  kind: 'aggregate' | 'count' | 'reduce' | 'cogroup', name: string, store: AggregateStore<K, A>,
  folds: readonly Following<K, V, A>[], others: readonly StreamReference<unknown, unknown>[],
): Aggregating<K, V, A> {
  return {
    kind,
    name,
    others,
    stores: [store],
    reads: [],
    ports: [],
    changesKey: false,
    detail: others.length === 0 ? '' : `${folds.length} streams`,
    build: (context) =>
      handlerStep<StreamRecord<K | null, V | null>, StreamRecord<K, Change<A>>>(context, (emit) => {
        const update = aggregateUpdate<K, V, A>(context, store, emit);
        return ({ key, value, timestampMs }) => {
          if (key === null || key === undefined) return context.dropped('null-key');
          if (value === null || value === undefined) return context.dropped('null-value');
          return update(key, value, timestampMs, folds[context.input] as Following<K, V, A>);
        };
      }),
  };
}

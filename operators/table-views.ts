import type { Operator, StreamRecord, TableLookup } from './operator.ts';
import { recordStep, handlerStep, stateless } from './record-step.ts';
import type { Change } from './table-source.ts';

/** How a view of a table shows a value; null hides it. */
export type View<K, V, R> = (value: V, key: K) => R | null;

/**
 * The changes of a table as its view shows them: both sides of a change pass the view. A change that a filter shows on neither
 * side gives nothing, so that no tombstone is sent for what was never there; but of a versioned table, where it may be a version
 * in the middle, it is passed on (Kafka Streams 4.2, KTableFilter with old values, KTableMapValues; KIP-914).
 */
export function viewTable<K, V, R>(
  kind: 'filterTable' | 'mapTableValues', view: View<K, V, R>, versioned: boolean,
): Operator<K, Change<V>, K, Change<R>> {
  const hidesNothing = kind !== 'filterTable' || versioned;
  return {
    ...stateless,
    kind,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<K, Change<R>>>(context, (emit) => ({ key, value, timestampMs }) => {
        const newValue = value.newValue === null ? null : view(value.newValue, key);
        const oldValue = value.oldValue === null ? null : view(value.oldValue, key);
        if (newValue === null && oldValue === null && !hidesNothing) return;
        emit({ key, value: { newValue, oldValue, isLatest: value.isLatest }, timestampMs });
      }),
  };
}

/** The values of a table as its view shows them: nothing is kept, each look-up passes the view. */
export function viewLookup<K, V, R>(table: TableLookup<K, V>, view: View<K, V, R>): TableLookup<K, R> {
  const show = (key: K, found: ReturnType<TableLookup<K, V>['get']>): ReturnType<TableLookup<K, R>['get']> => {
    if (found === undefined) return undefined;
    const value = view(found.value, key);
    return value === null ? undefined : { value, timestampMs: found.timestampMs };
  };
  return {
    get: (key) => show(key, table.get(key)),
    getAsOf: (key, asOfMs) => show(key, table.getAsOf(key, asOfMs)),
  };
}

/** A table's changes as a stream of its new values; null where a key was deleted. */
export function tableToStream<K, V>(): Operator<K, Change<V>, K, V | null> {
  return {
    ...stateless,
    kind: 'toStream',
    build: () => recordStep<StreamRecord<K, Change<V>>, StreamRecord<K, V | null>>((down) => ({ key, value, timestampMs }) =>
      down.next({ key, value: value.newValue, timestampMs })),
  };
}

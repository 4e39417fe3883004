import type { Operator, StreamRecord, TableReference } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';

/**
 * Joins each record with a global table by a key taken from the record: a versioned table's value as of the record's timestamp,
 * another's as it is now. The record's own key stays, and no repartition is needed.
 *
 * A record whose table key is not there gives nothing. Records without a value, or whose table key is null, are dropped and
 * counted. Rules of Kafka Streams 4.2 (KStreamKTableJoinProcessor over a global table).
 *
 * @example
 * joinGlobalTable(tariffs, (session) => session.tariffId, (session, tariff) => ({ ...session, cost: price(session, tariff) }))
 */
export function joinGlobalTable<K, V, TK, T, R>(
  table: TableReference<TK, T>,
  select: (value: NonNullable<V>, key: K) => TK | null,
  join: (value: NonNullable<V>, tableValue: T, key: K) => R,
): Operator<K, V, K, R> {
  return globalJoin('joinGlobalTable', table, select, (value, tableValue, key) => join(value, tableValue as T, key), false);
}

/**
 * Like `joinGlobalTable`, but joins a record whose table key is not there with null. As in Kafka Streams, a record without a
 * key of its own is kept even when its table key is null.
 *
 * @example
 * leftJoinGlobalTable(vehicles, (session) => session.vehicleModel, (session, vehicle) => ({ ...session, vehicle }))
 */
export function leftJoinGlobalTable<K, V, TK, T, R>(
  table: TableReference<TK, T>,
  select: (value: NonNullable<V>, key: K) => TK | null,
  join: (value: NonNullable<V>, tableValue: T | null, key: K) => R,
): Operator<K, V, K, R> {
  return globalJoin('leftJoinGlobalTable', table, select, join, true);
}

function globalJoin<K, V, TK, T, R>(
  kind: string,
  table: TableReference<TK, T>,
  select: (value: NonNullable<V>, key: K) => TK | null,
  join: (value: NonNullable<V>, tableValue: T | null, key: K) => R,
  keepsUnmatched: boolean,
): Operator<K, V, K, R> {
  return {
    ...stateless,
    kind,
    reads: table.reads,
    detail: `with ${table.name}`,
    build: (context) =>
      handlerStep<StreamRecord<K, V>, StreamRecord<K, R>>(context, (emit) => {
        const values = table.open(context);
        return ({ key, value, timestampMs }) => {
          if (value === null || value === undefined) return context.dropped('null-value');
          const tableKey = select(value, key);
          const hasKey = key !== null && key !== undefined;
          if (tableKey === null && !(keepsUnmatched && !hasKey)) return context.dropped('null-key');
          const found = tableKey === null ? undefined : values.getAsOf(tableKey, timestampMs);
          if (found === undefined && !keepsUnmatched) return undefined;
          return emit({ key, value: join(value, found === undefined ? null : found.value, key), timestampMs });
        };
      }),
  };
}

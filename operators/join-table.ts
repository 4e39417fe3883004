import { VoltstreamError } from '../errors.ts';
import type { Codec } from '../schemas/codec.ts';
import { timeKeyStore } from '../state/local/time-key-store.ts';
import type { StoreDefinition, TimeKeyStore } from '../state/local-store.ts';
import type { Operator, StreamRecord, TableReference } from './operator.ts';
import { handlerStep } from './record-step.ts';
import { listCodec } from './joins/list-codec.ts';
import { wantMilliseconds } from './windows/window-span.ts';

/**
 * Waits with each record until the step's own time is this far ahead of it, so that table versions which arrive late are still
 * seen. Needs a versioned table and the forms of the records that wait.
 */
export interface JoinGrace<K, V> {
  readonly graceMs: number;
  readonly key: Codec<NonNullable<K>>;
  readonly value: Codec<NonNullable<V>>;
}

/**
 * Joins each record with the table's value of its key: a versioned table's as of the record's timestamp, another's as it is now.
 *
 * A record whose key is not in the table gives nothing (`leftJoinTable`: joins it with null). Records without a key or a value
 * are dropped and counted; a left join keeps those without a key. Tables never advance the step's time. With a grace, records
 * wait and leave in the order of (timestamp, key bytes, arrival); one that is later than the grace is joined at once.
 * Rules of Kafka Streams 4.2 (KStreamKTableJoinProcessor; KIP-914, KIP-923 for the grace).
 *
 * @example
 * joinTable('with-station', stations, (event, station) => ({ ...event, siteId: station.siteId }))
 */
export function joinTable<K, V, T, R>(
  name: string,
  table: TableReference<K, T>,
  join: (value: V, tableValue: T, key: K) => R,
  grace?: JoinGrace<K, V>,
): Operator<K | null, V | null, K, R> {
  const inner = tableJoin<K | null, V | null, T, R>(
    'joinTable', name, table as TableReference<NonNullable<K>, T>, (value, tableValue, key) => join(value, tableValue as T, key as K), false,
    grace as JoinGrace<K | null, V | null> | undefined,
  );
  // Records without a key do not come out of it.
  return inner as Operator<K | null, V | null, K, R>;
}

/**
 * Like `joinTable`, but joins a record whose key is not in the table, or that has no key, with null.
 *
 * @example
 * leftJoinTable('with-station', stations, (event, station) => ({ ...event, siteId: station?.siteId ?? null }))
 */
export function leftJoinTable<K, V, T, R>(
  name: string,
  table: TableReference<NoInfer<NonNullable<K>>, T>,
  join: (value: NonNullable<V>, tableValue: T | null, key: K) => R,
  grace?: JoinGrace<NoInfer<K>, NoInfer<V>>,
): Operator<K, V, K, R> {
  return tableJoin('leftJoinTable', name, table, join, true, grace);
}

type Buffer<K, V> = StoreDefinition<TimeKeyStore<NonNullable<K>, readonly NonNullable<V>[]>>;

function tableJoin<K, V, T, R>(
  kind: string,
  name: string,
  table: TableReference<NonNullable<K>, T>,
  join: (value: NonNullable<V>, tableValue: T | null, key: K) => R,
  keepsUnmatched: boolean,
  grace: JoinGrace<K, V> | undefined,
): Operator<K, V, K, R> {
  const buffer = grace === undefined || grace.graceMs === 0 ? null : defineBuffer(name, table, grace);
  const graceMs = grace?.graceMs ?? 0;
  return {
    kind,
    name,
    stores: buffer === null ? [] : [buffer],
    reads: table.reads,
    ports: [],
    changesKey: false,
    detail: `with ${table.name}${buffer === null ? '' : `, grace ${graceMs} ms`}`,
    build: (context) =>
      handlerStep<StreamRecord<K, V>, StreamRecord<K, R>>(context, (emit) => {
        const values = table.open(context);
        const { streamTime } = context;
        const waiting = buffer === null ? null : context.store(buffer);
        const joinNow = (key: K, value: NonNullable<V>, timestampMs: number): void => {
          const found = key === null || key === undefined ? undefined : values.getAsOf(key as NonNullable<K>, timestampMs);
          if (found === undefined && !keepsUnmatched) return;
          emit({ key, value: join(value, found === undefined ? null : found.value, key), timestampMs });
        };
        return ({ key, value, timestampMs }) => {
          if (value === null || value === undefined) return context.dropped('null-value');
          const hasKey = key !== null && key !== undefined;
          if (!hasKey && !keepsUnmatched) return context.dropped('null-key');
          if (waiting === null || !hasKey || timestampMs < streamTime.ms - graceMs) {
            if (waiting === null) streamTime.advance(timestampMs);
            return joinNow(key, value, timestampMs);
          }
          streamTime.advance(timestampMs);
          waiting.put(key, timestampMs, [...(waiting.get(key, timestampMs) ?? []), value]);
          const dueMs = streamTime.ms - graceMs;
          if ((waiting.earliestMs ?? Number.POSITIVE_INFINITY) > dueMs) return undefined;
          for (const due of waiting.drain(dueMs)) for (const one of due.value) joinNow(due.key, one, due.timeMs);
          return undefined;
        };
      }),
  };
}

function defineBuffer<K, V>(name: string, table: TableReference<NonNullable<K>, unknown>, grace: JoinGrace<K, V>): Buffer<K, V> {
  wantMilliseconds(name, 'graceMs', grace.graceMs);
  if (!table.versioned) {
    throw new VoltstreamError('TOPOLOGY_INVALID', 'a join with a grace needs the versions of its table', {
      where: name, wanted: `table ${table.name} with historyMs`, got: 'a table without versions',
    });
  }
  return timeKeyStore({ name: `${name}.waiting`, key: grace.key, value: listCodec(grace.value) });
}

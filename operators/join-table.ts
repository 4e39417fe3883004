import { VoltstreamError } from '../errors.ts';
import type { Codec } from '../schemas/codec.ts';
import { timeKeyStore } from '../state/local/time-key-store.ts';
import type { StoreDefinition, TimeKeyStore } from '../state/local-store.ts';
import type { Operator, StepContext, StreamRecord, TableReference } from './operator.ts';
import { handlerStep, type Emit } from './record-step.ts';
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
 * wait and leave in the order of (timestamp, key bytes, arrival); one that is later than the grace is joined at once, as is one
 * without a key in a left join (at which Kafka Streams fails when there is a grace). What waited goes on with the origin of the
 * record, or the idle time of the sources, that released it: a row that wants the origin of its own takes it along in the value.
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
        const joined = (key: K, value: NonNullable<V>, timestampMs: number): StreamRecord<K, R> | null => {
          const found = key === null || key === undefined ? undefined : values.getAsOf(key as NonNullable<K>, timestampMs);
          if (found === undefined && !keepsUnmatched) return null;
          return { key, value: join(value, found === undefined ? null : found.value, key), timestampMs };
        };
        const waits = buffer === null ? null : waitingRecords(context, context.store(buffer), graceMs, joined, emit);
        return ({ key, value, timestampMs }) => {
          if (value === null || value === undefined) return context.dropped('null-value');
          const hasKey = key !== null && key !== undefined;
          if (!hasKey && !keepsUnmatched) return context.dropped('null-key');
          if (waits !== null && hasKey && waits(key, value, timestampMs)) return undefined;
          if (waits === null) context.streamTime.advance(timestampMs);
          const record = joined(key, value, timestampMs);
          return record === null ? undefined : emit(record);
        };
      }),
  };
}

/** Lets records wait for the grace; the function that it gives takes one in, and is false for one that is too late to wait. */
function waitingRecords<K, V, R>(
  context: StepContext,
  waiting: TimeKeyStore<NonNullable<K>, readonly NonNullable<V>[]>,
  graceMs: number,
  joined: (key: K, value: NonNullable<V>, timestampMs: number) => StreamRecord<K, R> | null,
  emit: Emit<StreamRecord<K, R>>,
): (key: NonNullable<K>, value: NonNullable<V>, timestampMs: number) => boolean {
  const { streamTime } = context;
  const leave = (key: K, value: NonNullable<V>, timestampMs: number): void => {
    let record: StreamRecord<K, R> | null;
    try {
      record = joined(key, value, timestampMs);
    } catch (error) {
      // The failure of this record, not of the one that has come in; and the others shall leave all the same.
      context.failed(error, { key, value, timestampMs }, 'kept');
      return;
    }
    if (record !== null) emit(record);
  };
  const releaseDue = (): void => {
    const dueMs = streamTime.ms - graceMs;
    if ((waiting.earliestMs ?? Number.POSITIVE_INFINITY) > dueMs) return;
    for (const { key, value: values, timeMs } of waiting.drain(dueMs)) for (const value of values) leave(key, value, timeMs);
  };
  context.onIdle((timeMs) => {
    streamTime.advance(timeMs);
    releaseDue();
  });
  return (key, value, timestampMs) => {
    if (timestampMs < streamTime.ms - graceMs) return false;
    streamTime.advance(timestampMs);
    waiting.put(key, timestampMs, [...(waiting.get(key, timestampMs) ?? []), value]);
    releaseDue();
    return true;
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

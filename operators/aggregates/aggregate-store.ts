import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timestamped, type Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, StoreDefinition } from '../../state/local-store.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StepContext, StreamRecord } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { Change } from '../table-source.ts';

/** Where an aggregate is kept: by key, with the highest timestamp of what it was made from. */
export type AggregateStore<K, A> = StoreDefinition<KeyValueStore<K, Timestamped<A>>>;

export function aggregateStore<K, A>(name: string, key: Codec<K>, aggregate: Codec<A>): AggregateStore<K, A> {
  return keyValueStore({ name, key, value: timestamped(aggregate) });
}

/** Gives the aggregate that follows from the one of a key so far, null when there is none; null deletes. */
export type Following<K, V, A> = (aggregate: A | null, value: V, key: K) => A | null | undefined;

/**
 * Puts the aggregate that follows for a key, and emits the change. Its timestamp is the record's, or that of the aggregate so
 * far where that is higher; an aggregate that was deleted leaves no timestamp behind. The change is emitted also when the
 * aggregate is the same as before, or was not there and still is not (KStreamAggregate and KTableAggregate).
 */
export function aggregateUpdate<K, V, A>(
  context: Pick<StepContext, 'store'>, definition: AggregateStore<K, A>, emit: Emit<StreamRecord<K, Change<A>>>,
): (key: K, value: V, timestampMs: number, following: Following<K, V, A>) => void {
  const store = context.store(definition);
  return (key, value, timestampMs, following) => {
    const old = store.get(key);
    const oldValue = old === undefined ? null : old.value;
    const newValue = following(oldValue, value, key) ?? null;
    const highestMs = old === undefined || old.timestampMs < timestampMs ? timestampMs : old.timestampMs;
    if (newValue !== null) store.put(key, { value: newValue, timestampMs: highestMs });
    else if (old !== undefined) store.delete(key);
    emit({ key, value: { newValue, oldValue, isLatest: true }, timestampMs: highestMs });
  };
}

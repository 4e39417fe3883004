import type { Codec } from '../../schemas/codec.ts';
import type { ValueHash } from '../../schemas/value-hash.ts';
import { groupedStore } from '../../state/local/grouped-store.ts';
import { keyIdentity } from '../../state/local/key-identity.ts';
import type { GroupedStore } from '../../state/local-store.ts';
import type { ChangingTable } from '../join-tables.ts';
import type { Operator, StreamRecord, TableLookup } from '../operator.ts';
import { handlerStep, type Emit } from '../record-step.ts';
import type { Change } from '../table-source.ts';
import { subscriberCodec, type Answer, type Subscription } from './foreign-key-messages.ts';

/** Codecs of the left table's keys and values, and of the right table's keys. */
export interface ForeignKeyCodecs<K, V, FK> {
  readonly key: Codec<K>;
  readonly value: Codec<V>;
  readonly foreignKey: Codec<FK>;
}

/**
 * The second third of a foreign-key join, beside the right table: keeps who has subscribed to which foreign key, and answers
 * under the left key. Subscriptions come by input 0, the right table's changes by input 1.
 *
 * A subscription is answered with the value as it is now and the later of both timestamps; a change is told to all who have
 * subscribed to its key, in the order of their keys' bytes, with the change's timestamp. Changes behind the newest version of a
 * versioned table are dropped and counted (`out-of-order`). A change costs as much as its key has subscribers, whatever else is kept.
 * Rules of Kafka Streams 4.2 (SubscriptionReceiveProcessorSupplier, SubscriptionJoinProcessorSupplier,
 * ForeignTableJoinProcessorSupplier; KIP-213, KIP-914).
 */
export function foreignKeyAnswer<K, V, FK, T>(
  name: string, right: ChangingTable<FK, T>, codecs: ForeignKeyCodecs<K, V, FK>,
): Operator<FK, Subscription<K> | Change<T>, K, Answer<T>> {
  const store = groupedStore({ name, value: subscriberCodec(codecs.foreignKey, codecs.key, codecs.value) });
  return {
    kind: 'foreignKeyAnswer',
    name,
    others: [{ node: right.node, port: 'out' }],
    stores: [store],
    reads: right.reads,
    ports: [],
    changesKey: false,
    detail: `from ${right.name}`,
    build: (context) =>
      handlerStep<StreamRecord<FK, Subscription<K> | Change<T>>, StreamRecord<K, Answer<T>>>(context, (emit) => {
        const subscribers = new Subscribers(context.store(store), codecs);
        const values = right.open(context);
        return (record) => {
          if (record.key === null || record.key === undefined) return context.dropped('null-key');
          if (context.input === 0) return answer(record as StreamRecord<FK, Subscription<K>>, subscribers, values, emit);
          const { key, value, timestampMs } = record as StreamRecord<FK, Change<T>>;
          if (right.versioned && !value.isLatest) return context.dropped('out-of-order');
          for (const [leftKey, hash] of subscribers.of(key)) emit({ key: leftKey, value: { hash, value: value.newValue, quiet: false }, timestampMs });
          return undefined;
        };
      }),
  };
}

function answer<K, FK, T>(
  { key: foreignKey, value: subscription, timestampMs }: StreamRecord<FK, Subscription<K>>,
  subscribers: Subscribers<K, FK>, values: TableLookup<FK, T>, emit: Emit<StreamRecord<K, Answer<T>>>,
): void {
  const { instruction, key, hash } = subscription;
  if (instruction === 'unsubscribe' || instruction === 'unsubscribe-and-answer') subscribers.delete(foreignKey, key);
  else if (hash !== null) subscribers.put(foreignKey, key, hash);
  if (instruction === 'unsubscribe') return;
  const found = values.get(foreignKey);
  const value = instruction === 'unsubscribe-and-answer' || found === undefined ? null : found.value;
  const quiet = instruction === 'subscribe-quietly' && value === null;
  emit({ key, value: { hash, value, quiet }, timestampMs: found === undefined ? timestampMs : Math.max(timestampMs, found.timestampMs) });
}

/** Who has subscribed to which foreign key, with the hash of the value that did. Both keys are kept by the bytes of their codecs. */
class Subscribers<K, FK> {
  readonly #store: GroupedStore<ValueHash>;
  readonly #groupOf: (foreignKey: FK) => string;
  readonly #memberOf: (key: K) => string;
  readonly #keyOf: (member: string) => K;

  constructor(store: GroupedStore<ValueHash>, { key, foreignKey }: Pick<ForeignKeyCodecs<K, unknown, FK>, 'key' | 'foreignKey'>) {
    this.#store = store;
    this.#groupOf = keyIdentity(foreignKey).of;
    const identity = keyIdentity(key);
    this.#memberOf = identity.of;
    this.#keyOf = identity.direct ? (member) => member as K : (member) => key.decode(Buffer.from(member, 'latin1'));
  }

  put(foreignKey: FK, key: K, hash: ValueHash): void {
    // A copy: it came in the memory of a whole batch.
    this.#store.put(this.#groupOf(foreignKey), this.#memberOf(key), Buffer.from(hash));
  }

  delete(foreignKey: FK, key: K): void {
    this.#store.delete(this.#groupOf(foreignKey), this.#memberOf(key));
  }

  *of(foreignKey: FK): IterableIterator<readonly [key: K, hash: ValueHash]> {
    for (const [member, hash] of this.#store.members(this.#groupOf(foreignKey))) yield [this.#keyOf(member), hash];
  }
}

import type { Codec } from '../../schemas/codec.ts';
import { valueHash, type ValueHash } from '../../schemas/value-hash.ts';
import { keyIdentity } from '../../state/local/key-identity.ts';
import type { Operator, StreamRecord } from '../operator.ts';
import { handlerStep, stateless, type Emit } from '../record-step.ts';
import type { Change } from '../table-source.ts';
import type { Answer, Instruction, Subscription } from './foreign-key-messages.ts';

/** The side output of `foreignKeySubscribe`: answers that need no foreign key. */
export const WITHOUT_FOREIGN_KEY = 'without-foreign-key';

export interface ForeignKeySubscribeOptions<K, V, FK> {
  /** `left` keeps rows whose foreign key is null or unknown. */
  readonly type: 'inner' | 'left';
  readonly versioned: boolean;
  /** Null when a row has none. Called again for old values: it must always give the same. */
  readonly foreignKeyOf: (value: V, key: K) => FK | null;
  readonly foreignKey: Codec<FK>;
  readonly value: Codec<V>;
}

/**
 * The first third of a foreign-key join: turns each change of the left table into subscriptions to the foreign keys that it
 * leaves and comes to, under the foreign key.
 *
 * Without a foreign key, a row of a left join is answered at once by the side output `without-foreign-key`, with what a foreign key
 * without a value would say; so is the deletion of any row of a left join. An inner join drops and counts it (`null-key`), and
 * unsubscribes what was there before, else answers quietly. Changes behind the newest version of a versioned table are dropped and counted (`out-of-order`).
 * Rules of Kafka Streams 4.2 (SubscriptionSendProcessorSupplier; KIP-213, KIP-914).
 */
export function foreignKeySubscribe<K, V, FK>(
  name: string, options: ForeignKeySubscribeOptions<K, V, FK>,
): Operator<K, Change<V>, FK, Subscription<K>> {
  return {
    ...stateless,
    kind: 'foreignKeySubscribe',
    name,
    ports: [WITHOUT_FOREIGN_KEY],
    detail: options.type,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<FK, Subscription<K>>>(context, (emit, guard) => {
        const subscriber = new Subscriber(options, emit, guard(context.output<K, Answer<never>>(WITHOUT_FOREIGN_KEY)));
        const dropNullKey = (): void => context.dropped('null-key');
        return (record) => {
          if (options.versioned && !record.value.isLatest) return context.dropped('out-of-order');
          return options.type === 'left' ? subscriber.left(record) : subscriber.inner(record, dropNullKey);
        };
      }),
  };
}

class Subscriber<K, V, FK> {
  readonly #options: ForeignKeySubscribeOptions<K, V, FK>;
  readonly #emit: Emit<StreamRecord<FK, Subscription<K>>>;
  readonly #answer: Emit<StreamRecord<K, Answer<never>>>;
  readonly #identityOf: (foreignKey: FK) => string;

  constructor(
    options: ForeignKeySubscribeOptions<K, V, FK>, emit: Emit<StreamRecord<FK, Subscription<K>>>, answer: Emit<StreamRecord<K, Answer<never>>>,
  ) {
    this.#options = options;
    this.#emit = emit;
    this.#answer = answer;
    this.#identityOf = keyIdentity(options.foreignKey).of;
  }

  left(record: StreamRecord<K, Change<V>>): void {
    const { newValue, oldValue } = record.value;
    if (newValue === null && oldValue === null) return;
    const before = this.#foreignKeyOf(oldValue, record.key);
    const after = this.#foreignKeyOf(newValue, record.key);
    const hash = this.#hashOf(newValue);
    if (before !== null && !this.#same(before, after)) this.#send(record, before, 'unsubscribe', hash);
    if (after !== null) this.#send(record, after, 'subscribe', hash);
    else this.#answerNone(record, hash, false);
  }

  inner(record: StreamRecord<K, Change<V>>, dropNullKey: () => void): void {
    const { newValue, oldValue } = record.value;
    const before = this.#foreignKeyOf(oldValue, record.key);
    const after = this.#foreignKeyOf(newValue, record.key);
    const hash = this.#hashOf(newValue);
    if (after === null) {
      if (newValue !== null) dropNullKey();
      if (before !== null) this.#send(record, before, 'unsubscribe-and-answer', hash);
      else this.#answerNone(record, hash, true);
    } else if (before === null || this.#same(before, after)) {
      // Nothing was joined before, or it was by the same foreign key: then there is nothing to take back.
      this.#send(record, after, 'subscribe-quietly', hash);
    } else {
      this.#send(record, before, 'unsubscribe', hash);
      this.#send(record, after, 'subscribe', hash);
    }
  }

  #foreignKeyOf(value: V | null, key: K): FK | null {
    return value === null ? null : this.#options.foreignKeyOf(value, key) ?? null;
  }

  #hashOf(value: V | null): ValueHash | null {
    return value === null ? null : valueHash(value, this.#options.value);
  }

  #same(before: FK, after: FK | null): boolean {
    return after !== null && (before === after || this.#identityOf(before) === this.#identityOf(after));
  }

  #answerNone({ key, timestampMs }: StreamRecord<K, Change<V>>, hash: ValueHash | null, quiet: boolean): void {
    this.#answer({ key, value: { hash, value: null, quiet }, timestampMs });
  }

  #send({ key, timestampMs }: StreamRecord<K, Change<V>>, foreignKey: FK, instruction: Instruction, hash: ValueHash | null): void {
    this.#emit({ key: foreignKey, value: { instruction, key, hash }, timestampMs });
  }
}

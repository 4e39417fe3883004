import { foreignKeyAnswer } from '../operators/joins/foreign-key-answer.ts';
import { foreignKeyMatch } from '../operators/joins/foreign-key-match.ts';
import { answerCodec, subscriptionCodec, type Answer } from '../operators/joins/foreign-key-messages.ts';
import { foreignKeySubscribe, WITHOUT_FOREIGN_KEY } from '../operators/joins/foreign-key-subscribe.ts';
import type { ChangingTable } from '../operators/join-tables.ts';
import type { StreamReference, TableReference } from '../operators/operator.ts';
import { storeLookup, type TableStore } from '../operators/joins/table-lookup.ts';
import type { Form } from '../schemas/codec.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { type AnyOperator, MAIN_PORT } from './graph.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder, RepartitionOptions } from './stream.ts';

/** How keys and values travel between the tasks of a foreign-key join, and how its result is kept. */
export interface ForeignKeyForms<K, V, FK, T, R> {
  /** Keys of the left table, in the form in which its topic has them: answers go to the partition that such a key has. */
  readonly key: Form<K>;
  /** Values of the left table, which are only compared: by a hash of their bytes. Another form is another join. */
  readonly value: Form<V>;
  /** Keys of the right table, in the form in which its topic has them. */
  readonly foreignKey: Form<FK>;
  readonly foreignValue: Form<T>;
  readonly result: Form<R>;
}

export interface ForeignKeyJoin<K, V, FK, T, R> {
  readonly name: string;
  readonly type: 'inner' | 'left';
  readonly left: ChangingTable<K, V>;
  readonly right: ChangingTable<FK, T>;
  readonly foreignKeyOf: (value: V, key: K) => FK | null;
  readonly joiner: (left: V, right: T | null, key: K) => R | null;
  readonly forms: ForeignKeyForms<K, V, FK, T, R>;
}

/**
 * Adds the steps and the two topics of a foreign-key join: from the left table's tasks to those of the foreign keys, and back.
 * Gives the node of the results, and the store to keep them in, which a step `name` must do.
 */
export function addForeignKeyJoin<K, V, FK, T, R>(
  builder: GraphBuilder, { name, type, left, right, foreignKeyOf, joiner, forms }: ForeignKeyJoin<K, V, FK, T, R>,
): { readonly node: string; readonly store: TableStore<K, R> } {
  const key = stateCodec(forms.key);
  const value = stateCodec(forms.value);
  const foreignKey = stateCodec(forms.foreignKey);
  const subscribe = builder.addStep(left.node, MAIN_PORT, foreignKeySubscribe(`${name}-subscribe`, {
    type, versioned: left.versioned, foreignKeyOf, foreignKey, value,
  }) as AnyOperator);
  const subscriptions = addTopic(builder, subscribe, `${name}-subscriptions`, { key: forms.foreignKey, value: subscriptionCodec(key) });
  const answer = builder.addStep(subscriptions, MAIN_PORT, foreignKeyAnswer(`${name}-answer`, right, { key, value, foreignKey }) as AnyOperator);
  const answers = addTopic(builder, answer, `${name}-answers`, { key: forms.key, value: answerCodec(stateCodec(forms.foreignValue)) });
  const direct: StreamReference<K, Answer<T>> = { node: subscribe, port: WITHOUT_FOREIGN_KEY };
  const store = keyValueStore({ name, key, value: timestamped(stateCodec(forms.result)) });
  const result: TableReference<K, R> = { name, global: false, versioned: false, reads: [name], open: (context) => storeLookup(context, store) };
  return {
    node: builder.addStep(answers, MAIN_PORT, foreignKeyMatch(`${name}-match`, left, direct, { type, value, joiner, result }) as AnyOperator),
    store,
  };
}

function addTopic<K, V>(builder: GraphBuilder, from: string, name: string, options: RepartitionOptions<K, V>): string {
  return builder.addRepartition(from, MAIN_PORT, name, options as unknown as RepartitionOptions<never, never>, true);
}

import type { Codec } from '../../schemas/codec.ts';
import { sameValueHash, valueHash } from '../../schemas/value-hash.ts';
import type { Operator, StreamRecord, StreamReference, TableReference } from '../operator.ts';
import { handlerStep } from '../record-step.ts';
import type { Answer } from './foreign-key-messages.ts';

export interface ForeignKeyMatchOptions<K, V, T, R> {
  readonly type: 'inner' | 'left';
  /** Codec of the left values, the same as where they subscribed. */
  readonly value: Codec<V>;
  /** Null deletes. */
  readonly joiner: (left: V, right: T | null, key: K) => R | null;
  /** The table of the results. */
  readonly result: TableReference<K, R>;
}

/**
 * The last third of a foreign-key join, beside the left table: joins each answer with the left value that asked for it, and
 * gives the result, or null where there is none. Answers come by input 0 from the right table's tasks, by input 1 from `direct`.
 *
 * An answer to another value than the left table holds now is out of date: it is dropped and counted (`expired`), since the
 * present value has asked, too. Rules of Kafka Streams 4.2 (ResponseJoinProcessorSupplier; KIP-213), but for one thing: there, a
 * value that finds nothing where nothing was joined before gets no answer. When the answer to the value before it, that its row
 * is to be deleted, is dropped as out of date, the row stays for ever. Here such a value is answered, too, and quietly: the answer
 * deletes a row that is there, and else gives nothing.
 */
export function foreignKeyMatch<K, V, T, R>(
  name: string, left: TableReference<K, V>, direct: StreamReference<K, Answer<T>>, options: ForeignKeyMatchOptions<K, V, T, R>,
): Operator<K, Answer<T>, K, R | null> {
  return {
    kind: 'foreignKeyMatch',
    name,
    others: [direct],
    stores: [],
    reads: [...left.reads, ...options.result.reads],
    ports: [],
    changesKey: false,
    detail: `${options.type}, with ${left.name}`,
    build: (context) =>
      handlerStep<StreamRecord<K, Answer<T>>, StreamRecord<K, R | null>>(context, (emit) => {
        const values = left.open(context);
        const results = options.result.open(context);
        return ({ key, value: answer, timestampMs }) => {
          const current = values.get(key);
          const isCurrent = sameValueHash(answer.hash, current === undefined ? null : valueHash(current.value, options.value));
          if (!isCurrent) return context.dropped('expired');
          if (answer.quiet && results.get(key) === undefined) return undefined;
          const hasResult = current !== undefined && (answer.value !== null || options.type === 'left');
          return emit({ key, value: hasResult ? options.joiner(current.value, answer.value, key) : null, timestampMs });
        };
      }),
  };
}

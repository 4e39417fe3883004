import { cogroupStreams, type Fold } from '../operators/aggregate.ts';
import { aggregateStore } from '../operators/aggregates/aggregate-store.ts';
import type { StreamReference } from '../operators/operator.ts';
import type { Form } from '../schemas/codec.ts';
import type { GroupedStream } from './grouped-stream.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder } from './stream.ts';
import { tableKeptBy, type Table } from './table.ts';

export interface CogroupOptions<A> {
  readonly initial: () => A;
  /** How the aggregates are kept. */
  readonly aggregate: Form<NonNullable<A>>;
}

/** One of the streams of a cogroup, and what folds its values. */
export interface CogroupPart<K, A> {
  /** The stream as the aggregate takes it, see `GroupedStream.partitionedFor`. */
  partitionedFor(name: string): StreamReference<unknown, unknown>;
  readonly fold: Fold<K, unknown, A>;
}

/**
 * Several streams that are grouped by the same key, to be folded into one aggregate a key, each by a function of its own. Where
 * the key of one was changed before, its records pass a topic first: `<name>-by-key` for the first stream, `<name>-2-by-key` for
 * the second, and so on, so new streams come last. All must have the same number of partitions. KIP-150.
 */
export class CogroupedStream<K, A> {
  readonly #builder: GraphBuilder;
  readonly #key: Form<K>;
  readonly #parts: readonly CogroupPart<K, A>[];

  constructor(builder: GraphBuilder, key: Form<K>, parts: readonly CogroupPart<K, A>[]) {
    this.#builder = builder;
    this.#key = key;
    this.#parts = parts;
  }

  /** Adds a stream with the function that folds its values. */
  cogroup<V>(grouped: GroupedStream<K, V>, fold: Fold<K, V, A>): CogroupedStream<K, A> {
    return new CogroupedStream(this.#builder, this.#key, [...this.#parts, cogroupPart(grouped, fold)]);
  }

  /**
   * Folds the values of all the streams into one aggregate a key. Null from a fold deletes it. Records without a key or a value are
   * dropped and counted.
   */
  aggregate(name: string, { initial, aggregate }: CogroupOptions<A>): Table<K, NonNullable<A>> {
    const [first, ...others] = this.#parts.map((part, index) => part.partitionedFor(index === 0 ? name : `${name}-${index + 1}`));
    const store = aggregateStore(name, stateCodec(this.#key), stateCodec(aggregate));
    const folds = this.#parts.map(({ fold }) => fold as Fold<K, unknown, NonNullable<A>, A>);
    const operator = cogroupStreams(name, store, initial, folds, others);
    return tableKeptBy(this.#builder, first as StreamReference<unknown, unknown>, operator, store);
  }
}

export function cogroupPart<K, V, A>(grouped: GroupedStream<K, V>, fold: Fold<K, V, A>): CogroupPart<K, A> {
  return { partitionedFor: (name) => grouped.partitionedFor(name), fold: fold as Fold<K, unknown, A> };
}

import { aggregateStream, reduceStream, type Fold } from '../operators/aggregate.ts';
import { aggregateStore, type AggregateStore } from '../operators/aggregates/aggregate-store.ts';
import { filter } from '../operators/filter.ts';
import type { Operator } from '../operators/operator.ts';
import type { Change } from '../operators/table-source.ts';
import type { SessionWindows } from '../operators/windows/session-windows.ts';
import type { SlidingWindows } from '../operators/windows/sliding-windows.ts';
import type { TimeWindows } from '../operators/windows/time-windows.ts';
import { int64 } from '../schemas/builtin-codecs.ts';
import type { Form } from '../schemas/codec.ts';
import { CogroupedStream, cogroupInput, type CogroupFold } from './cogrouped-stream.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder, Stream } from './stream.ts';
import { tableKeptBy, type Table } from './table.ts';
import { SessionWindowedStream, TimeWindowedStream } from './windowed-stream.ts';

/** Forms of the keys and values of a group, for its state, and for the topic between where the key was changed. */
export interface GroupedForm<K, V> {
  readonly key: Form<K>;
  readonly value: Form<V>;
}

export interface AggregateOptions<K, V, A, I = A> {
  /** What a key's aggregate starts at, for its first fold; may be null. */
  readonly initial: () => I;
  /** Gives a new aggregate; must not change the old one. Null deletes the aggregate. */
  readonly fold: Fold<K, V, NoInfer<A>, I>;
  /** How the aggregates are kept. */
  readonly aggregate: Form<A>;
}

/**
 * A stream grouped by its key, to be aggregated. Where a step before it may have changed the key, its records pass a repartition
 * topic first, named after the aggregate; those that were left without a key by that step stay out of it, uncounted. Records without
 * a key or a value are else dropped and counted by the aggregate (Kafka Streams 4.2; KIP-962).
 */
export class GroupedStream<K, V> {
  readonly #builder: GraphBuilder;
  readonly #stream: Stream<K, V>;
  readonly form: GroupedForm<K, V>;

  constructor(builder: GraphBuilder, stream: Stream<K, V>, form: GroupedForm<K, V>) {
    this.#builder = builder;
    this.#stream = stream;
    this.form = form;
  }

  /** How many records each key has had. */
  count(name: string): Table<K, number> {
    return this.#aggregated<number>(name, int64, (store) => aggregateStream<K, V, number>(name, store, () => 0, (count) => count + 1, 'count'));
  }

  /** Folds the values of each key into one of their kind: the first as it is, each further one by `fold`. Null deletes. */
  reduce(name: string, fold: Fold<K, V, V>): Table<K, V> {
    return this.#aggregated<V>(name, this.form.value, (store) => reduceStream(name, store, fold));
  }

  /** Folds the values of each key into an aggregate that starts at `initial`. */
  aggregate<A, I extends A | null>(name: string, { initial, fold, aggregate }: AggregateOptions<K, V, A, I>): Table<K, A> {
    return this.#aggregated<A>(name, aggregate, (store) => aggregateStream<K, V, A, I>(name, store, initial, fold));
  }

  /** Groups each key's records further by windows, to be aggregated window by window. */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedStream<K, V>;
  windowedBy(windows: SessionWindows): SessionWindowedStream<K, V>;
  windowedBy(windows: TimeWindows | SlidingWindows | SessionWindows): TimeWindowedStream<K, V> | SessionWindowedStream<K, V> {
    if (windows.kind === 'session') return new SessionWindowedStream(this.#builder, this, windows);
    return new TimeWindowedStream(this.#builder, this, windows);
  }

  /** Begins an aggregate over several grouped streams: this one's values are folded by `fold`. */
  cogroup<A>(fold: CogroupFold<K, V, A>): CogroupedStream<K, A> {
    return new CogroupedStream<K, A>({ builder: this.#builder, key: this.form.key, inputsFor: (name) => [cogroupInput(this, name, fold)] });
  }

  /** The stream as the aggregate `name` takes it: behind the topic `<name>-by-key` when its key may have been changed. */
  partitionedFor(name: string): Stream<K, V> {
    if (this.#builder.keyChangedBy(this.#stream.node) === null) return this.#stream;
    const keyed = { ...filter<K, V>((_value, key) => key !== null && key !== undefined), detail: 'with a key' };
    return this.#stream.pipe(keyed).repartition(`${name}-by-key`, this.form);
  }

  #aggregated<A>(
    name: string, form: Form<A>, operatorOver: (store: AggregateStore<K, A>) => Operator<never, never, K, Change<A>>,
  ): Table<K, A> {
    const store = aggregateStore(name, stateCodec(this.form.key), stateCodec(form));
    return tableKeptBy(this.#builder, this.partitionedFor(name), operatorOver(store), store);
  }
}

import type { Form } from '../schemas/codec.ts';
import type { GraphBuilder, Stream } from './stream.ts';

/** Forms of the keys and values of a group, for its state, and for the topic between where the key was changed. */
export interface GroupedForm<K, V> {
  readonly key: Form<K>;
  readonly value: Form<V>;
}

/**
 * A stream grouped by its key, to be aggregated. Where a step before it may have changed the key, its records pass a repartition
 * topic first, named after the aggregate. Records without a key or a value are dropped and counted by the aggregate.
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

  /** The stream as the aggregate `name` takes it: behind the topic `<name>-by-key` when its key may have been changed. */
  partitionedFor(name: string): Stream<K, V> {
    if (this.#builder.keyChangedBy(this.#stream.node) === null) return this.#stream;
    return this.#stream.repartition(`${name}-by-key`, this.form);
  }
}

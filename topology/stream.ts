import type { OperatorFunction } from 'rxjs';
import type { Operator, StreamRecord, StreamReference } from '../operators/operator.ts';
import type { Form } from '../schemas/codec.ts';
import { forEach } from '../operators/for-each.ts';
import { selectKey } from '../operators/select-key.ts';
import { GroupedStream, type GroupedForm } from './grouped-stream.ts';
import { invalid } from './invalid.ts';
import type { SinkDefinition } from './sink.ts';
import { keptTable, tableStoreOf, type Table, type TableOptions } from './table.ts';

/** A step in a pipe: an operator of voltstream, or a synchronous, stateless RxJS operator (in front of others, by `rxjsStep`). */
export type Step<KI, VI, KO, VO> =
  | Operator<KI, VI, KO, VO>
  | OperatorFunction<StreamRecord<KI, VI>, StreamRecord<KO, VO>>;

export interface RepartitionOptions<K, V> {
  readonly key: Form<K>;
  readonly value: Form<V>;
  /**
   * When the topic between counts as idle, for the steps behind it (see `StreamForm`). Left out: the longest of the sources in
   * front, if each of them has one, else never. Time behind a repartition stays this much behind, for what is on its way; if the
   * tasks in front stand still for longer, what they send afterwards may be late.
   */
  readonly idleAfterMs?: number;
}

/** What a stream asks of the topology it belongs to. */
export interface GraphBuilder {
  addStep(from: string, port: string, step: Step<never, never, unknown, unknown>): string;
  addSink(from: string, port: string, sink: SinkDefinition<never, never>): void;
  addMerge(inputs: readonly (readonly [from: string, port: string])[]): string;
  /** `inner`: the topic comes into a sub-topology that others begin, and does not give it a name. */
  addRepartition(from: string, port: string, name: string, options: RepartitionOptions<never, never>, inner?: boolean): string;
  requirePort(node: string, port: string): void;
  /** The step that may have changed the key since the last source or repartition; null when there is none. */
  keyChangedBy(node: string): string | null;
  streamOf<K, V>(node: string, port: string): Stream<K, V>;
}

type AnyStep = Step<never, never, unknown, unknown>;

/**
 * Records of one key and value type on their way through a topology. Immutable: every method gives another stream, and a
 * stream may be used any number of times. Nothing runs until the topology is given to a runtime or a test driver.
 */
export class Stream<K, V> implements StreamReference<K, V> {
  readonly #builder: GraphBuilder;
  readonly node: string;
  readonly port: string;
  declare readonly keyType?: K;
  declare readonly valueType?: V;

  constructor(builder: GraphBuilder, node: string, port: string) {
    this.#builder = builder;
    this.node = node;
    this.port = port;
  }

  /** Sends the records through up to nine steps in order, and gives the main output of the last one. */
  pipe<K1, V1>(a: Step<K, V, K1, V1>): Stream<K1, V1>;
  pipe<K1, V1, K2, V2>(a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>): Stream<K2, V2>;
  pipe<K1, V1, K2, V2, K3, V3>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>,
  ): Stream<K3, V3>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
  ): Stream<K4, V4>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4, K5, V5>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
    e: Step<K4, V4, K5, V5>,
  ): Stream<K5, V5>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4, K5, V5, K6, V6>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
    e: Step<K4, V4, K5, V5>, f: Step<K5, V5, K6, V6>,
  ): Stream<K6, V6>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4, K5, V5, K6, V6, K7, V7>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
    e: Step<K4, V4, K5, V5>, f: Step<K5, V5, K6, V6>, g: Step<K6, V6, K7, V7>,
  ): Stream<K7, V7>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4, K5, V5, K6, V6, K7, V7, K8, V8>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
    e: Step<K4, V4, K5, V5>, f: Step<K5, V5, K6, V6>, g: Step<K6, V6, K7, V7>, h: Step<K7, V7, K8, V8>,
  ): Stream<K8, V8>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4, K5, V5, K6, V6, K7, V7, K8, V8, K9, V9>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
    e: Step<K4, V4, K5, V5>, f: Step<K5, V5, K6, V6>, g: Step<K6, V6, K7, V7>, h: Step<K7, V7, K8, V8>,
    i: Step<K8, V8, K9, V9>,
  ): Stream<K9, V9>;
  pipe(...steps: readonly AnyStep[]): Stream<unknown, unknown> {
    let node = this.node;
    let port = this.port;
    for (const step of steps) {
      node = this.#builder.addStep(node, port, step);
      port = 'out';
    }
    return new Stream(this.#builder, node, port);
  }

  /**
   * A side output of the step that this stream comes from: `late`, or a branch by its name. Throws TOPOLOGY_INVALID when the
   * step has no such output.
   */
  side<KS = K, VS = V>(port: string): Stream<KS, VS> {
    this.#builder.requirePort(this.node, port);
    return new Stream(this.#builder, this.node, port);
  }

  /** Records of both streams, each in its own order. */
  merge(other: Stream<K, V>): Stream<K, V> {
    if (other.#builder !== this.#builder) {
      throw invalid(this.node, 'it is merged with a stream of another topology', 'a stream of this topology', `"${other.node}"`);
    }
    const node = this.#builder.addMerge([[this.node, this.port], [other.node, other.port]]);
    return new Stream(this.#builder, node, 'out');
  }

  /**
   * Sends the records through a topic of their own, partitioned by their present key, exactly once. Needed between a step
   * that changes the key and a step that keeps state by key.
   */
  repartition(name: string, options: RepartitionOptions<K, V>): Stream<K, V> {
    const node = this.#builder.addRepartition(this.node, this.port, name, options as RepartitionOptions<never, never>);
    return new Stream(this.#builder, node, 'out');
  }

  /**
   * Groups the records by their key, to be aggregated. `form` tells how keys and values are kept; they travel in it, too, where
   * the key was changed before.
   */
  groupByKey(form: GroupedForm<NonNullable<K>, NonNullable<V>>): GroupedStream<NonNullable<K>, NonNullable<V>> {
    return new GroupedStream(this.#builder, this as unknown as Stream<NonNullable<K>, NonNullable<V>>, form);
  }

  /** Groups the records by a key that is made from each; null leaves the record out, uncounted. */
  groupBy<K2>(select: (value: V, key: K) => K2 | null, form: GroupedForm<K2, NonNullable<V>>): GroupedStream<K2, NonNullable<V>> {
    return new GroupedStream(this.#builder, this.pipe(selectKey(select)) as unknown as Stream<K2, NonNullable<V>>, form);
  }

  /**
   * The newest value of each key as a table; a null value deletes. Records without a key are dropped and counted. Where the key
   * was changed before, the records pass the topic `<applicationId>-<name>-repartition` first.
   */
  toTable(name: string, form: GroupedForm<NonNullable<K>, NonNullable<V>>, options: TableOptions = {}): Table<NonNullable<K>, NonNullable<V>> {
    const from = this.groupByKey(form).partitionedFor(name);
    return keptTable(this.#builder, from, name, tableStoreOf(name, form, options));
  }

  /** Ends in a function that sees each record, for logs and counts only: after a crash it sees records again. */
  forEach(look: (value: V, key: K) => void): void {
    this.pipe(forEach(look));
  }

  /** Ends in a sink: a ClickHouse table or a topic. A stream may have several. */
  to<Row>(sink: SinkDefinition<K, V, Row>): this {
    this.#builder.addSink(this.node, this.port, sink as SinkDefinition<never, never>);
    return this;
  }
}

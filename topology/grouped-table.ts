import { aggregateStore, type AggregateStore } from '../operators/aggregates/aggregate-store.ts';
import { changeCodec } from '../operators/aggregates/change-codec.ts';
import type { Operator } from '../operators/operator.ts';
import { aggregateTable, reduceTable, type TableAggregateFolds, type TableReduceFolds } from '../operators/table-aggregate.ts';
import type { Change } from '../operators/table-source.ts';
import { int64 } from '../schemas/builtin-codecs.ts';
import type { Form } from '../schemas/codec.ts';
import type { GroupedForm } from './grouped-stream.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder, RepartitionOptions } from './stream.ts';
import type { Table } from './table.ts';

export interface TableAggregateOptions<K, V, A, I = A> extends TableAggregateFolds<K, V, NoInfer<A>, I> {
  /** How the aggregates are kept. */
  readonly aggregate: Form<A>;
}

interface NodePort {
  readonly node: string;
  readonly port: string;
}

type KeepTable = <K, V>(builder: GraphBuilder, from: NodePort, operator: Operator<never, never, K, Change<V>>, store: AggregateStore<K, V>) => Table<K, V>;

/**
 * The rows of a table by the key of their group, to be aggregated: when a row changes, what it brought into its group is
 * subtracted, and what it brings now is added. Each aggregate has a topic `<name>-by-key` in front of it, which carries the
 * changes to the task of their group; there, changes of different partitions come in the order in which they were appended.
 */
export class GroupedTable<K, V> {
  readonly #builder: GraphBuilder;
  readonly #changes: NodePort;
  readonly #keep: KeepTable;
  readonly form: GroupedForm<K, V>;

  constructor(builder: GraphBuilder, changes: NodePort, form: GroupedForm<K, V>, keep: KeepTable) {
    this.#builder = builder;
    this.#changes = changes;
    this.#keep = keep;
    this.form = form;
  }

  /** How many rows each group has. A group that has lost its last row counts 0. */
  count(name: string): Table<K, number> {
    return this.#aggregated(name, int64, (store) => aggregateTable<K, V, number>(
      name, store, { initial: () => 0, add: (count) => count + 1, subtract: (count) => count - 1 }, 'countTable',
    ));
  }

  /** Folds the rows of each group into one: the first as it is, each further one by `add`; `subtract` takes one out. Null deletes. */
  reduce(name: string, folds: TableReduceFolds<K, V>): Table<K, V> {
    return this.#aggregated<V>(name, this.form.value, (store) => reduceTable(name, store, folds));
  }

  /** Folds the rows of each group into an aggregate that starts at `initial`. Null from `add` or `subtract` deletes it. */
  aggregate<A, I extends A | null>(name: string, options: TableAggregateOptions<K, V, A, I>): Table<K, A> {
    return this.#aggregated<A>(name, options.aggregate, (store) => aggregateTable<K, V, A, I>(name, store, options));
  }

  #aggregated<A>(
    name: string, form: Form<A>, operatorOver: (store: AggregateStore<K, A>) => Operator<never, never, K, Change<A>>,
  ): Table<K, A> {
    const key = stateCodec(this.form.key);
    const store = aggregateStore(name, key, stateCodec(form));
    const options = { key: this.form.key, value: changeCodec(stateCodec(this.form.value)) };
    const node = this.#builder.addRepartition(this.#changes.node, this.#changes.port, `${name}-by-key`, options as unknown as RepartitionOptions<never, never>);
    return this.#keep(this.#builder, { node, port: 'out' }, operatorOver(store), store);
  }
}

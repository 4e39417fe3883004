import type { Operator, StepContext, TableLookup, TableReference } from '../operators/operator.ts';
import { storeLookup, type TableStore } from '../operators/joins/table-lookup.ts';
import { tableSource, type Change } from '../operators/table-source.ts';
import { tableToStream, viewLookup, viewTable, type View } from '../operators/table-views.ts';
import { avroCodec } from '../schemas/avro-codec.ts';
import type { Codec, Form } from '../schemas/codec.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import type { TopicForm } from './graph.ts';
import { MAIN_PORT } from './graph.ts';
import type { GraphBuilder, Stream } from './stream.ts';

export interface TableOptions {
  /** Keeps the versions of each key so far back behind its newest, for joins as of the record's time. Left out: the newest only. */
  readonly historyMs?: number;
}

/** How a table's values are looked up; what `TableReference` says beside its name. */
export type TableAccess<K, V> = Pick<TableReference<K, V>, 'versioned' | 'reads' | 'open'>;

/** A topic that every process holds whole, to be joined by any key. */
export class GlobalTable<K, V> implements TableReference<K, V> {
  readonly name: string;
  readonly global = true;
  readonly versioned: boolean;
  readonly reads: readonly string[];
  readonly store: TableStore<K, V>;
  declare readonly keyType?: K;
  declare readonly valueType?: V;

  constructor(name: string, store: TableStore<K, V>) {
    this.name = name;
    this.store = store;
    this.versioned = store.kind === 'versioned';
    this.reads = [name];
  }

  open(context: Pick<StepContext, 'store'>): TableLookup<K, V> {
    return storeLookup(context, this.store);
  }
}

/**
 * The newest value of each key, kept up to date by a topic, a stream or an aggregate, or computed from such tables. To be
 * joined, changed into another table, or followed as a stream. Immutable: every method gives another table. What is computed
 * by `filter`, `mapValues` and joins keeps nothing: values are looked up in the tables that it is computed from.
 */
export class Table<K, V> implements TableReference<K, V> {
  readonly name: string;
  readonly global = false;
  readonly #builder: GraphBuilder;
  /** The step whose main output are the table's changes. */
  readonly node: string;
  readonly #access: TableAccess<K, V>;
  declare readonly keyType?: K;
  declare readonly valueType?: V;

  constructor(builder: GraphBuilder, node: string, access: TableAccess<K, V>, name: string = node) {
    this.#builder = builder;
    this.name = name;
    this.node = node;
    this.#access = access;
  }

  get versioned(): boolean {
    return this.#access.versioned;
  }

  get reads(): readonly string[] {
    return this.#access.reads;
  }

  open(context: Pick<StepContext, 'store'>): TableLookup<K, V> {
    return this.#access.open(context);
  }

  /** Each change as a record with the new value; null where a key was deleted. */
  toStream(): Stream<K, V | null> {
    return this.#builder.streamOf(this.#step(tableToStream<K, V>()), MAIN_PORT);
  }

  /** The values for which the predicate holds. What ceases to hold is deleted. */
  filter(predicate: (value: V, key: K) => boolean): Table<K, V> {
    return this.#view('filterTable', (value, key) => (predicate(value, key) ? value : null));
  }

  /** The values for which the predicate does not hold. */
  filterNot(predicate: (value: V, key: K) => boolean): Table<K, V> {
    return this.filter((value, key) => !predicate(value, key));
  }

  /** Each value changed by a function, which is called again at each look-up: it must always give the same. Null deletes. */
  mapValues<R>(change: (value: V, key: K) => R | null): Table<K, R> {
    return this.#view('mapTableValues', change);
  }

  #view<R>(kind: 'filterTable' | 'mapTableValues', view: View<K, V, R>): Table<K, R> {
    const { versioned, reads } = this;
    return new Table<K, R>(this.#builder, this.#step(viewTable(kind, view)), {
      versioned, reads, open: (context) => viewLookup(this.open(context), view),
    });
  }

  #step<K2, V2>(operator: Operator<K, Change<V>, K2, V2>): string {
    return this.#builder.addStep(this.node, MAIN_PORT, operator as Operator<never, never, unknown, unknown>);
  }
}

/** The codec of a form as state is kept in it. */
export function stateCodec<T>(form: Form<T>): Codec<T> {
  return form.kind === 'codec' ? form : avroCodec(form);
}

export function tableStoreOf<K, V>(name: string, form: Pick<TopicForm<K, V>, 'key' | 'value'>, options: TableOptions): TableStore<K, V> {
  const key = stateCodec(form.key);
  const value = stateCodec(form.value);
  if (options.historyMs !== undefined) return versionedStore({ name, key, value, historyMs: options.historyMs });
  return keyValueStore({ name, key, value: timestamped(value) });
}

/** A table that is kept in a store of its own by the step `step`, which is behind `from`. */
export function keptTable<K, V>(
  builder: GraphBuilder, from: { readonly node: string; readonly port: string }, step: string, store: TableStore<K, V>, name: string = step,
): Table<K, V> {
  const node = builder.addStep(from.node, from.port, tableSource(step, store) as Operator<never, never, unknown, unknown>);
  return new Table(builder, node, { versioned: store.kind === 'versioned', reads: [node], open: (context) => storeLookup(context, store) }, name);
}

import type { TableJoiner, TableJoinType } from '../operators/join-tables.ts';
import type { Operator, StepContext, TableLookup, TableReference } from '../operators/operator.ts';
import { storeLookup, type TableStore } from '../operators/joins/table-lookup.ts';
import { changeBuffer, suppressChanges, suppressedLookup } from '../operators/suppress/change-suppression.ts';
import type { UntilTimeLimit } from '../operators/suppress.ts';
import { tableRepartitionMap, type SelectGroup } from '../operators/table-repartition-map.ts';
import { tableSource, type Change } from '../operators/table-source.ts';
import { tableToStream, viewLookup, viewTable, type View } from '../operators/table-views.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { addForeignKeyJoin, type ForeignKeyForms, type ForeignKeyJoin } from './foreign-key-joins.ts';
import type { TopicForm } from './graph.ts';
import { MAIN_PORT } from './graph.ts';
import type { GroupedForm } from './grouped-stream.ts';
import { GroupedTable } from './grouped-table.ts';
import { invalid } from './invalid.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder, Stream } from './stream.ts';
import { joinOfTables, namedJoin, type TableJoinArguments } from './table-joins.ts';

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

  /**
   * Holds each key's changes back for a time and then sends the last one; look-ups find what was sent. `form` tells how keys and
   * values are kept meanwhile. A table with versions cannot be held back: TOPOLOGY_INVALID.
   */
  suppress(name: string, form: GroupedForm<K, V>, until: UntilTimeLimit): Table<K, V> {
    if (this.versioned) throw invalid(name, 'it holds back a table that has versions', 'a table without historyMs', `"${this.name}"`);
    const codecs = { key: stateCodec(form.key), value: stateCodec(form.value) };
    const buffer = changeBuffer(name, codecs);
    const node = this.#step(suppressChanges(name, until, codecs, buffer));
    return new Table(this.#builder, node, {
      versioned: false, reads: [node, ...this.reads], open: (context) => suppressedLookup(context, buffer, this.open(context)),
    });
  }

  /**
   * Groups the rows by a key of their group, to be aggregated; null leaves a row out. The function is called for old values, too:
   * it must always give the same. `form` tells how the groups' keys and values travel and are kept.
   */
  groupBy<K2, V2>(select: SelectGroup<K, V, K2, V2>, form: GroupedForm<K2, V2>): GroupedTable<K2, V2> {
    const node = this.#step(tableRepartitionMap(select, stateCodec(form.key), this.versioned));
    return new GroupedTable(this.#builder, { node, port: MAIN_PORT }, form, tableKeptBy);
  }

  /**
   * The keys of both tables, each with the joiner's result for their values; null deletes. Both must be partitioned alike. A
   * change of either side is joined with what the other one holds at that moment. Nothing is kept: the joiner is called again at
   * each look-up, and for old values, so it must always give the same.
   */
  join<R, J>(right: Table<K, R>, joiner: (left: V, right: R, key: K) => J | null): Table<K, J>;
  join<R, J>(name: string, right: Table<K, R>, joiner: (left: V, right: R, key: K) => J | null): Table<K, J>;
  join<R, J>(...given: TableJoinArguments<Table<K, R>, (left: V, right: R, key: K) => J | null>): Table<K, J> {
    return this.#join('inner', namedJoin(given) as NamedTableJoin<K, V, R, J>);
  }

  /** The keys of this table, each joined with the other table's value, or null where it has none; else like `join`. */
  leftJoin<R, J>(right: Table<K, R>, joiner: (left: V, right: R | null, key: K) => J | null): Table<K, J>;
  leftJoin<R, J>(name: string, right: Table<K, R>, joiner: (left: V, right: R | null, key: K) => J | null): Table<K, J>;
  leftJoin<R, J>(...given: TableJoinArguments<Table<K, R>, (left: V, right: R | null, key: K) => J | null>): Table<K, J> {
    return this.#join('left', namedJoin(given) as NamedTableJoin<K, V, R, J>);
  }

  /** The keys of either table; the joiner gets null for a side that has no value; else like `join`. */
  outerJoin<R, J>(right: Table<K, R>, joiner: (left: V | null, right: R | null, key: K) => J | null): Table<K, J>;
  outerJoin<R, J>(name: string, right: Table<K, R>, joiner: (left: V | null, right: R | null, key: K) => J | null): Table<K, J>;
  outerJoin<R, J>(...given: TableJoinArguments<Table<K, R>, (left: V | null, right: R | null, key: K) => J | null>): Table<K, J> {
    return this.#join('outer', namedJoin(given));
  }

  /**
   * Joins each row with the row of another table whose key is made from it; null leaves the row out, counted. The tables may be
   * partitioned differently: rows subscribe to their foreign key by the topic `<name>-subscriptions`, and are answered by
   * `<name>-answers`. The result is kept under `name`; null from the joiner deletes. `foreignKey` is called for old values, too: it
   * must always give the same.
   */
  foreignKeyJoin<FK, T, R>(
    name: string, right: Table<FK, T>, foreignKey: (value: V, key: K) => NoInfer<FK> | null,
    joiner: (left: V, right: T, key: K) => R | null, forms: ForeignKeyForms<K, V, NoInfer<FK>, NoInfer<T>, R>,
  ): Table<K, R> {
    const matched = joiner as (left: V, right: T | null, key: K) => R | null;
    return this.#foreignKeyJoin(right, { name, type: 'inner', left: this, right, foreignKeyOf: foreignKey, joiner: matched, forms });
  }

  /** Like `foreignKeyJoin`, but joins rows whose foreign key is null, or is not in the other table, with null. */
  leftForeignKeyJoin<FK, T, R>(
    name: string, right: Table<FK, T>, foreignKey: (value: V, key: K) => NoInfer<FK> | null,
    joiner: (left: V, right: T | null, key: K) => R | null, forms: ForeignKeyForms<K, V, NoInfer<FK>, NoInfer<T>, R>,
  ): Table<K, R> {
    return this.#foreignKeyJoin(right, { name, type: 'left', left: this, right, foreignKeyOf: foreignKey, joiner, forms });
  }

  #foreignKeyJoin<FK, T, R>(right: Table<FK, T>, join: ForeignKeyJoin<K, V, FK, T, R>): Table<K, R> {
    this.#refuseOther(join.name, right);
    const { node, store } = addForeignKeyJoin(this.#builder, join);
    return keptTable(this.#builder, { node, port: MAIN_PORT }, join.name, store);
  }

  #refuseOther<FK, T>(name: string, other: Table<FK, T>): void {
    if (other.#builder === this.#builder) return;
    throw invalid(name, 'it is joined with a table of another topology', 'a table of this topology', `"${other.name}"`);
  }

  #join<R, J>(type: TableJoinType, { name, other, joiner }: NamedTableJoin<K, V, R, J>): Table<K, J> {
    this.#refuseOther(name ?? this.name, other);
    const { operator, access } = joinOfTables(name, type, this, other, joiner);
    return new Table<K, J>(this.#builder, this.#builder.addStep(this.node, MAIN_PORT, operator), access);
  }

  #view<R>(kind: 'filterTable' | 'mapTableValues', view: View<K, V, R>): Table<K, R> {
    const { versioned, reads } = this;
    return new Table<K, R>(this.#builder, this.#step(viewTable(kind, view, versioned)), {
      versioned, reads, open: (context) => viewLookup(this.open(context), view),
    });
  }

  #step<K2, V2>(operator: Operator<K, Change<V>, K2, V2>): string {
    return this.#builder.addStep(this.node, MAIN_PORT, operator as Operator<never, never, unknown, unknown>);
  }
}

interface NamedTableJoin<K, V, R, J> {
  readonly name: string | null;
  readonly other: Table<K, R>;
  readonly joiner: TableJoiner<K, V, R, J>;
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
  return tableKeptBy(builder, from, tableSource(step, store), store, name);
}

/** A table that a step behind `from` keeps in its store, and whose changes it emits. */
export function tableKeptBy<K, V>(
  builder: GraphBuilder, from: { readonly node: string; readonly port: string }, operator: Operator<never, never, K, Change<V>>,
  store: TableStore<K, V>, name?: string,
): Table<K, V> {
  const node = builder.addStep(from.node, from.port, operator);
  return new Table(builder, node, { versioned: store.kind === 'versioned', reads: [node], open: (context) => storeLookup(context, store) }, name ?? node);
}

import type { Operator, TableReference } from '../operators/operator.ts';
import { tableSource } from '../operators/table-source.ts';
import { avroCodec } from '../schemas/avro-codec.ts';
import type { Codec, Form } from '../schemas/codec.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import type { StoreDefinition } from '../state/local-store.ts';
import type { TopicForm } from './graph.ts';

export interface TableOptions {
  /** Keeps the versions of each key so far back behind its newest, for joins as of the record's time. Left out: the newest only. */
  readonly historyMs?: number;
}

/** A topic as a table, to be joined. */
export class Table<K, V> implements TableReference<K, V> {
  readonly name: string;
  readonly global: boolean;
  readonly store: StoreDefinition;
  declare readonly keyType?: K;
  declare readonly valueType?: V;

  constructor(name: string, store: StoreDefinition, global = false) {
    this.name = name;
    this.store = store;
    this.global = global;
  }
}

function stateCodec<T>(form: Form<T>): Codec<T> {
  return form.kind === 'codec' ? form : avroCodec(form);
}

function storeOf<K, V>(name: string, form: TopicForm<K, V>, options: TableOptions) {
  const codecs = { name, key: stateCodec(form.key), value: stateCodec(form.value) };
  return options.historyMs === undefined ? keyValueStore(codecs) : versionedStore({ ...codecs, historyMs: options.historyMs });
}

export function tableSourceStep<K, V>(topic: string, form: TopicForm<K, V>, options: TableOptions): {
  readonly operator: Operator<K, V | null, K, unknown>;
  readonly store: StoreDefinition;
} {
  const store = storeOf(`${topic}-table`, form, options);
  return { operator: tableSource(`${topic}-table`, store), store };
}

export function globalTableReference<K, V>(topic: string, form: TopicForm<K, V>, options: TableOptions): Table<K, V> {
  return new Table(topic, storeOf(`${topic}-table`, form, options), true);
}

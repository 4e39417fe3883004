import type { OperatorFunction } from 'rxjs';
import type { LocalStore, StoreDefinition } from '../state/local-store.ts';

/** A record between two steps. Immutable. */
export interface StreamRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestampMs: number;
}

/** Key of a windowed result: `[startMs, endMs)` for time windows, `[startMs, endMs]` for sessions. */
export interface Windowed<K> {
  readonly key: K;
  readonly startMs: number;
  readonly endMs: number;
}

/** Where the input record under way came from. One object a task, changed in place: copy what must be kept. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}

/** A step's own stream time: the highest timestamp that reached it; committed with the task. -1 before the first. */
export interface StreamTime {
  readonly ms: number;
  /** Raises `ms` to `timestampMs` when that is higher. */
  advance(timestampMs: number): void;
}

/** What a step gets from the task that runs it. Steps read no clock, no randomness and do no I/O (Law 5). */
export interface StepContext {
  readonly step: string;
  readonly subTopology: string;
  readonly partition: number;
  readonly streamTime: StreamTime;
  readonly origin: RecordOrigin;
  store<S extends LocalStore>(definition: StoreDefinition<S>): S;
  /** A named side output of the step: `late`, or a branch. */
  output<K, V>(port: string): (record: StreamRecord<K, V>) => void;
  /** Counts a record that Kafka Streams would count in `dropped-records-total`. `late` ones are counted apart, too. */
  dropped(reason: 'late' | 'null-key' | 'null-value' | 'expired' | 'duplicate' | 'malformed'): void;
  /** Hands a user function's error to the step's policy: fail the task, or a dead letter and go on. */
  failed(error: unknown, record: StreamRecord<unknown, unknown>): void;
}

/** A step of a topology, not yet running. `build` is called once per task, and again after a restart. */
export interface Operator<KI, VI, KO, VO> {
  readonly kind: string;
  /** Stateful steps have a name of their own; null lets the topology number the step. */
  readonly name: string | null;
  readonly stores: readonly StoreDefinition[];
  /** Names of tables and global tables that the step reads. */
  readonly reads: readonly string[];
  /** Side outputs by name, beside the main one. */
  readonly ports: readonly string[];
  /** True when the record's key may be another afterwards, so that keyed steps behind it need a repartition. */
  readonly changesKey: boolean;
  /** One line for `describe()`: sizes, grace, time scope. */
  readonly detail: string;
  build(context: StepContext): OperatorFunction<StreamRecord<KI, VI>, StreamRecord<KO, VO>>;
}

/** A table as a join sees it: the store that the table's source keeps up to date. */
export interface TableReference<K, V> {
  readonly name: string;
  /** Read to the end seen at start before the first record, and the same in every task. */
  readonly global: boolean;
  /** Versioned stores are joined as of the record's time, key-value stores as they are now. */
  readonly store: StoreDefinition;
  /** Never set; carry the types. */
  readonly keyType?: K;
  readonly valueType?: V;
}

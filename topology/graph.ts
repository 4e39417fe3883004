import type { TableStore } from '../operators/joins/table-lookup.ts';
import type { Operator } from '../operators/operator.ts';
import type { Form } from '../schemas/codec.ts';
import type { LocalStore, StoreDefinition } from '../state/local-store.ts';
import type { ErrorPolicies } from './error-policy.ts';
import type { SinkDefinition } from './sink.ts';

export type AnyOperator = Operator<never, never, unknown, unknown>;
export type AnySink = SinkDefinition<never, never>;

/** Main output of a source or step. */
export const MAIN_PORT = 'out';

/** What a topic's records look like and when they happened. */
export interface TopicForm<K, V> {
  readonly key: Form<K>;
  readonly value: Form<V>;
  /**
   * Event time in milliseconds. Left out: the record's own timestamp. An answer that is not a whole number >= 0 sends the
   * record to the dead letters: it would tear stream time along.
   */
  readonly timestampOf?: (value: V, logTimestampMs: number) => number;
}

/** A topic that is read as a stream. */
export interface StreamForm<K, V> extends TopicForm<K, V> {
  /**
   * The source counts as idle when nothing has come for so long by the wall clock, while the log answered and its end was
   * reached. Then time goes on without records for the steps behind it: windows close, silence is noticed, what has expired is
   * forgotten. The time is the source's highest event time plus the wall-clock time since its last record; a step behind several
   * streams gets the lowest of their times, when all of them are idle; one stream without `idleAfterMs` holds it back, and tables
   * do not count. Left out: only records move time, as in Kafka Streams. Off where the setting `wallClock` is off.
   *
   * Longer than the longest pause and delay of a source that is well: what comes after time went on may be late.
   */
  readonly idleAfterMs?: number;
}

export interface SourceNode {
  readonly kind: 'source';
  readonly name: string;
  readonly topic: string;
  readonly form: TopicForm<unknown, unknown>;
  /** `repartition`: records carry writer and ordinal, repeated ones are dropped. */
  readonly role: 'stream' | 'table' | 'repartition';
  /** Belongs to a join of tables: does not give a name to the sub-topology that it comes into. */
  readonly inner?: boolean;
  /** See `StreamForm`; of a repartition, see `RepartitionOptions`. */
  readonly idleAfterMs?: number;
}

export interface StepNode {
  readonly kind: 'step';
  readonly name: string;
  readonly operator: AnyOperator;
}

export interface SinkNode {
  readonly kind: 'sink';
  readonly name: string;
  readonly sink: AnySink;
}

export type Node = SourceNode | StepNode | SinkNode;

export interface Edge {
  readonly from: string;
  readonly port: string;
  readonly to: string;
  /** By which input of the step: 0, or more where it takes records from other streams, too. */
  readonly input: number;
}

/** A table that every process reads whole before its first record. */
export interface GlobalTableNode {
  readonly name: string;
  readonly topic: string;
  readonly form: TopicForm<unknown, unknown>;
  readonly store: TableStore<unknown, unknown>;
}

/** Rows one to one with the records of a topic, past the store (Law 4, last point). */
export interface ArchiveNode {
  readonly name: string;
  readonly topic: string;
  readonly form: TopicForm<unknown, unknown>;
  readonly sink: AnySink;
}

/** Steps that run together in one task per partition: everything connected by records or by a store. */
export interface SubTopology {
  readonly name: string;
  /** Topics this sub-topology reads; all have the same number of partitions. */
  readonly sources: readonly SourceNode[];
  readonly steps: readonly StepNode[];
  readonly sinks: readonly SinkNode[];
  readonly edges: readonly Edge[];
  readonly stores: readonly StoreDefinition<LocalStore>[];
}

/** The result of `Topology.build()`: validated, frozen, ready to run. */
export interface BuiltTopology {
  readonly name: string;
  readonly subTopologies: readonly SubTopology[];
  readonly globalTables: readonly GlobalTableNode[];
  readonly archives: readonly ArchiveNode[];
  /** Topics between sub-topologies, created by the runtime. */
  readonly repartitionTopics: readonly string[];
  /** Names of steps, stores, sources and archives of earlier versions, whose state may go. */
  readonly droppedState: readonly string[];
  readonly deadLetters: SinkNode | null;
  readonly errorPolicies: ErrorPolicies;
}

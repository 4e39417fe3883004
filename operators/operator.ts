import type { OperatorFunction } from 'rxjs';
import type { LocalStore, StoreDefinition } from '../state/local-store.ts';
import type { Timestamped } from '../state/local/timestamped.ts';

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
  /** Which of its inputs the record under way came by: 0, or the place of one in `Operator.others` plus 1. Changed in place. */
  readonly input: number;
  store<S extends LocalStore>(definition: StoreDefinition<S>): S;
  /** A named side output of the step: `late`, or a branch. */
  output<K, V>(port: string): (record: StreamRecord<K, V>) => void;
  /**
   * Counts a record that Kafka Streams would count in `dropped-records-total`. `late` ones are counted apart, too; `out-of-order`
   * are changes behind the newest version of a versioned table (KIP-914).
   */
  dropped(reason: 'late' | 'null-key' | 'null-value' | 'expired' | 'out-of-order' | 'duplicate' | 'malformed'): void;
  /**
   * Hands a user function's error to the step's policy: fail the task, try again, or a dead letter and go on. `kept` says that
   * the record is one that the step had kept before, and not the one under way: the dead letter is then of it.
   */
  failed(error: unknown, record: StreamRecord<unknown, unknown>, kept?: 'kept'): void;
  /**
   * Calls `run` while the step runs, between two records. May be called while the step is built, and only then; the n-th
   * schedule of its type of a step goes on after a restart where it stood at the last commit. An error in `run`, or in what comes
   * after it, goes to the policy of the step that threw: a dead letter has the step's record, or none for `run` itself, which then has
   * done what it did before it threw; tried again, it is called with the time of that moment.
   */
  schedule(schedule: Schedule, run: (timeMs: number) => void): void;
  /**
   * Calls `run` when the sources in front of the step have been idle for longer than they may (`idleAfterMs`): the step shall
   * do what it would do if a record of this time reached it, without one. `timeMs` never falls. Only while the step is built.
   */
  onIdle(run: (timeMs: number) => void): void;
  /**
   * Calls `run` at the end of what each commit holds, for steps that give only the last of several results, as Kafka Streams' record
   * cache does: what is held back in memory until then must be given now, or is lost. How often results come depends on when commits are
   * made; so only for those of which the last one replaces all others. Steps in front are called first. An error goes to the
   * policies as one of `schedule`. Only while the step is built.
   */
  onCommit(run: () => void): void;
}

/**
 * When a punctuator runs, and what its `timeMs` is. As Kafka Streams' `ProcessorContext.schedule` (KIP-138).
 *
 * `stream-time`: at the first record, and then whenever the highest timestamp of any record that the task has processed reaches
 * another multiple of the interval since 1970; once, however many were passed. `timeMs` is that timestamp. Runs after the record
 * has gone through all steps, before the next one.
 *
 * `wall-clock`: an interval of real time after the task's start, and then at each further interval; missed ones collapse into
 * one. `timeMs` is the clock's, and never falls. Due times are recorded with the task's state and go on after a restart; a tick
 * whose effect was not committed comes again. Never in replay and backfill (setting `wallClock`).
 *
 * What a punctuator emits belongs to no input record: its `origin` has an empty topic, partition and offset -1, and `timeMs`.
 */
export interface Schedule {
  readonly type: 'stream-time' | 'wall-clock';
  readonly intervalMs: number;
}

/** Another stream that a step takes records from; a `Stream` of the topology is one. */
export interface StreamReference<K, V> {
  readonly node: string;
  readonly port: string;
  /** Never set; carry the types. */
  readonly keyType?: K;
  readonly valueType?: V;
}

/** A step of a topology, not yet running. `build` is called once per task, and again after a restart. */
export interface Operator<KI, VI, KO, VO> {
  readonly kind: string;
  /** Stateful steps have a name of their own; null lets the topology number the step. */
  readonly name: string | null;
  /** Streams that it takes records from beside the one that is piped into it; `context.input` tells which. */
  readonly others?: readonly StreamReference<unknown, unknown>[];
  readonly stores: readonly StoreDefinition[];
  /** Names of the tables and global tables whose stores the step reads. */
  readonly reads: readonly string[];
  /** Side outputs by name, beside the main one. */
  readonly ports: readonly string[];
  /** True when the record's key may be another afterwards, so that keyed steps behind it need a repartition. */
  readonly changesKey: boolean;
  /** One line for `describe()`: sizes, grace, time scope. */
  readonly detail: string;
  build(context: StepContext): OperatorFunction<StreamRecord<KI, VI>, StreamRecord<KO, VO>>;
}

/** How a running step looks a table's values up. */
export interface TableLookup<K, V> {
  /** The value as it is now, with the timestamp of the record that it comes from; undefined when there is none. */
  get(key: K): Timestamped<V> | undefined;
  /** The version that was valid at a time; of a table without versions, the value as it is now. */
  getAsOf(key: K, asOfMs: number): Timestamped<V> | undefined;
}

/** A table as a join sees it: kept in a store, or computed from others that are. */
export interface TableReference<K, V> {
  readonly name: string;
  /** Read to the end seen at start before the first record, and the same in every task. */
  readonly global: boolean;
  /** Has versions: joined as of the record's time, and deaf to what is older than the newest where that is not what it is for. */
  readonly versioned: boolean;
  /** Names of the tables (sources or steps) whose stores `open` reads. */
  readonly reads: readonly string[];
  /** Called while a step is built. */
  open(context: Pick<StepContext, 'store'>): TableLookup<K, V>;
  /** Never set; carry the types. */
  readonly keyType?: K;
  readonly valueType?: V;
}

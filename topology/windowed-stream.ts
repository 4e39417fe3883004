import type { StreamReference } from '../operators/operator.ts';
import type { Fold, FurtherInput, WindowedInputs } from '../operators/windows/aggregation.ts';
import { sessionOperator } from '../operators/windows/session-operator.ts';
import type { SessionWindows } from '../operators/windows/session-windows.ts';
import type { SlidingWindows } from '../operators/windows/sliding-windows.ts';
import type { TimeWindows } from '../operators/windows/time-windows.ts';
import { windowOperator } from '../operators/windows/window-operator.ts';
import { int64 } from '../schemas/builtin-codecs.ts';
import type { Form } from '../schemas/codec.ts';
import type { AnyOperator } from './graph.ts';
import type { GroupedStream } from './grouped-stream.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder } from './stream.ts';
import { WindowedResults, WindowedTable, type WindowedFacts } from './windowed-table.ts';

export type Emission = 'update' | 'final';

/** When results of windows come, and what closes a window. */
export interface WindowEmission<E extends Emission> {
  /**
   * `update` (default): each change of a window at once. `final`: each window once, when it closes, in the order of
   * (end, key bytes); Kafka Streams' `EmitStrategy.onWindowClose`.
   */
  readonly emit?: E;
  /** What closes a window: `task` (default), the time of all keys, as in Kafka Streams; or `key`, the time of its own. */
  readonly timeScope?: 'task' | 'key';
  /** Only with `timeScope: 'key'`: closes a silent key's windows when all others are so much further than their close. */
  readonly silentKeyMs?: number;
}

export interface WindowedAggregateOptions<K, V, A, E extends Emission> extends WindowEmission<E> {
  readonly initial: () => A;
  /** Gives a new aggregate; must not change the old one. */
  readonly fold: Fold<K, V, A>;
  /** How the aggregates are kept. */
  readonly aggregate: Form<A>;
}

export interface SessionAggregation<K, V, A, E extends Emission> extends WindowedAggregateOptions<K, V, A, E> {
  /** Makes one aggregate of two, the earlier session's first. The first call for a record has `initial()` there. */
  readonly merge: (earlier: A, later: A, key: K) => A;
}

/** What an aggregate over windows of time gives. */
export type TimeWindowed<K, A, V, E extends Emission> = E extends 'final' ? WindowedResults<K, A, V> : WindowedTable<K, A, V, A>;

/** What an aggregate over sessions gives: sessions that another absorbs are taken back, where they had been told. */
export type SessionWindowed<K, A, V, E extends Emission> = E extends 'final' ? WindowedResults<K, A, V> : WindowedTable<K, A, V>;

/** The streams that go into an aggregate, and the form of their common key. */
export interface WindowInputs<K, A> {
  readonly builder: GraphBuilder;
  readonly key: Form<K>;
  readonly first: StreamReference<unknown, unknown>;
  /** Those of a cogroup beside the first. */
  readonly others?: readonly FurtherInput<K, A>[];
}

/**
 * A stream grouped by key and by windows of time, to be aggregated. Records without a key are dropped and counted; those without a
 * value too by `reduce` and over sliding windows, else they are folded like others, as Kafka Streams does it.
 */
export class TimeWindowedStream<K, V> {
  readonly #builder: GraphBuilder;
  readonly #grouped: GroupedStream<K, V>;
  readonly #windows: TimeWindows | SlidingWindows;

  constructor(builder: GraphBuilder, grouped: GroupedStream<K, V>, windows: TimeWindows | SlidingWindows) {
    this.#builder = builder;
    this.#grouped = grouped;
    this.#windows = windows;
  }

  /** How many records each window holds. */
  count<E extends Emission = 'update'>(name: string, emission: WindowEmission<E> = {}): TimeWindowed<K, number, V, E> {
    return this.aggregate<number, E>(name, { ...emission, ...counting, aggregate: int64 });
  }

  /** Folds the values of each window into one of their kind: the first as it is, each further one by `fold`. */
  reduce<E extends Emission = 'update'>(name: string, fold: Fold<K, V, V>, emission: WindowEmission<E> = {}): TimeWindowed<K, V, V, E> {
    const options = { ...emission, ...reducing<K, V>(fold), aggregate: this.#grouped.form.value };
    return aggregateWindows<K, V, V, E>(inputsOf(this.#builder, this.#grouped, name), name, this.#windows, options, true);
  }

  /** Folds the values of each window into an aggregate that starts at `initial`. */
  aggregate<A, E extends Emission = 'update'>(name: string, options: WindowedAggregateOptions<K, V, A, E>): TimeWindowed<K, A, V, E> {
    return aggregateWindows<K, V, A, E>(inputsOf(this.#builder, this.#grouped, name), name, this.#windows, options);
  }
}

/**
 * A stream grouped by key and by sessions, to be aggregated. Records without a key are dropped and counted; those without a value
 * too by `reduce`, else they are folded like others, as Kafka Streams does it.
 */
export class SessionWindowedStream<K, V> {
  readonly #builder: GraphBuilder;
  readonly #grouped: GroupedStream<K, V>;
  readonly #windows: SessionWindows;

  constructor(builder: GraphBuilder, grouped: GroupedStream<K, V>, windows: SessionWindows) {
    this.#builder = builder;
    this.#grouped = grouped;
    this.#windows = windows;
  }

  /** How many records each session holds. */
  count<E extends Emission = 'update'>(name: string, emission: WindowEmission<E> = {}): SessionWindowed<K, number, V, E> {
    return this.aggregate<number, E>(name, { ...emission, ...counting, merge: (earlier, later) => earlier + later, aggregate: int64 });
  }

  /** Folds the values of each session into one of their kind; sessions that become one, too. */
  reduce<E extends Emission = 'update'>(name: string, fold: Fold<K, V, V>, emission: WindowEmission<E> = {}): SessionWindowed<K, V, V, E> {
    const options = { ...emission, ...reducing<K, V>(fold), merge: reducing<K, V>(fold).fold, aggregate: this.#grouped.form.value };
    return aggregateSessions<K, V, V, E>(inputsOf(this.#builder, this.#grouped, name), name, this.#windows, options, true);
  }

  /** Folds the values of each session into an aggregate that starts at `initial`; `merge` makes one of two. */
  aggregate<A, E extends Emission = 'update'>(name: string, options: SessionAggregation<K, V, A, E>): SessionWindowed<K, A, V, E> {
    return aggregateSessions<K, V, A, E>(inputsOf(this.#builder, this.#grouped, name), name, this.#windows, options);
  }
}

/** The step of an aggregate over windows of time, and its results. */
export function aggregateWindows<K, V, A, E extends Emission>(
  inputs: WindowInputs<K, A>, name: string, windows: TimeWindows | SlidingWindows, options: WindowedAggregateOptions<K, V, A, E>,
  dropsNullValues = false,
): TimeWindowed<K, A, V, E> {
  const kept = { ...options, key: stateCodec(inputs.key), aggregate: stateCodec(options.aggregate) };
  const operator = windowOperator<K, V, A>(name, windows, kept, furtherInputs(inputs, dropsNullValues));
  return resultsOf<K, A, V>(inputs, operator, { ...factsOf(name, kept), closesAfterMs: windows.graceMs }, options.emit) as TimeWindowed<K, A, V, E>;
}

/** The step of an aggregate over sessions, and its results. */
export function aggregateSessions<K, V, A, E extends Emission>(
  inputs: WindowInputs<K, A>, name: string, windows: SessionWindows, options: SessionAggregation<K, V, A, E>, dropsNullValues = false,
): SessionWindowed<K, A, V, E> {
  const kept = { ...options, key: stateCodec(inputs.key), aggregate: stateCodec(options.aggregate) };
  const operator = sessionOperator<K, V, A>(name, windows, kept, furtherInputs(inputs, dropsNullValues));
  const facts = { ...factsOf(name, kept), closesAfterMs: windows.gapMs + windows.graceMs };
  return resultsOf<K, A, V>(inputs, operator, facts, options.emit) as SessionWindowed<K, A, V, E>;
}

function inputsOf<K, V, A>(builder: GraphBuilder, grouped: GroupedStream<K, V>, name: string): WindowInputs<K, A> {
  return { builder, key: grouped.form.key, first: grouped.partitionedFor(name) };
}

function furtherInputs<K, A>({ others = [] }: WindowInputs<K, A>, dropsNullValues: boolean): WindowedInputs<K, A> {
  return { others, dropsNullValues };
}

function factsOf<K, A>(
  name: string, { key, aggregate, timeScope = 'task' }: Pick<WindowedFacts<K, A>, 'key' | 'aggregate'> & { readonly timeScope?: 'task' | 'key' },
): Omit<WindowedFacts<K, A>, 'closesAfterMs'> {
  return { name, key, aggregate, timeScope };
}

function resultsOf<K, A, V>(
  { builder, first }: WindowInputs<K, A>, operator: AnyOperator, facts: WindowedFacts<K, A>, emit: Emission = 'update',
): WindowedResults<K, A, V> | WindowedTable<K, A, V> {
  const node = builder.addStep(first.node, first.port, operator);
  const nodes = { results: node, aggregate: node };
  return emit === 'final' ? new WindowedResults<K, A, V>(builder, nodes) : new WindowedTable<K, A, V>(builder, nodes, facts);
}

const counting = { initial: () => 0, fold: (count: number) => count + 1 };

/** A fold that begins with the first value itself. */
function reducing<K, V>(fold: Fold<K, V, V>): { readonly initial: () => V; readonly fold: Fold<K, V, V> } {
  // No value is null here: those are dropped, so that null can stand for "none yet".
  return { initial: () => null as V, fold: (left, right, key) => (left === null ? right : fold(left, right, key)) };
}

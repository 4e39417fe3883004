import { cogroupStreams, type Fold } from '../operators/aggregate.ts';
import { aggregateStore } from '../operators/aggregates/aggregate-store.ts';
import type { StreamReference } from '../operators/operator.ts';
import type { SessionWindows } from '../operators/windows/session-windows.ts';
import type { SlidingWindows } from '../operators/windows/sliding-windows.ts';
import type { TimeWindows } from '../operators/windows/time-windows.ts';
import type { Form } from '../schemas/codec.ts';
import type { GroupedStream } from './grouped-stream.ts';
import { stateCodec } from './state-codec.ts';
import type { GraphBuilder } from './stream.ts';
import { tableKeptBy, type Table } from './table.ts';
import { SessionWindowedCogroup, TimeWindowedCogroup } from './windowed-cogroup.ts';

/** How the values of one of the streams go into the common aggregate. Gives a new one, must not change the old one. */
export type CogroupFold<K, V, A> = (aggregate: A, value: V, key: K) => A;

export interface CogroupOptions<A> {
  readonly initial: () => A;
  /** How the aggregates are kept. */
  readonly aggregate: Form<NonNullable<A>>;
}

/** One of the streams as an aggregate takes it, and what folds its values. */
export interface CogroupInput<K, A> {
  readonly stream: StreamReference<unknown, unknown>;
  readonly fold: CogroupFold<K, unknown, A>;
}

/** What a cogroup is made of. */
export interface CogroupParts<K, A> {
  readonly builder: GraphBuilder;
  readonly key: Form<K>;
  /** The streams as the aggregate of that name takes them. */
  readonly inputsFor: (name: string) => readonly [CogroupInput<K, A>, ...CogroupInput<K, A>[]];
}

/**
 * Several streams that are grouped by the same key, to be folded into one aggregate a key, each by a function of its own. Where
 * the key of one was changed before, its records pass a topic first: `<name>-by-key` for the first stream, `<name>-2-by-key` for
 * the second, and so on, so new streams come last. All must have the same number of partitions. KIP-150.
 */
export class CogroupedStream<K, A> {
  readonly #parts: CogroupParts<K, A>;

  constructor(parts: CogroupParts<K, A>) {
    this.#parts = parts;
  }

  /** Adds a stream with the function that folds its values. */
  cogroup<V>(grouped: GroupedStream<K, V>, fold: CogroupFold<K, V, A>): CogroupedStream<K, A> {
    const { inputsFor } = this.#parts;
    return new CogroupedStream({
      ...this.#parts,
      inputsFor: (name) => {
        const inputs = inputsFor(name);
        return [...inputs, cogroupInput(grouped, `${name}-${inputs.length + 1}`, fold)];
      },
    });
  }

  /**
   * Folds the values of all the streams into one aggregate a key; null from a fold deletes it. Records without a key or a value are
   * dropped and counted.
   */
  aggregate(name: string, { initial, aggregate }: CogroupOptions<A>): Table<K, NonNullable<A>> {
    const { builder, key, inputsFor } = this.#parts;
    const inputs = inputsFor(name);
    const [first, ...others] = inputs;
    const store = aggregateStore(name, stateCodec(key), stateCodec(aggregate));
    const folds = inputs.map(({ fold }) => fold as Fold<K, unknown, NonNullable<A>, A>);
    return tableKeptBy(builder, first.stream, cogroupStreams(name, store, initial, folds, others.map(({ stream }) => stream)), store);
  }

  /** Groups each key's records further by windows, to be aggregated window by window. */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedCogroup<K, A>;
  windowedBy(windows: SessionWindows): SessionWindowedCogroup<K, A>;
  windowedBy(windows: TimeWindows | SlidingWindows | SessionWindows): TimeWindowedCogroup<K, A> | SessionWindowedCogroup<K, A> {
    return windows.kind === 'session' ? new SessionWindowedCogroup(this.#parts, windows) : new TimeWindowedCogroup(this.#parts, windows);
  }
}

/** The input of an aggregate that a grouped stream is. */
export function cogroupInput<K, V, A>(grouped: GroupedStream<K, V>, name: string, fold: CogroupFold<K, V, A>): CogroupInput<K, A> {
  return { stream: grouped.partitionedFor(name), fold: fold as CogroupFold<K, unknown, A> };
}

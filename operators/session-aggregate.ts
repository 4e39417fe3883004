import type { Operator, Windowed } from './operator.ts';
import type { WindowedOptions } from './windows/aggregation.ts';
import { sessionOperator } from './windows/session-operator.ts';
import type { SessionWindows } from './windows/session-windows.ts';

export interface SessionAggregateOptions<K, V, A> extends WindowedOptions<K, V, A> {
  /**
   * Makes one aggregate of two, the earlier session's first. Called with `initial()` and each session that a record joins, also
   * when that is only one.
   */
  readonly merge: (earlier: A, later: A, key: K) => A;
}

/** What a session aggregate sends: with `update`, null for each session that another has absorbed. */
export type SessionResult<A, E extends 'update' | 'final'> = E extends 'final' ? A : A | null;

/**
 * Folds each key's values into sessions: windows of activity that end by a silence of more than the gap.
 *
 * A record within the gap of a session joins it; one that lies between two makes them one. With `emit: 'update'` each session that
 * a record joins or absorbs is taken back first (value null, at its end), then the new one is sent; its timestamp is its end. A
 * session closes when stream time reaches its end plus gap plus grace: then it leaves the store and, with `emit: 'final'`, goes
 * out, once. A record that could only belong to a closed session goes to the output `late` and is counted as dropped (`late`); one
 * without a key is dropped and counted. Rules of Kafka Streams 4.2 (KStreamSessionWindowAggregate, KTableSuppressProcessor).
 *
 * @example How often a connector is used without a pause of half an hour
 * sessionAggregate('visits', sessions({ gapMs: 1_800_000, graceMs: 60_000 }), {
 *   key: utf8, aggregate: int64, emit: 'final', initial: () => 0, fold: (count) => count + 1, merge: (left, right) => left + right,
 * })
 */
export function sessionAggregate<K, V, A, E extends 'update' | 'final' = 'update'>(
  name: string, windows: SessionWindows, options: SessionAggregateOptions<K, V, A> & { readonly emit?: E },
): Operator<K | null, V, Windowed<K>, SessionResult<A, E>> {
  return sessionOperator(name, windows, options) as Operator<K | null, V, Windowed<K>, SessionResult<A, E>>;
}

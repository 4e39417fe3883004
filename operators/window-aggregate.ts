import type { Operator, Windowed } from './operator.ts';
import type { WindowedOptions } from './windows/aggregation.ts';
import type { PeriodicEmission } from './windows/periodic-emission.ts';
import type { SlidingWindows } from './windows/sliding-windows.ts';
import type { TimeWindows } from './windows/time-windows.ts';
import { windowOperator } from './windows/window-operator.ts';

export interface WindowAggregateOptions<K, V, A> extends Omit<WindowedOptions<K, V, A>, 'emit'> {
  /**
   * `update` (default): each change of a window at once. `final`: each window once, when it closes, in the order of
   * (end, key bytes): Kafka Streams' `suppress(untilWindowCloses)`. `{ everyMs }`: each window that has changed, when time next passes
   * a multiple of that, and when it closes, if it has changed since; not over sliding windows.
   */
  readonly emit?: 'update' | 'final' | PeriodicEmission<K, A>;
}

/**
 * Folds each key's values into event-time windows.
 *
 * A window closes when stream time reaches its end plus `graceMs`. The result's timestamp is the highest of its records. A
 * record for which every window is closed goes to the output `late`, so that windows and late records together are
 * everything; each closed window that a record would have been in is counted as dropped (`late`). Records without a key are
 * dropped and counted; over sliding windows, records without a value, too. Rules of Kafka Streams 4.2 (KStreamWindowAggregate,
 * KStreamSlidingWindowAggregate, KTableSuppressProcessor).
 *
 * Behind sources that are idle (`idleAfterMs`) windows close without a record, as if another key had its first one at the idle time; with
 * `timeScope: 'key'`, the windows of all keys that the idle time has closed.
 *
 * **From time to time**, with `emit: { everyMs }`: what a window has changed by waits until time passes a multiple of `everyMs`, and
 * comes as one result, in front of the record that moves the time, in the order of (start, key bytes). Time is the step's own, by records or by
 * idle sources; with `timeScope: 'key'`, for a key that is more than a whole `everyMs` behind that, also the key's own: in a replay of old
 * records. What waits is state: a restart changes nothing. A `fold` that gives back the very aggregate that it got (`===`) has changed
 * nothing, and a window begins with the first change of `initial()`.
 *
 * **Rollups** are tumbling windows of a coarser size, made of the aggregates of the finer ones when they are given, each in a rhythm of its own,
 * to the output of its name: exact sums, means and peaks without state of their own. All windows of the largest rollup close
 * together, `graceMs` after its end, so that a record is late for all of them or for none.
 *
 * @example Energy delivered by each connector, minute by minute
 * windowAggregate('energy-per-minute', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
 *   key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (wh, reading: MeterValue) => wh + reading.deltaWh,
 * })
 *
 * @example The same as it grows, at most once a minute, and the highest minute of each hour, every quarter of an hour, to the output `peaks`
 * windowAggregate('energy-per-minute', tumbling({ sizeMs: 60_000, graceMs: 3_600_000 }), {
 *   key: utf8, aggregate: float64, initial: () => 0, fold: (wh, reading: MeterValue) => wh + reading.deltaWh,
 *   emit: { everyMs: 60_000, rollups: { peaks: { sizeMs: 3_600_000, everyMs: 900_000, combine: (minutes) => Math.max(...minutes) } } },
 * })
 */
export function windowAggregate<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowAggregateOptions<K, V, A>,
): Operator<K | null, V, Windowed<K>, A> {
  return windowOperator(name, windows, options);
}

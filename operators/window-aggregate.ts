import type { Operator, Windowed } from './operator.ts';
import type { WindowedOptions } from './windows/aggregation.ts';
import type { SlidingWindows } from './windows/sliding-windows.ts';
import type { TimeWindows } from './windows/time-windows.ts';
import { windowOperator } from './windows/window-operator.ts';

export type WindowAggregateOptions<K, V, A> = WindowedOptions<K, V, A>;

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
 * @example Energy delivered by each connector, minute by minute
 * windowAggregate('energy-per-minute', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
 *   key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (wh, reading: MeterValue) => wh + reading.deltaWh,
 * })
 */
export function windowAggregate<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowAggregateOptions<K, V, A>,
): Operator<K | null, V, Windowed<K>, A> {
  return windowOperator(name, windows, options);
}

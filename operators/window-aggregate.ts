import { VoltstreamError } from '../errors.ts';
import type { Codec } from '../schemas/codec.ts';
import type { Operator, Windowed } from './operator.ts';
import { handlerStep } from './record-step.ts';
import type { SlidingWindows } from './windows/sliding-windows.ts';
import { slidingWindowStep } from './windows/sliding-window-step.ts';
import { timeWindowStep } from './windows/time-window-step.ts';
import type { TimeWindows } from './windows/time-windows.ts';
import { wantMilliseconds } from './windows/window-span.ts';
import { windowStores } from './windows/window-stores.ts';

export interface WindowAggregateOptions<K, V, A> {
  readonly key: Codec<K>;
  readonly aggregate: Codec<A>;
  readonly initial: () => A;
  /** Gives a new aggregate; must not change the old one. */
  readonly fold: (aggregate: A, value: V, key: K) => A;
  /**
   * `update` (default): each change of a window at once. `final`: each window once, when it closes, in the order of
   * (end, key bytes): Kafka Streams' `suppress(untilWindowCloses)`.
   */
  readonly emit?: 'update' | 'final';
  /**
   * What closes a window: `task` (default), the highest timestamp that the step has seen, as in Kafka Streams; or `key`, the
   * highest that it has seen of the window's own key, so that no key is late because others went on.
   */
  readonly timeScope?: 'task' | 'key';
  /**
   * Only with `timeScope: 'key'`: closes a silent key's windows, too, when the step's own time is this far behind their end
   * plus grace. Left out, they wait for the key.
   */
  readonly silentKeyMs?: number;
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
 * @example Energy delivered by each connector, minute by minute
 * windowAggregate('energy-per-minute', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
 *   key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (wh, reading: MeterValue) => wh + reading.deltaWh,
 * })
 */
export function windowAggregate<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowAggregateOptions<K, V, A>,
): Operator<K | null, V, Windowed<K>, A> {
  const emits = options.emit ?? 'update';
  const timeScope = options.timeScope ?? 'task';
  if (options.silentKeyMs !== undefined) {
    wantMilliseconds(name, 'silentKeyMs', options.silentKeyMs);
    if (timeScope !== 'key') {
      throw new VoltstreamError('TOPOLOGY_INVALID', 'silentKeyMs has no meaning here', { where: name, wanted: "timeScope 'key'", got: timeScope });
    }
  }
  const stores = windowStores(name, options, windows.kind === 'sliding' && emits === 'final');
  return {
    kind: 'windowAggregate',
    name,
    stores: stores.all,
    reads: [],
    ports: ['late'],
    changesKey: false,
    detail: `${describeWindows(windows)}, grace ${windows.graceMs} ms, emits ${emits}, time by ${timeScope}`,
    build: (context) =>
      handlerStep(context, (emit, guard) =>
        windows.kind === 'sliding'
          ? slidingWindowStep(context, windows, options, stores, emit, guard)
          : timeWindowStep(context, windows, options, stores, emit, guard)),
  };
}

function describeWindows(windows: TimeWindows | SlidingWindows): string {
  if (windows.kind === 'sliding') return `sliding ${windows.timeDifferenceMs} ms`;
  return windows.kind === 'tumbling' ? `tumbling ${windows.sizeMs} ms` : `hopping ${windows.sizeMs} ms every ${windows.advanceMs} ms`;
}

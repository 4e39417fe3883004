import type { KeyValueStore, TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { StepContext, StreamRecord, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { WindowedOptions } from './aggregation.ts';
import { advanceProgress } from './progress.ts';
import { putIn, type HeldAggregate } from './held-aggregate.ts';
import { firstStartMs, type TimeWindows } from './time-windows.ts';
import type { WindowStores } from './window-stores.ts';

/** What a tumbling or hopping aggregate does with each record. */
export function timeWindowStep<K, V, A>(
  context: StepContext,
  windows: TimeWindows,
  options: WindowedOptions<K, V, A>,
  stores: WindowStores<K, A>,
  emit: Emit<StreamRecord<Windowed<K>, A>>,
  guard: <R>(output: Emit<R>) => Emit<R>,
): (record: StreamRecord<K | null, V>) => void {
  const { sizeMs, advanceMs, graceMs } = windows;
  const { initial, fold } = options;
  const { streamTime } = context;
  const store = context.store(stores.windows);
  const progress = stores.progress === null ? null : context.store(stores.progress);
  const late = guard(context.output<K | null, V>('late'));
  const emitsUpdates = options.emit !== 'final';

  const emitWindow = (key: K, startMs: number, value: A, timestampMs: number): void =>
    emit({ key: { key, startMs, endMs: startMs + sizeMs }, value, timestampMs });

  const emitClosed = (closed: readonly TimeKeyEntry<K, Timestamped<A>>[]): void => {
    for (const { key, timeMs, value } of closed) emitWindow(key, timeMs, value.value, value.timestampMs);
  };

  const closeWindows = windowClosing(context, windows, options.silentKeyMs, store, progress, emitsUpdates ? null : emitClosed);

  return (record) => {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined) {
      context.dropped('null-key');
      return;
    }
    streamTime.advance(timestampMs);
    const closeMs = (progress === null ? streamTime.ms : advanceProgress(progress, key, timestampMs)) - graceMs;
    let isLate = true;
    for (let startMs = firstStartMs(windows, timestampMs); startMs <= timestampMs; startMs += advanceMs) {
      if (startMs + sizeMs <= closeMs) {
        context.dropped('late');
        continue;
      }
      isLate = false;
      const held: HeldAggregate<A> | undefined = store.get(key, startMs);
      const aggregate = fold(held === undefined ? initial() : held.value, value, key);
      const highestMs = held === undefined || held.timestampMs < timestampMs ? timestampMs : held.timestampMs;
      putIn(store, key, startMs, held, aggregate, highestMs);
      if (emitsUpdates) emitWindow(key, startMs, aggregate, highestMs);
    }
    if (isLate) late(record);
    closeWindows(key, closeMs);
  };
}

/** What takes closed windows out of their store: behind a record of a key, and when the sources are idle. `emitClosed`: null to forget them. */
function windowClosing<K, A>(
  context: StepContext, { sizeMs, graceMs }: TimeWindows, silentKeyMs: number | undefined, store: TimeKeyStore<K, Timestamped<A>>,
  progress: KeyValueStore<K, number> | null, emitClosed: ((closed: readonly TimeKeyEntry<K, Timestamped<A>>[]) => void) | null,
): (key: K, closeMs: number) => void {
  const { streamTime } = context;

  /** All windows that end by then have been closed, and none has come since: a record for one would have been late. */
  let closedMs = Number.NaN;

  const closeAll = (closeMs: number): void => {
    if (closeMs === closedMs) return;
    closedMs = closeMs;
    const earliestMs = store.earliestMs;
    if (earliestMs === undefined || earliestMs + sizeMs > closeMs) return;
    if (emitClosed === null) store.forget(closeMs - sizeMs);
    else emitClosed(store.drain(closeMs - sizeMs));
  };

  const closeSilentKeys = (progressOfKeys: KeyValueStore<K, number>, untilStartMs: number): void => {
    const earliestMs = store.earliestMs;
    if (earliestMs === undefined || earliestMs > untilStartMs) return;
    const closed = store.drain(untilStartMs);
    // What has been closed must not open again: it is as if the key had come this far by itself.
    for (const { key, timeMs } of closed) {
      const closedAtMs = timeMs + sizeMs + graceMs;
      if ((progressOfKeys.get(key) ?? -1) < closedAtMs) progressOfKeys.put(key, closedAtMs);
    }
    emitClosed?.(closed);
  };

  context.onIdle((timeMs) => {
    streamTime.advance(timeMs);
    if (progress === null) closeAll(streamTime.ms - graceMs);
    else closeSilentKeys(progress, timeMs - graceMs - sizeMs);
  });

  return (key, closeMs) => {
    if (progress === null) {
      closeAll(closeMs);
      return;
    }
    const earliestMs = store.earliestOf(key);
    if (earliestMs !== undefined && earliestMs + sizeMs <= closeMs) {
      const closed = store.drainKey(key, closeMs - sizeMs);
      emitClosed?.(closed);
    }
    if (silentKeyMs !== undefined) closeSilentKeys(progress, streamTime.ms - silentKeyMs - graceMs - sizeMs);
  };
}

import type { TimeKeyEntry } from '../../state/local-store.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { StepContext, StreamRecord, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { WindowAggregateOptions } from '../window-aggregate.ts';
import { advanceProgress } from './progress.ts';
import { slidingChanges, type HeldWindow, type SlidingChange, type SlidingWindows } from './sliding-windows.ts';
import type { WindowStores } from './window-stores.ts';

/**
 * What a sliding aggregate does with each record (KStreamSlidingWindowAggregate). Windows stay for twice the difference and
 * the grace behind the newest start, since later records copy from them. A window takes records while its end is not below
 * stream time less grace, but final results leave as soon as it is reached: a record for just that end gives a second result.
 */
export function slidingWindowStep<K, V, A>(
  context: StepContext,
  windows: SlidingWindows,
  options: WindowAggregateOptions<K, V, A>,
  stores: WindowStores<K, A>,
  emit: Emit<StreamRecord<Windowed<K>, A>>,
  guard: <R>(output: Emit<R>) => Emit<R>,
): (record: StreamRecord<K | null, V>) => void {
  const { timeDifferenceMs, graceMs } = windows;
  const { initial, fold, silentKeyMs } = options;
  const { streamTime } = context;
  const store = context.store(stores.windows);
  const progress = stores.progress === null ? null : context.store(stores.progress);
  const pending = stores.pending === null ? null : context.store(stores.pending);
  const late = guard(context.output<K | null, V>('late'));
  const retentionMs = 2 * timeDifferenceMs + graceMs;
  let newestStartMs: number | undefined;

  const emitWindow = (key: K, startMs: number, value: A, timestampMs: number): void =>
    emit({ key: { key, startMs, endMs: startMs + timeDifferenceMs }, value, timestampMs });

  const emitFinal = (due: readonly TimeKeyEntry<K, Timestamped<A>>[]): void => {
    for (const { key, timeMs, value } of due) emitWindow(key, timeMs, value.value, value.timestampMs);
  };

  const write = (key: K, startMs: number, value: A, timestampMs: number, closeMs: number): void => {
    store.put(key, startMs, { value, timestampMs });
    newestStartMs = newestStartMs === undefined || newestStartMs < startMs ? startMs : newestStartMs;
    if (pending === null) {
      emitWindow(key, startMs, value, timestampMs);
      return;
    }
    pending.put(key, startMs, { value, timestampMs });
    const untilMs = closeMs - timeDifferenceMs;
    if (progress !== null) emitFinal(pending.drainKey(key, untilMs));
    else if ((pending.earliestMs ?? Number.POSITIVE_INFINITY) <= untilMs) emitFinal(pending.drain(untilMs));
  };

  /** True when the record became part of a window by it. */
  const apply = (change: SlidingChange<A>, key: K, value: V, timestampMs: number, closeMs: number): boolean => {
    if (change.kind === 'copy') {
      write(key, change.startMs, change.later.value, change.later.timestampMs, closeMs);
      return false;
    }
    const startMs = change.kind === 'add' ? change.window.startMs : change.startMs;
    if (startMs + timeDifferenceMs < closeMs) {
      context.dropped('late');
      return false;
    }
    const before = change.kind === 'add' ? change.window.value : change.kind === 'extend' ? change.earlier : initial();
    const highestMs = change.kind === 'add' ? Math.max(change.window.timestampMs, timestampMs) : timestampMs;
    write(key, startMs, fold(before, value, key), highestMs, closeMs);
    return true;
  };

  const closeSilentKeys = (): void => {
    if (progress === null || silentKeyMs === undefined) return;
    const untilStartMs = streamTime.ms - silentKeyMs - graceMs - timeDifferenceMs - 1;
    for (const { key, timeMs } of store.drain(untilStartMs)) {
      const closedAtMs = timeMs + timeDifferenceMs + graceMs + 1;
      if ((progress.get(key) ?? -1) < closedAtMs) progress.put(key, closedAtMs);
    }
    if (pending !== null) emitFinal(pending.drain(untilStartMs));
  };

  return (record) => {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined || value === null || value === undefined) {
      context.dropped(key === null || key === undefined ? 'null-key' : 'null-value');
      return;
    }
    newestStartMs ??= store.latestMs;
    streamTime.advance(timestampMs);
    const closeMs = (progress === null ? streamTime.ms : advanceProgress(progress, key, timestampMs)) - graceMs;
    if (timestampMs + timeDifferenceMs < closeMs) {
      context.dropped('late');
      late(record);
      return;
    }
    const expiredMs = progress === null ? (newestStartMs ?? 0) - retentionMs : closeMs - 2 * timeDifferenceMs - 1;
    if (progress !== null) store.drainKey(key, expiredMs);
    else if ((store.earliestMs ?? Number.POSITIVE_INFINITY) <= expiredMs) store.drain(expiredMs);
    const held: HeldWindow<A>[] = [];
    for (const { timeMs, value: window } of store.fetch(key, Math.max(0, timestampMs - 2 * timeDifferenceMs), timestampMs + 1)) {
      held.push({ startMs: timeMs, value: window.value, timestampMs: window.timestampMs });
    }
    let isLate = true;
    for (const change of slidingChanges(timeDifferenceMs, timestampMs, held)) {
      if (apply(change, key, value, timestampMs, closeMs)) isLate = false;
    }
    if (isLate) late(record);
    closeSilentKeys();
  };
}

import type { KeyValueStore, TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { WindowedOptions } from './aggregation.ts';
import { advanceProgress } from './progress.ts';
import { slidingChanges, type SlidingChange, type SlidingWindows } from './sliding-windows.ts';
import type { WindowStores } from './window-stores.ts';

/**
 * What a sliding aggregate does with each record (KStreamSlidingWindowAggregate). Windows stay for twice the difference and
 * the grace behind the newest start, since later records copy from them. A window takes records while its end is not below
 * stream time less grace, but final results leave as soon as it is reached: a record for just that end gives a second result.
 */
export function slidingWindowStep<K, V, A>(
  context: StepContext,
  windows: SlidingWindows,
  options: WindowedOptions<K, V, A>,
  stores: WindowStores<K, A>,
  emit: Emit<StreamRecord<Windowed<K>, A>>,
  guard: <R>(output: Emit<R>) => Emit<R>,
): (record: StreamRecord<K | null, V>) => void {
  const step = new SlidingWindowStep(context, windows, options, stores, emit, guard(context.output<K | null, V>('late')));
  context.onIdle((timeMs) => step.idle(timeMs));
  return (record) => step.process(record);
}

class SlidingWindowStep<K, V, A> {
  readonly #context: StepContext;
  readonly #windows: SlidingWindows;
  readonly #options: WindowedOptions<K, V, A>;
  readonly #emit: Emit<StreamRecord<Windowed<K>, A>>;
  readonly #late: Emit<StreamRecord<K | null, V>>;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, Timestamped<A>>;
  readonly #progress: KeyValueStore<K, number> | null;
  readonly #pending: TimeKeyStore<K, Timestamped<A>> | null;
  #newestStartMs: number | undefined;

  constructor(
    context: StepContext, windows: SlidingWindows, options: WindowedOptions<K, V, A>, stores: WindowStores<K, A>,
    emit: Emit<StreamRecord<Windowed<K>, A>>, late: Emit<StreamRecord<K | null, V>>,
  ) {
    this.#context = context;
    this.#windows = windows;
    this.#options = options;
    this.#emit = emit;
    this.#late = late;
    this.#streamTime = context.streamTime;
    this.#store = context.store(stores.windows);
    this.#progress = stores.progress === null ? null : context.store(stores.progress);
    this.#pending = stores.pending === null ? null : context.store(stores.pending);
  }

  process(record: StreamRecord<K | null, V>): void {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined || value === null || value === undefined) {
      this.#context.dropped(key === null || key === undefined ? 'null-key' : 'null-value');
      return;
    }
    const { timeDifferenceMs, graceMs } = this.#windows;
    this.#streamTime.advance(timestampMs);
    const nowMs = this.#progress === null ? this.#streamTime.ms : advanceProgress(this.#progress, key, timestampMs);
    const closeMs = nowMs - graceMs;
    if (timestampMs + timeDifferenceMs < closeMs) {
      this.#context.dropped('late');
      this.#late(record);
      return;
    }
    this.#forgetExpired(key, closeMs);
    let isLate = true;
    const held = this.#store.fetch(key, Math.max(0, timestampMs - 2 * timeDifferenceMs), timestampMs + 1);
    slidingChanges(timeDifferenceMs, timestampMs, held, (change) => {
      if (this.#apply(change, key, value, timestampMs, closeMs)) isLate = false;
    });
    if (isLate) this.#late(record);
    const { silentKeyMs } = this.#options;
    if (this.#progress !== null && silentKeyMs !== undefined) this.#closeSilentKeys(this.#progress, this.#streamTime.ms - silentKeyMs);
  }

  /** What the first record of another key would close and forget, without one; where time is by key, what it closes of every key. */
  idle(timeMs: number): void {
    this.#streamTime.advance(timeMs);
    const { timeDifferenceMs, graceMs } = this.#windows;
    if (this.#progress !== null) {
      this.#closeSilentKeys(this.#progress, timeMs);
      return;
    }
    this.#forgetBehindNewest();
    if (this.#pending !== null) this.#emitPending(this.#pending, this.#streamTime.ms - graceMs - timeDifferenceMs);
  }

  /** True when the record became part of a window by it. */
  #apply(change: SlidingChange<A>, key: K, value: V, timestampMs: number, closeMs: number): boolean {
    if (change.kind === 'copy') {
      const { later } = change;
      this.#write(key, change.startMs, later.value.value, later.value.timestampMs, closeMs);
      return false;
    }
    const startMs = change.kind === 'add' ? change.window.timeMs : change.startMs;
    if (startMs + this.#windows.timeDifferenceMs < closeMs) {
      this.#context.dropped('late');
      return false;
    }
    const { initial, fold } = this.#options;
    const before = change.kind === 'add' ? change.window.value.value : change.kind === 'extend' ? change.earlier : initial();
    const highestMs = change.kind === 'add' ? Math.max(change.window.value.timestampMs, timestampMs) : timestampMs;
    this.#write(key, startMs, fold(before, value, key), highestMs, closeMs);
    return true;
  }

  #write(key: K, startMs: number, value: A, timestampMs: number, closeMs: number): void {
    this.#store.put(key, startMs, { value, timestampMs });
    if (this.#newestStartMs === undefined || this.#newestStartMs < startMs) this.#newestStartMs = startMs;
    if (this.#pending === null) {
      this.#emitWindow(key, startMs, value, timestampMs);
      return;
    }
    this.#pending.put(key, startMs, { value, timestampMs });
    const untilMs = closeMs - this.#windows.timeDifferenceMs;
    if (this.#progress !== null) this.#emitFinal(this.#pending.drainKey(key, untilMs));
    else this.#emitPending(this.#pending, untilMs);
  }

  #emitPending(pending: TimeKeyStore<K, Timestamped<A>>, untilStartMs: number): void {
    if ((pending.earliestMs ?? Number.POSITIVE_INFINITY) <= untilStartMs) this.#emitFinal(pending.drain(untilStartMs));
  }

  #forgetExpired(key: K, closeMs: number): void {
    if (this.#progress === null) this.#forgetBehindNewest();
    else this.#store.drainKey(key, closeMs - 2 * this.#windows.timeDifferenceMs - 1);
  }

  /**
   * The newest start is that of the newest window held, and at least that of the one that ends at stream time: where idle sources
   * have moved the time, no record has made that window.
   */
  #forgetBehindNewest(): void {
    const { timeDifferenceMs, graceMs } = this.#windows;
    this.#newestStartMs ??= this.#store.latestMs;
    const newestStartMs = Math.max(this.#newestStartMs ?? 0, this.#streamTime.ms - timeDifferenceMs);
    const untilMs = newestStartMs - 2 * timeDifferenceMs - graceMs;
    if ((this.#store.earliestMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.#store.forget(untilMs);
  }

  #closeSilentKeys(progress: KeyValueStore<K, number>, nowMs: number): void {
    const { timeDifferenceMs, graceMs } = this.#windows;
    const untilStartMs = nowMs - graceMs - timeDifferenceMs - 1;
    for (const { key, timeMs } of this.#store.drain(untilStartMs)) {
      const closedAtMs = timeMs + timeDifferenceMs + graceMs + 1;
      if ((progress.get(key) ?? -1) < closedAtMs) progress.put(key, closedAtMs);
    }
    if (this.#pending !== null) this.#emitFinal(this.#pending.drain(untilStartMs));
  }

  #emitFinal(due: readonly TimeKeyEntry<K, Timestamped<A>>[]): void {
    for (const { key, timeMs, value } of due) this.#emitWindow(key, timeMs, value.value, value.timestampMs);
  }

  #emitWindow(key: K, startMs: number, value: A, timestampMs: number): void {
    this.#emit({ key: { key, startMs, endMs: startMs + this.#windows.timeDifferenceMs }, value, timestampMs });
  }
}

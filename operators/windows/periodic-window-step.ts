import type { KeyValueStore, TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { WindowedOptions } from './aggregation.ts';
import { putIn, type HeldAggregate } from './held-aggregate.ts';
import { firstStartMs, type TimeWindows } from './time-windows.ts';
import type { PeriodicStores } from './window-stores.ts';

type FoldOptions<K, V, A> = Pick<WindowedOptions<K, V, A>, 'fold' | 'initial' | 'silentKeyMs'>;

/** What is given in one rhythm: the windows themselves, or a rollup of them. */
interface Level<K> {
  readonly sizeMs: number;
  readonly everyMs: number;
  /** Starts of what has changed since it was given. */
  readonly pending: TimeKeyStore<K, number>;
  readonly give: (key: K, startMs: number) => void;
}

/**
 * What a tumbling or hopping aggregate with `emit: { everyMs }` does with each record: it folds first, then the time moves on, and
 * what waits is given when that passes a multiple. Time is stored last, so that an error on the way leaves all that waits waiting.
 */
export class PeriodicWindowStep<K, V, A> {
  readonly #context: StepContext;
  readonly #windows: TimeWindows;
  readonly #options: FoldOptions<K, V, A>;
  readonly #late: Emit<StreamRecord<K | null, V>>;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, Timestamped<A>>;
  readonly #progress: KeyValueStore<K, number> | null;
  readonly #levels: readonly Level<K>[];
  /** Windows close together with all others of the largest rollup that they are in. */
  readonly #rolledUpMs: number | null;

  constructor(
    context: StepContext, windows: TimeWindows, options: FoldOptions<K, V, A>, stores: PeriodicStores<K, A>,
    emit: Emit<StreamRecord<Windowed<K>, A>>, guard: <R>(output: Emit<R>) => Emit<R>,
  ) {
    this.#context = context;
    this.#windows = windows;
    this.#options = options;
    this.#late = guard(context.output<K | null, V>('late'));
    this.#streamTime = context.streamTime;
    const store = context.store(stores.windows);
    this.#store = store;
    this.#progress = stores.progress === null ? null : context.store(stores.progress);
    const giveWindow = (key: K, startMs: number): void => {
      const held = store.get(key, startMs);
      if (held !== undefined) emit({ key: { key, startMs, endMs: startMs + windows.sizeMs }, value: held.value, timestampMs: held.timestampMs });
    };
    const windowLevel = { sizeMs: windows.advanceMs, everyMs: stores.everyMs, pending: context.store(stores.pending), give: giveWindow };
    const rollups = stores.rollups.map(({ name, sizeMs, everyMs, combine, pending }): Level<K> => {
      const output = guard(context.output<Windowed<K>, unknown>(name));
      const give = (key: K, startMs: number): void => {
        const endMs = startMs + sizeMs;
        const parts: A[] = [];
        let timestampMs = -1;
        for (const { value } of store.fetch(key, startMs, endMs - 1)) {
          parts.push(value.value);
          if (value.timestampMs > timestampMs) ({ timestampMs } = value);
        }
        output({ key: { key, startMs, endMs }, value: combine(parts, key), timestampMs });
      };
      return { sizeMs, everyMs, pending: context.store(pending), give };
    });
    this.#levels = [windowLevel, ...rollups];
    this.#rolledUpMs = rollups.at(-1)?.sizeMs ?? null;
  }

  process(record: StreamRecord<K | null, V>): void {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined) {
      this.#context.dropped('null-key');
      return;
    }
    const { advanceMs, graceMs } = this.#windows;
    const progress = this.#progress;
    const beforeMs = progress === null ? this.#streamTime.ms : progress.get(key) ?? -1;
    const nowMs = timestampMs > beforeMs ? timestampMs : beforeMs;
    let isLate = true;
    for (let startMs = firstStartMs(this.#windows, timestampMs); startMs <= timestampMs; startMs += advanceMs) {
      if (this.#closesMs(startMs) <= nowMs - graceMs) {
        this.#context.dropped('late');
        continue;
      }
      isLate = false;
      this.#fold(key, value, startMs, timestampMs);
    }
    if (isLate) this.#late(record);
    if (progress === null) {
      this.#moveTaskOn(timestampMs);
      this.#closeAll(this.#streamTime.ms - graceMs);
      return;
    }
    if (nowMs > beforeMs) {
      this.#giveOfKey(key, beforeMs, nowMs);
      progress.put(key, nowMs);
    }
    this.#moveTaskOn(timestampMs);
    const { silentKeyMs } = this.#options;
    if (silentKeyMs !== undefined) this.#closeSilentKeys(progress, this.#streamTime.ms - silentKeyMs - graceMs);
  }

  /** Gives what a record of that time would give and close. Keys with a time of their own keep it, but where windows close. */
  idle(timeMs: number): void {
    this.#moveTaskOn(timeMs);
    const closeMs = timeMs - this.#windows.graceMs;
    if (this.#progress === null) this.#closeAll(closeMs);
    else this.#closeSilentKeys(this.#progress, closeMs);
  }

  #fold(key: K, value: V, startMs: number, timestampMs: number): void {
    const { initial, fold } = this.#options;
    const store = this.#store;
    const held: HeldAggregate<A> | undefined = store.get(key, startMs);
    const before = held === undefined ? initial() : held.value;
    const after = fold(before, value, key);
    if (after === before) return;
    putIn(store, key, startMs, held, after, held === undefined || held.timestampMs < timestampMs ? timestampMs : held.timestampMs);
    for (const { sizeMs, pending } of this.#levels) {
      const levelStartMs = startMs - (startMs % sizeMs);
      if (pending.get(key, levelStartMs) === undefined) pending.put(key, levelStartMs, timestampMs);
    }
  }

  /** When a window, or the largest rollup that it is in, is over. */
  #closesMs(startMs: number): number {
    const rolledUpMs = this.#rolledUpMs;
    return rolledUpMs === null ? startMs + this.#windows.sizeMs : startMs - (startMs % rolledUpMs) + rolledUpMs;
  }

  /** The latest start of windows that are closed when all before that time is. */
  #lastClosedMs(closeMs: number): number {
    const rolledUpMs = this.#rolledUpMs;
    return rolledUpMs === null ? closeMs - this.#windows.sizeMs : Math.floor(closeMs / rolledUpMs) * rolledUpMs - 1;
  }

  /** A key's own time goes on: what of it waits is given where that passes a multiple, and where it closes. */
  #giveOfKey(key: K, beforeMs: number, nowMs: number): void {
    const lastClosedMs = this.#lastClosedMs(nowMs - this.#windows.graceMs);
    const earliestMs = this.#store.earliestOf(key);
    const closes = earliestMs !== undefined && earliestMs <= lastClosedMs;
    for (const { everyMs, pending, give } of this.#levels) {
      const untilMs = passes(beforeMs, nowMs, everyMs) ? Number.MAX_SAFE_INTEGER : closes ? lastClosedMs : -1;
      const firstMs = pending.earliestOf(key);
      if (firstMs !== undefined && firstMs <= untilMs) giveAll(pending.drainKey(key, untilMs), give);
    }
    if (closes) this.#store.drainKey(key, lastClosedMs);
  }

  /** The step's own time goes on: what waits of any key is given where that passes a multiple. */
  #moveTaskOn(timestampMs: number): void {
    const beforeMs = this.#streamTime.ms;
    if (timestampMs <= beforeMs) return;
    for (const { everyMs, pending, give } of this.#levels) {
      if (passes(beforeMs, timestampMs, everyMs) && pending.entries > 0) giveAll(pending.drain(Number.MAX_SAFE_INTEGER), give);
    }
    this.#streamTime.advance(timestampMs);
  }

  #closeAll(closeMs: number): void {
    const lastClosedMs = this.#lastClosedMs(closeMs);
    const { earliestMs } = this.#store;
    if (earliestMs === undefined || earliestMs > lastClosedMs) return;
    for (const { pending, give } of this.#levels) giveAll(pending.drain(lastClosedMs), give);
    this.#store.forget(lastClosedMs);
  }

  #closeSilentKeys(progress: KeyValueStore<K, number>, closeMs: number): void {
    const lastClosedMs = this.#lastClosedMs(closeMs);
    const { earliestMs } = this.#store;
    if (earliestMs === undefined || earliestMs > lastClosedMs) return;
    for (const { pending, give } of this.#levels) giveAll(pending.drain(lastClosedMs), give);
    // What has been closed must not open again: it is as if the key had come this far by itself.
    for (const { key, timeMs } of this.#store.drain(lastClosedMs)) {
      const closedAtMs = this.#closesMs(timeMs) + this.#windows.graceMs;
      if ((progress.get(key) ?? -1) < closedAtMs) progress.put(key, closedAtMs);
    }
  }
}

function giveAll<K>(waiting: readonly TimeKeyEntry<K, number>[], give: (key: K, startMs: number) => void): void {
  for (const { key, timeMs } of waiting) give(key, timeMs);
}

function passes(beforeMs: number, nowMs: number, everyMs: number): boolean {
  return Math.floor(beforeMs / everyMs) !== Math.floor(nowMs / everyMs);
}

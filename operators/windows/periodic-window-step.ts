import type { KeyValueStore, TimeKeyStore } from '../../state/local-store.ts';
import type { StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { WindowedOptions } from './aggregation.ts';
import { firstStartMs, type TimeWindows } from './time-windows.ts';
import { WaitingWindows } from './waiting-windows.ts';
import type { PeriodicStores, StampedAggregate } from './window-stores.ts';

type FoldOptions<K, V, A> = Pick<WindowedOptions<K, V, A>, 'fold' | 'initial' | 'silentKeyMs'>;

/** What is given in one rhythm: the windows themselves, or a rollup of them. */
interface Level<K> {
  readonly sizeMs: number;
  readonly everyMs: number;
  readonly waiting: WaitingWindows<K>;
  readonly give: (key: K, startMs: number) => void;
}

/**
 * What a tumbling or hopping aggregate with `emit: { everyMs }` does with each record: it lets the time move on, gives what waits for that, and
 * then folds. A window is kept with the times, the step's and its key's, at which it changed: it waits while neither has passed a multiple since.
 */
export class PeriodicWindowStep<K, V, A> {
  readonly #context: StepContext;
  readonly #windows: TimeWindows;
  readonly #options: FoldOptions<K, V, A>;
  readonly #late: Emit<StreamRecord<K | null, V>>;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, StampedAggregate<A>>;
  readonly #progress: KeyValueStore<K, number> | null;
  readonly #levels: readonly Level<K>[];
  /** Windows close together with all others of the largest rollup that they are in. */
  readonly #rolledUpMs: number | null;
  /** The step's time at which a level is due next; what is not known yet is due. */
  #dueMs = 0;
  #started = false;

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
    const rollups = stores.rollups.map(({ name, sizeMs, everyMs, combine }): Level<K> => {
      const output = guard(context.output<Windowed<K>, unknown>(name));
      const give = (key: K, startMs: number): void => {
        const endMs = startMs + sizeMs;
        const parts: A[] = [];
        let timestampMs = -1;
        for (const { value } of store.fetch(key, startMs, endMs - 1)) {
          parts.push(value.value);
          if (value.timestampMs > timestampMs) ({ timestampMs } = value);
        }
        if (parts.length > 0) output({ key: { key, startMs, endMs }, value: combine(parts, key), timestampMs });
      };
      return { sizeMs, everyMs, waiting: new WaitingWindows(stores.identity), give };
    });
    this.#levels = [{ sizeMs: windows.advanceMs, everyMs: stores.everyMs, waiting: new WaitingWindows(stores.identity), give: giveWindow }, ...rollups];
    this.#rolledUpMs = rollups.at(-1)?.sizeMs ?? null;
  }

  process(record: StreamRecord<K | null, V>): void {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined) {
      this.#context.dropped('null-key');
      return;
    }
    if (!this.#started) this.#start();
    const nowMs = this.#moveOn(key, timestampMs);
    const { advanceMs, graceMs } = this.#windows;
    let isLate = true;
    for (let startMs = firstStartMs(this.#windows, timestampMs); startMs <= timestampMs; startMs += advanceMs) {
      if (this.#closesMs(startMs) <= nowMs - graceMs) {
        this.#context.dropped('late');
        continue;
      }
      isLate = false;
      this.#fold(key, value, startMs, timestampMs, nowMs);
    }
    if (isLate) this.#late(record);
  }

  /** Gives what a record of that time would give and close. Keys with a time of their own keep it, but where windows close. */
  idle(timeMs: number): void {
    if (!this.#started) this.#start();
    this.#moveStepOn(timeMs);
    const closeMs = timeMs - this.#windows.graceMs;
    if (this.#progress === null) this.#closeAll(closeMs);
    else this.#closeSilentKeys(this.#progress, closeMs);
  }

  /** Finds what waits in what was committed. Not while the step is built: then nothing is there yet. */
  #start(): void {
    this.#started = true;
    this.#store.each((key, startMs, { keyMs, stepMs }) => {
      const nowMs = this.#progress === null ? keyMs : this.#progress.get(key) ?? -1;
      for (const { sizeMs, everyMs, waiting } of this.#levels) {
        if (this.#waits(keyMs, stepMs, nowMs, everyMs)) waiting.add(key, startMs - (startMs % sizeMs));
      }
    });
  }

  /** The key's time, or that of all keys, with a record; gives what waits and what closes by it. */
  #moveOn(key: K, timestampMs: number): number {
    this.#moveStepOn(timestampMs);
    const { graceMs } = this.#windows;
    const progress = this.#progress;
    if (progress === null) {
      this.#closeAll(this.#streamTime.ms - graceMs);
      return this.#streamTime.ms;
    }
    const beforeMs = progress.get(key) ?? -1;
    if (timestampMs > beforeMs) {
      this.#moveKeyOn(key, beforeMs, timestampMs);
      progress.put(key, timestampMs);
    }
    const { silentKeyMs } = this.#options;
    if (silentKeyMs === undefined) return timestampMs > beforeMs ? timestampMs : beforeMs;
    this.#closeSilentKeys(progress, this.#streamTime.ms - silentKeyMs - graceMs);
    return progress.get(key) ?? -1;
  }

  #moveStepOn(timestampMs: number): void {
    const beforeMs = this.#streamTime.ms;
    if (timestampMs <= beforeMs) return;
    if (timestampMs >= this.#dueMs) {
      let dueMs = never;
      for (const { everyMs, waiting, give } of this.#levels) {
        if (passes(beforeMs, timestampMs, everyMs)) waiting.take(never, give);
        dueMs = Math.min(dueMs, (Math.floor(timestampMs / everyMs) + 1) * everyMs);
      }
      this.#dueMs = dueMs;
    }
    this.#streamTime.advance(timestampMs);
  }

  #moveKeyOn(key: K, beforeMs: number, nowMs: number): void {
    const { graceMs } = this.#windows;
    const lastClosedMs = this.#lastClosedMs(nowMs - graceMs);
    // What was closed by its time before is gone.
    const closes = lastClosedMs > this.#lastClosedMs(beforeMs - graceMs);
    for (const { everyMs, waiting, give } of this.#levels) {
      if (this.#isBehind(beforeMs, everyMs) && passes(beforeMs, nowMs, everyMs)) waiting.takeKey(key, never, give);
      else if (closes) waiting.takeKey(key, lastClosedMs, give);
    }
    if (closes) this.#store.drainKey(key, lastClosedMs);
  }

  /** A key's time counts for what waits when it is more than one multiple behind: keys that keep up wait for the time of all. */
  #isBehind(keyMs: number, everyMs: number): boolean {
    return Math.floor(keyMs / everyMs) + 1 < Math.floor(this.#streamTime.ms / everyMs);
  }

  /** Whether what changed at those times, its key's and the step's, still waits now. */
  #waits(keyMs: number, stepMs: number, keyNowMs: number, everyMs: number): boolean {
    return !passes(stepMs, this.#streamTime.ms, everyMs) && !(this.#isBehind(keyMs, everyMs) && passes(keyMs, keyNowMs, everyMs));
  }

  #closeAll(closeMs: number): void {
    const lastClosedMs = this.#lastClosedMs(closeMs);
    const { earliestMs } = this.#store;
    if (earliestMs === undefined || earliestMs > lastClosedMs) return;
    for (const { waiting, give } of this.#levels) waiting.take(lastClosedMs, give);
    this.#store.forget(lastClosedMs);
  }

  #closeSilentKeys(progress: KeyValueStore<K, number>, closeMs: number): void {
    const lastClosedMs = this.#lastClosedMs(closeMs);
    const { earliestMs } = this.#store;
    if (earliestMs === undefined || earliestMs > lastClosedMs) return;
    for (const { waiting, give } of this.#levels) waiting.take(lastClosedMs, give);
    // What has been closed must not open again: it is as if the key had come this far by itself.
    for (const { key, timeMs } of this.#store.drain(lastClosedMs)) {
      const closedAtMs = this.#closesMs(timeMs) + this.#windows.graceMs;
      const beforeMs = progress.get(key) ?? -1;
      if (beforeMs >= closedAtMs) continue;
      for (const { everyMs, waiting, give } of this.#levels) {
        if (this.#isBehind(beforeMs, everyMs) && passes(beforeMs, closedAtMs, everyMs)) waiting.takeKey(key, never, give);
      }
      progress.put(key, closedAtMs);
    }
  }

  #fold(key: K, value: V, startMs: number, timestampMs: number, nowMs: number): void {
    const { initial, fold } = this.#options;
    const store = this.#store;
    const held = store.get(key, startMs);
    const before = held === undefined ? initial() : held.value;
    const after = fold(before, value, key);
    if (after === before) return;
    const stepMs = this.#streamTime.ms;
    for (const { sizeMs, everyMs, waiting } of this.#levels) {
      if (held === undefined || !this.#waits(held.keyMs, held.stepMs, nowMs, everyMs)) waiting.add(key, startMs - (startMs % sizeMs));
    }
    if (held === undefined) {
      store.put(key, startMs, { value: after, timestampMs, keyMs: nowMs, stepMs });
      return;
    }
    held.value = after;
    if (held.timestampMs < timestampMs) held.timestampMs = timestampMs;
    held.keyMs = nowMs;
    held.stepMs = stepMs;
    store.put(key, startMs, held);
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
}

/** Behind all times. */
const never = Number.MAX_SAFE_INTEGER;

function passes(beforeMs: number, nowMs: number, everyMs: number): boolean {
  return Math.floor(beforeMs / everyMs) !== Math.floor(nowMs / everyMs);
}

import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from './engine.ts';
import type { KeyValueStore, StoreDefinition } from './engine.ts';

/** How far a station's events have come, and what is due when. */
export interface StationProgress {
  readonly timeMs: number;
  /** By due time; at most one for each transaction. */
  readonly timers: readonly (readonly [dueMs: number, transactionId: string])[];
}

export type StationProgressStore = KeyValueStore<string, StationProgress>;

export function stationProgressStore(name: string): StoreDefinition<StationProgressStore> {
  return keyValueStore({ name, key: utf8, value: json<StationProgress>('station-progress.v1') });
}

const nothingYet: StationProgress = { timeMs: -1, timers: [] };

/**
 * Timers by each station's own event time: what is due at a station happens when an event of that station says that it is
 * time, whatever other stations do.
 */
export class StationTimers {
  readonly #store: StationProgressStore;
  readonly #wake: (stationId: string, transactionId: string, timeMs: number) => void;

  /** `wake` is called for each transaction that is due, in order of due time; it may schedule again, later than `timeMs`. */
  constructor(store: StationProgressStore, wake: (stationId: string, transactionId: string, timeMs: number) => void) {
    this.#store = store;
    this.#wake = wake;
  }

  /** Raises the station's time to `timestampMs` if that is later, wakes what fell due, and gives the station's time. */
  moveOn(stationId: string, timestampMs: number): number {
    const before = this.#store.get(stationId) ?? nothingYet;
    if (timestampMs <= before.timeMs) return before.timeMs;
    const { timers } = before;
    let dueCount = 0;
    while (dueCount < timers.length && (timers[dueCount]?.[0] ?? Infinity) <= timestampMs) dueCount += 1;
    this.#store.put(stationId, { timeMs: timestampMs, timers: dueCount === 0 ? timers : timers.slice(dueCount) });
    for (let index = 0; index < dueCount; index += 1) this.#wake(stationId, timers[index]?.[1] ?? '', timestampMs);
    return timestampMs;
  }

  /** Sets the one timer of a transaction, in place of an earlier set one. */
  schedule(stationId: string, dueMs: number, transactionId: string): void {
    const { timeMs, timers } = this.#store.get(stationId) ?? nothingYet;
    const others = timers.filter((timer) => timer[1] !== transactionId);
    let at = others.length;
    while (at > 0 && (others[at - 1]?.[0] ?? 0) > dueMs) at -= 1;
    this.#store.put(stationId, { timeMs, timers: others.toSpliced(at, 0, [dueMs, transactionId]) });
  }
}

/** Ids may hold any character, so the length of the first stands in front. */
export function transactionKey(stationId: string, transactionId: string): string {
  return `${stationId.length}:${stationId}/${transactionId}`;
}

import { keyTimerStore } from '../engine.ts';
import type { KeyProgress, KeyTimerStore, StoreDefinition } from '../engine.ts';

/** How far a station's events have come, and what is due when: at most one timer for each transaction. */
export type StationProgress = KeyProgress;

export function stationProgressStore(name: string): StoreDefinition<KeyTimerStore> {
  return keyTimerStore({ name });
}

/**
 * Timers by each station's own event time: what is due at a station happens when an event of that station says that it is
 * time, whatever other stations do.
 */
export class StationTimers {
  readonly #store: KeyTimerStore;
  readonly #wake: (stationId: string, transactionId: string, timeMs: number) => void;

  /** `wake` is called for each transaction that is due, in order of due time; it may schedule again, later than `timeMs`. */
  constructor(store: KeyTimerStore, wake: (stationId: string, transactionId: string, timeMs: number) => void) {
    this.#store = store;
    this.#wake = wake;
  }

  /** Raises the station's time to `timestampMs` if that is later, wakes what fell due, and gives the station's time. */
  moveOn(stationId: string, timestampMs: number): number {
    const store = this.#store;
    if (!store.advance(stationId, timestampMs)) return store.timeOf(stationId);
    for (const transactionId of store.drain(stationId, timestampMs)) this.#wake(stationId, transactionId, timestampMs);
    return timestampMs;
  }

  /** Sets the one timer of a transaction, in place of an earlier set one. */
  schedule(stationId: string, dueMs: number, transactionId: string): void {
    this.#store.schedule(stationId, dueMs, transactionId);
  }
}

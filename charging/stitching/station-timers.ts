import type { KeyTimerStore } from '../engine.ts';

/**
 * Timers by each station's own event time: what is due at a station happens when an event of that station says that it is
 * time, whatever other stations do. One thing happens after the other, each at the time at which it is due, as if the station had been
 * heard of at every moment.
 */
export class StationTimers {
  readonly #store: KeyTimerStore;
  readonly #wake: (stationId: string, id: string, timeMs: number) => void;

  /** `wake` is called for each timer that is due, with the time at which it is. */
  constructor(store: KeyTimerStore, wake: (stationId: string, id: string, timeMs: number) => void) {
    this.#store = store;
    this.#wake = wake;
  }

  /** The station's time; -1 before its first event. */
  timeOf(stationId: string): number {
    return this.#store.timeOf(stationId);
  }

  /** Raises the station's time to `timestampMs` if that is later, wakes what fell due, and gives the station's time. */
  moveOn(stationId: string, timestampMs: number): number {
    const store = this.#store;
    if (!store.advance(stationId, timestampMs)) return store.timeOf(stationId);
    for (;;) {
      const dueMs = store.nextDueMs(stationId);
      if (dueMs === undefined || dueMs > timestampMs) return timestampMs;
      for (const id of store.drain(stationId, dueMs)) this.#wake(stationId, id, dueMs);
    }
  }

  /**
   * Wakes what is due by `timeMs` at all stations, without moving their times on: the network is silent. Ids that begin with `later`
   * can wait: they are put off by `laterMs`.
   */
  idle(timeMs: number, later: string, laterMs: number, begin: (stationId: string) => void): void {
    const store = this.#store;
    for (const stationId of store.keysDue(timeMs)) {
      begin(stationId);
      for (;;) {
        const dueMs = store.nextDueMs(stationId);
        if (dueMs === undefined || dueMs > timeMs) break;
        for (const id of store.drain(stationId, dueMs)) {
          if (id.startsWith(later)) store.schedule(stationId, timeMs + laterMs, id);
          else this.#wake(stationId, id, dueMs);
        }
      }
    }
  }

  /** When an id's timer is due; Infinity: it has none. */
  dueOf(stationId: string, id: string): number {
    return this.#store.dueOf(stationId, id) ?? Infinity;
  }

  /** Sets the one timer of an id, in place of an earlier set one. */
  schedule(stationId: string, dueMs: number, id: string): void {
    this.#store.schedule(stationId, dueMs, id);
  }
}

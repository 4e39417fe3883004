import { setTimeout as pause } from 'node:timers/promises';

/** How fast simulated messages go out. */
export type Pace =
  | { readonly kind: 'as-fast-as-possible' }
  /** Messages a second, evenly. */
  | { readonly kind: 'rate'; readonly perSecond: number }
  /** Simulated time passes so many times as fast as real time. */
  | { readonly kind: 'speed'; readonly times: number };

/** Longest sleep at a time, so that a stop is noticed at once. */
const NAP_MS = 200;

/** Waits before each slice until its time has come. What came too late is caught up without a pause; nothing is left out. */
export class Pacer {
  readonly #pace: Pace;
  readonly #startedMs = performance.now();
  readonly #fromMs: number;

  /** `fromMs`: simulated time at which it begins. */
  constructor(pace: Pace, fromMs: number) {
    this.#pace = pace;
    this.#fromMs = fromMs;
  }

  /** Resolves when a slice that ends at `timeMs`, with `messages` sent before it, is due; false when the signal came first. */
  async due(timeMs: number, messages: number, signal: AbortSignal): Promise<boolean> {
    const dueMs = this.#startedMs + this.#waitMs(timeMs, messages);
    for (;;) {
      if (signal.aborted) return false;
      const leftMs = dueMs - performance.now();
      if (leftMs <= 0) return true;
      await pause(Math.min(leftMs, NAP_MS));
    }
  }

  #waitMs(timeMs: number, messages: number): number {
    switch (this.#pace.kind) {
      case 'rate':
        return (messages / this.#pace.perSecond) * 1_000;
      case 'speed':
        return (timeMs - this.#fromMs) / this.#pace.times;
      default:
        return 0;
    }
  }
}

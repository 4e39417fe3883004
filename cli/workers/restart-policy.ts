const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A worker that was ready for so long is healthy: its next death is the first one again. */
export const HEALTHY_AFTER_MS = 60_000;
/** Deaths of one worker before any of them was ever ready: it is no accident, and starting again does not help. */
export const QUICK_DEATHS_MAX = 5;

/** When a worker that has died is started again: after 0.5 s, doubled up to 30 s, from the beginning after a minute of health. */
export class RestartPolicy {
  #deaths = 0;

  /** Deaths since the worker was last healthy. */
  get deaths(): number {
    return this.#deaths;
  }

  /** `readyForMs` is how long it was ready before it died, 0 when it never was. Gives the wait before the next start. */
  died(readyForMs: number): number {
    if (readyForMs >= HEALTHY_AFTER_MS) this.#deaths = 0;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** this.#deaths, LONGEST_WAIT_MS);
    this.#deaths++;
    return waitMs;
  }

  /** `anyReady`: some worker of the group has been ready since the supervisor's start, so that configuration and servers are right. */
  hopeless(anyReady: boolean): boolean {
    return !anyReady && this.#deaths >= QUICK_DEATHS_MAX;
  }
}

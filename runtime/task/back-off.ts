const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/** Waits between tries: 50 ms, doubled up to 5 s; rejects at once when the task is dropped. */
export class BackOff {
  readonly #signal: AbortSignal;
  #waitMs = FIRST_WAIT_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async wait(): Promise<void> {
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    this.#signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(this.#signal.reason instanceof Error ? this.#signal.reason : new Error('dropped'));
      };
      const timer = setTimeout(() => {
        this.#signal.removeEventListener('abort', abort);
        resolve();
      }, waitMs);
      this.#signal.addEventListener('abort', abort, { once: true });
    });
  }
}

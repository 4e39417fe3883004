/** What people, or whoever collects logs, are told. */
export type Tell = (message: string) => void;

export interface StopOptions {
  /** In place of text on the stream. */
  readonly tell?: Tell;
  /** Time for a graceful stop; left out, it is waited for without end. */
  readonly withinMs?: number;
}

const names = ['SIGINT', 'SIGTERM'] as const;
/** After the time for a graceful stop: for leaving groups and closing connections to servers that may not answer. */
const closingMs = 4_000;

/**
 * SIGINT and SIGTERM: the first asks for a graceful stop, the second ends the process at once, which does no harm. A graceful stop that takes
 * longer than it may, because servers do not answer, is ended as well; nothing is lost by that either.
 */
export class StopSignals {
  readonly #abort = new AbortController();
  readonly #requested = Promise.withResolvers<void>();
  readonly #tell: Tell;
  readonly #withinMs: number | null;
  readonly #handler = (name: NodeJS.Signals): void => this.#take(name);
  #deadline: NodeJS.Timeout | null = null;

  constructor(stream: { write(text: string): unknown }, options: StopOptions = {}) {
    this.#tell = options.tell ?? ((message) => void stream.write(`\n${message}\n`));
    this.#withinMs = options.withinMs ?? null;
    for (const name of names) process.on(name, this.#handler);
  }

  /** Aborted at the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves at the first signal. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  /** The work is done: what still holds the process open after a stop (a connection that does not close) ends with the time that is left. */
  release(): void {
    for (const name of names) process.off(name, this.#handler);
    this.#deadline?.unref();
  }

  #take(name: NodeJS.Signals): void {
    if (this.#abort.signal.aborted) {
      this.#tell('Ending at once. Nothing is lost: what was not committed is done again at the next start.');
      process.exit(name === 'SIGINT' ? 130 : 143);
    }
    this.#tell(`${name}: committing and delivering what is there. Once more ends at once.`);
    this.request(`stopped by ${name}`);
  }

  /** As the first signal does. */
  request(why: string): void {
    if (this.#abort.signal.aborted) return;
    if (this.#withinMs !== null) this.#deadline = setTimeout(() => this.#overdue(), this.#withinMs + closingMs);
    this.#abort.abort(new Error(why));
    this.#requested.resolve();
  }

  #overdue(): void {
    this.#tell('Not everything could be closed in time. Nothing is lost: what was not committed is done again by the next owner.');
    process.exit(0);
  }
}

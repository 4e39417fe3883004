/** SIGINT and SIGTERM: the first asks for a graceful stop, the second ends the process at once, which does no harm. */
export class StopSignals {
  readonly #abort = new AbortController();
  readonly #requested = Promise.withResolvers<void>();
  readonly #stream: NodeJS.WriteStream;
  readonly #handler = (name: NodeJS.Signals): void => this.#take(name);

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, this.#handler);
  }

  /** Aborted at the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves at the first signal. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  release(): void {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, this.#handler);
  }

  #take(name: NodeJS.Signals): void {
    if (this.#abort.signal.aborted) {
      this.#stream.write('\nEnding at once. Nothing is lost: what was not committed is done again at the next start.\n');
      process.exit(name === 'SIGINT' ? 130 : 143);
    }
    this.#stream.write(`\n${name}: committing and delivering what is there. Once more ends at once.\n`);
    this.#abort.abort(new Error(`stopped by ${name}`));
    this.#requested.resolve();
  }
}

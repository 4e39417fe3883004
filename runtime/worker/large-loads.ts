/**
 * Lets one large state be loaded at a time. Loading is work of the processor: two at once would both be done when the second one is, and the
 * first record of either would come late. Small states do not ask.
 */
export class LargeLoads {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, which lasts until the function that it gets is called. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    return () => turn.resolve();
  }
}

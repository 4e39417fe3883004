/** Lets one reader sleep until it is woken or a time is over. A wake-up while nobody sleeps counts for the next sleep. */
export class Waiter {
  #woken = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  async sleep(waitMs: number): Promise<void> {
    if (!this.#woken && waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#resolve = null;
    }
    this.#woken = false;
  }
}

import { assertInvariant } from '../../errors.ts';
import type { SinkDelivery } from '../delivery/delivery.ts';
import type { SealedBatch } from './outbox.ts';

export interface SinkDeliveriesHooks {
  /** Runs the delivery of a batch, and may watch it. */
  delivering(sink: string, rows: number, work: () => Promise<void>): Promise<void>;
  /** The sink has the batch. */
  delivered(sink: string, batch: SealedBatch): void;
  /** A delivery failed in a way that does not pass. */
  failed(error: unknown): void;
}

/** Brings the committed batches of one claim to its sinks: those of one sink in order, sinks side by side. */
export class SinkDeliveries {
  readonly #hooks: SinkDeliveriesHooks;
  readonly #deliveries: ReadonlyMap<string, SinkDelivery>;
  readonly #due = new Map<string, SealedBatch[]>();
  readonly #busy = new Set<string>();
  #stopped = false;

  constructor(deliveries: ReadonlyMap<string, SinkDelivery>, hooks: SinkDeliveriesHooks) {
    this.#deliveries = deliveries;
    this.#hooks = hooks;
  }

  get busy(): boolean {
    return this.#busy.size > 0;
  }

  /** Batches of a sink that are not delivered yet. */
  waiting(sink: string): number {
    return this.#due.get(sink)?.length ?? 0;
  }

  /** Takes batches whose commit has been accepted. */
  push(batches: readonly { readonly sink: string; readonly batch: SealedBatch }[]): void {
    for (const { sink, batch } of batches) {
      const queue = this.#due.get(sink);
      if (queue === undefined) this.#due.set(sink, [batch]);
      else queue.push(batch);
    }
    for (const { sink } of batches) this.#deliver(sink);
  }

  /** Nothing is begun or acknowledged from here on. */
  stop(): void {
    this.#stopped = true;
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.allSettled([...this.#deliveries.values()].map((delivery) => delivery.close()));
  }

  #deliver(sink: string): void {
    if (this.#busy.has(sink) || this.#stopped) return;
    this.#busy.add(sink);
    void this.#deliverAll(sink)
      .catch((error: unknown) => this.#hooks.failed(error))
      .finally(() => {
        this.#busy.delete(sink);
        if (!this.#stopped && this.waiting(sink) > 0) this.#deliver(sink);
      });
  }

  async #deliverAll(sink: string): Promise<void> {
    const delivery = this.#deliveries.get(sink);
    assertInvariant(delivery !== undefined, `sink ${sink} has a delivery`);
    await delivery.open();
    const queue = this.#due.get(sink) ?? [];
    for (let batch = queue[0]; batch !== undefined && !this.#stopped; batch = queue[0]) {
      const due = batch;
      await this.#hooks.delivering(sink, due.rows, () => delivery.deliver(due));
      if (this.#stopped) return;
      queue.shift();
      this.#hooks.delivered(sink, due);
    }
  }
}

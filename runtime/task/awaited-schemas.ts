import { VoltstreamError, isPassing } from '../../errors.ts';
import type { PartitionQueue } from './partition-queue.ts';

const RETRY_MS = 1_000;

/**
 * Fetches the writers' schemas that heads of queues wait for. A schema that does not exist sets its record aside; a registry
 * that does not answer is asked again, at most once a second, and what needs no new schema goes on meanwhile.
 */
export class AwaitedSchemas {
  readonly #queues: readonly PartitionQueue[];
  readonly #nowMs: () => number;
  readonly #retrying: (operation: string, error: unknown) => void;
  #notBeforeMs = 0;

  constructor(queues: readonly PartitionQueue[], nowMs: () => number, retrying: (operation: string, error: unknown) => void) {
    this.#queues = queues;
    this.#nowMs = nowMs;
    this.#retrying = retrying;
  }

  /** True when a queue can go on because of it. */
  async load(): Promise<boolean> {
    for (const queue of this.#queues) {
      const awaited = queue.awaitedSchema;
      if (awaited === null || this.#nowMs() < this.#notBeforeMs) continue;
      try {
        await awaited.reader.load(awaited.schemaId);
      } catch (error) {
        if (!(error instanceof VoltstreamError)) throw error;
        if (isPassing(error)) {
          this.#notBeforeMs = this.#nowMs() + RETRY_MS;
          this.#retrying('load schema', error);
          return false;
        }
        queue.refuseAwaited(error);
      }
      return true;
    }
    return false;
  }
}

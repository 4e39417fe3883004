import type { SealedBatch } from '../task/outbox.ts';

/** What a delivery needs from the task it works for. */
export interface DeliveryTask {
  readonly id: string;
  readonly run: number;
  /**
   * Proves by a commit that the task is still ours; throws FENCED or REWOUND otherwise. Called after a producer has fenced its
   * predecessors and before it sends anything, so that an old owner that wakes up sends nothing.
   */
  verifyOwner(): Promise<void>;
  /** Aborted when the task is dropped. */
  readonly signal: AbortSignal;
  /** A failure that will be tried again. */
  retrying(operation: string, error: unknown): void;
}

/** Brings sealed batches of one sink of one task to where they belong, each once. */
export interface SinkDelivery {
  /** Called once after a claim and before the first batch. */
  open(): Promise<void>;
  /** Resolves when the batch is surely there. Passing failures are tried again until the task is dropped. */
  deliver(batch: SealedBatch): Promise<void>;
  close(): Promise<void>;
}

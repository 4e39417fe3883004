import { Worker } from 'node:worker_threads';
import type { Configuration } from '../../../runtime/configuration.ts';
import type { Profile } from '../../../simulator/profile.ts';
import type { LoadPace } from '../load-test-options.ts';

/** What the thread that simulates and feeds is to do. */
export interface FeedOrder {
  readonly configuration: Configuration;
  readonly profile: Profile;
  readonly seed: string;
  readonly days: number;
  readonly pace: LoadPace;
  readonly slicesAtOnce: number;
  readonly waitingMax: number;
  readonly ledgerFolder: string;
  readonly about: object;
  /** Messages that are processed and have rows by now, as the other thread has seen: one 32-bit number. */
  readonly through: SharedArrayBuffer;
}

export type FeedReply =
  | { readonly kind: 'started'; readonly epochMs: number }
  /** Messages by partition, before they are in the log, and when they were due. */
  | { readonly kind: 'due'; readonly counts: readonly number[]; readonly epochMs: number }
  /** All of so many messages, of so many sessions, were handed to the log. */
  | { readonly kind: 'sent'; readonly messages: number; readonly sessions: number }
  | { readonly kind: 'done'; readonly complete: boolean }
  | { readonly kind: 'failed'; readonly error: Error };

/** Simulates and feeds the log in a thread of its own, so that neither waits for whoever measures. Times are of this thread's clock. */
export class FeedThread {
  readonly #worker: Worker;
  readonly #through: Int32Array;
  readonly #finished: Promise<boolean>;
  #startedMs = 0;
  sent = 0;
  sessions = 0;
  done = false;

  constructor(order: Omit<FeedOrder, 'through'>, due: (counts: readonly number[], dueMs: number) => void) {
    const through = new SharedArrayBuffer(4);
    this.#through = new Int32Array(through);
    this.#worker = new Worker(new URL('./feed-worker.ts', import.meta.url), { workerData: { ...order, through } satisfies FeedOrder });
    this.#finished = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: FeedReply) => {
        switch (reply.kind) {
          case 'started':
            this.#startedMs = reply.epochMs - performance.timeOrigin;
            break;
          case 'due':
            due(reply.counts, reply.epochMs - performance.timeOrigin);
            break;
          case 'sent':
            this.sent = reply.messages;
            this.sessions = reply.sessions;
            break;
          case 'done':
            this.done = true;
            resolve(reply.complete);
            break;
          case 'failed':
            reject(reply.error);
        }
      });
      this.#worker.once('error', reject);
      this.#worker.once('exit', (code) => reject(new Error(`the thread that feeds ended with code ${code}`)));
    });
    this.#finished.catch(() => undefined);
  }

  /** False: it was stopped before all was sent. */
  get finished(): Promise<boolean> {
    return this.#finished;
  }

  get seconds(): number {
    return this.#startedMs === 0 ? 0 : (performance.now() - this.#startedMs) / 1_000;
  }

  /** So many messages are processed and have rows. */
  through(messages: number): void {
    Atomics.store(this.#through, 0, messages);
  }

  /** Ends after the slice at hand. */
  stop(): void {
    this.#worker.postMessage('stop');
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type { SimulationOutput } from '../simulate/simulation-output.ts';
import type { Slice } from '../../simulator/simulation.ts';
import { dueAt, dueBy } from './load-test-options.ts';
import type { LoadPace } from './load-test-options.ts';

const NAP_MS = 50;

export interface FeedOptions {
  readonly pace: LoadPace;
  /** Messages in the log that are not processed. */
  readonly waiting: () => number;
  /** So many may wait when as many come as can be: enough that nobody waits for them, few enough that they are soon done. */
  readonly waitingMax: number;
}

/** What goes into the log, at its time, and how far it is. */
export class Feed {
  readonly #options: FeedOptions;
  #startedMs = 0;
  /** When the messages of the slice at hand were due. */
  dueMs = 0;
  sent = 0;
  sessions = 0;
  done = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get seconds(): number {
    return this.#startedMs === 0 ? 0 : (performance.now() - this.#startedMs) / 1_000;
  }

  /** Messages that should have been sent by now and were not. */
  overdue(whole: number): number {
    return overdueBy(this.#options.pace, this, whole);
  }

  /** Writes all slices; false when the signal came first. */
  async run(slices: AsyncIterable<Slice>, output: SimulationOutput, signal: AbortSignal): Promise<boolean> {
    const { pace, waiting, waitingMax } = this.#options;
    this.#startedMs = performance.now();
    for await (const slice of slices) {
      const messages = slice.districts.reduce((sum, { segment }) => sum + segment.messages, 0);
      const dueMs = pace.kind === 'max' ? null : this.#startedMs + 1_000 * dueAt(pace, this.sent + messages);
      while (!signal.aborted && (dueMs === null ? waiting() > waitingMax : performance.now() < dueMs)) {
        await pause(dueMs === null ? NAP_MS : Math.min(NAP_MS, Math.max(1, dueMs - performance.now())));
      }
      if (signal.aborted) break;
      this.dueMs = dueMs ?? performance.now();
      await output.write(slice);
      if (pace.kind !== 'max') await output.flush?.();
      this.sent += messages;
      this.sessions = slice.figures.sessions;
    }
    await (signal.aborted ? output.abandon() : output.finish());
    this.done = true;
    return !signal.aborted;
  }
}

/** Messages that should have been sent by now, of all that there will be, and were not. */
export function overdueBy(pace: LoadPace, { sent, seconds, done }: { readonly sent: number; readonly seconds: number; readonly done: boolean }, whole: number): number {
  return pace.kind === 'max' || done ? 0 : Math.max(0, Math.min(whole, dueBy(pace, seconds)) - sent);
}

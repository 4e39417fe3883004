import { setTimeout as pause } from 'node:timers/promises';
import type { SimulationOutput } from '../simulate/simulation-output.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { Latencies } from './latencies.ts';
import { dueAt, dueBy } from './load-test-options.ts';
import type { LoadPace } from './load-test-options.ts';

/** Messages that may wait in the log when as many come as can be: enough that nobody waits for them, few enough that they are soon done. */
const WAITING_MAX = 60_000;
const NAP_MS = 50;

/** What goes into the log, at its time, and how far it is. */
export class Feed {
  readonly #pace: LoadPace;
  readonly #latencies: Latencies;
  readonly #waiting: () => number;
  #startedMs = 0;
  sent = 0;
  sessions = 0;
  done = false;

  /** `waiting`: messages in the log that are not processed. */
  constructor(pace: LoadPace, latencies: Latencies, waiting: () => number) {
    this.#pace = pace;
    this.#latencies = latencies;
    this.#waiting = waiting;
  }

  get seconds(): number {
    return this.#startedMs === 0 ? 0 : (performance.now() - this.#startedMs) / 1_000;
  }

  /** Messages that should have been sent by now and were not. */
  overdue(whole: number): number {
    return this.#pace.kind === 'max' || this.done ? 0 : Math.max(0, Math.min(whole, dueBy(this.#pace, this.seconds)) - this.sent);
  }

  /** Writes all slices; false when the signal came first. */
  async run(slices: AsyncIterable<Slice>, output: SimulationOutput, signal: AbortSignal): Promise<boolean> {
    this.#startedMs = performance.now();
    for await (const slice of slices) {
      const messages = slice.districts.reduce((sum, { segment }) => sum + segment.messages, 0);
      const dueMs = this.#pace.kind === 'max' ? null : this.#startedMs + 1_000 * dueAt(this.#pace, this.sent + messages);
      while (!signal.aborted && (dueMs === null ? this.#waiting() > WAITING_MAX : performance.now() < dueMs)) {
        await pause(dueMs === null ? NAP_MS : Math.min(NAP_MS, Math.max(1, dueMs - performance.now())));
      }
      if (signal.aborted) break;
      this.#latencies.due(messages, dueMs ?? performance.now());
      await output.write(slice);
      if (this.#pace.kind !== 'max') await output.flush?.();
      this.sent += messages;
      this.sessions = slice.figures.sessions;
    }
    await (signal.aborted ? output.abandon() : output.finish());
    this.done = true;
    return !signal.aborted;
  }
}

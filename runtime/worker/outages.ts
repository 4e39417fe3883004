import { VoltstreamError } from '../../errors.ts';
import type { RecordPlace } from '../../errors.ts';
import type { Logger } from '../logger.ts';

/** A failure that lasts is told again so often. */
const REPEAT_MS = 60_000;
/** Longer than the longest pause between two tries (10 s): when nothing failed for so long, it is over. */
const OVER_AFTER_MS = 15_000;

interface Outage {
  failures: number;
  toldMs: number;
  readonly over: NodeJS.Timeout;
}

/**
 * Tells of failures that are tried again, once for each kind and then once a minute: a full disk fails in every task, sink and
 * commit several times a second, and one clear line says more than a thousand. Metrics count them all.
 */
export class Outages {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #outages = new Map<string, Outage>();

  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  failed(operation: string, error: unknown): void {
    const kind = error instanceof VoltstreamError ? error.code : error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const nowMs = this.#nowMs();
    const known = this.#outages.get(kind);
    if (known !== undefined) {
      known.failures++;
      known.over.refresh();
      if (nowMs - known.toldMs < REPEAT_MS) return;
      known.toldMs = nowMs;
      this.#logger.warn({ operation, err: error, failures: known.failures }, `still failing, and tried again: ${kind}`);
      return;
    }
    const over = setTimeout(() => this.#over(kind), OVER_AFTER_MS);
    over.unref();
    this.#outages.set(kind, { failures: 1, toldMs: nowMs, over });
    this.#logger.warn({ operation, ...placeOf(error), err: error }, `failed, and will be tried again: ${kind}`);
  }

  #over(kind: string): void {
    const failures = this.#outages.get(kind)?.failures;
    this.#outages.delete(kind);
    this.#logger.warn({ kind, failures }, `over: ${kind}`);
  }
}

/** The record that an error is about, as fields of a line. */
export function placeOf(error: unknown): RecordPlace | null {
  return error instanceof VoltstreamError ? error.recordPlace() : null;
}

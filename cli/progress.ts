import { styleText } from 'node:util';

export interface ProgressFigures {
  /** Records processed so far. */
  readonly processed: number;
  /** Records known to be there and not yet processed. */
  readonly lag: number;
  /** Records that will still come into the log, when that is known. */
  readonly toCome: number;
  readonly rowsDelivered: number;
  readonly outboxRows: number;
}

const LINE_INTERVAL_MS = 2_000;
const TERMINAL_INTERVAL_MS = 250;

/** Progress of long work: one line that changes on a terminal, plain lines now and then elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #figures: () => ProgressFigures;
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #lastMs = performance.now();
  #last = 0;
  #rate = 0;

  constructor(stream: NodeJS.WriteStream, figures: () => ProgressFigures) {
    this.#stream = stream;
    this.#figures = figures;
  }

  start(): void {
    this.#timer = setInterval(() => this.#show(), this.#stream.isTTY ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K');
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  #show(): void {
    const figures = this.#figures();
    const nowMs = performance.now();
    const current = (figures.processed - this.#last) / ((nowMs - this.#lastMs) / 1_000);
    this.#rate = this.#rate === 0 ? current : this.#rate * 0.6 + current * 0.4;
    this.#last = figures.processed;
    this.#lastMs = nowMs;
    const rest = figures.lag + figures.toCome;
    const parts = [
      `${thousands(figures.processed)} records`,
      `${thousands(this.#rate)}/s`,
      `lag ${thousands(figures.lag)}`,
      `${thousands(figures.rowsDelivered)} rows in ClickHouse`,
      ...(rest > 0 && this.#rate > 1 ? [`about ${duration(rest / this.#rate)} left`] : []),
    ];
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[2K${styleText('cyan', '⚡')} ${parts.join('  ')}`);
    else this.#stream.write(`${parts.join(', ')}\n`);
  }
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

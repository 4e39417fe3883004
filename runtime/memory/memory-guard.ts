import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Logger } from '../logger.ts';

const LOOK_EVERY_MS = 1_000;
const WARN_AT = 0.8;
const PAUSE_AT = 1;
const RESUME_BELOW = 0.9;
/** V8 ends the process at its own limit; so much of it is taken as full. */
const HEAP_SHARE = 0.9;
/** A full collection of a large heap takes a second: so often at most, and only at the limit. */
const COLLECT_EVERY_MS = 10_000;
const WARN_EVERY_MS = 60_000;
const TOLD_MAX = 5;

/** Bytes that the process takes now. */
export interface MemoryReading {
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
}

/** What takes the memory, for the warning. */
export interface MemoryUse {
  /** Entries by store, over all tasks. */
  readonly stores: ReadonlyMap<string, number>;
  /** Encoded bytes that wait for sinks. */
  readonly outboxBytes: number;
  /** Records fetched and not yet processed. */
  readonly bufferedRecords: number;
}

export interface MemoryGuardOptions {
  readonly limitBytes: number;
  readonly logger: Logger;
  readonly use: () => MemoryUse;
  readonly read?: () => MemoryReading;
  readonly collect?: () => void;
  readonly nowMs?: () => number;
}

/**
 * Looks at the memory of the process every second. From 80 % of the limit on it warns once a minute with what takes it. At 100 %, when a full
 * garbage collection does not help, `paused` is true until less than 90 % are taken: tasks then read no input, while commits and deliveries go
 * on, so that the process is neither killed nor restarted into the same state. The limit is the named one or 90 % of V8's, whichever is nearer.
 */
export class MemoryGuard {
  readonly #options: Required<MemoryGuardOptions>;
  #reading: MemoryReading;
  #timer: NodeJS.Timeout | null = null;
  #paused = false;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #collectedMs = Number.NEGATIVE_INFINITY;

  constructor(options: MemoryGuardOptions) {
    this.#options = { read: readMemory, collect: collectGarbage, nowMs: () => performance.now(), ...options };
    this.#reading = this.#options.read();
  }

  get limitBytes(): number {
    return this.#options.limitBytes;
  }

  get usedBytes(): number {
    return this.#reading.residentBytes;
  }

  /** Of the limit that is nearer; 1 is full. */
  get share(): number {
    const { residentBytes, heapBytes, heapLimitBytes } = this.#reading;
    return Math.max(residentBytes / this.#options.limitBytes, heapBytes / (heapLimitBytes * HEAP_SHARE));
  }

  get paused(): boolean {
    return this.#paused;
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  look(): void {
    this.#reading = this.#options.read();
    if (this.share >= (this.#paused ? RESUME_BELOW : PAUSE_AT)) this.#collect();
    if (!this.#paused && this.share >= PAUSE_AT) {
      this.#paused = true;
      this.#options.logger.error(this.#facts(), 'memory is full: tasks read no input until less of it is taken');
    } else if (this.#paused && this.share < RESUME_BELOW) {
      this.#paused = false;
      this.#options.logger.warn(this.#facts(), 'memory has been freed: tasks go on');
    }
    this.#warn();
  }

  #warn(): void {
    const nowMs = this.#options.nowMs();
    if (this.share < WARN_AT || nowMs - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = nowMs;
    this.#options.logger.warn(this.#facts(), `${Math.round(this.share * 100)} % of the memory is taken; at 100 % tasks pause`);
  }

  /** Garbage counts as taken until it is collected, and nothing collects it while tasks pause. */
  #collect(): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#collectedMs < COLLECT_EVERY_MS) return;
    this.#collectedMs = nowMs;
    this.#options.collect();
    this.#reading = this.#options.read();
  }

  #facts(): object {
    const { stores, outboxBytes, bufferedRecords } = this.#options.use();
    const largest = [...stores].sort(([, a], [, b]) => b - a).slice(0, TOLD_MAX);
    const { residentBytes, heapBytes, heapLimitBytes } = this.#reading;
    return {
      limitMb: megabytes(this.#options.limitBytes), residentMb: megabytes(residentBytes), heapMb: megabytes(heapBytes), heapLimitMb: megabytes(heapLimitBytes),
      stateEntries: Object.fromEntries(largest), outboxMb: megabytes(outboxBytes), bufferedRecords,
    };
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 104_857.6) / 10;
}

function readMemory(): MemoryReading {
  const { heap_size_limit: heapLimitBytes } = getHeapStatistics();
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed, heapLimitBytes };
}

/** Node gives the collector only to who asks for it by flag; a new context may ask later. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

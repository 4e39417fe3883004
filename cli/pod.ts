import { totalmem } from 'node:os';
import type { Configuration } from '../runtime/configuration.ts';
import { createLogger } from '../runtime/logger.ts';
import type { Logger } from '../runtime/logger.ts';
import { prettyLines } from '../runtime/logger/pretty-lines.ts';
import { redactionOf, secretsOf } from '../runtime/logger/redaction.ts';
import type { Redaction } from '../runtime/logger/redaction.ts';
import { memoryLimitOf } from '../runtime/memory/limit.ts';
import { MemoryGuard } from '../runtime/memory/memory-guard.ts';
import type { MemoryUse } from '../runtime/memory/memory-guard.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { podIdOf } from '../runtime/pod.ts';
import { StopSignals } from './stop-signals.ts';

/** For a step of the start that is under way: half a migration would keep the next process waiting. */
const START_ENDS_WITHIN_MS = 5_000;

export interface PodOptions {
  readonly exit: boolean;
  readonly sample: boolean;
  readonly json: boolean;
  /** Name among the processes of a supervisor. */
  readonly worker: string | null;
  /** False: log lines only, whoever looks. */
  readonly prose?: boolean;
}

/** What a process is besides its work: its name, its log, its metrics, its memory, and how it ends. */
export class Pod {
  readonly id: string;
  /** Somebody looks at this process: progress and summary as text. Else there are log lines only. */
  readonly prose: boolean;
  readonly redaction: Redaction;
  readonly logger: Logger;
  readonly metrics: EngineMetrics;
  readonly stop: StopSignals;
  readonly #configuration: Configuration;
  readonly #supervisorGone = (): void => this.stop.request('the supervisor is gone');

  constructor(configuration: Configuration, options: PodOptions) {
    this.#configuration = configuration;
    this.id = podIdOf(configuration, { environment: process.env });
    this.prose = options.prose !== false && options.worker === null && (process.stderr.isTTY || options.exit || options.sample || options.json);
    this.redaction = redactionOf(secretsOf(configuration));
    this.logger = podLogger(configuration, this.redaction, this.prose, {
      application: configuration.applicationId, pod: this.id, ...(options.worker === null ? {} : { worker: options.worker }),
    });
    this.metrics = new EngineMetrics({ steps: configuration.metrics.steps, pod: { application: configuration.applicationId, id: this.id } });
    this.stop = new StopSignals(process.stderr, {
      withinMs: configuration.shutdownTimeoutMs,
      ...(this.prose ? {} : { tell: (message) => this.logger.info(message) }),
    });
    // A worker whose supervisor was killed would go on unseen, beside the ones that are started anew.
    if (options.worker !== null) process.once('disconnect', this.#supervisorGone);
  }

  /**
   * Waits for the start of something that cannot be interrupted. When a stop is asked for and it does not end soon, because a server does not answer,
   * the process ends: nothing has been claimed.
   */
  async unlessStopped<T>(starting: Promise<T>): Promise<T> {
    const end = (): void => {
      this.logger.info('stopped before the start was done');
      process.exit(0);
    };
    let timer: NodeJS.Timeout | null = null;
    const stopped = (): void => void (timer = setTimeout(end, START_ENDS_WITHIN_MS));
    this.stop.signal.addEventListener('abort', stopped, { once: true });
    try {
      return await starting;
    } finally {
      this.stop.signal.removeEventListener('abort', stopped);
      if (timer !== null) clearTimeout(timer);
    }
  }

  memoryGuard(use: () => MemoryUse): MemoryGuard {
    const limit = memoryLimitOf({
      configuredMb: this.#configuration.memory.limitMb, constrainedBytes: process.constrainedMemory(), machineBytes: totalmem(),
    });
    const guard = new MemoryGuard({ limitBytes: limit.bytes, logger: this.logger, use });
    this.metrics.watchMemory(() => guard);
    return guard;
  }

  release(): void {
    // Who listens to the channel of a supervisor holds it open, and so the process.
    process.off('disconnect', this.#supervisorGone);
    this.stop.release();
  }
}

/** Beside the progress line, lines about what goes well are too many. */
function podLogger(configuration: Configuration, redaction: Redaction, prose: boolean, fields: Readonly<Record<string, string>>): Logger {
  return createLogger({
    level: prose && process.stderr.isTTY && configuration.logLevel === 'info' ? 'warn' : configuration.logLevel,
    format: formatOf(configuration), fields, redaction,
  });
}

function formatOf({ logFormat }: Configuration): 'json' | 'pretty' {
  if (logFormat === 'auto') return process.stderr.isTTY ? 'pretty' : 'json';
  return logFormat;
}

/** Writes lines of other processes, which are JSON, in the form of our own. */
export function podLines(configuration: Configuration): (line: string) => void {
  const to = { write: (text: string): void => void process.stderr.write(text) };
  const lines = formatOf(configuration) === 'pretty' ? prettyLines(to) : to;
  return (line) => lines.write(`${line}\n`);
}

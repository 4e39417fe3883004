import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Configuration, ConfigurationSources } from '../../../runtime/configuration.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { EngineMetrics } from '../../../runtime/metrics.ts';
import { redactionOf, secretsOf } from '../../../runtime/logger/redaction.ts';
import { Random } from '../../../simulator/random/random.ts';
import { workerCommands } from '../../workers/run-workers.ts';
import { Supervisor } from '../../workers/supervisor.ts';
import { metricSums } from './metric-sums.ts';

const ANSWER_WITHIN_MS = 5_000;
const READY_WITHIN_MS = 120_000;

/** Counters that are summed over all lives of all pods; those of a life that was killed are as last heard. */
export interface PodCounters {
  readonly cpuSeconds: number;
  readonly commits: number;
  readonly rowsDelivered: number;
}

/** As of now, over the pods that answer; null: one of them does not. */
export interface PodStates {
  readonly tasks: number;
  readonly lagRecords: number;
  readonly outboxRows: number;
}

interface Life {
  readonly sums: ReadonlyMap<string, number>;
}

const names = {
  cpu: 'process_cpu_seconds_total', memory: 'process_resident_memory_bytes', commits: 'voltstream_commit_duration_seconds_count', delivered: 'voltstream_delivered_rows_total',
  tasks: 'voltstream_tasks', lag: 'voltstream_source_lag_records', outbox: 'voltstream_outbox_rows',
} as const;

/** The pods of a load test: processes of `voltstream run` in one group on this machine, supervised, and killed when it is wanted. */
export class PodsUnderTest {
  readonly #supervisor: Supervisor;
  readonly #log: WriteStream;
  readonly #random: Random;
  readonly #shutdownTimeoutMs: number;
  /** By process id. */
  readonly #lives = new Map<number, Life>();
  #states: PodStates | null = null;
  #before: PodCounters = { cpuSeconds: 0, commits: 0, rowsDelivered: 0 };
  #memoryMb = 0;
  #stopped: Promise<void> | null = null;

  /** `logFile` gets the lines that pods and their supervisor write; `seed` chooses who is killed. */
  constructor(configuration: Configuration, sources: ConfigurationSources, options: { readonly count: number; readonly logFile: string; readonly seed: string }) {
    this.#log = createWriteStream(options.logFile);
    this.#random = new Random(`${options.seed}/kills`);
    this.#shutdownTimeoutMs = configuration.shutdownTimeoutMs;
    const flags = { sample: false, live: false, reset: false, exit: false, printConfig: false, json: false, workers: String(options.count), worker: null };
    this.#supervisor = new Supervisor({
      commands: workerCommands(options.count, configuration, sources, flags, configuration.applicationId),
      logger: createLogger({ level: 'info', redaction: redactionOf(secretsOf(configuration)), destination: { write: (text) => void this.#log.write(text) } }),
      metrics: new EngineMetrics({ nodeMetrics: false }), writeLine: (line) => void this.#log.write(`${line}\n`),
    });
  }

  /** Resolves when all are ready. Rejects when they die again and again, or when they take too long. */
  async start(signal: AbortSignal): Promise<void> {
    this.#supervisor.start();
    const untilMs = performance.now() + READY_WITHIN_MS;
    while (this.#supervisor.notReadyBecause.length > 0 && !signal.aborted) {
      if (performance.now() > untilMs) throw new Error(`the pods are not ready after ${READY_WITHIN_MS / 1_000} s: ${this.#supervisor.notReadyBecause.join('; ')}`);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 100)), this.#supervisor.hopeless]);
    }
  }

  /** Kills one that runs, chosen by the seed; null: none runs. It is started again as one that has died. */
  kill(): string | null {
    const running = this.#supervisor.workers.filter(({ processId }) => processId !== undefined);
    if (running.length === 0) return null;
    const { name, processId } = this.#random.oneOf(running);
    if (processId !== undefined) process.kill(processId, 'SIGKILL');
    return name;
  }

  /** What they have done until now, for their start, counts no more. */
  async begin(): Promise<void> {
    await this.look();
    this.#before = this.counters;
  }

  /** Asks all pods for their metrics. */
  async look(): Promise<void> {
    const answers = await Promise.allSettled(this.#supervisor.workers.map(async ({ url, processId }) => {
      if (url === null || processId === undefined) throw new Error('it is starting');
      const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      return [processId, metricSums(await response.text(), Object.values(names))] as const;
    }));
    const heard = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    for (const [processId, sums] of heard) this.#lives.set(processId, { sums });
    const sum = (name: string): number => heard.reduce((total, [, sums]) => total + (sums.get(name) ?? 0), 0);
    if (heard.length > 0) this.#memoryMb = sum(names.memory) / 1_048_576;
    this.#states = heard.length < this.#supervisor.workers.length ? null : { tasks: sum(names.tasks), lagRecords: sum(names.lag), outboxRows: sum(names.outbox) };
  }

  /** As of the last look. */
  get states(): PodStates | null {
    return this.#states;
  }

  get memoryMb(): number {
    return this.#memoryMb;
  }

  /** Since `begin`. */
  get counters(): PodCounters {
    const sum = (name: string): number => this.#lives.values().reduce((total, { sums }) => total + (sums.get(name) ?? 0), 0);
    const { cpuSeconds, commits, rowsDelivered } = this.#before;
    return { cpuSeconds: sum(names.cpu) - cpuSeconds, commits: sum(names.commits) - commits, rowsDelivered: sum(names.delivered) - rowsDelivered };
  }

  /** Lives that were heard of beyond the first of each. */
  get restarts(): number {
    return Math.max(0, this.#lives.size - this.#supervisor.workers.length);
  }

  /** Gracefully: what is there is committed and delivered. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#supervisor.stop(this.#shutdownTimeoutMs);
    this.#log.end();
    await once(this.#log, 'close');
  }

  killAll(): void {
    this.#supervisor.kill();
  }
}

import type { StatusReport } from '../../console/status.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { EngineMetrics } from '../../runtime/metrics.ts';
import { mergedMetrics } from './merged-metrics.ts';
import { QUICK_DEATHS_MAX } from './restart-policy.ts';
import { WorkerProcess } from './worker-process.ts';
import type { WorkerCommand, WorkerListener } from './worker-process.ts';

const ANSWER_WITHIN_MS = 5_000;
/** More than a worker takes to end itself when servers do not answer. */
const KILL_AFTER_MS = 8_000;

export interface SupervisorOptions {
  readonly commands: ReadonlyMap<string, WorkerCommand>;
  readonly logger: Logger;
  readonly metrics: EngineMetrics;
  /** Writes a line that is one already: those of workers. */
  readonly writeLine: (line: string) => void;
}

/**
 * Processes of one group on this machine: starts them, starts those again that die, and ends with all of them. What they say of themselves
 * (readiness, metrics, status) is put together; correctness does not depend on it, since every worker is a member of the group like any other.
 */
export class Supervisor implements WorkerListener {
  readonly #options: SupervisorOptions;
  readonly #workers: readonly WorkerProcess[];
  readonly #hopeless = Promise.withResolvers<never>();
  #anyReady = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#workers = [...options.commands].map(([name, command]) => new WorkerProcess(name, command, this));
    this.#hopeless.promise.catch(() => undefined);
  }

  /** Rejects when the workers die again and again and none was ever ready. */
  get hopeless(): Promise<never> {
    return this.#hopeless.promise;
  }

  get notReadyBecause(): readonly string[] {
    if (this.#stopping) return ['draining: the workers stop'];
    return this.#workers.flatMap(({ name, notReadyBecause }) => notReadyBecause.map((reason) => `worker ${name}: ${reason}`));
  }

  get workers(): readonly WorkerProcess[] {
    return this.#workers;
  }

  start(): void {
    for (const worker of this.#workers) worker.start();
  }

  async stop(shutdownTimeoutMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers.map((worker) => worker.stop(shutdownTimeoutMs + KILL_AFTER_MS)));
  }

  kill(): void {
    for (const worker of this.#workers) worker.kill();
  }

  line(worker: WorkerProcess, text: string): void {
    if (text.startsWith('{')) this.#options.writeLine(text);
    else if (text !== '') this.#options.logger.error({ worker: worker.name }, text);
  }

  ready(worker: WorkerProcess): void {
    this.#anyReady = true;
    this.#options.logger.info({ worker: worker.name, url: worker.url, processId: worker.processId }, 'worker is ready');
  }

  died(worker: WorkerProcess, how: string, readyForMs: number): void {
    const { logger, metrics } = this.#options;
    const waitMs = worker.policy.died(readyForMs);
    metrics.workerRestarted(worker.name);
    if (worker.policy.hopeless(this.#anyReady)) {
      this.#hopeless.reject(new Error(`worker ${worker.name} has died ${QUICK_DEATHS_MAX} times, the last time with ${how}, and no worker was ever ready: its lines above say why`));
      return;
    }
    logger.error({ worker: worker.name, how, deaths: worker.policy.deaths, waitMs }, 'worker died, and will be started again');
    worker.startAfter(waitMs);
  }

  /** Metrics of the workers that answer, and our own, with the label `worker`. */
  async metricsText(): Promise<string> {
    const texts = new Map([['supervisor', await this.#options.metrics.text()]]);
    for (const [name, text] of await this.#fromEach('/metrics', (response) => response.text())) texts.set(name, text);
    return mergedMetrics(texts);
  }

  /** Sums of the workers that answer; tasks with their worker's name; figures of the first. */
  async status(application: string, pod: string, startedAtMs: number): Promise<StatusReport> {
    const reports = await this.#fromEach('/api/status', async (response) => (await response.json()) as StatusReport);
    const totals = { sourceRecords: 0, deliveredRows: 0, lateRecords: 0, deadLetters: 0, lagRecords: 0, outboxRows: 0, stateEntries: 0 };
    for (const [, report] of reports) {
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += report.totals[name];
    }
    const [first] = reports;
    return {
      application, pod, nowMs: Date.now(), startedAtMs, totals,
      tasks: reports.flatMap(([name, report]) => report.tasks.map((task) => ({ ...task, task: `${name}: ${task.task}` }))),
      figures: first?.[1].figures ?? [], tables: first?.[1].tables ?? [],
    };
  }

  async #fromEach<T>(path: string, read: (response: Response) => Promise<T>): Promise<readonly (readonly [string, T])[]> {
    const answers = await Promise.allSettled(this.#workers.filter((worker) => worker.url !== null).map(async (worker) => {
      const response = await fetch(`${worker.url}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      return [worker.name, await read(response)] as const;
    }));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }
}

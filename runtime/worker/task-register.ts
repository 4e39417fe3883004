import { VoltstreamError } from '../../errors.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import type { ArchiveTask } from '../archive/archive-task.ts';
import type { Logger } from '../logger.ts';
import type { EngineMetrics, TaskMetricsSource } from '../metrics.ts';
import { RecordRetry } from '../task/error-policy.ts';
import type { RunningTask } from '../task/running-task.ts';
import type { Task, TaskListener } from '../task/task.ts';
import { traced, tracing } from '../tracing.ts';
import { Outages, placeOf } from './outages.ts';
import { SetAsideLines } from './set-aside.ts';
import { ArchiveMetrics, TaskMetrics } from './task-metrics.ts';

export interface TaskRegisterOptions {
  readonly application: string;
  readonly metrics: EngineMetrics;
  readonly logger: Logger;
  readonly stopped: (task: RunningTask, error: unknown) => void;
}

/** Tells metrics, log and whoever traces what happens to tasks: one place, so that all of them agree. */
export class TaskRegister implements TaskListener {
  readonly #options: TaskRegisterOptions;
  readonly #application: string;
  readonly #outages: Outages;
  readonly #setAside: SetAsideLines;
  readonly #leave = new Map<RunningTask, () => void>();

  constructor(options: TaskRegisterOptions) {
    this.#options = options;
    this.#application = options.application;
    this.#outages = new Outages(options.logger);
    this.#setAside = new SetAsideLines(options.logger);
  }

  claimed(task: Task, restoreMs: number): void {
    this.#enter(task, new TaskMetrics(task), restoreMs);
  }

  archiveClaimed(task: ArchiveTask, sink: string, restoreMs: number): void {
    this.#enter(task, new ArchiveMetrics(task, sink), restoreMs);
  }

  processed({ id }: RunningTask, records: number, durationMs: number): void {
    this.#options.metrics.batchProcessed(subTopologyOf(id), durationMs);
    tracing.batchProcessed.publish(() => ({ application: this.#application, task: id, records, durationMs }));
  }

  async committing({ id }: RunningTask, cells: number, work: () => Promise<void>): Promise<void> {
    const startedMs = performance.now();
    await traced(tracing.commit, () => ({ application: this.#application, task: id, cells }), work);
    this.#options.metrics.committed(subTopologyOf(id), performance.now() - startedMs, cells);
  }

  async delivering({ id }: RunningTask, sink: string, rows: number, work: () => Promise<void>): Promise<void> {
    const startedMs = performance.now();
    await traced(tracing.delivery, () => ({ application: this.#application, task: id, sink, rows }), work);
    this.#options.metrics.delivered(sink, performance.now() - startedMs);
  }

  deadLetter(task: string, letter: DeadLetter): void {
    this.#setAside.add(task, letter);
    tracing.deadLetter.publish(() => ({ application: this.#application, task, letter }));
  }

  retrying(operation: string, error: unknown): void {
    this.#options.metrics.retried(operation);
    this.#outages.failed(operation, error);
    tracing.retry.publish(() => ({ application: this.#application, operation, error }));
  }

  stopped(task: RunningTask, error: unknown): void {
    const code = error instanceof VoltstreamError ? error.code : null;
    tracing.taskStopped.publish(() => ({ application: this.#application, task: task.id, error }));
    if (error instanceof RecordRetry) this.retrying('record', error.cause);
    else if (code === 'FENCED') this.#options.metrics.fenced(subTopologyOf(task.id));
    else if (code === 'REWOUND') this.#options.metrics.rewound(subTopologyOf(task.id));
    else this.#options.logger.error({ task: task.id, ...placeOf(error), err: error }, 'task failed');
    this.#options.stopped(task, error);
  }

  dropped(task: RunningTask, reason: string): void {
    this.#leave.get(task)?.();
    this.#leave.delete(task);
    this.#options.logger.info({ task: task.id, reason }, 'task dropped');
    tracing.taskDropped.publish(() => ({ application: this.#application, task: task.id, reason }));
  }

  #enter(task: RunningTask, metrics: TaskMetricsSource, restoreMs: number): void {
    this.#leave.set(task, this.#options.metrics.registerTask(metrics));
    this.#options.metrics.claimed(subTopologyOf(task.id), restoreMs);
    this.#options.logger.info({ task: task.id, restoreMs: Math.round(restoreMs) }, 'task claimed');
    tracing.taskClaimed.publish(() => ({ application: this.#application, task: task.id, restoreMs }));
  }
}

function subTopologyOf(task: string): string {
  return task.slice(0, task.lastIndexOf('_'));
}

import { VoltstreamError } from '../../errors.ts';
import type { ArchiveTask, ArchiveTaskListener } from '../archive/archive-task.ts';
import type { Logger } from '../logger.ts';
import type { EngineMetrics, TaskMetricsSource } from '../metrics.ts';
import type { RunningTask } from '../task/running-task.ts';
import type { Task, TaskListener } from '../task/task.ts';
import { Outages } from './outages.ts';
import { ArchiveMetrics, TaskMetrics } from './task-metrics.ts';

/** Tells metrics and log what happens to tasks: one place, so that both always agree. */
export class TaskRegister {
  readonly #metrics: EngineMetrics;
  readonly #logger: Logger;
  readonly #stopped: (task: RunningTask, error: unknown) => void;
  readonly #outages: Outages;
  readonly #leave = new Map<RunningTask, () => void>();

  constructor(metrics: EngineMetrics, logger: Logger, stopped: (task: RunningTask, error: unknown) => void) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#outages = new Outages(logger);
    this.#stopped = stopped;
  }

  get taskListener(): TaskListener {
    return {
      committed: (task, cells, durationMs) => this.#metrics.committed(subTopologyOf(task), durationMs, cells),
      delivered: (_task, sink, _rows, durationMs) => this.#metrics.delivered(sink, durationMs),
      retrying: (_task, operation, error) => this.retrying(operation, error),
      stopped: (task, error) => this.#stoppedWith(task, error),
    };
  }

  archiveListener(sink: string): ArchiveTaskListener {
    return {
      inserted: (_task, _rows, durationMs) => this.#metrics.delivered(sink, durationMs),
      stopped: (task, error) => this.#stoppedWith(task, error),
    };
  }

  claimed(task: Task, restoreMs: number): void {
    this.#enter(task, new TaskMetrics(task), restoreMs);
  }

  archiveClaimed(task: ArchiveTask, sink: string, restoreMs: number): void {
    this.#enter(task, new ArchiveMetrics(task, sink), restoreMs);
  }

  dropped(task: RunningTask, reason: string): void {
    this.#leave.get(task)?.();
    this.#leave.delete(task);
    this.#logger.info({ task: task.id, reason }, 'task dropped');
  }

  retrying(operation: string, error: unknown): void {
    this.#metrics.retried(operation);
    this.#outages.failed(operation, error);
  }

  #enter(task: RunningTask, metrics: TaskMetricsSource, restoreMs: number): void {
    this.#leave.set(task, this.#metrics.registerTask(metrics));
    this.#metrics.claimed(subTopologyOf(task), restoreMs);
    this.#logger.info({ task: task.id, restoreMs: Math.round(restoreMs) }, 'task claimed');
  }

  #stoppedWith(task: RunningTask, error: unknown): void {
    const code = error instanceof VoltstreamError ? error.code : null;
    if (code === 'FENCED') this.#metrics.fenced(subTopologyOf(task));
    else if (code === 'REWOUND') this.#metrics.rewound(subTopologyOf(task));
    else this.#logger.error({ task: task.id, err: error }, 'task failed');
    this.#stopped(task, error);
  }
}

function subTopologyOf(task: RunningTask): string {
  return task.id.slice(0, task.id.lastIndexOf('_'));
}

import type { LogBatch } from '../log/log.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** One claim of a task, as a worker sees it: `Task` with state and outbox, or `ArchiveTask` without. */
export interface RunningTask {
  readonly id: string;
  readonly queues: readonly PartitionQueue[];
  readonly stopped: boolean;
  /** Why it reads no input now; null while it reads. */
  readonly pausedBy: string | null;
  /** Positions as last committed: what group offsets may say. */
  readonly committedPositions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
  /** True when all that was fetched is processed, committed and delivered. */
  readonly settled: boolean;
  /** False when the batch was not asked for at exactly the task's position. */
  accept(batch: LogBatch): boolean;
  /**
   * Processes up to `recordsMax` records, commits and delivers when it is time. `polled` (left out: true) says whether the log has
   * answered since the last turn, be it with nothing. Never throws: a failure is told to its listener.
   */
  turn(recordsMax: number, polled?: boolean): number;
  /** Loads schemas that heads of queues wait for. True when there was one. */
  loadSchemas(): Promise<boolean>;
  /**
   * Asks the store whether the task is still ours, by a commit of nothing: while we were away from the group somebody else may have claimed it. It stops with
   * FENCED then, as it would at its next commit, which may be long in coming. Never throws.
   */
  confirmOwner(): void;
  /** Commits and delivers what is there. For a graceful stop. */
  flush(): Promise<void>;
  /** Forgets everything; what was not committed is done again by the next owner. */
  drop(reason: string): Promise<void>;
}

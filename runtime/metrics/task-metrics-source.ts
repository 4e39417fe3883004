import type { StepContext } from '../../operators/operator.ts';

/** Why a step left a record out. */
export type DropReason = Parameters<StepContext['dropped']>[0];

/** What a step has counted since its task was made. Plain numbers: the hot path only adds to them. */
export interface StepCounters {
  readonly step: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly late: number;
  readonly droppedByReason: Readonly<Partial<Record<DropReason, number>>>;
  /** Records whose processing failed here and that became dead letters. */
  readonly failed: number;
}

export interface SourceCounters {
  readonly topic: string;
  /** Records accepted at the position of the task. */
  readonly records: number;
  /** Records that could not be decoded and became dead letters. */
  readonly failed: number;
  /** End of the partition minus position; null before the first poll. */
  readonly lagRecords: number | null;
}

export interface SinkCounters {
  readonly sink: string;
  /** Rows and bytes that wait now. */
  readonly rows: number;
  readonly bytes: number;
  /** Rows acknowledged since the task was made. */
  readonly deliveredRows: number;
  /** Records that could not be encoded for it and became dead letters. */
  readonly failed: number;
}

export interface StoreCounters {
  readonly store: string;
  readonly entries: number;
  /** Null where the store does not count its bytes. */
  readonly bytes: number | null;
}

/**
 * What a task shows to its observers. Read only when someone looks (a scrape, the live page), so getters may compute.
 * Counting numbers never fall during the life of the object; a task that is dropped and claimed again is a new object.
 */
export interface TaskMetricsSource {
  readonly subTopology: string;
  readonly partition: number;
  readonly sources: readonly SourceCounters[];
  readonly steps: readonly StepCounters[];
  readonly outbox: readonly SinkCounters[];
  readonly stores: readonly StoreCounters[];
  /** Highest stream time of the task's steps; -1 before the first record. */
  readonly streamTimeMs: number;
  /** Why the task reads no input now (`outbox full`, `fenced`, `store unavailable`...); null while it reads. */
  readonly pausedBy: string | null;
}

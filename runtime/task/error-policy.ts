import { InvariantViolation, VoltstreamError, assertInvariant } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { RecordOrigin } from '../../operators/operator.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import type { ErrorStage, RetryPolicy } from '../../topology/error-policy.ts';
import { errorPolicyOf } from '../../topology/error-policy.ts';
import type { BuiltTopology } from '../../topology/graph.ts';

/** Records that have failed and are not known to be done. Beyond that the oldest are forgotten: they may be tried more often. */
const REMEMBERED_MAX = 10_000;
const LONGEST_WAIT_MS = 60_000;

/** A record failed and is to be tried again: its task drops its memory, and is claimed anew after the wait. */
export class RecordRetry extends Error {
  readonly attempt: number;
  readonly attempts: number;
  readonly waitMs: number;

  constructor(failure: VoltstreamError, attempt: number, { attempts, backOffMs }: RetryPolicy) {
    const waitMs = Math.min(backOffMs * 2 ** (attempt - 1), Math.max(backOffMs, LONGEST_WAIT_MS));
    super(`attempt ${attempt} of ${attempts} failed, and the next comes in ${waitMs} ms: ${failure.message}`, { cause: failure });
    this.name = 'RecordRetry';
    this.attempt = attempt;
    this.attempts = attempts;
    this.waitMs = waitMs;
  }
}

/** A record that failed, and where. */
export interface RecordFailure {
  readonly task: string;
  readonly stage: ErrorStage;
  /** Source, step, sink or archive. */
  readonly step: string;
  readonly error: unknown;
  /** Where the record came from; offset -1 and the time for what a step does between records. */
  readonly origin: Pick<RecordOrigin, 'topic' | 'partition' | 'offset' | 'timestampMs'>;
  /** What ran between two records, by a name that stays; left out for a record. */
  readonly tick?: string | undefined;
}

/** How far a topic has been read, or a tick has come: what lies below is done. */
export interface Passed {
  readonly place: string;
  readonly position: number;
}

interface Tried {
  readonly task: string;
  /** A topic, or the name of a tick. */
  readonly place: string;
  /** Offset of the record, or the highest time at which the tick has failed: times only rise. */
  position: number;
  count: number;
}

/**
 * Decides about records that fail, by the policies of the topology. One for all tasks of a process: it counts attempts, which
 * must outlive the tasks that are dropped between them. Another process that takes a task over counts anew.
 */
export class FailurePolicies {
  readonly #topology: Pick<BuiltTopology, 'errorPolicies' | 'deadLetters'>;
  readonly #tried = new Map<string, Tried>();
  readonly #setAside: (task: string, letter: DeadLetter) => void;

  /** `setAside` hears of each dead letter when it is made: again when its task is dropped before the commit. */
  constructor(topology: Pick<BuiltTopology, 'errorPolicies' | 'deadLetters'>, setAside: (task: string, letter: DeadLetter) => void = () => undefined) {
    this.#topology = topology;
    this.#setAside = setAside;
  }

  /** Null when the record becomes a dead letter, else the error that the task must stop with: `RecordRetry` to be claimed anew. */
  stoppedBy(failure: RecordFailure): Error | null {
    const { stage, step, error } = failure;
    if (error instanceof InvariantViolation) return error;
    // Not this record's fault: without it, the next one would find the buffer just as full.
    if (error instanceof VoltstreamError && error.code === 'BUFFER_FULL') return recordError(failure);
    const policy = errorPolicyOf(this.#topology, stage, step);
    if (typeof policy === 'object') {
      const attempt = this.#count(failure);
      if (attempt < policy.attempts) return new RecordRetry(recordError(failure), attempt, policy);
    }
    return (typeof policy === 'object' ? policy.otherwise : policy) === 'fail' ? recordError(failure) : null;
  }

  setAside(task: string, letter: DeadLetter): void {
    this.#setAside(task, letter);
  }

  /** True when there are attempts that count: `hasTried` and `passed` need not be called otherwise. */
  get remembers(): boolean {
    return this.#tried.size > 0;
  }

  /** Whether there have been attempts at the record of a topic's position, or at a tick up to that time. */
  hasTried(task: string, place: string, position: number): boolean {
    for (const tried of this.#tried.values()) {
      if (tried.task === task && tried.place === place && tried.position <= position) return true;
    }
    return false;
  }

  /** What is passed is committed: what failed there is forgotten. */
  passed(task: string, passed: readonly Passed[]): void {
    if (this.#tried.size === 0) return;
    for (const { place, position } of passed) {
      for (const [id, tried] of this.#tried) {
        if (tried.task === task && tried.place === place && tried.position < position) this.#tried.delete(id);
      }
    }
  }

  #count({ task, stage, step, tick, origin: { topic, offset, timestampMs } }: RecordFailure): number {
    // A tick comes again at a later time; a record at its offset.
    const place = tick ?? `${topic}\n${offset}`;
    const id = `${task}\n${place}\n${stage}\n${step}`;
    const tried = this.#tried.get(id) ?? { task, place: tick ?? topic, position: -1, count: 0 };
    tried.position = Math.max(tried.position, tick === undefined ? offset : timestampMs);
    tried.count++;
    this.#tried.set(id, tried);
    if (this.#tried.size > REMEMBERED_MAX) {
      const [oldest] = this.#tried.keys();
      assertInvariant(oldest !== undefined, 'a full memory has an oldest entry');
      this.#tried.delete(oldest);
    }
    return tried.count;
  }
}

/** What a record failed with, as an error that names the record. */
export function recordError(failure: RecordFailure): VoltstreamError {
  const { task, step, error, origin } = failure;
  const record = { task, step, topic: origin.topic, partition: origin.partition, offset: origin.offset };
  const place = origin.offset < 0 ? `between records at ${origin.timestampMs}` : `${origin.topic}-${origin.partition}@${origin.offset}`;
  const where = `task ${task}, step "${step}", ${place}`;
  if (error instanceof VoltstreamError) return error.at(where, record);
  return new VoltstreamError(failureCode(failure), messageOf(error), { where, cause: error, record });
}

export function failureCode({ error, stage }: Pick<RecordFailure, 'error' | 'stage'>): ErrorCode {
  if (error instanceof VoltstreamError) return error.code;
  return stage === 'deserialise' ? 'DESERIALISATION_FAILED' : 'PROCESSING_FAILED';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

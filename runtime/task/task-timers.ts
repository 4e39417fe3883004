import { VoltstreamError, assertInvariant } from '../../errors.ts';
import type { Schedule } from '../../operators/operator.ts';
import type { SubTopology } from '../../topology/graph.ts';
import { IdleSources } from './idle-sources.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { TaskFacts } from './task-facts.ts';

/** A function of a step that runs between two records. */
export type Run = (timeMs: number) => void;

/** Something of a step that runs between two records, by a name that it has after a restart, too. */
export interface Tick {
  readonly name: string;
  readonly step: string;
  readonly run: Run;
}

/** Runs a tick at a time, as the task wants it run; false when the task must stop. */
export type Runner = (tick: Tick, timeMs: number) => boolean;

/** Its name is that of the fact that keeps `dueMs`. */
interface Timer extends Tick {
  readonly schedule: Schedule;
  /** -1: a wall-clock timer that has not started. */
  dueMs: number;
}

const lastTickFact = 'tick/wall-clock';

/**
 * The punctuators of a task's steps. Due times are facts of the task, committed with its state.
 *
 * Stream time: a timer is due at the first record, and from then on whenever the highest timestamp of any record that the task
 * has processed reaches another multiple of the interval; it runs once, however many were passed, with that timestamp. Wall
 * clock: due an interval after the first tick, then at each further interval; missed ones collapse into one. Timers due at once
 * run in the order of their due times, then of their steps (Kafka Streams 4.2, PunctuationQueue and PunctuationSchedule; but
 * there the first schedule after a restart begins anew, and here it goes on).
 *
 * A tick that neither changed a store nor gave output is no reason to commit: its due times go along with the next commit, and
 * after a crash before that the tick comes again. Only a wall-clock timer that was never recorded asks for a commit, so that
 * one with a long interval comes to its turn however often an idle task is started.
 */
export class TaskTimers {
  readonly #runner: Runner;
  readonly #streamTimers: Timer[] = [];
  readonly #wallTimers: Timer[] = [];
  readonly #commits: Tick[] = [];
  readonly #counts = new Map<string, number>();
  readonly idle: IdleSources;
  #open = true;
  #lastTickMs = -1;
  /** Lowest timestamp of a record that makes a stream-time timer due. */
  nextStreamMs = Number.POSITIVE_INFINITY;
  /** True when a wall-clock timer was started and no commit has recorded it. */
  unrecorded = false;

  constructor(part: SubTopology, runner: Runner) {
    this.#runner = runner;
    this.idle = new IdleSources(part);
  }

  /** The n-th schedule of its type of a step is the same one after a restart. */
  schedule(step: string, schedule: Schedule, run: Run): void {
    assertInvariant(this.#open, `step ${step} schedules while it is built`);
    const { type, intervalMs } = schedule;
    if (!Number.isSafeInteger(intervalMs) || intervalMs < 1) {
      throw new VoltstreamError('TOPOLOGY_INVALID', 'the interval of a punctuator is not a length of time', {
        where: step, wanted: 'whole milliseconds, 1 or more', got: String(intervalMs),
      });
    }
    const name = `due/${type}/${step}`;
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    const timer: Timer = { step, name: `${name}/${count}`, schedule, run, dueMs: type === 'stream-time' ? 0 : -1 };
    (type === 'stream-time' ? this.#streamTimers : this.#wallTimers).push(timer);
  }

  onIdle(step: string, run: Run): void {
    assertInvariant(this.#open, `step ${step} asks for idle times while it is built`);
    this.idle.listen(step, run);
  }

  /** The n-th of a step is the same one after a restart. */
  onCommit(step: string, run: () => void): void {
    assertInvariant(this.#open, `step ${step} asks for commits while it is built`);
    const count = this.#commits.filter((tick) => tick.step === step).length;
    this.#commits.push({ name: `commit/${step}/${count}`, step, run });
  }

  /** All steps are built, and nothing is scheduled from now on; `queues` are those of the part's sources, in their order. */
  built(queues: readonly PartitionQueue[]): void {
    this.#open = false;
    this.idle.watch(queues);
    this.#findNextStream();
  }

  restore(facts: TaskFacts): void {
    for (const timer of [...this.#streamTimers, ...this.#wallTimers]) timer.dueMs = facts.getNumber(timer.name) ?? timer.dueMs;
    this.#lastTickMs = facts.getNumber(lastTickFact) ?? -1;
    this.idle.restore(facts);
    this.#findNextStream();
  }

  /** Puts due times and idle times among the facts of the commit under way. */
  record(facts: TaskFacts): void {
    for (const timer of this.#streamTimers) facts.set(timer.name, String(timer.dueMs));
    for (const timer of this.#wallTimers) if (timer.dueMs >= 0) facts.set(timer.name, String(timer.dueMs));
    if (this.#lastTickMs >= 0) facts.set(lastTickFact, String(this.#lastTickMs));
    this.idle.record(facts);
    this.unrecorded = false;
  }

  /** Runs the stream-time timers that a record of this timestamp made due. */
  streamTimeReached(timestampMs: number): void {
    const due = dueAt(this.#streamTimers, timestampMs);
    for (const timer of due) timer.dueMs = (Math.floor(timestampMs / timer.schedule.intervalMs) + 1) * timer.schedule.intervalMs;
    this.#findNextStream();
    for (const timer of due) if (!this.#runner(timer, timestampMs)) return;
  }

  /**
   * What the wall clock brings: timers first, then the idle times of sources. Steps are never given a time below an earlier
   * one, though the clock may be set back, or be another machine's; and then they go on being called at their intervals.
   */
  tick(nowMs: number, polled: boolean): void {
    for (const timer of this.#wallTimers) {
      const latestMs = nowMs + timer.schedule.intervalMs;
      if (timer.dueMs < 0) this.unrecorded = true;
      if (timer.dueMs < 0 || timer.dueMs > latestMs) timer.dueMs = latestMs;
    }
    const due = dueAt(this.#wallTimers, nowMs);
    if (due.length > 0) this.#lastTickMs = Math.max(this.#lastTickMs, nowMs);
    for (const timer of due) {
      const { intervalMs } = timer.schedule;
      timer.dueMs += (Math.floor((nowMs - timer.dueMs) / intervalMs) + 1) * intervalMs;
    }
    for (const timer of due) if (!this.#runner(timer, this.#lastTickMs)) return;
    this.idle.tick(nowMs, polled, this.#runner);
  }

  /** Lets steps give what they have held back for the commit that is being made, in their order; `timeOf` is a step's own time. */
  committing(timeOf: (step: string) => number): void {
    for (const tick of this.#commits) if (!this.#runner(tick, timeOf(tick.step))) return;
  }

  #findNextStream(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#streamTimers) if (dueMs < next) next = dueMs;
    this.nextStreamMs = next;
  }
}

const noTimers: readonly Timer[] = [];

function dueAt(timers: readonly Timer[], timeMs: number): readonly Timer[] {
  if (timers.length === 0) return noTimers;
  // Sorting is stable: equal due times stay in the order of the steps.
  return timers.filter((timer) => timer.dueMs <= timeMs).sort((left, right) => left.dueMs - right.dueMs);
}

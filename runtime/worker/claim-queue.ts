import type { TaskAssignment } from '../log/log.ts';

interface WantedClaim {
  readonly assignment: TaskAssignment;
  readonly done: PromiseWithResolvers<void>;
}

interface ClaimUnderWay {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Claims tasks, a few at a time: so that the store's answers for one are awaited while cells of another are decoded, and yet the first is loaded
 * long before the last. What is no longer wanted is not begun, and ends at its next page when it is under way.
 */
export class ClaimQueue {
  readonly #atOnceMax: number;
  readonly #claim: (assignment: TaskAssignment, outdated: AbortSignal) => Promise<void>;
  readonly #wanted = new Map<string, WantedClaim>();
  readonly #underWay = new Map<string, ClaimUnderWay>();

  /** `claim` must not reject: what it meets is its own to tell. */
  constructor(atOnceMax: number, claim: (assignment: TaskAssignment, outdated: AbortSignal) => Promise<void>) {
    this.#atOnceMax = atOnceMax;
    this.#claim = claim;
  }

  /**
   * Resolves when the claim has ended, or is given up. One claim of a task at a time: a join may come while a lost task is claimed again, and two
   * claims would fence each other.
   */
  claim(assignment: TaskAssignment): Promise<void> {
    const underWay = this.#underWay.get(assignment.task);
    if (underWay !== undefined && !underWay.abort.signal.aborted) return underWay.done;
    const done = this.#wanted.get(assignment.task)?.done ?? Promise.withResolvers<void>();
    this.#wanted.set(assignment.task, { assignment, done });
    this.#next();
    return done.promise;
  }

  /** Gives up the claims of all tasks but these. */
  keepOnly(tasks: ReadonlySet<string>): void {
    for (const [task, { done }] of this.#wanted) {
      if (tasks.has(task)) continue;
      this.#wanted.delete(task);
      done.resolve();
    }
    for (const [task, { abort }] of this.#underWay) if (!tasks.has(task)) abort.abort(new Error(`the claim of task ${task} is no longer wanted`));
    this.#next();
  }

  #next(): void {
    for (const [task, { assignment, done }] of this.#wanted) {
      if (this.#active >= this.#atOnceMax) return;
      if (this.#underWay.has(task)) continue; // given up, and not ended yet
      this.#wanted.delete(task);
      const abort = new AbortController();
      this.#underWay.set(task, { abort, done: done.promise });
      void this.#claim(assignment, abort.signal).finally(() => {
        this.#underWay.delete(task);
        done.resolve();
        this.#next();
      });
    }
  }

  /** Claims that were given up end soon, and are not waited for. */
  get #active(): number {
    let active = 0;
    for (const { abort } of this.#underWay.values()) if (!abort.signal.aborted) active += 1;
    return active;
  }
}

import type { FailurePolicies, Passed } from './error-policy.ts';

/**
 * What a task has passed that had failed before. It is forgotten when a commit with it is accepted; and that commit is wanted at
 * once, since otherwise the next failure nearby would have it processed again.
 */
export class Passing {
  readonly #task: string;
  readonly #failures: FailurePolicies;
  /** How far ticks have come since the last commit, by their names. */
  readonly #ticks = new Map<string, number>();
  /** A record or a tick that had been tried before has passed since the last commit. */
  wantsCommit = false;

  constructor(task: string, failures: FailurePolicies) {
    this.#task = task;
    this.#failures = failures;
  }

  record(topic: string, offset: number): void {
    if (this.#failures.remembers && this.#failures.hasTried(this.#task, topic, offset)) this.wantsCommit = true;
  }

  tick(name: string, timeMs: number): void {
    this.#ticks.set(name, timeMs);
    if (this.#failures.remembers && this.#failures.hasTried(this.#task, name, timeMs)) this.wantsCommit = true;
  }

  /** What a commit passes that is taken now, with the positions of the task's topics. */
  take(positions: readonly Passed[]): readonly Passed[] {
    this.wantsCommit = false;
    const ticks = [...this.#ticks].map(([place, timeMs]): Passed => ({ place, position: timeMs + 1 }));
    this.#ticks.clear();
    return this.#failures.remembers ? [...positions, ...ticks] : [];
  }

  accepted(passed: readonly Passed[]): void {
    this.#failures.passed(this.#task, passed);
  }
}

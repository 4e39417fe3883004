import { randomUUID } from 'node:crypto';
import { VoltstreamError, isPassing } from '../../errors.ts';
import type { Cell, Claim, Commit, StateStore } from '../../state/state-store.ts';
import { BackOff } from './back-off.ts';

export interface CommitLoopHooks {
  /** A failure that will be tried again with the very same commit. */
  retrying(operation: string, error: unknown): void;
  /** Runs a commit with all its tries, and may watch it. */
  committing(cells: number, work: () => Promise<void>): Promise<void>;
}

/**
 * The commits of one claim, one at a time. Each is a compare-and-set on owner and sequence (Law 2). An unknown outcome sends
 * the same commit again, which the store recognises by its id.
 */
export class CommitLoop {
  readonly #store: StateStore;
  readonly #claim: Claim;
  readonly #signal: AbortSignal;
  readonly #hooks: CommitLoopHooks;
  #sequence: number;
  #last: Promise<void> = Promise.resolve();
  #inFlight = 0;

  constructor(store: StateStore, claim: Claim, signal: AbortSignal, hooks: CommitLoopHooks) {
    this.#store = store;
    this.#claim = claim;
    this.#signal = signal;
    this.#hooks = hooks;
    this.#sequence = claim.sequence;
  }

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Commits after the ones before it. Throws FENCED or REWOUND when the task is no longer ours as we know it. */
  commit(cells: readonly Cell[]): Promise<void> {
    this.#inFlight++;
    const mine = this.#last.then(() => this.#hooks.committing(cells.length, () => this.#send(cells))).finally(() => {
      this.#inFlight--;
    });
    // A failed commit fails all that were queued behind it: they hold changes on top of what was not written.
    this.#last = mine;
    mine.catch(() => undefined);
    return mine;
  }

  async #send(cells: readonly Cell[]): Promise<void> {
    const commit: Commit = {
      task: this.#claim.task,
      owner: this.#claim.owner,
      previousSequence: this.#sequence,
      sequence: this.#sequence + 1,
      commitId: randomUUID(),
      cells,
    };
    const backOff = new BackOff(this.#signal);
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        const outcome = await this.#store.commit(commit);
        if (outcome.kind === 'fenced') throw new VoltstreamError('FENCED', 'the task has another owner', { where: `task ${commit.task}` });
        if (outcome.kind === 'rewound') {
          throw new VoltstreamError('REWOUND', 'the state store is not where our last commit left it', {
            where: `task ${commit.task}`, wanted: `sequence ${commit.previousSequence}`, got: `sequence ${outcome.storedSequence}`,
          });
        }
        this.#sequence = commit.sequence;
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#hooks.retrying('commit', error);
        await backOff.wait();
      }
    }
  }
}

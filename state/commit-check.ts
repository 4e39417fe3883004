import { assertInvariant, VoltstreamError } from '../errors.ts';
import type { Claim, Commit, CommitOutcome } from './state-store.ts';

/** What a store keeps of a task beside its cells. `owner` is empty after `clear`, `commitId` before the first commit. */
export interface TaskHead {
  readonly epoch: number;
  readonly owner: string;
  readonly sequence: number;
  readonly commitId: string;
}

/** Law 2: the one outcome of a commit that must not be applied, or undefined when it must be. */
export function outcomeWithoutWrite(head: TaskHead | undefined, commit: Commit): CommitOutcome | undefined {
  if (head === undefined || head.owner !== commit.owner) return { kind: 'fenced' };
  if (head.commitId === commit.commitId) return { kind: 'repeated' };
  if (head.sequence !== commit.previousSequence) return { kind: 'rewound', storedSequence: head.sequence };
  return undefined;
}

/** Our own bugs, caught before a store sees them. */
export function assertCommit(commit: Commit): void {
  assertInvariant(commit.owner !== '', 'a commit names its owner');
  assertInvariant(commit.commitId !== '', 'a commit has an id');
  assertInvariant(commit.sequence === commit.previousSequence + 1, 'a commit raises the sequence by one');
}

/** Throws FENCED or REWOUND when a claim is not what the store holds: what was loaded under it must be dropped. */
export function verifyClaim(head: TaskHead | undefined, claim: Claim): void {
  if (head === undefined || head.owner !== claim.owner) {
    throw new VoltstreamError('FENCED', 'the task was claimed by another while its state was read', {
      where: `task ${claim.task}`,
      wanted: `epoch ${claim.epoch}`,
      got: head === undefined ? 'no such task' : `epoch ${head.epoch}`,
    });
  }
  if (head.sequence !== claim.sequence) {
    throw new VoltstreamError('REWOUND', 'the state changed while it was read', {
      where: `task ${claim.task}`,
      wanted: `sequence ${claim.sequence}`,
      got: `sequence ${head.sequence}`,
    });
  }
}

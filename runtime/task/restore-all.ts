import type { Cell } from '../../state/state-store.ts';
import type { DueBatch } from './outbox.ts';
import type { TaskCore } from './task-core.ts';

/** Puts back the cells of a claim in one go, where nothing else waits: in tests and their driver. */
export function restoreAll(core: TaskCore, pages: readonly (readonly Cell[])[]): readonly DueBatch[] {
  for (const steps = core.restoring(pages); ;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

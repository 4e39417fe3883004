import { VoltstreamError } from '../../errors.ts';
import type { Cell } from '../../state/state-store.ts';
import type { Outbox } from './outbox.ts';
import { TaskFacts } from './task-facts.ts';

/**
 * State that was written by another version of the topology: what the present one cannot go on from is refused before a
 * record is read, since it would be misread, or lost without a word.
 */

const emptyOutboxCure = 'Run the earlier version once more until its outbox is empty (a graceful stop delivers everything), then start this one.';

/** Where an import marks the tasks that it has not finished yet. */
export const importStore = '$import';

/** Whether the topology has let go of a store: by its own name, or by that of the step that it was a part of. */
export function isDropped(store: string, dropped: readonly string[]): boolean {
  return dropped.some((name) => store === name || store.startsWith(`${name}.`));
}

/** Throws STATE_INCOMPLETE when the cells of a task are half a savepoint. */
export function refuseHalfImport(task: string, pages: readonly (readonly Cell[])[]): void {
  if (!pages.some((cells) => cells.some((cell) => cell.store === importStore))) return;
  throw new VoltstreamError('STATE_INCOMPLETE', 'the state of this task is half a savepoint', { where: `task ${task}` });
}

/** Throws STATE_ORPHANED when there are cells of stores that the sub-topology does not have and that were not let go of. */
export function refuseOrphanedStores(
  task: string, pages: readonly (readonly Cell[])[], stores: ReadonlySet<string>, dropped: readonly string[],
): void {
  const orphaned = new Set<string>();
  for (const cells of pages) {
    for (const { store } of cells) {
      if (!store.startsWith('$') && !stores.has(store) && !orphaned.has(store) && !isDropped(store, dropped)) orphaned.add(store);
    }
  }
  if (orphaned.size === 0) return;
  const names = [...orphaned].sort().map((store) => `"${store}"`).join(', ');
  throw new VoltstreamError('STATE_ORPHANED', 'the state of this task belongs to steps that this sub-topology no longer has', {
    where: `task ${task}`, wanted: `a step with the store ${names}`, got: [...stores].join(', ') || 'no stores',
    cure: `Give the steps their names back (a step that moved into another sub-topology cannot take its state along), or let go of it with topology.dropState(${names}).`,
  });
}

export function refuseOtherPartitions(task: string, facts: TaskFacts, partitions: number): void {
  const written = facts.getNumber('partitions');
  if (written === undefined || written === partitions) return;
  throw new VoltstreamError('PARTITIONS_CHANGED', 'the state was written with another number of partitions', {
    where: `task ${task}`, wanted: String(written), got: String(partitions),
  });
}

/** Rows that wait were encoded for the sink as it was then. */
export function refuseChangedSink(task: string, facts: TaskFacts, outbox: Outbox, now: string | null): void {
  const written = facts.get(`sink/${outbox.sink}`);
  if (outbox.rows === 0 || written === undefined || written === now) return;
  throw new VoltstreamError('TOPOLOGY_INVALID', 'rows wait for a sink whose columns or schema have changed since', {
    where: `task ${task}, sink "${outbox.sink}", ${outbox.rows} rows`, wanted: written, got: now ?? 'no such sink', cure: emptyOutboxCure,
  });
}

/** `stores` are those of outbox cells: `$outbox.<sink>` and `$seal.<sink>`. */
export function refuseRemovedSinks(task: string, stores: readonly string[], sinks: readonly string[]): void {
  const known = new Set(sinks);
  const removed = stores.map((store) => store.slice(store.indexOf('.') + 1)).find((sink) => !known.has(sink));
  if (removed === undefined) return;
  throw new VoltstreamError('TOPOLOGY_INVALID', 'rows wait for a sink that the topology no longer has', {
    where: `task ${task}`, wanted: `a sink "${removed}"`, got: sinks.join(', ') || 'no sinks', cure: emptyOutboxCure,
  });
}

/** Cells of outboxes, by store and key: the engine's own that are not facts. */
export function outboxCellsOf(pages: readonly (readonly Cell[])[]): ReadonlyMap<string, ReadonlyMap<string, Cell>> {
  const outboxes = new Map<string, Map<string, Cell>>();
  for (const page of pages) {
    for (const cell of page) {
      if (!cell.store.startsWith('$') || TaskFacts.owns(cell.store)) continue;
      const cells = outboxes.get(cell.store) ?? new Map<string, Cell>();
      outboxes.set(cell.store, cells.set(Buffer.from(cell.key).toString('hex'), cell));
    }
  }
  return outboxes;
}

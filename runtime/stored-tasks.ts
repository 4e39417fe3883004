import { VoltstreamError } from '../errors.ts';
import type { StateStore } from '../state/state-store.ts';
import type { BuiltTopology } from '../topology/graph.ts';
import { importStore, isDropped, refuseHalfImport } from './task/restore-checks.ts';
import { factsStore } from './task/task-facts.ts';

/** The name of a task without its partition: of its sub-topology or archive. */
export function groupOf(task: string): string {
  return task.slice(0, task.lastIndexOf('_'));
}

/** What a topology makes of tasks that have state. */
export interface StoredTasks {
  /** Of sub-topologies and archives that it does not have, and has not let go of. */
  readonly orphaned: readonly string[];
  /** Of those it has let go of. */
  readonly dropped: readonly string[];
  /** Of partitions that its topics do not have. */
  readonly beyond: readonly string[];
}

export function judgeStoredTasks(topology: BuiltTopology, running: ReadonlySet<string>, stored: readonly string[]): StoredTasks {
  const known = new Set([...topology.subTopologies, ...topology.archives].map(({ name }) => name));
  const rest = stored.filter((task) => !running.has(task));
  const gone = rest.filter((task) => !known.has(groupOf(task)));
  return {
    orphaned: gone.filter((task) => !isDropped(groupOf(task), topology.droppedState)),
    dropped: gone.filter((task) => isDropped(groupOf(task), topology.droppedState)),
    beyond: rest.filter((task) => known.has(groupOf(task))),
  };
}

/** `storesOf` gives names of stores by task; those of the runtime itself begin with `$`. Throws STATE_ORPHANED or PARTITIONS_CHANGED. */
export function refuseOrphanedTasks(topology: BuiltTopology, { orphaned, beyond }: StoredTasks, storesOf: ReadonlyMap<string, readonly string[]>): void {
  if (orphaned.length > 0) {
    const groups = [...new Set(orphaned.map(groupOf))];
    const stores = new Set(orphaned.flatMap((task) => (storesOf.get(task) ?? []).filter((store) => !store.startsWith('$'))));
    throw new VoltstreamError('STATE_ORPHANED', 'there is state of sources that the topology no longer has', {
      where: `tasks ${orphaned.join(', ')}${stores.size === 0 ? '' : `, with the stores ${[...stores].sort().join(', ')}`}`,
      wanted: `sources, repartitions or archives named ${groups.join(', ')}`,
      got: [...topology.subTopologies, ...topology.archives].map(({ name }) => name).join(', '),
      cure: `Give them their names back (a sub-topology is named after its first stream), or let go of their state with topology.dropState(${
        groups.map((group) => `"${group}"`).join(', ')}).`,
    });
  }
  if (beyond.length > 0) {
    throw new VoltstreamError('PARTITIONS_CHANGED', 'there is state of partitions that the topics do not have', { where: `tasks ${beyond.join(', ')}` });
  }
}

/** Rows that wait are delivered by the version that made them. */
export function refuseWaitingRows(task: string, stores: readonly string[]): void {
  const waiting = stores.filter((store) => store.startsWith('$outbox.'));
  if (waiting.length === 0) return;
  throw new VoltstreamError('STATE_ORPHANED', 'rows wait for delivery in state that is to be let go of', {
    where: `task ${task}, ${waiting.map((store) => store.slice('$outbox.'.length)).join(', ')}`,
    cure: 'Run the earlier version once more until its outbox is empty (a graceful stop delivers everything), then start this one.',
  });
}

/**
 * Looks at all tasks that the store has state of, before any of them is claimed: half a savepoint is refused, and so is state that
 * the topology would leave behind; what it has let go of is forgotten. `running` are the tasks that will run.
 *
 * @throws VoltstreamError STATE_INCOMPLETE, STATE_ORPHANED, PARTITIONS_CHANGED
 */
export async function checkStoredTasks(topology: BuiltTopology, running: ReadonlySet<string>, store: StateStore): Promise<void> {
  const stored: string[] = [];
  for (const { task } of await store.tasks()) {
    refuseHalfImport(task, [await store.read(task, importStore, { limit: 1 })]);
    if ((await store.read(task, factsStore, { limit: 1 })).length > 0) stored.push(task);
  }
  const judged = judgeStoredTasks(topology, running, stored);
  const storesOf = new Map<string, readonly string[]>();
  for (const task of [...judged.orphaned, ...judged.dropped]) storesOf.set(task, (await store.sizes(task)).map((size) => size.store));
  refuseOrphanedTasks(topology, judged, storesOf);
  for (const task of judged.dropped) refuseWaitingRows(task, storesOf.get(task) ?? []);
  for (const task of judged.dropped) await store.clear(task);
}

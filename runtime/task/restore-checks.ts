import { VoltstreamError } from '../../errors.ts';
import type { StoreDefinition } from '../../state/local-store.ts';
import type { Outbox } from './outbox.ts';
import type { TaskFacts } from './task-facts.ts';

/**
 * State that was written by another version of the topology: what the present one cannot go on from is refused before a
 * record is read, since it would be misread, or lost without a word.
 */

const emptyOutboxCure = 'Run the earlier version once more until its outbox is empty (a graceful stop delivers everything), then start this one.';

/** What a store's cells look like: stores of different kinds with the same codecs have other cells. */
export function formOf(store: StoreDefinition): string {
  return `${store.kind} ${store.schemaId}`;
}

export function stateOfNoStep(task: string, store: string, stores: readonly string[]): VoltstreamError {
  return new VoltstreamError('TOPOLOGY_INVALID', 'the state of this task belongs to a step that the topology no longer has', {
    where: `task ${task}`, wanted: `a step with the store "${store}"`, got: stores.join(', ') || 'no stores',
  });
}

export function refuseOtherPartitions(task: string, facts: TaskFacts, partitions: number): void {
  const written = facts.getNumber('partitions');
  if (written === undefined || written === partitions) return;
  throw new VoltstreamError('PARTITIONS_CHANGED', 'the state was written with another number of partitions', {
    where: `task ${task}`, wanted: String(written), got: String(partitions),
  });
}

export function refuseChangedStores(task: string, facts: TaskFacts, stores: readonly StoreDefinition[]): void {
  for (const store of stores) {
    const written = facts.get(`schema/${store.name}`);
    if (written === undefined || written === formOf(store)) continue;
    throw new VoltstreamError('TOPOLOGY_INVALID', 'the state of a step was written in another form', {
      where: `task ${task}, store "${store.name}"`, wanted: formOf(store), got: written,
    });
  }
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

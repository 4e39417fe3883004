import type { ArchiveNode, SubTopology } from './graph.ts';
import { invalid } from './invalid.ts';

/** What runs keeps its state: refuses names of stores, sub-topologies and archives that the topology has. */
export function refuseDropOfPresent(dropped: Iterable<string>, parts: readonly SubTopology[], archives: readonly ArchiveNode[]): void {
  for (const name of dropped) {
    const step = parts.flatMap((part) => part.steps).find(({ operator }) =>
      operator.stores.some((store) => store.name === name || store.name.startsWith(`${name}.`)));
    const present = step ?? [...parts, ...archives].find((candidate) => candidate.name === name);
    if (present !== undefined) {
      throw invalid(present.name, 'its state is let go of, but the topology still has it', 'names that are gone', `dropState("${name}")`);
    }
  }
}

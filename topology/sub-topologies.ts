import type { LocalStore, StoreDefinition } from '../state/local-store.ts';
import type { Edge, GlobalTableNode, Node, SinkNode, SourceNode, StepNode, SubTopology } from './graph.ts';
import { invalid } from './invalid.ts';

/** Groups of names that are connected, by repeated joining of two of them. */
class Groups {
  readonly #parent = new Map<string, string>();

  rootOf(name: string): string {
    let root = name;
    for (;;) {
      const parent = this.#parent.get(root);
      if (parent === undefined || parent === root) break;
      root = parent;
    }
    this.#parent.set(name, root);
    return root;
  }

  join(a: string, b: string): void {
    const rootA = this.rootOf(a);
    const rootB = this.rootOf(b);
    if (rootA !== rootB) this.#parent.set(rootB, rootA);
  }
}

/**
 * Splits a graph into what runs together: nodes joined by an edge, or by a table that one keeps and the other reads. A
 * repartition ends one sub-topology and begins another; a sink that several end in joins nothing. Records may come back by
 * another topic, so that two sub-topologies feed each other (a foreign-key join). A sub-topology is called after its first stream
 * (else its first table, never after a topic of a foreign-key join), so that adding steps, tables, joins, sinks or other
 * sub-topologies never changes the name under which state is kept.
 */
export function splitIntoSubTopologies(
  nodes: ReadonlyMap<string, Node>,
  edges: readonly Edge[],
  globalTables: readonly GlobalTableNode[],
): readonly SubTopology[] {
  const groups = new Groups();
  for (const edge of edges) if (nodes.get(edge.to)?.kind !== 'sink') groups.join(edge.from, edge.to);
  joinByTables(nodes, globalTables, groups);
  refuseUnreachedSinks(nodes, edges);
  const members = new Map<string, Node[]>();
  // Sinks last, so that sub-topologies stand in the order of their sources.
  for (const node of [...nodes.values()].sort((a, b) => Number(a.kind === 'sink') - Number(b.kind === 'sink'))) {
    // A sink belongs to every sub-topology that ends in it: each task has an outbox of its own for it.
    const inputs = node.kind === 'sink' ? edges.filter((edge) => edge.to === node.name).map((edge) => edge.from) : [node.name];
    for (const root of new Set(inputs.map((name) => groups.rootOf(name)))) {
      const list = members.get(root);
      if (list === undefined) members.set(root, [node]);
      else list.push(node);
    }
  }
  if (members.size === 0) throw invalid('(none)', 'the topology is empty', 'at least one source', 'none');
  const globals = new Set(globalTables.map((table) => table.name));
  return [...members.values()].map((list) => subTopologyOf(list, edges, globals));
}

function joinByTables(nodes: ReadonlyMap<string, Node>, globalTables: readonly GlobalTableNode[], groups: Groups): void {
  for (const node of nodes.values()) {
    if (node.kind !== 'step') continue;
    for (const table of node.operator.reads) {
      if (globalTables.some((global) => global.name === table)) continue;
      if (!nodes.has(table)) {
        throw invalid(node.name, 'it reads a table of another topology', 'a table made by this topology', `"${table}"`);
      }
      groups.join(table, node.name);
    }
  }
}

function refuseUnreachedSinks(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): void {
  for (const node of nodes.values()) {
    if (node.kind === 'sink' && !edges.some((edge) => edge.to === node.name)) {
      throw invalid(node.name, 'nothing leads to this sink', 'a stream', 'none');
    }
  }
}

function subTopologyOf(members: readonly Node[], edges: readonly Edge[], globals: ReadonlySet<string>): SubTopology {
  const names = new Set(members.map((node) => node.name));
  const inner = edges.filter((edge) => names.has(edge.from) && names.has(edge.to));
  const sources = members.filter((node): node is SourceNode => node.kind === 'source');
  const naming = sources.filter((source) => source.inner !== true);
  const first = naming.find((source) => source.role !== 'table') ?? naming[0] ?? sources[0];
  if (first === undefined) throw invalid(members[0]?.name ?? '?', 'no source leads to this step', 'a source', 'none');
  const steps = inTopologicalOrder(members.filter((node): node is StepNode => node.kind === 'step'), inner);
  refuseStaleKeys(steps, inner, new Set(sources.map((source) => source.name)), globals);
  const stores: StoreDefinition<LocalStore>[] = [];
  for (const step of steps) {
    for (const store of step.operator.stores) {
      if (stores.some((other) => other.name === store.name)) {
        throw invalid(step.name, 'a store name is used twice', 'names that are unique in the topology', store.name);
      }
      stores.push(store);
    }
  }
  return {
    name: first.name,
    sources,
    steps,
    sinks: members.filter((node): node is SinkNode => node.kind === 'sink'),
    edges: inner,
    stores,
  };
}

/** A graph is built front to back, so steps are already in an order in which each follows what feeds it. */
function inTopologicalOrder(steps: readonly StepNode[], edges: readonly Edge[]): readonly StepNode[] {
  const position = new Map(steps.map((step, index) => [step.name, index]));
  for (const edge of edges) {
    const from = position.get(edge.from);
    const to = position.get(edge.to);
    if (from !== undefined && to !== undefined && from >= to) {
      throw invalid(edge.to, 'the topology has a cycle', 'records that flow one way', `"${edge.from}" behind "${edge.to}"`);
    }
  }
  return steps;
}

/** A step that keeps state by key must not stand behind one that changes the key, unless a repartition is between. */
function refuseStaleKeys(
  steps: readonly StepNode[], edges: readonly Edge[], sources: ReadonlySet<string>, globals: ReadonlySet<string>,
): void {
  const changedBy = new Map<string, string | null>();
  for (const source of sources) changedBy.set(source, null);
  for (const step of steps) {
    const inputs = edges.filter((edge) => edge.to === step.name);
    const changer = inputs.map((edge) => changedBy.get(edge.from) ?? null).find((name) => name !== null) ?? null;
    const keepsState = step.operator.stores.length > 0 || step.operator.reads.some((table) => !globals.has(table));
    if (changer !== null && keepsState) {
      throw invalid(
        step.name, 'it keeps state by key, but the key was changed before it',
        `.repartition(name, { key, value }) between "${changer}" and "${step.name}"`, `"${changer}" directly before it`,
      );
    }
    changedBy.set(step.name, step.operator.changesKey ? step.name : changer);
  }
}

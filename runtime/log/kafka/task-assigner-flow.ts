export interface FlowEdge {
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
  readonly cost: number;
}

/**
 * The largest flow from `source` to `sink` that costs the least, as the flow of each edge; capacities are whole numbers, and so are flows. The
 * same edges in the same order give the same flow. By successive shortest paths: hundreds of nodes take milliseconds.
 */
export function leastCostFlow(nodes: number, edges: readonly FlowEdge[], source: number, sink: number): readonly number[] {
  const flows = edges.map(() => 0);
  for (;;) {
    const path = cheapestPath(nodes, edges, flows, source, sink);
    if (path === null) return flows;
    for (const { edge, forward } of path) flows[edge]! += forward ? 1 : -1;
  }
}

interface PathStep {
  readonly edge: number;
  readonly forward: boolean;
}

/** By Bellman and Ford, as what is taken back counts negative. */
function cheapestPath(nodes: number, edges: readonly FlowEdge[], flows: readonly number[], source: number, sink: number): readonly PathStep[] | null {
  const costs = Array.from({ length: nodes }, () => Infinity);
  const steps = Array.from({ length: nodes }, (): PathStep | null => null);
  costs[source] = 0;
  const relax = (from: number, to: number, cost: number, step: PathStep): boolean => {
    if (costs[from]! + cost >= costs[to]!) return false;
    costs[to] = costs[from]! + cost;
    steps[to] = step;
    return true;
  };
  for (let changed = true; changed;) {
    changed = false;
    edges.forEach(({ from, to, capacity, cost }, edge) => {
      if (flows[edge]! < capacity) changed = relax(from, to, cost, { edge, forward: true }) || changed;
      if (flows[edge]! > 0) changed = relax(to, from, -cost, { edge, forward: false }) || changed;
    });
  }
  if (costs[sink] === Infinity) return null;
  const path: PathStep[] = [];
  for (let node = sink; node !== source;) {
    const step = steps[node]!;
    path.push(step);
    node = step.forward ? edges[step.edge]!.from : edges[step.edge]!.to;
  }
  return path;
}

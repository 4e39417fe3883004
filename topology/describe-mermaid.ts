import type { AnySink, BuiltTopology, SubTopology } from './graph.ts';

/**
 * The topology as a Mermaid flowchart: sub-topologies as boxes, stores as cylinders, repartition topics between boxes. Dotted are what
 * steps read of tables, and dead letters.
 */
export function describeMermaid(topology: BuiltTopology): string {
  const ids = new Map<string, string>();
  const id = (name: string): string => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    const made = `n${ids.size + 1}`;
    ids.set(name, made);
    return made;
  };
  const lines = ['flowchart LR'];
  topology.subTopologies.forEach((part, index) => {
    lines.push(`  subgraph s${index + 1}["${part.name}"]`);
    for (const source of part.sources) lines.push(`    ${id(source.name)}[/"${source.topic}"/]`);
    for (const step of part.steps) {
      lines.push(`    ${id(step.name)}["${step.name}<br/><i>${step.operator.kind}</i>"]`);
      for (const store of step.operator.stores) {
        lines.push(`    ${id(`store:${store.name}`)}[("${store.name}")]`, `    ${id(step.name)} -.- ${id(`store:${store.name}`)}`);
      }
    }
    for (const [store, step] of tableReads(part)) lines.push(`    ${id(`store:${store}`)} -.-> ${id(step)}`);
    for (const edge of part.edges) {
      if (part.sinks.some((sink) => sink.name === edge.to)) continue;
      lines.push(`    ${id(edge.from)} -->${edge.port === 'out' ? '' : `|${edge.port}|`} ${id(edge.to)}`);
    }
    lines.push('  end');
  });
  const drawn = new Set<string>();
  for (const part of topology.subTopologies) {
    for (const sink of part.sinks) {
      if (sink.sink.kind === 'repartition') {
        const { topic } = sink.sink;
        const reader = topology.subTopologies.flatMap((other) => other.sources).find((source) => source.topic === topic);
        for (const edge of part.edges.filter((candidate) => candidate.to === sink.name)) {
          if (reader !== undefined) lines.push(`  ${id(edge.from)} ==> ${id(reader.name)}`);
        }
        continue;
      }
      if (!drawn.has(sink.name)) lines.push(`  ${id(sink.name)}${sinkShape(sink.sink)}`);
      drawn.add(sink.name);
      for (const edge of part.edges.filter((candidate) => candidate.to === sink.name)) {
        lines.push(`  ${id(edge.from)} -->${edge.port === 'out' ? '' : `|${edge.port}|`} ${id(sink.name)}`);
      }
    }
  }
  for (const table of topology.globalTables) {
    lines.push(`  ${id(table.name)}[/"${table.topic} (global)"/]`);
    for (const step of topology.subTopologies.flatMap((part) => part.steps)) {
      if (step.operator.reads.includes(table.name)) lines.push(`  ${id(table.name)} -.-> ${id(step.name)}`);
    }
  }
  for (const archive of topology.archives) {
    const source = topology.subTopologies.flatMap((part) => part.sources).find((candidate) => candidate.topic === archive.topic);
    const from = source === undefined ? id(archive.topic) : id(source.name);
    if (source === undefined) lines.push(`  ${from}[/"${archive.topic}"/]`);
    const table = archive.sink.kind === 'warehouse' ? archive.sink.table.table : archive.sink.topic;
    lines.push(`  ${id(archive.name)}[("${table}")]`, `  ${from} -->|archive| ${id(archive.name)}`);
  }
  const { deadLetters } = topology;
  if (deadLetters !== null) {
    if (!drawn.has(deadLetters.name)) lines.push(`  ${id(deadLetters.name)}${sinkShape(deadLetters.sink)}`);
    topology.subTopologies.forEach((_part, index) => lines.push(`  s${index + 1} -.->|dead letters| ${id(deadLetters.name)}`));
    for (const archive of topology.archives) lines.push(`  ${id(archive.name)} -.->|dead letters| ${id(deadLetters.name)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Steps with the stores of the tables that they read beside the records that come to them. */
function tableReads(part: SubTopology): readonly (readonly [store: string, step: string])[] {
  const storesOf = new Map(part.steps.map(({ name, operator }) => [name, operator.stores]));
  return part.steps.flatMap(({ name, operator }) => [...new Set(operator.reads)]
    .flatMap((table) => (storesOf.get(table) ?? []).map((store) => [store.name, name] as const)));
}

function sinkShape(sink: AnySink): string {
  return sink.kind === 'warehouse' ? `[("${sink.table.table}")]` : `[\\"${sink.topic}"\\]`;
}

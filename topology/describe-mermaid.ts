import type { BuiltTopology } from './graph.ts';

/** The topology as a Mermaid flowchart: sub-topologies as boxes, stores as cylinders, repartition topics between boxes. */
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
      if (!drawn.has(sink.name)) lines.push(sink.sink.kind === 'warehouse' ? `  ${id(sink.name)}[("${sink.sink.table.table}")]` : `  ${id(sink.name)}[\\"${sink.sink.topic}"\\]`);
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
  return `${lines.join('\n')}\n`;
}

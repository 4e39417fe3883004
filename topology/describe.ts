import type { ErrorPolicy } from './error-policy.ts';
import type { BuiltTopology, SubTopology } from './graph.ts';

/** The topology as text: what is read, which steps with which stores, where it goes. The same topology gives the same text. */
export function describeText(topology: BuiltTopology): string {
  const lines: string[] = [`Topology ${topology.name}`];
  for (const part of topology.subTopologies) lines.push('', ...subTopologyLines(part));
  for (const table of topology.globalTables) {
    lines.push('', `Global table ${table.name} (topic ${table.topic}), read whole before the first record`);
  }
  for (const archive of topology.archives) {
    lines.push('', `Archive ${archive.name}: topic ${archive.topic} -> ${sinkText(archive.sink)}, row by record, past the store`);
  }
  if (topology.deadLetters !== null) lines.push('', `Dead letters -> ${sinkText(topology.deadLetters.sink)}`);
  const { steps = {}, ...stages } = topology.errorPolicies;
  const policies = [...Object.entries(stages), ...Object.entries(steps)].map(([name, policy]) => `${name} ${policyText(policy)}`);
  if (policies.length > 0) lines.push('', `Errors: ${policies.join('; ')}`);
  return `${lines.join('\n')}\n`;
}

function subTopologyLines(part: SubTopology): string[] {
  const lines = [`Sub-topology ${part.name}`];
  for (const source of part.sources) {
    const idle = source.idleAfterMs === undefined ? '' : `; idle after ${source.idleAfterMs} ms`;
    lines.push(`  source ${source.name} (${source.role === 'stream' ? 'topic' : source.role} ${source.topic}${idle})`, ...targets(part, source.name));
  }
  for (const step of part.steps) {
    const { operator } = step;
    const facts = [
      operator.kind,
      ...(operator.detail === '' ? [] : [operator.detail]),
      ...(operator.stores.length === 0 ? [] : [`stores: ${operator.stores.map((store) => store.name).join(', ')}`]),
      ...(operator.reads.length === 0 ? [] : [`reads: ${operator.reads.join(', ')}`]),
    ];
    lines.push(`  step ${step.name} (${facts.join('; ')})`, ...targets(part, step.name));
  }
  for (const sink of part.sinks) lines.push(`  sink ${sink.name} (${sinkText(sink.sink)})`);
  return lines;
}

/** Inputs are numbered where a step has several. */
function targets(part: SubTopology, name: string): string[] {
  const several = new Set(part.edges.filter(({ input }) => input > 0).map(({ to }) => to));
  return part.edges
    .filter((edge) => edge.from === name)
    .map(({ port, to, input }) => `    ${port === 'out' ? '->' : `-${port}->`} ${to}${several.has(to) ? ` (input ${input})` : ''}`);
}

function policyText(policy: ErrorPolicy): string {
  if (typeof policy === 'string') return policy;
  return `${policy.attempts} attempts from ${policy.backOffMs} ms apart, then ${policy.otherwise}`;
}

function sinkText(sink: BuiltTopology['archives'][number]['sink']): string {
  if (sink.kind === 'warehouse') return `ClickHouse table ${sink.table.table}`;
  return sink.kind === 'log' ? `topic ${sink.topic}` : `repartition topic ${sink.topic}`;
}

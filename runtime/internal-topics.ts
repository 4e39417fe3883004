import type { BuiltTopology, SinkNode, SourceNode } from '../topology/graph.ts';

/**
 * The topology with its topics between sub-topologies named `<applicationId>-<name>-repartition`, as Kafka Streams names them: so that two
 * applications of one topology do not read each other's records. Everything else stays as it is.
 */
export function ownInternalTopics(topology: BuiltTopology, applicationId: string): BuiltTopology {
  const own = (topic: string): string => `${applicationId}-${topic}`;
  const source = (node: SourceNode): SourceNode => (node.role === 'repartition' ? { ...node, topic: own(node.topic) } : node);
  const sink = (node: SinkNode): SinkNode => (
    node.sink.kind === 'repartition' ? { ...node, sink: { ...node.sink, topic: own(node.sink.topic) } } : node);
  return Object.freeze({
    ...topology,
    repartitionTopics: topology.repartitionTopics.map(own),
    subTopologies: topology.subTopologies.map((part) => ({ ...part, sources: part.sources.map(source), sinks: part.sinks.map(sink) })),
  });
}

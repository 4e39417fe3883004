import { VoltstreamError } from '../errors.ts';
import type { BuiltTopology, SubTopology } from '../topology/graph.ts';
import type { Log, TaskAssignment, TopicDefinition } from './log/log.ts';

/**
 * The tasks of a sub-topology, one a partition. All its topics must have the same number of partitions, or records of one
 * key would meet in different tasks.
 *
 * @throws VoltstreamError TOPIC_MISSING, PARTITIONS_CHANGED
 */
export async function tasksOf(part: SubTopology, log: Log): Promise<readonly TaskAssignment[]> {
  const counts = new Map<string, number>();
  for (const { topic } of part.sources) counts.set(topic, await partitionsOf(topic, log, part.name));
  const [first = ['', 0] as const] = counts;
  for (const [topic, count] of counts) {
    if (count !== first[1]) {
      throw new VoltstreamError('PARTITIONS_CHANGED', 'topics that are joined have different numbers of partitions', {
        where: `sub-topology ${part.name}`, wanted: `${first[1]}, as ${first[0]} has`, got: `${count} of ${topic}`,
        cure: 'Create the topics with the same number of partitions.',
      });
    }
  }
  return Array.from({ length: first[1] }, (_unused, partition) => ({
    task: `${part.name}_${partition}`,
    partitions: part.sources.map((source) => ({ topic: source.topic, partition })),
  }));
}

/**
 * Topics between sub-topologies, each with as many partitions as the other topics of the sub-topology that reads it have, else
 * `partitions`: tables that are joined by a foreign key may be partitioned differently.
 */
export async function internalTopicsOf(topology: BuiltTopology, log: Log, partitions: number): Promise<readonly TopicDefinition[]> {
  const topics: TopicDefinition[] = [];
  for (const topic of topology.repartitionTopics) {
    const readers = topology.subTopologies.filter((part) => part.sources.some((source) => source.topic === topic));
    const beside = readers.flatMap((part) => part.sources).find((source) => source.role !== 'repartition');
    const count = beside === undefined ? null : await log.partitionCount(beside.topic);
    topics.push({ topic, partitions: count ?? partitions, settings: { 'retention.ms': '-1' } });
  }
  return topics;
}

export async function archiveTasksOf(archive: BuiltTopology['archives'][number], log: Log): Promise<readonly TaskAssignment[]> {
  const count = await partitionsOf(archive.topic, log, archive.name);
  return Array.from({ length: count }, (_unused, partition) => ({
    task: `${archive.name}_${partition}`, partitions: [{ topic: archive.topic, partition }],
  }));
}

async function partitionsOf(topic: string, log: Log, where: string): Promise<number> {
  const count = await log.partitionCount(topic);
  if (count === null) {
    throw new VoltstreamError('TOPIC_MISSING', 'a topic that is read does not exist', { where, wanted: `topic ${topic}`, got: 'none' });
  }
  return count;
}

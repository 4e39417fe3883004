import { listOffsetsV7 } from '@platformatic/kafka';
import type { TopicPartition } from '../log.ts';
import type { Cluster } from './cluster.ts';

const latest = -1n;
const earliest = -2n;
const readCommitted = 1;
const noReplica = -1;

async function offsetAt(cluster: Cluster, { topic, partition }: TopicPartition, timestamp: bigint): Promise<number> {
  return cluster.onLeader(topic, partition, cluster.ownLinks, async (connection) => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
    const answer = await listOffsetsV7.api.async(connection, noReplica, readCommitted, topics);
    return Number(answer.topics[0]!.partitions[0]!.offset);
  });
}

/** First offset that is still there, and the last stable offset: behind it lie records of transactions that may still be aborted. */
export async function boundsOf(cluster: Cluster, partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
  const [start, end] = await Promise.all([offsetAt(cluster, partition, earliest), offsetAt(cluster, partition, latest)]);
  return { start, end };
}

import { setTimeout as sleep } from 'node:timers/promises';
import {
  alterPartitionReassignmentsV0, createAPI, describeQuorumV2, findCoordinatorV4, listPartitionReassignmentsV0, metadataV12, Writer,
} from '@platformatic/kafka';
import type { Cluster } from '../../runtime/log/kafka/cluster.ts';

const quorum = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];

/** The node id of the broker that is the active controller. */
export async function controllerOf(cluster: Cluster): Promise<number> {
  const answer = await cluster.retrying(() => cluster.ask((connection) => describeQuorumV2.api.async(connection, quorum)));
  return answer.topics[0]!.partitions[0]!.leaderId;
}

/** The node that coordinates a group (0) or a transactional id (1). */
export async function coordinatorOf(cluster: Cluster, kind: 0 | 1, key: string): Promise<number> {
  const answer = await cluster.retrying(() => cluster.ask((connection) => findCoordinatorV4.api.async(connection, kind, [key])));
  return answer.coordinators[0]!.nodeId;
}

/** A name that this node coordinates. */
export async function coordinatedBy(cluster: Cluster, kind: 0 | 1, node: number, name: (attempt: number) => { readonly name: string; readonly key: string }): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const tried = name(attempt);
    if (await coordinatorOf(cluster, kind, tried.key) === node) return tried.name;
    if (attempt % 20 === 19) await sleep(500); // leaders of the coordinators' topics are on their way
  }
  throw new Error(`broker ${node} coordinates nothing`);
}

export interface PartitionState {
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export async function partitionsOf(cluster: Cluster, topic: string): Promise<readonly PartitionState[]> {
  const { topics } = await cluster.retrying(() => cluster.ask((connection) => metadataV12.api.async(connection, [topic], false, false)));
  const partitions: PartitionState[] = [];
  for (const { partitionIndex, leaderId, replicaNodes, isrNodes } of topics[0]!.partitions) partitions[partitionIndex] = { leader: leaderId, replicas: replicaNodes, inSync: isrNodes };
  return partitions;
}

/** Moves the replicas of a topic's partitions; the first is the one that should lead. Returns when it is done. */
export async function reassign(cluster: Cluster, topic: string, replicas: readonly (readonly number[])[]): Promise<void> {
  const topics = [{ name: topic, partitions: replicas.map((nodes, partitionIndex) => ({ partitionIndex, replicas: [...nodes] })) }];
  await cluster.onController((connection) => alterPartitionReassignmentsV0.api.async(connection, 10_000, true, topics));
  await cluster.retrying(async () => {
    const asked = [{ name: topic, partitionIndexes: [...replicas.keys()] }];
    const answer = await cluster.ask((connection) => listPartitionReassignmentsV0.api.async(connection, 10_000, asked));
    if (answer.topics.length > 0) throw Object.assign(new Error('replicas are still on their way'), { apiId: 'REQUEST_TIMED_OUT' });
  });
}

/** ElectLeaders, version 2: the preferred replica of each partition is to lead again. */
const electLeadersApi = createAPI<[topic: string, partitions: readonly number[]], null>(43, 2, (topic: string, partitions: readonly number[]) => Writer.create()
  .appendInt8(0)
  .appendArray([topic], (writer, name) => {
    writer.appendString(name).appendArray([...partitions], (inner, partition) => void inner.appendInt32(partition), true, false);
  })
  .appendInt32(10_000)
  .appendTaggedFields(), () => null);

export async function electPreferred(cluster: Cluster, topic: string): Promise<void> {
  const partitions = await partitionsOf(cluster, topic);
  await cluster.onController((connection) => electLeadersApi.async(connection, topic, [...partitions.keys()]));
}

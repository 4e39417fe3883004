import { deleteGroupsV2, deleteTopicsV6, listGroupsV4, metadataV12 } from '@platformatic/kafka';
import { assertInvariant } from '../../../errors.ts';
import type { LogRemoval } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { kafkaErrorType } from './failure.ts';

const removalTimeoutMs = 30_000;

/** Deletes an application's topics, and its groups, which must have no members any more. */
export async function removeFrom(cluster: Cluster, { topicPrefix, application }: LogRemoval): Promise<void> {
  assertInvariant(topicPrefix.length > 1, 'nobody deletes all topics of a cluster');
  const isOurs = (group: string): boolean => group === application || ['.', '-outbox', '-ingest-'].some((end) => group.startsWith(application + end));
  const all = await cluster.onController((connection) => metadataV12.api.async(connection, null, false, false));
  const topics = all.topics.flatMap(({ name }) => (typeof name === 'string' && name.startsWith(topicPrefix) ? [{ name }] : []));
  if (topics.length > 0) await passing('UNKNOWN_TOPIC_OR_PARTITION', () => cluster.onController((connection) => deleteTopicsV6.api.async(connection, topics, removalTimeoutMs)));
  const groups = new Set<string>();
  for (const broker of all.brokers) {
    const listed = await cluster.retrying(async () => listGroupsV4.api.async(await cluster.ownLinks.to(broker), [], []));
    for (const { groupId } of listed.groups) if (isOurs(groupId)) groups.add(groupId);
  }
  for (const group of groups) {
    await passing('GROUP_ID_NOT_FOUND', () => cluster.onCoordinator('group', group, cluster.ownLinks, (connection) => deleteGroupsV2.api.async(connection, [group])));
  }
}

/** What somebody else has deleted meanwhile is gone, which is all that was wanted. */
async function passing(gone: string, remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (kafkaErrorType(error) !== gone) throw error;
  }
}

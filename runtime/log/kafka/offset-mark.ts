import { offsetFetchV8 } from '@platformatic/kafka';
import type { OutboundRecord, TopicPartition } from '../log.ts';
import type { Cluster } from './cluster.ts';
import type { StoredMark } from './producer-session.ts';

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string | null;
}

/**
 * Offsets that a group has committed: of all its partitions, or of those asked for (-1 where there is none). Waits for transactions
 * that carry offsets of the group to end, so that what was committed before is seen.
 */
export async function fetchGroupOffsets(cluster: Cluster, group: string, partitions: readonly TopicPartition[] | null = null): Promise<CommittedOffset[]> {
  const topics = partitions === null ? null : [...Map.groupBy(partitions, ({ topic }) => topic)]
    .map(([name, ofTopic]) => ({ name, partitionIndexes: ofTopic.map(({ partition }) => partition) }));
  const request = { groupId: group, memberId: null, memberEpoch: -1, topics };
  const answer = await cluster.onCoordinator('group', group, cluster.ownLinks, (connection) => offsetFetchV8.api.async(connection, [request], true));
  return answer.groups.flatMap(({ topics: ofGroup }) => ofGroup.flatMap(({ name, partitions: ofTopic }) => ofTopic
    .map(({ partitionIndex, committedOffset, metadata }) => ({ topic: name, partition: partitionIndex, offset: Number(committedOffset), metadata: metadata ?? null }))));
}

/**
 * A text kept as offset metadata of a group of its own. The group's name is the key; the topic partition that carries it is
 * partition 0 of the topic that was written first. If several carry one, the highest offset number is the last.
 */
export class OffsetMark {
  readonly #cluster: Cluster;
  readonly group: string;
  #last: StoredMark | null = null;

  constructor(cluster: Cluster, group: string) {
    this.#cluster = cluster;
    this.group = group;
  }

  /** As this object read or wrote it last. */
  get last(): string | null {
    return this.#last?.metadata ?? null;
  }

  async read(): Promise<string | null> {
    this.#last = null;
    for (const { topic, offset, metadata } of await fetchGroupOffsets(this.#cluster, this.group)) {
      if (metadata === null || metadata === '' || offset < 0 || offset < (this.#last?.sequence ?? 0)) continue;
      this.#last = { topic, sequence: offset, metadata };
    }
    return this.#last?.metadata ?? null;
  }

  /** What to commit with a transaction; call `written` afterwards. */
  next(metadata: string, records: readonly OutboundRecord[]): StoredMark {
    const topic = this.#last?.topic ?? records[0]?.topic;
    if (topic === undefined) throw new Error(`invariant violated: the first mark of ${this.group} comes without a record`);
    return { topic, sequence: (this.#last?.sequence ?? 0) + 1, metadata };
  }

  written(mark: StoredMark): void {
    this.#last = mark;
  }
}

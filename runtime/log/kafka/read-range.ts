import { VoltstreamError } from '../../../errors.ts';
import type { LogBatch, TopicPartition } from '../log.ts';
import { boundsOf } from './bounds.ts';
import type { Cluster } from './cluster.ts';
import { asKafkaFailure, refusal } from './failure.ts';
import type { Links } from './links.ts';
import { fetchApi, type FetchedPartition } from './protocol/fetch-request.ts';
import { DamagedBatch } from './protocol/damaged-batch.ts';
import { decodeBatches, positionBehind } from './protocol/record-batches.ts';

const fetchOptions = { waitMs: 500, bytesMax: 4 * 1024 * 1024, partitionBytesMax: 4 * 1024 * 1024 } as const;
const offsetOutOfRangeCode = 1;
/** Records that were there at the start do not come for so long: a new leader needs a moment to know how far the others are. */
const standstillTimeoutMs = 30_000;

/** Reads committed records from `from` up to `to` or the last stable offset, without a group. */
export async function* readRange(cluster: Cluster, { topic, partition }: TopicPartition, from: number, to: number): AsyncGenerator<LogBatch> {
  const what = `cannot read ${topic}/${partition}`;
  const { start, end } = await asKafkaFailure(what, () => boundsOf(cluster, { topic, partition }));
  const until = Math.min(to, end);
  if (from >= until) return;
  const links = cluster.links();
  try {
    for (let position = from, movedMs = performance.now(); position < until;) {
      const fetched = position < start ? null : await asKafkaFailure(what, () => fetchOnce(cluster, links, { topic, partition }, position));
      if (fetched === null) {
        throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${topic}/${partition} at ${position}`, {
          wanted: `an offset from ${start} to ${end}`, got: String(position),
        });
      }
      const next = fetched.records === null ? null : positionBehind(fetched.records);
      if (next === null) {
        if (performance.now() - movedMs > standstillTimeoutMs) throw standsStill(`${topic}/${partition}`, position, until);
        continue;
      }
      movedMs = performance.now();
      const records = decoded(fetched, position, `${topic}/${partition}`).filter(({ offset }) => offset < until);
      const nextPosition = Math.min(Math.max(next, position), until);
      yield { topic, partition, requestedPosition: position, records, nextPosition, endOffset: Math.max(fetched.lastStableOffset, nextPosition) };
      position = nextPosition;
    }
  } finally {
    await links.close();
  }
}

function standsStill(where: string, position: number, until: number): VoltstreamError {
  return new VoltstreamError('LOG_UNAVAILABLE', `cannot read ${where}: it ended at ${until} at first, and gives nothing from ${position} on for ${standstillTimeoutMs / 1_000} s`, {
    where, cure: 'Look whether all its replicas are in sync, or whether a leader was elected that lacks records.',
  });
}

function decoded({ records, aborted }: FetchedPartition, position: number, where: string): ReturnType<typeof decodeBatches> {
  try {
    return decodeBatches(records!, position, aborted);
  } catch (error) {
    if (!(error instanceof DamagedBatch)) throw error;
    throw new VoltstreamError('RECORDS_DAMAGED', `cannot read ${where}: ${error.message}`, { where, cause: error });
  }
}

/** Null when the position is not in the log. */
async function fetchOnce(cluster: Cluster, links: Links, { topic, partition }: TopicPartition, position: number): Promise<FetchedPartition | null> {
  return cluster.onLeader(topic, partition, links, async (connection, facts) => {
    const topics = [{ topicId: facts.topicId, partitions: [{ partition, position, leaderEpoch: facts.leaders[partition]!.epoch }] }];
    const { errorCode, partitions } = await fetchApi.async(connection, topics, fetchOptions);
    const fetched = partitions[0];
    if (errorCode !== 0 || fetched === undefined) throw refusal(errorCode === 0 ? 5 : errorCode);
    if (fetched.errorCode === offsetOutOfRangeCode) return null;
    if (fetched.errorCode !== 0) throw refusal(fetched.errorCode);
    return fetched;
  });
}

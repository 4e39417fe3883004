import { setTimeout as sleep } from 'node:timers/promises';
import { VoltstreamError } from '../../../errors.ts';
import type { Cluster, Links, TopicFacts } from './cluster.ts';
import { isPassing, kafkaErrorType, kafkaFailure, refusal } from './failure.ts';
import { type PartitionBuffer, partitionName } from './partition-buffer.ts';
import { fetchApi, type FetchedPartition, type FetchTopic } from './protocol/fetch-request.ts';

/** A fetch waits so long for records, and a resumed or sought partition so long for its first fetch. */
const fetchWaitMs = 100;
const partitionFetchBytesMax = 1024 * 1024;
/** After a failure: brokers come up, leaders are elected. */
const retryFirstMs = 50;
const retryLongestMs = 1_000;
/** A topic that is not there for so long was deleted: its brokers do not learn of a new one all at once. */
const missingTimeoutMs = 5_000;

export interface FetcherListener {
  /** A broker has answered, be it with nothing. */
  answered(): void;
  filled(): void;
  failed(error: VoltstreamError): void;
}

/** Keeps one fetch under way at each broker that leads partitions which want records. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #links: Links;
  readonly #buffers: ReadonlyMap<string, PartitionBuffer>;
  readonly #bytesMax: number;
  readonly #listener: FetcherListener;
  readonly #fetching = new Set<number>();
  readonly #topicIds = new Map<string, string>();
  #missingSinceMs = 0;
  #refreshing = false;
  #retryMs = retryFirstMs;
  #stopped = false;

  constructor(cluster: Cluster, buffers: ReadonlyMap<string, PartitionBuffer>, bytesMax: number, listener: FetcherListener) {
    this.#cluster = cluster;
    this.#links = cluster.links();
    this.#buffers = buffers;
    this.#bytesMax = bytesMax;
    this.#listener = listener;
  }

  /** To be called whenever a partition may want records, or has room again. */
  wake(): void {
    if (this.#stopped || this.#refreshing) return;
    const wanting = this.#wanting();
    if (wanting.length === 0) return;
    const byNode = Map.groupBy(wanting, (buffer) => this.#cluster.known(buffer.topic)?.leaders[buffer.partition]?.node ?? -1);
    if (byNode.has(-1)) {
      void this.#refresh(0);
      return;
    }
    for (const [node, buffers] of byNode) if (!this.#fetching.has(node)) void this.#fetch(node, buffers);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#links.close();
  }

  /** Partitions that wait longest for records first come of themselves: a broker begins with the first of the request. */
  #wanting(): PartitionBuffer[] {
    let bytes = 0;
    const wanting: PartitionBuffer[] = [];
    for (const buffer of this.#buffers.values()) {
      if (buffer.paused) continue;
      bytes += buffer.bytes;
      if (buffer.assigned && buffer.position !== null && !buffer.outOfRange && !buffer.busy && buffer.bytes < partitionFetchBytesMax * 2) wanting.push(buffer);
    }
    return bytes >= this.#bytesMax ? [] : wanting.toSorted((a, b) => a.bytes - b.bytes);
  }

  async #fetch(node: number, buffers: readonly PartitionBuffer[]): Promise<void> {
    this.#fetching.add(node);
    const asked = buffers.map((buffer) => ({ buffer, version: buffer.version }));
    for (const buffer of buffers) buffer.busy = true;
    let problem: unknown = null;
    try {
      const topics = this.#topicsOf(buffers);
      const connection = await this.#links.to(this.#cluster.broker(node) ?? noBroker(node));
      const bytesMax = Math.max(partitionFetchBytesMax, this.#bytesMax / 2);
      const { errorCode, partitions } = await fetchApi.async(connection, topics, { waitMs: fetchWaitMs, bytesMax, partitionBytesMax: partitionFetchBytesMax });
      if (errorCode !== 0) throw refusal(errorCode);
      this.#listener.answered();
      problem = this.#accept(asked, partitions);
    } catch (error) {
      problem = error;
    }
    for (const buffer of buffers) buffer.busy = false;
    this.#fetching.delete(node);
    if (problem === null) {
      this.#retryMs = retryFirstMs;
      this.#missingSinceMs = 0;
      this.wake();
    } else await this.#recover(problem);
  }

  /** Topics are remembered by their identity: one that was deleted and made anew is another one. */
  #topicsOf(buffers: readonly PartitionBuffer[]): FetchTopic[] {
    return [...Map.groupBy(buffers, ({ topic }) => topic)].map(([topic, ofTopic]) => {
      const facts = this.#cluster.known(topic)!;
      const topicId = this.#topicIds.get(topic) ?? facts.topicId;
      this.#topicIds.set(topic, topicId);
      return {
        topicId,
        partitions: ofTopic.map(({ partition, position }) => ({ partition, position: position!, leaderEpoch: facts.leaders[partition]!.epoch })),
      };
    });
  }

  #accept(asked: readonly { readonly buffer: PartitionBuffer; readonly version: number }[], partitions: readonly FetchedPartition[]): unknown {
    let problem: unknown = null;
    let filled = false;
    for (const { topicId, partition, errorCode, lastStableOffset, aborted, records } of partitions) {
      const found = asked.find(({ buffer }) => buffer.partition === partition && this.#topicIds.get(buffer.topic) === topicId);
      if (found === undefined || found.buffer.version !== found.version) continue; // sought or given away meanwhile
      if (errorCode === 0) filled = (records !== null && found.buffer.add(records, lastStableOffset, aborted)) || filled;
      else if (kafkaErrorType(refusal(errorCode)) === 'OFFSET_OUT_OF_RANGE') {
        found.buffer.outOfRange = true;
        filled = true;
      } else problem ??= refusal(errorCode, partitionName(found.buffer));
    }
    if (filled) this.#listener.filled();
    return problem;
  }

  /** Brokers and leaders come back; a topic that is gone and a right that is missing do not. */
  async #recover(problem: unknown): Promise<void> {
    if (this.#stopped) return;
    const type = kafkaErrorType(problem);
    const missing = type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'UNKNOWN_TOPIC_ID' || type === 'INCONSISTENT_TOPIC_ID';
    if (!missing && !isPassing(problem)) {
      this.#listener.failed(kafkaFailure(problem, 'cannot fetch records'));
      return;
    }
    this.#cluster.notice('warn', 'cannot fetch records; trying again', { reason: type ?? String(problem) });
    this.#retryMs = Math.min(this.#retryMs * 2, retryLongestMs);
    await this.#refresh(this.#retryMs);
  }

  async #refresh(pauseMs: number): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      await sleep(pauseMs);
      if (this.#stopped) return;
      const topics = [...new Set([...this.#buffers.values()].filter((buffer) => buffer.assigned).map(({ topic }) => topic))];
      await this.#cluster.refresh(topics);
      this.#judge(topics);
    } catch (error) {
      if (!this.#stopped && !isPassing(error)) this.#listener.failed(kafkaFailure(error, 'cannot ask for the leaders of partitions'));
    } finally {
      this.#refreshing = false;
    }
    if (this.#stopped) return;
    if (this.#wanting().some(({ topic, partition }) => (this.#cluster.known(topic)?.leaders[partition]?.node ?? -1) < 0)) {
      this.#retryMs = Math.min(this.#retryMs * 2, retryLongestMs);
      await this.#refresh(this.#retryMs);
    } else this.wake();
  }

  #judge(topics: readonly string[]): void {
    const gone = topics.filter((topic) => isGone(this.#cluster.known(topic), this.#topicIds.get(topic)));
    if (gone.length === 0) {
      this.#missingSinceMs = 0;
      return;
    }
    const nowMs = performance.now();
    if (this.#missingSinceMs === 0) this.#missingSinceMs = nowMs;
    if (nowMs - this.#missingSinceMs < missingTimeoutMs) return;
    const anew = this.#cluster.known(gone[0]!) !== undefined;
    this.#listener.failed(new VoltstreamError('TOPIC_MISSING', `topic ${gone[0]} was deleted while it was read${anew ? ', and made anew' : ''}`,
      anew ? { cure: 'The positions in the state belong to the old topic: start over with --reset.' } : {}));
    this.#stopped = true;
  }
}

function isGone(facts: TopicFacts | undefined, topicId: string | undefined): boolean {
  return facts === undefined || (topicId !== undefined && facts.topicId !== topicId);
}

function noBroker(node: number): never {
  throw Object.assign(new Error(`broker ${node} is not known`), { apiId: 'BROKER_NOT_AVAILABLE' });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { VoltstreamError } from '../../../errors.ts';
import type { Cluster } from './cluster.ts';
import { isPassing, kafkaErrorType, kafkaFailure, refusal } from './failure.ts';
import type { Links } from './links.ts';
import { type PartitionBuffer, partitionName } from './partition-buffer.ts';
import { fetchApi, type FetchedPartition, type FetchTopic } from './protocol/fetch-request.ts';

/** A fetch waits so long for records, and a resumed or sought partition so long for its first fetch. */
const fetchWaitMs = 100;
/**
 * The same where all partitions that are read at a broker are in the request, so that none can come to wait for it but by a seek. An idle process
 * asks five times as seldom: at 100 ms that was 6 % of a core for it and as much for the broker.
 */
const wholeFetchWaitMs = 500;
/** A broker that says nothing for so long, not even that there is nothing, is away for whoever asks whether a source is idle. */
const silentMs = 3_000;
const partitionFetchBytesMax = 1024 * 1024;
/** After a failure: brokers come up, leaders are elected. */
const retryFirstMs = 50;
const retryLongestMs = 1_000;
/** Leaders are asked for so often although nothing fails: partitions may have been added. */
const metadataAgeDefaultMs = 60_000;
/** A topic that is not there for so long was deleted: its brokers do not learn of a new one all at once. */
const missingTimeoutMs = 5_000;

export interface FetcherListener {
  /** A broker has answered, be it with nothing, and none that leads what is read is away. */
  answered(): void;
  filled(): void;
  failed(error: VoltstreamError): void;
}

/**
 * Keeps one fetch under way at each broker that leads partitions which want records. Partitions whose leader is not known, or has failed, wait
 * until somebody has said who leads them; the others go on meanwhile.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #links: Links;
  readonly #buffers: ReadonlyMap<string, PartitionBuffer>;
  readonly #bytesMax: number;
  readonly #listener: FetcherListener;
  /** By node, since when. */
  readonly #fetching = new Map<number, number>();
  /** Partitions that wait for a leader; they are `busy`. */
  readonly #waiting = new Set<PartitionBuffer>();
  /** How often in a row a partition could not be fetched. */
  readonly #failures = new Map<PartitionBuffer, number>();
  readonly #topics = new Map<string, { readonly id: string; readonly partitions: number }>();
  readonly #missingSinceMs = new Map<string, number>();
  readonly #metadataTimer: NodeJS.Timeout;
  #refreshing = false;
  #stopped = false;

  constructor(
    cluster: Cluster, buffers: ReadonlyMap<string, PartitionBuffer>, bytesMax: number, listener: FetcherListener, metadataAgeMs = metadataAgeDefaultMs,
  ) {
    this.#cluster = cluster;
    this.#links = cluster.links();
    this.#buffers = buffers;
    this.#bytesMax = bytesMax;
    this.#listener = listener;
    this.#metadataTimer = setInterval(() => void this.#ask(), metadataAgeMs).unref();
  }

  /** To be called whenever a partition may want records, or has room again. */
  wake(): void {
    if (this.#stopped) return;
    const byNode = Map.groupBy(this.#wanting(), (buffer) => this.#leader(buffer));
    for (const [node, buffers] of byNode) {
      if (node < 0) this.#wait(buffers);
      else if (!this.#fetching.has(node)) void this.#fetch(node, buffers);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#metadataTimer);
    await this.#links.close();
  }

  /** No partition waits for a leader, or for one that is silent. */
  get #allAnswer(): boolean {
    const nowMs = performance.now();
    return this.#waiting.size === 0 && [...this.#fetching.values()].every((sinceMs) => nowMs - sinceMs < silentMs);
  }

  #leader({ topic, partition }: PartitionBuffer): number {
    return this.#cluster.known(topic)?.leaders[partition]?.node ?? -1;
  }

  #assignedTo(node: number): number {
    let count = 0;
    for (const buffer of this.#buffers.values()) if (buffer.assigned && this.#leader(buffer) === node) count += 1;
    return count;
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
    this.#fetching.set(node, performance.now());
    const asked = buffers.map((buffer) => ({ buffer, version: buffer.version }));
    for (const buffer of buffers) buffer.busy = true;
    const problems = new Map<PartitionBuffer, unknown>();
    try {
      const topics = this.#topicsOf(buffers);
      const connection = await this.#links.to(this.#cluster.broker(node) ?? noBroker(node));
      const bytesMax = Math.max(partitionFetchBytesMax, this.#bytesMax / 2);
      const waitMs = buffers.length === this.#assignedTo(node) ? wholeFetchWaitMs : fetchWaitMs;
      const { errorCode, partitions } = await fetchApi.async(connection, topics, { waitMs, bytesMax, partitionBytesMax: partitionFetchBytesMax });
      if (errorCode !== 0) throw refusal(errorCode);
      if (this.#allAnswer) this.#listener.answered();
      this.#accept(asked, partitions, problems);
    } catch (error) {
      for (const buffer of buffers) problems.set(buffer, error);
    }
    this.#fetching.delete(node);
    for (const buffer of buffers) {
      if (problems.has(buffer)) continue;
      buffer.busy = false;
      this.#failures.delete(buffer);
    }
    this.#recover(problems);
    this.wake();
  }

  /** Topics are remembered by their identity: one that was deleted and made anew is another one. */
  #topicsOf(buffers: readonly PartitionBuffer[]): FetchTopic[] {
    return [...Map.groupBy(buffers, ({ topic }) => topic)].map(([topic, ofTopic]) => {
      const facts = this.#cluster.known(topic)!;
      const first = this.#topics.get(topic) ?? { id: facts.topicId, partitions: facts.leaders.length };
      this.#topics.set(topic, first);
      return {
        topicId: first.id,
        partitions: ofTopic.map(({ partition, position, readEpoch }) => ({ partition, position: position!, leaderEpoch: facts.leaders[partition]!.epoch, readEpoch })),
      };
    });
  }

  #accept(
    asked: readonly { readonly buffer: PartitionBuffer; readonly version: number }[], partitions: readonly FetchedPartition[], problems: Map<PartitionBuffer, unknown>,
  ): void {
    let filled = false;
    for (const { topicId, partition, errorCode, lastStableOffset, aborted, records, cutAt } of partitions) {
      const found = asked.find(({ buffer }) => buffer.partition === partition && this.#topics.get(buffer.topic)?.id === topicId);
      if (found === undefined) continue;
      const { buffer, version } = found;
      const outOfRange = cutAt !== null || kafkaErrorType(refusal(errorCode)) === 'OFFSET_OUT_OF_RANGE';
      if (errorCode !== 0 && !outOfRange) problems.set(buffer, refusal(errorCode, partitionName(buffer)));
      else if (buffer.version !== version) continue; // sought or given away meanwhile
      else if (outOfRange) {
        buffer.outOfRange = true;
        buffer.cutAt = cutAt;
        filled = true;
      } else filled = (records !== null && buffer.add(records, lastStableOffset, aborted)) || filled;
    }
    if (filled) this.#listener.filled();
  }

  /** Brokers and leaders come back; a topic that is gone and a right that is missing do not. */
  #recover(problems: ReadonlyMap<PartitionBuffer, unknown>): void {
    if (this.#stopped || problems.size === 0) return;
    for (const [buffer, problem] of problems) {
      const type = kafkaErrorType(problem);
      if (!isPassing(problem) && !laterTypes.has(type ?? '')) {
        this.#listener.failed(kafkaFailure(problem, 'cannot fetch records', partitionName(buffer)));
        return;
      }
      this.#failures.set(buffer, (this.#failures.get(buffer) ?? 0) + 1);
      this.#cluster.notice('warn', 'cannot fetch records; trying again', { reason: type ?? String(problem), partition: partitionName(buffer) });
    }
    this.#wait([...problems.keys()]);
  }

  #wait(buffers: readonly PartitionBuffer[]): void {
    for (const buffer of buffers) {
      buffer.busy = true;
      this.#waiting.add(buffer);
    }
    if (!this.#refreshing) void this.#refresh();
  }

  /** Until no partition waits for its leader any more. */
  async #refresh(): Promise<void> {
    this.#refreshing = true;
    for (let rounds = 0; this.#waiting.size > 0 && !this.#stopped; rounds += 1) {
      const failures = Math.max(rounds, ...[...this.#waiting].map((buffer) => this.#failures.get(buffer) ?? 0));
      if (failures > 0) await sleep(Math.min(retryFirstMs * 2 ** failures, retryLongestMs));
      const waiting = [...this.#waiting];
      if (this.#stopped || !await this.#ask()) continue;
      for (const buffer of waiting) {
        if (buffer.assigned && this.#leader(buffer) < 0) continue;
        this.#waiting.delete(buffer);
        buffer.busy = false;
      }
      this.wake();
    }
    this.#refreshing = false;
  }

  /** Who leads now; true when there was an answer. */
  async #ask(): Promise<boolean> {
    const topics = [...new Set([...this.#buffers.values()].filter((buffer) => buffer.assigned).map(({ topic }) => topic))];
    try {
      await this.#cluster.refresh(topics);
    } catch (error) {
      if (!this.#stopped && !isPassing(error)) this.#listener.failed(kafkaFailure(error, 'cannot ask for the leaders of partitions'));
      return false;
    }
    if (!this.#stopped) this.#judge(topics);
    return true;
  }

  #judge(topics: readonly string[]): void {
    const nowMs = performance.now();
    for (const topic of topics) {
      const [first, facts] = [this.#topics.get(topic), this.#cluster.known(topic)];
      if (facts === undefined || (first !== undefined && facts.topicId !== first.id)) {
        const sinceMs = this.#missingSinceMs.get(topic) ?? nowMs;
        this.#missingSinceMs.set(topic, sinceMs);
        if (nowMs - sinceMs >= missingTimeoutMs) this.#fail(deleted(topic, facts !== undefined));
      } else {
        this.#missingSinceMs.delete(topic);
        if (first !== undefined && facts.leaders.length !== first.partitions) this.#fail(partitionsAdded(topic, first.partitions, facts.leaders.length));
      }
    }
  }

  #fail(error: VoltstreamError): void {
    this.#listener.failed(error);
    this.#stopped = true;
    clearInterval(this.#metadataTimer);
  }
}

/** Passing by the time that `Fetcher` gives a topic to be there. UNKNOWN_SERVER_ERROR: a broker that is on its way down, for one. */
const laterTypes: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_SERVER_ERROR']);

function deleted(topic: string, anew: boolean): VoltstreamError {
  return new VoltstreamError('TOPIC_MISSING', `topic ${topic} was deleted while it was read${anew ? ', and made anew' : ''}`,
    anew ? { cure: 'The positions in the state belong to the old topic: start over with --reset.' } : {});
}

function partitionsAdded(topic: string, wanted: number, got: number): VoltstreamError {
  return new VoltstreamError('PARTITIONS_CHANGED', `topic ${topic} has another number of partitions than when reading began`, {
    where: topic, wanted: String(wanted), got: String(got), cure: 'Keys have moved between partitions, and nobody reads the new ones: replay into a new application, or with --reset.',
  });
}

function noBroker(node: number): never {
  throw Object.assign(new Error(`broker ${node} is not known`), { apiId: 'BROKER_NOT_AVAILABLE' });
}

import { heartbeatV4, joinGroupV7, leaveGroupV5, offsetCommitV8, syncGroupV5 } from '@platformatic/kafka';
import { Waiter } from '../embedded/waiter.ts';
import type { TopicPartition } from '../log.ts';
import { besideTimeoutMs, brokerWithin, type Cluster } from './cluster.ts';
import { isPassing, kafkaErrorType, kafkaFailure } from './failure.ts';
import type { Links } from './links.ts';

const protocolType = 'consumer';
export const protocolName = 'voltstream-tasks';
/** Time that members have to come back at a rebalance; they notice it at their next heartbeat. */
const rebalanceTimeoutMs = 30_000;
const retryFirstMs = 100;
const retryLongestMs = 2_000;
/** A first join is tried for so long before `start` gives up. */
const firstJoinTimeoutMs = 60_000;

export interface GroupMemberOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly instanceId: string | null;
  /** What this member tells of itself at a join. */
  subscription(): Buffer;
  /** Called on the member that the group has made its leader. */
  assign(members: readonly { readonly memberId: string; readonly subscription: Buffer }[]): ReadonlyMap<string, Buffer>;
  /** False when what was shared out does not suit this member; others may run an earlier version of the topology. */
  joined(assignment: Buffer): boolean;
  failed(error: unknown): void;
}

interface Confirmation {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Errors after which the member joins again under its present name. */
const rejoinTypes: ReadonlySet<string> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'MEMBER_ID_REQUIRED']);

/** One member of a consumer group: joins, stays by heartbeats, joins again when the group says so. */
export class GroupMember {
  readonly #cluster: Cluster;
  readonly #options: GroupMemberOptions;
  /** Joining waits for the other members; heartbeats and commits must not wait behind it. */
  readonly #joinLinks: Links;
  readonly #links: Links;
  readonly #beat = new Waiter();
  #confirmations: Confirmation[] = [];
  #memberId = '';
  #generation = -1;
  #running: Promise<void> | null = null;
  #stopped = false;
  #failure: unknown = null;
  #askedAnew = false;

  constructor(cluster: Cluster, options: GroupMemberOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#joinLinks = cluster.links(rebalanceTimeoutMs + 15_000);
    this.#links = cluster.links(Math.max(3_000, options.sessionTimeoutMs / 2));
  }

  /** Resolves after the first join. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  /** Resolves after the next join, or a heartbeat that is sent from now on. */
  confirm(): Promise<void> {
    if (this.#failure !== null || this.#stopped) return Promise.reject(this.#notMember());
    return new Promise((resolve, reject) => {
      this.#confirmations.push({ resolve, reject });
      this.#beat.wake();
    });
  }

  async commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset }) => ({ partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: null })),
    }));
    const { group, instanceId } = this.#options;
    await brokerWithin(besideTimeoutMs, () => this.#cluster.onCoordinator('group', group, this.#links, (connection) => offsetCommitV8.api.async(
      connection, group, this.#generation, this.#memberId, instanceId, topics), besideTimeoutMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#beat.wake();
    this.#rejectConfirmations(this.#notMember());
    const { group, instanceId } = this.#options;
    if (this.#memberId !== '' && instanceId === null && this.#failure === null) {
      const members = [{ memberId: this.#memberId, groupInstanceId: null, reason: 'stopped' }];
      // Who cannot say goodbye is missed after its session: nothing depends on it.
      await this.#cluster.onCoordinator('group', group, this.#links, (connection) => leaveGroupV5.api.async(connection, group, members), 2_000).catch(() => undefined);
    }
    await Promise.all([this.#links.close(), this.#joinLinks.close()]);
    await this.#running;
  }

  async #run(started: () => void, failed: (error: unknown) => void): Promise<void> {
    const sinceMs = performance.now();
    let first = true;
    for (let pauseMs = retryFirstMs; !this.#stopped;) {
      try {
        const suits = await this.#join();
        if (first) started();
        first = false;
        pauseMs = retryFirstMs;
        if (suits || !this.#mayAskAnew()) await this.#stay();
      } catch (error) {
        if (this.#stopped) break;
        if (this.#mayJoinAgain(error)) continue;
        if (!isPassing(error) || (first && performance.now() - sinceMs > firstJoinTimeoutMs)) {
          this.#fail(error);
          failed(error);
          return;
        }
        this.#cluster.notice('warn', 'the group coordinator does not answer; trying again', { group: this.#options.group, reason: kafkaErrorType(error) });
        this.#cluster.forgetCoordinator('group', this.#options.group, error);
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, retryLongestMs);
      }
    }
    this.#rejectConfirmations(this.#notMember()); // those that a heartbeat carried while this stopped
    failed(this.#notMember());
  }

  #mayJoinAgain(error: unknown): boolean {
    const type = kafkaErrorType(error) ?? '';
    if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    if (type === 'MEMBER_ID_REQUIRED') this.#memberId = memberIdOf(error);
    return type === 'UNKNOWN_MEMBER_ID' || rejoinTypes.has(type);
  }

  /**
   * A member with a name that is back within its session gets what it had, and the group shares out nothing: also when its topology has other tasks
   * by now, which nobody would read. A further join makes the group share out. Once: while the group's leader is of an earlier version, it does
   * not help, and the leader will do the same when it is replaced.
   */
  #mayAskAnew(): boolean {
    if (this.#askedAnew || this.#options.instanceId === null) return false;
    this.#askedAnew = true;
    return true;
  }

  /** True when what this member got suits it. */
  async #join(): Promise<boolean> {
    const { group, sessionTimeoutMs, instanceId } = this.#options;
    const connection = await this.#joinLinks.to(await this.#cluster.coordinator('group', group));
    const protocols = [{ name: protocolName, metadata: this.#options.subscription() }];
    const joined = await joinGroupV7.api.async(connection, group, sessionTimeoutMs, rebalanceTimeoutMs, this.#memberId, instanceId, protocolType, protocols, null);
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const isLeader = joined.leader === joined.memberId && joined.members.length > 0;
    const assignments = isLeader ? this.#options.assign(joined.members.map(({ memberId, metadata }) => ({ memberId, subscription: metadata }))) : new Map<string, Buffer>();
    const synced = await syncGroupV5.api.async(connection, group, this.#generation, this.#memberId, instanceId, protocolType, protocolName,
      [...assignments].map(([memberId, assignment]) => ({ memberId, assignment })));
    if (this.#stopped) return true;
    const suits = this.#options.joined(synced.assignment);
    this.#confirmed(this.#confirmations.splice(0));
    return suits;
  }

  /** Returns by an error only, or when stopped. */
  async #stay(): Promise<void> {
    const { group, instanceId, heartbeatMs, sessionTimeoutMs } = this.#options;
    let answeredMs = performance.now();
    while (!this.#stopped) {
      if (this.#confirmations.length === 0) await this.#beat.sleep(heartbeatMs);
      if (this.#stopped) return;
      const confirming = this.#confirmations.splice(0);
      try {
        const connection = await this.#links.to(await this.#cluster.coordinator('group', group));
        await heartbeatV4.api.async(connection, group, this.#generation, this.#memberId, instanceId);
        answeredMs = performance.now();
        this.#confirmed(confirming);
      } catch (error) {
        this.#confirmations.unshift(...confirming);
        if (!isPassing(error) || performance.now() - answeredMs > sessionTimeoutMs) throw error;
        this.#cluster.forgetCoordinator('group', group, error);
        await this.#pause(retryFirstMs);
      }
    }
  }

  #confirmed(confirmations: readonly Confirmation[]): void {
    for (const { resolve } of confirmations) resolve();
  }

  #rejectConfirmations(error: unknown): void {
    for (const { reject } of this.#confirmations.splice(0)) reject(error);
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#options.failed(error);
    this.#rejectConfirmations(this.#notMember());
  }

  #notMember(): Error {
    return kafkaFailure(this.#failure ?? 'stopped', `no member of group ${this.#options.group}`);
  }

  /** A confirmation that somebody waits for does not shorten it. */
  async #pause(pauseMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** The broker tells a new member its name with the refusal of its first join. */
function memberIdOf(error: unknown): string {
  const response = error instanceof Error && 'response' in error ? error.response : null;
  if (typeof response === 'object' && response !== null && 'memberId' in response && typeof response.memberId === 'string') return response.memberId;
  return '';
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, findCoordinatorV4, metadataV12 } from '@platformatic/kafka';
import { answerWithin } from '../../../schemas/answer-within.ts';
import { isPassing, kafkaErrorType, kafkaFailure, refusal } from './failure.ts';
import { addressOf, type Broker, Links } from './links.ts';
import type { KafkaLogOptions, KafkaNotice } from './options.ts';

/** A question that any broker can answer goes to the next one after so long: this one may stand still. */
const answerTimeoutMs = 5_000;
/** First pause before a further try; doubled up to the second one. */
const retryFirstMs = 20;
const retryLongestMs = 1_000;
const noticeIntervalMs = 60_000;
/** A broker may hear of a new topic later than the one that made it; what it does not know for so long does not exist. */
export const unknownTopicTimeoutMs = 5_000;
/** For what somebody waits for who has better things to do, and does again soon: group offsets, the purge of repartition topics. */
export const besideTimeoutMs = 5_000;
/** A call is tried again for so long while brokers or coordinators are on their way up. */
export const callTimeoutMs = 30_000;

export interface TopicFacts {
  readonly topic: string;
  /** Hexadecimal, without dashes. */
  readonly topicId: string;
  /** By partition; node -1 while there is none. */
  readonly leaders: readonly { readonly node: number; readonly epoch: number }[];
}

export type CoordinatorKind = 'group' | 'transaction';
const coordinatorKeys = { group: 0, transaction: 1 } as const;

const unknownTopicCode = 3;
const invalidTopicCode = 17;
/** Why a connection did not come about. */
const accessTypes: ReadonlySet<string> = new Set(['LOGIN', 'CERTIFICATE', 'TLS_WANTED', 'TOKEN_UNAVAILABLE', 'SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM']);
const missingTypes: ReadonlySet<string | undefined> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION']);

function brokerOf(address: string): Broker {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** What is known of the cluster: brokers, leaders, coordinators; and calls that find the right one and try again. */
export class Cluster {
  readonly options: KafkaLogOptions;
  readonly #bootstrap: readonly Broker[];
  readonly #links: Links;
  readonly #brokers = new Map<number, Broker>();
  readonly #topics = new Map<string, TopicFacts>();
  readonly #coordinators = new Map<string, Broker>();
  readonly #noticed = new Map<string, number>();
  /** Brokers that did not answer, and when: they are asked last. */
  readonly #silentAtMs = new Map<string, number>();
  #controller = -1;

  constructor(options: KafkaLogOptions) {
    this.options = options;
    this.#bootstrap = options.brokers.map(brokerOf);
    this.#links = new Links(options);
  }

  links(timeoutMs?: number): Links {
    return new Links(this.options, timeoutMs);
  }

  get ownLinks(): Links {
    return this.#links;
  }

  /** The same message once a minute. */
  notice(level: KafkaNotice['level'], message: string, details: Readonly<Record<string, unknown>>): void {
    const nowMs = performance.now();
    if (nowMs - (this.#noticed.get(message) ?? Number.NEGATIVE_INFINITY) < noticeIntervalMs) return;
    this.#noticed.set(message, nowMs);
    this.options.onNotice?.({ level, message, details });
  }

  /**
   * Puts a question to one broker after the other until one answers: those known by now first, then those of the configuration, and last whoever was
   * silent before.
   */
  async ask<T>(question: (connection: Connection) => Promise<T>, links: Links = this.#links): Promise<T> {
    const failures: unknown[] = [];
    for (const broker of this.#askable()) {
      try {
        const answer = await brokerWithin(answerTimeoutMs, () => links.to(broker).then(question));
        this.#silentAtMs.delete(addressOf(broker));
        return answer;
      } catch (error) {
        if (hasAnswered(error)) throw error;
        failures.push(error);
        this.#silentAtMs.set(addressOf(broker), performance.now());
      }
    }
    // The broker that says most speaks for all: a refused login rather than a broken connection.
    throw failures.find((error) => !isPassing(error)) ?? failures.at(-1) ?? new Error('no broker is configured');
  }

  #askable(): readonly Broker[] {
    const brokers = new Map([...this.#brokers.values(), ...this.#bootstrap].map((broker) => [addressOf(broker), broker]));
    const silentAtMs = (broker: Broker): number => this.#silentAtMs.get(addressOf(broker)) ?? 0;
    return [...brokers.values()].toSorted((a, b) => silentAtMs(a) - silentAtMs(b));
  }

  /** Asks for the present leaders of these topics; those that are not there are forgotten. None: only who the brokers are. */
  async refresh(topics: readonly string[]): Promise<void> {
    const { api } = metadataV12;
    const answer = await this.ask((connection) => api.async(connection, [...topics], false, false)).catch((error: unknown) => {
      const response = responseOf<Awaited<ReturnType<typeof api.async>>>(error);
      if (response === undefined) throw error; // topics that are missing or without a leader come as an error with the whole answer
      return response;
    });
    const refused = answer.topics.find(({ errorCode, partitions }) => errorCode !== 0 && errorCode !== unknownTopicCode && errorCode !== invalidTopicCode && partitions.length === 0);
    if (refused !== undefined) throw refusal(refused.errorCode, `topic ${refused.name}`);
    this.#controller = answer.controllerId;
    this.#brokers.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    for (const topic of topics) this.#topics.delete(topic);
    for (const { name, topicId, errorCode, partitions } of answer.topics) {
      if (name === undefined || name === null || errorCode === unknownTopicCode || partitions.length === 0) continue;
      const leaders: { node: number; epoch: number }[] = [];
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) leaders[partitionIndex] = { node: leaderId, epoch: leaderEpoch };
      this.#topics.set(name, { topic: name, topicId: topicId.replaceAll('-', ''), leaders });
    }
  }

  /** As known; asks when it is not. Null when the topic does not exist. */
  async topic(topic: string, fresh = false): Promise<TopicFacts | null> {
    if (fresh || !this.#topics.has(topic)) await this.retrying(() => this.refresh([topic]));
    return this.#topics.get(topic) ?? null;
  }

  /** Without asking. */
  known(topic: string): TopicFacts | undefined {
    return this.#topics.get(topic);
  }

  broker(node: number): Broker | undefined {
    return this.#brokers.get(node);
  }

  /** Calls the leader of a partition; asks for the present leader before each further try. */
  async onLeader<T>(
    topic: string, partition: number, links: Links, action: (connection: Connection, facts: TopicFacts) => Promise<T>,
  ): Promise<T> {
    let fresh = false;
    const untilMs = performance.now() + unknownTopicTimeoutMs;
    return this.retrying(async () => {
      const facts = await this.topic(topic, fresh);
      fresh = true;
      if (facts === null && performance.now() < untilMs) throw passing(`topic ${topic} is not known yet`);
      if (facts === null || partition >= facts.leaders.length) throw refusalOfTopic(topic, partition, facts);
      const broker = this.#brokers.get(facts.leaders[partition]!.node);
      if (broker === undefined) throw passing(`${topic}/${partition} has no leader at the moment`);
      try {
        return await action(await links.to(broker), facts);
      } catch (error) {
        // The brokers say that the partition is there: its leader has yet to hear of it.
        if (kafkaErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') throw passing(`the leader of ${topic}/${partition} does not know it yet`, error);
        throw error;
      }
    });
  }

  async onController<T>(action: (connection: Connection) => Promise<T>): Promise<T> {
    return this.retrying(async () => {
      await this.refresh([]);
      const broker = this.#brokers.get(this.#controller);
      return broker === undefined ? this.ask(action) : action(await this.#links.to(broker));
    });
  }

  /** Calls the coordinator of a group or transactional id; finds it anew after it has refused or gone. */
  async onCoordinator<T>(
    kind: CoordinatorKind, key: string, links: Links, action: (connection: Connection) => Promise<T>, timeoutMs = callTimeoutMs,
  ): Promise<T> {
    return this.retrying(async () => {
      try {
        return await action(await links.to(await this.coordinator(kind, key)));
      } catch (error) {
        if (isPassing(error)) this.forgetCoordinator(kind, key, error);
        throw error;
      }
    }, timeoutMs);
  }

  async coordinator(kind: CoordinatorKind, key: string): Promise<Broker> {
    const name = `${kind}/${key}`;
    const known = this.#coordinators.get(name);
    if (known !== undefined) return known;
    const { coordinators } = await this.ask((connection) => findCoordinatorV4.api.async(connection, coordinatorKeys[kind], [key]));
    const { host, port } = coordinators[0]!;
    this.#coordinators.set(name, { host, port });
    return { host, port };
  }

  /** Only what says that the coordinator may be another one by now: while it loads or ends a transaction it stays. */
  forgetCoordinator(kind: CoordinatorKind, key: string, error: unknown): void {
    const type = kafkaErrorType(error);
    if (type === 'NETWORK' || type === 'NOT_COORDINATOR' || type === 'COORDINATOR_NOT_AVAILABLE') this.#coordinators.delete(`${kind}/${key}`);
  }

  /** Tries again what may pass, with growing pauses, until `timeoutMs` are over. */
  async retrying<T>(action: () => Promise<T>, timeoutMs = callTimeoutMs): Promise<T> {
    const untilMs = performance.now() + timeoutMs;
    for (let pauseMs = retryFirstMs; ; pauseMs = Math.min(pauseMs * 2, retryLongestMs)) {
      try {
        return await action();
      } catch (error) {
        if (!isPassing(error) || performance.now() + pauseMs > untilMs) throw error;
        await sleep(pauseMs);
      }
    }
  }

  async close(): Promise<void> {
    await this.#links.close();
  }
}

function passing(message: string, cause?: unknown): Error {
  return Object.assign(new Error(cause === undefined ? message : `${message}: ${String(cause)}`), { apiId: 'LEADER_NOT_AVAILABLE' });
}

/** The broker's answer, or a passing failure when there is none within the time. */
export function brokerWithin<T>(timeoutMs: number, ask: () => Promise<T>): Promise<T> {
  const silent = (): Error => Object.assign(new Error(`no answer within ${timeoutMs / 1_000} s`), { apiId: 'NETWORK_EXCEPTION' });
  return answerWithin({ timeoutMs, silent }, ask);
}

/** A broker that refuses has answered, too; one that lets nobody in has not. */
function hasAnswered(error: unknown): boolean {
  const type = kafkaErrorType(error);
  return type !== undefined && type !== 'NETWORK' && type !== 'NETWORK_EXCEPTION' && !accessTypes.has(type);
}

function refusalOfTopic(topic: string, partition: number, facts: TopicFacts | null): Error {
  const what = facts === null ? `topic ${topic} does not exist` : `topic ${topic} has no partition ${partition}`;
  return kafkaFailure(Object.assign(new Error(what), { apiId: 'UNKNOWN_TOPIC_OR_PARTITION' }), 'cannot find a partition');
}

/** The client throws when any part of an answer carries an error, with the whole answer beside it. */
export function responseOf<T>(error: unknown): T | undefined {
  if (!(error instanceof Error) || !('response' in error) || error.response === undefined) return undefined;
  const type = kafkaErrorType(error);
  return missingTypes.has(type) || type === 'LEADER_NOT_AVAILABLE' ? (error.response as T) : undefined;
}

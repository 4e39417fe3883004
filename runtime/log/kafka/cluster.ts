import { setTimeout as sleep } from 'node:timers/promises';
import { AuthenticationError, Connection, type ConnectionOptions, findCoordinatorV4, metadataV12 } from '@platformatic/kafka';
import { isPassing, kafkaErrorType, kafkaFailure } from './failure.ts';
import type { KafkaLogin, KafkaLogOptions, KafkaNotice } from './options.ts';

const connectTimeoutMs = 5_000;
/** A broker that does not answer for so long counts as gone; longer than any fetch waits. */
const requestTimeoutMs = 15_000;
const requestsInFlightMax = 5;
/** First pause before a further try; doubled up to the second one. */
const retryFirstMs = 20;
const retryLongestMs = 1_000;
const noticeIntervalMs = 60_000;
/** A call is tried again for so long while brokers or coordinators are on their way up. */
export const callTimeoutMs = 30_000;

export interface Broker {
  readonly host: string;
  readonly port: number;
}

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
const missingTypes: ReadonlySet<string | undefined> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION']);

function brokerOf(address: string): Broker {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

function connectionOptions({ security: { sasl, ssl } = {} }: KafkaLogOptions): ConnectionOptions {
  return {
    connectTimeout: connectTimeoutMs,
    maxInflights: requestsInFlightMax,
    ...(ssl === undefined ? {} : { tls: ssl }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  };
}

function saslOf(login: KafkaLogin): NonNullable<ConnectionOptions['sasl']> {
  switch (login.mechanism) {
    case 'plain':
      return { mechanism: 'PLAIN', username: login.username, password: login.password };
    case 'scram-sha-256':
      return { mechanism: 'SCRAM-SHA-256', username: login.username, password: login.password };
    case 'scram-sha-512':
      return { mechanism: 'SCRAM-SHA-512', username: login.username, password: login.password };
    case 'oauthbearer':
      return { mechanism: 'OAUTHBEARER', token: login.token, authBytesValidator: refuseToken };
  }
}

/** A broker refuses a token by an answer with a text in it, where a good login has none (RFC 7628). */
const refuseToken: NonNullable<NonNullable<ConnectionOptions['sasl']>['authBytesValidator']> = (bytes, callback) => {
  callback(bytes.length === 0 ? null : new AuthenticationError(`the broker refused the token: ${bytes.toString()}`), bytes);
};

/** Connections of one user of the cluster, one to each broker: a broker answers a connection's requests one after the other. */
export class Links {
  readonly #clientId: string;
  readonly #options: ConnectionOptions;
  readonly #open = new Map<string, Promise<Connection>>();
  /** Brokers may refuse a certificate after the connection is made: whoever waits for an answer then only sees it break. */
  readonly #refused = new Map<string, unknown>();
  #closed = false;

  constructor(options: KafkaLogOptions, timeoutMs = requestTimeoutMs) {
    this.#clientId = options.application;
    this.#options = { ...connectionOptions(options), requestTimeout: timeoutMs };
  }

  async to({ host, port }: Broker): Promise<Connection> {
    if (this.#closed) throw new Error('these connections are closed');
    const name = `${host}:${port}`;
    const refused = this.#refused.get(name);
    this.#refused.delete(name); // said once, then tried again
    if (refused !== undefined) throw refused;
    let link = this.#open.get(name);
    if (link === undefined) {
      link = this.#connect(host, port, (error) => {
        this.#open.delete(name);
        if (error !== undefined && !isPassing(error)) this.#refused.set(name, error);
      });
      this.#open.set(name, link);
    }
    return link;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(links.map(async (link) => {
      const connection = await link.catch(() => null); // one that never came about needs no closing; its user was told
      await connection?.close();
    }));
  }

  async #connect(host: string, port: number, gone: (error?: unknown) => void): Promise<Connection> {
    const connection = new Connection(this.#clientId, this.#options);
    let connected = false;
    connection.on('error', (error) => gone(connected ? error : undefined)); // whoever waits for an answer is told by its own callback
    connection.once('close', () => gone());
    try {
      await connection.connect(host, port);
      connected = true;
      return connection;
    } catch (error) {
      gone();
      throw error;
    }
  }
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

  /** A connection to any broker that answers: those known by now first, then those of the configuration. */
  async any(links: Links = this.#links): Promise<Connection> {
    const failures: unknown[] = [];
    for (const broker of [...this.#brokers.values(), ...this.#bootstrap]) {
      try {
        return await links.to(broker);
      } catch (error) {
        failures.push(error);
      }
    }
    // The broker that says most speaks for all: a refused login rather than a broken connection.
    throw failures.find((error) => !isPassing(error)) ?? failures.at(-1) ?? new Error('no broker is configured');
  }

  /** Asks for the present leaders of these topics; those that are not there are forgotten. Null: only who the brokers are. */
  async refresh(topics: readonly string[]): Promise<void> {
    const { api } = metadataV12;
    const answer = await api.async(await this.any(), [...topics], false, false).catch((error: unknown) => {
      const response = responseOf<Awaited<ReturnType<typeof api.async>>>(error);
      if (response === undefined) throw error; // topics that are missing or without a leader come as an error with the whole answer
      return response;
    });
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
  async onLeader<T>(topic: string, partition: number, links: Links, action: (connection: Connection) => Promise<T>): Promise<T> {
    let fresh = false;
    return this.retrying(async () => {
      const facts = await this.topic(topic, fresh);
      fresh = true;
      if (facts === null || partition >= facts.leaders.length) throw refusalOfTopic(topic, partition, facts);
      const broker = this.#brokers.get(facts.leaders[partition]!.node);
      if (broker === undefined) throw passing(`${topic}/${partition} has no leader at the moment`);
      return action(await links.to(broker));
    });
  }

  async onController<T>(action: (connection: Connection) => Promise<T>): Promise<T> {
    return this.retrying(async () => {
      await this.refresh([]);
      const broker = this.#brokers.get(this.#controller);
      return action(broker === undefined ? await this.any() : await this.#links.to(broker));
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
    const { coordinators } = await findCoordinatorV4.api.async(await this.any(), coordinatorKeys[kind], [key]);
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

function passing(message: string): Error {
  return Object.assign(new Error(message), { apiId: 'LEADER_NOT_AVAILABLE' });
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

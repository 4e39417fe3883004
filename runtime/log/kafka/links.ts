import { AuthenticationError, Connection, type ConnectionOptions } from '@platformatic/kafka';
import { isPassing } from './failure.ts';
import type { KafkaLogin, KafkaLogOptions } from './options.ts';

const connectTimeoutMs = 5_000;
/** A broker that does not answer for so long counts as gone; longer than any fetch waits. */
const requestTimeoutMs = 15_000;
const requestsInFlightMax = 5;
/** What was sent to a broker that stands still may never leave: the connection is then cut off. */
const closeTimeoutMs = 1_000;

export interface Broker {
  readonly host: string;
  readonly port: number;
}

export const addressOf = ({ host, port }: Broker): string => `${host}:${port}`;

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
    const name = addressOf({ host, port });
    const refused = this.#refused.get(name);
    this.#refused.delete(name); // said once, then tried again
    if (refused !== undefined) throw refused;
    let link = this.#open.get(name);
    if (link === undefined) {
      const made = this.#connect(host, port, (error) => {
        // A connection breaks, and is closed a moment later: by then there may be another one.
        if (this.#open.get(name) === made) this.#open.delete(name);
        if (error !== undefined && !isPassing(error)) this.#refused.set(name, error);
      });
      this.#open.set(name, made);
      link = made;
    }
    return link;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(links.map(async (link) => {
      const connection = await link.catch(() => null); // one that never came about needs no closing; its user was told
      if (connection === null) return;
      const timer = setTimeout(() => connection.socket.destroy(), closeTimeoutMs);
      await connection.close();
      clearTimeout(timer);
    }));
  }

  async #connect(host: string, port: number, gone: (error?: unknown) => void): Promise<Connection> {
    const connection = new Connection(this.#clientId, this.#options);
    let connected = false;
    connection.on('error', (error) => gone(connected ? error : undefined)); // whoever waits for an answer is told by its own callback
    connection.once('close', () => {
      gone();
      void connection.close(); // ends its timer of the next login
    });
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

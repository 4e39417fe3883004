import type { ConnectionOptions as TlsOptions } from 'node:tls';

export type KafkaLogin =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> };

export type OnMismatch = 'fail' | 'repair' | 'warn';

export interface KafkaLogOptions {
  /** host:port of some brokers. */
  readonly brokers: readonly string[];
  /** Names transactional ids and the groups that hold marks. */
  readonly application: string;
  /** A member that is silent for so long loses its tasks. Within the broker's group.min/max.session.timeout.ms. Default 10 s. */
  readonly sessionTimeoutMs?: number;
  /** Default: a tenth of the session. */
  readonly heartbeatMs?: number;
  /**
   * A name of this process that stays the same over its restarts: one that is back within the session gets its tasks without a
   * rebalance, and does not leave the group when it stops. Left out: each start is a new member.
   */
  readonly instanceId?: string | null;
  /** Of topics made by `createTopics`; default: the broker's. */
  readonly replicationFactor?: number | null;
  /** What `createTopics` does with a topic that exists with other settings than it needs. Default fail. */
  readonly onMismatch?: OnMismatch;
  readonly security?: { readonly sasl?: KafkaLogin; readonly ssl?: Pick<TlsOptions, 'ca' | 'cert' | 'key'> };
  /** Gets what is worth a line in a log and is no error yet: a broker that is away, a topic that is not as it should be. */
  readonly onNotice?: (notice: KafkaNotice) => void;
}

export interface KafkaNotice {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

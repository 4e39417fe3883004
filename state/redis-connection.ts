import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';

/** One Redis (a master), or a cluster of them. */
export type RedisClient = Redis | Cluster;

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` URL, or options of ioredis (sentinels...). */
  readonly connection: string | RedisOptions;
  /** A Redis Cluster, of which the connection names one node; a task's keys have one hash tag, so that a commit is still one script. */
  readonly cluster?: boolean;
  /** In place of those in the URL. */
  readonly username?: string;
  readonly password?: string;
  /** PEM texts, for `rediss://`: who vouches for the server, and our own certificate. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** A command without an answer for so long counts as failed. */
  readonly commandTimeoutMs?: number;
}

export const commandTimeoutMsDefault = 30_000;
/** Between two attempts to find the cluster again. */
const clusterRetryMsMax = 2_000;

/** Not yet connected: the first command does that. */
export function redisClient(options: RedisConnectionOptions): RedisClient {
  const { connection, username, password, tls } = options;
  const fixed = {
    // After a broken connection ioredis sends again what had no answer (without it, the answer never comes at all). Every
    // script counts once however often it is sent.
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: 1,
    commandTimeout: options.commandTimeoutMs ?? commandTimeoutMsDefault,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    ...(typeof connection === 'string' ? {} : connection),
    lazyConnect: true,
    // Its name and version are of no use to anyone, and need rights that a small user lacks.
    disableClientInfo: true,
    // Answers in one form, keys exactly as written here, and no pipelines.
    protocol: 2,
    replyMapping: 'legacy',
    keyPrefix: '',
    enableAutoPipelining: false,
  } as const satisfies RedisOptions;
  if (options.cluster !== true) return typeof connection === 'string' ? new Redis(connection, fixed) : new Redis(fixed);
  const { host, port, ...login } = typeof connection === 'string' ? partsOf(connection) : { host: connection.host ?? 'localhost', port: connection.port ?? 6379 };
  return new Cluster([{ host, port }], {
    redisOptions: { ...login, ...fixed },
    scaleReads: 'master',
    lazyConnect: true,
    enableReadyCheck: true,
    enableAutoPipelining: false,
    clusterRetryStrategy: (times) => Math.min(clusterRetryMsMax, 100 * times),
  });
}

/** Every node that holds state, each to be asked for itself. */
export function mastersOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** Host and port, never user or password. */
export function describeConnection({ connection, cluster }: RedisConnectionOptions): string {
  const { host, port } = typeof connection === 'string' ? partsOf(connection) : { host: connection.host ?? 'localhost', port: connection.port ?? 6379 };
  return `Redis${cluster === true ? ' Cluster' : ''} ${host}:${port}`;
}

function partsOf(text: string): { host: string; port: number; username?: string; password?: string; tls?: Record<string, never> } {
  const url = new URL(text);
  return {
    host: url.hostname, port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

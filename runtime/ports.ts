import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VoltstreamError } from '../errors.ts';
import type { SchemaRegistry } from '../schemas/codec.ts';
import { ConfluentRegistry } from '../schemas/confluent-registry.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import type { StateStore, StoreServer } from '../state/state-store.ts';
import type { Configuration } from './configuration.ts';
import type { KafkaLogin } from './log/kafka/options.ts';
import type { Log } from './log/log.ts';
import { PrefixedLog } from './log/prefixed-log.ts';
import type { Warehouse } from './sinks/warehouse.ts';

export interface Ports {
  readonly log: Log;
  readonly store: StateStore;
  readonly registry: SchemaRegistry;
  readonly warehouse: Warehouse;
}

/** The implementations that a configuration names; not yet open. Client libraries are loaded only when they are used. */
export async function portsOf(configuration: Configuration): Promise<Ports> {
  return {
    log: await logOf(configuration),
    store: await storeOf(configuration),
    registry: registryOf(configuration),
    warehouse: await warehouseOf(configuration),
  };
}

/** Only what taking input needs. */
export async function logAndRegistryOf(configuration: Configuration): Promise<Pick<Ports, 'log' | 'registry'>> {
  return { log: await logOf(configuration), registry: registryOf(configuration) };
}

async function logOf(configuration: Configuration): Promise<Log> {
  const log = await clusterOf(configuration);
  const { topicPrefix } = configuration.log;
  return topicPrefix === null ? log : new PrefixedLog(log, topicPrefix);
}

async function clusterOf({ log, dataFolder, applicationId }: Configuration): Promise<Log> {
  if (log.kind === 'embedded') {
    const { EmbeddedLog } = await import('./log/embedded/embedded-log.ts');
    return new EmbeddedLog({ folder: join(dataFolder, 'log') });
  }
  const { KafkaLog } = await import('./log/kafka/kafka-log.ts');
  const { sasl, ssl } = log;
  return new KafkaLog({
    brokers: log.brokers,
    application: applicationId,
    sessionTimeoutMs: log.sessionTimeoutMs,
    heartbeatMs: log.heartbeatIntervalMs,
    instanceId: log.instanceId,
    replicationFactor: log.replicationFactor,
    onMismatch: log.topics.onMismatch,
    security: {
      ...(sasl.mechanism === 'none' ? {} : { sasl: await saslOf(sasl) }),
      ...(ssl.enabled ? { ssl: tlsOf(ssl) } : {}),
    },
    onNotice: ({ message }) => process.emitWarning(message, { type: 'KafkaWarning' }),
  });
}

async function saslOf({ mechanism, username, password, tokenFile, tokenEndpoint, clientId, clientSecret, scope }: Configuration['log']['sasl']): Promise<KafkaLogin> {
  const login = { username: username ?? '', password: password ?? '' };
  switch (mechanism) {
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, ...login };
    case 'oauthbearer': {
      const { tokenOfEndpoint, tokenOfFile } = await import('./log/kafka/oauth-token.ts');
      const token = tokenEndpoint === null
        ? tokenOfFile(tokenFile ?? '') : tokenOfEndpoint({ url: tokenEndpoint, clientId: clientId ?? '', clientSecret: clientSecret ?? '', scope });
      return { mechanism, token };
    }
    default:
      return { mechanism: 'plain', ...login };
  }
}

function tlsOf(ssl: Configuration['log']['ssl']): { readonly ca?: string[]; readonly cert?: string; readonly key?: string } {
  const { ca, ...own } = pemOf(ssl);
  return { ...(ca === undefined ? {} : { ca: [ca] }), ...own };
}

interface PemFiles {
  readonly caFile: string | null;
  readonly certificateFile?: string | null;
  readonly keyFile?: string | null;
}

/** The texts of the files that are set. Throws CONFIGURATION_INVALID for one that cannot be read. */
function pemOf({ caFile, certificateFile = null, keyFile = null }: PemFiles): { readonly ca?: string; readonly cert?: string; readonly key?: string } {
  return {
    ...(caFile === null ? {} : { ca: pemText(caFile) }),
    ...(certificateFile === null ? {} : { cert: pemText(certificateFile) }),
    ...(keyFile === null ? {} : { key: pemText(keyFile) }),
  };
}

function pemText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'a PEM file cannot be read', { where: file, got: error instanceof Error ? error.message : String(error), cause: error });
  }
}

/** The state store alone; not yet open. */
export async function storeOf({ state, dataFolder, applicationId }: Configuration): Promise<StateStore> {
  if (state.kind === 'lmdb') {
    const { LmdbStateStore } = await import('../state/lmdb-state-store.ts');
    return new LmdbStateStore({ path: join(dataFolder, 'state') });
  }
  const { RedisStateStore } = await import('../state/redis-state-store.ts');
  return new RedisStateStore(redisOptions(state, applicationId));
}

/** Of the state store, for measuring and clearing away; null where there is none. */
export async function storeServerOf({ state, applicationId }: Configuration): Promise<StoreServer | null> {
  if (state.kind === 'lmdb') return null;
  const { RedisServer } = await import('../state/redis-server.ts');
  return new RedisServer(redisOptions(state, applicationId));
}

function redisOptions(state: Configuration['state'], application: string) {
  const { url, username, password, cluster, keyPrefix } = state;
  return {
    connection: url ?? '', application, cluster, keyPrefix,
    ...(username === null ? {} : { username }), ...(password === null ? {} : { password }),
    ...(state.caFile === null && state.certificateFile === null ? {} : { tls: pemOf(state) }),
  };
}

function registryOf({ registry, dataFolder }: Configuration): SchemaRegistry {
  if (registry.kind === 'file') return new FileRegistry({ folder: join(dataFolder, 'schemas') });
  const url = new URL(registry.url ?? '');
  const login = url.username === ''
    ? { username: registry.username, password: registry.password }
    : { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  url.username = '';
  url.password = '';
  const { ca } = pemOf({ caFile: registry.caFile });
  return new ConfluentRegistry({
    url: url.toString(), cacheFolder: join(dataFolder, 'registry-cache'), ...(ca === undefined ? {} : { ca }),
    ...(login.username === null ? {} : { username: login.username, password: login.password ?? '' }),
  });
}

async function warehouseOf({ warehouse, dataFolder }: Configuration): Promise<Warehouse> {
  if (warehouse.kind === 'chdb') {
    const { ChdbWarehouse } = await import('./sinks/clickhouse/chdb-warehouse.ts');
    return new ChdbWarehouse({ folder: join(dataFolder, 'clickhouse') });
  }
  const { ServerWarehouse } = await import('./sinks/clickhouse/server-warehouse.ts');
  const { url, user, password, cluster, replicated, replicaPath, replicaName } = warehouse;
  return new ServerWarehouse({
    url: url ?? '', user, ...(password === null ? {} : { password }),
    ...pemOf({ caFile: warehouse.caFile }),
    layout: { cluster, replicated: replicated ? { path: replicaPath, replica: replicaName } : null },
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaRegistry } from '../schemas/codec.ts';
import { ConfluentRegistry } from '../schemas/confluent-registry.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Configuration } from './configuration.ts';
import type { Log } from './log/log.ts';
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

async function logOf({ log, dataFolder, applicationId }: Configuration): Promise<Log> {
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
    security: {
      ...(sasl.mechanism === 'none' ? {} : { sasl: saslOf(sasl) }),
      ...(ssl.enabled ? { ssl: tlsOf(ssl) } : {}),
    },
  });
}

function saslOf({ mechanism, username, password }: Configuration['log']['sasl']) {
  const login = { username: username ?? '', password: password ?? '' };
  switch (mechanism) {
    case 'scram-sha-256':
      return { mechanism, ...login } as const;
    case 'scram-sha-512':
      return { mechanism, ...login } as const;
    default:
      return { mechanism: 'plain', ...login } as const;
  }
}

function tlsOf(ssl: Configuration['log']['ssl']): { readonly ca?: string[]; readonly cert?: string; readonly key?: string } {
  return {
    ...(ssl.caFile === null ? {} : { ca: [readFileSync(ssl.caFile, 'utf8')] }),
    ...(ssl.certificateFile === null ? {} : { cert: readFileSync(ssl.certificateFile, 'utf8') }),
    ...(ssl.keyFile === null ? {} : { key: readFileSync(ssl.keyFile, 'utf8') }),
  };
}

/** The state store alone; not yet open. */
export async function storeOf({ state, dataFolder, applicationId }: Configuration): Promise<StateStore> {
  if (state.kind === 'lmdb') {
    const { LmdbStateStore } = await import('../state/lmdb-state-store.ts');
    return new LmdbStateStore({ path: join(dataFolder, 'state') });
  }
  const { RedisStateStore } = await import('../state/redis-state-store.ts');
  return new RedisStateStore({ connection: state.url ?? '', application: applicationId });
}

function registryOf({ registry, dataFolder }: Configuration): SchemaRegistry {
  if (registry.kind === 'file') return new FileRegistry({ folder: join(dataFolder, 'schemas') });
  const url = new URL(registry.url ?? '');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return new ConfluentRegistry({
    url: url.toString(),
    ...(username === '' ? {} : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
  });
}

async function warehouseOf({ warehouse, dataFolder }: Configuration): Promise<Warehouse> {
  if (warehouse.kind === 'chdb') {
    const { ChdbWarehouse } = await import('./sinks/clickhouse/chdb-warehouse.ts');
    return new ChdbWarehouse({ folder: join(dataFolder, 'clickhouse') });
  }
  const { ServerWarehouse } = await import('./sinks/clickhouse/server-warehouse.ts');
  return new ServerWarehouse({
    url: warehouse.url ?? '', user: warehouse.user, ...(warehouse.password === null ? {} : { password: warehouse.password }),
  });
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ClickHouseService } from './clickhouse.ts';
import { ContainerService } from './containers.ts';
import { KafkaService, requireKafka } from './kafka.ts';
import { usualPort } from './local-process.ts';
import type { LocalPlace } from './local-process.ts';
import type { Placement } from './placement.ts';
import { RedisService, requireRedis } from './redis.ts';
import { RegistryService } from './registry.ts';

export const serviceNames = ['kafka', 'redis', 'clickhouse', 'registry'] as const;
export type ServiceName = (typeof serviceNames)[number];

type Variables = Readonly<Record<string, string>>;

/** A server that was started, and all that others need to know of it. */
export interface RunningService {
  readonly name: ServiceName;
  readonly address: string;
  /** What includes its tests: VOLTSTREAM_TEST_... */
  readonly testVariables: Variables;
  /** What makes `voltstream run` use it. */
  readonly runVariables: Variables;
  /** What one should know of it. */
  readonly remark: string;
  dispose(): Promise<void>;
}

interface Startable {
  start(): Promise<void>;
  dispose(): Promise<void>;
}

const usualPorts: Readonly<Record<ServiceName, number>> = { kafka: 9092, redis: 6379, clickhouse: 8123, registry: 8081 };

/** Throws an error that names what is missing on this machine, before anything is started. */
export function requirePrograms(names: readonly ServiceName[], where: Placement): void {
  if (where === 'containers') return;
  if (names.includes('kafka')) requireKafka();
  if (names.includes('redis')) requireRedis();
}

/**
 * Starts a service, as a container or as a local process, with its data and its log below `folder`; resolves when it answers. The
 * registry is a small one of ours in this process either way. `usualPort`: on the port that people know it by, when that is free.
 */
export async function startService(
  name: ServiceName, where: Placement, options: { readonly folder: string; readonly usualPort?: boolean },
): Promise<RunningService> {
  const place: LocalPlace = {
    folder: join(options.folder, name), logFile: join(options.folder, 'logs', `${name}.log`),
    ...(options.usualPort === true ? { port: await usualPort(usualPorts[name]) } : {}),
  };
  mkdirSync(join(options.folder, name), { recursive: true });
  const { service, address, remark } = serviceOf(name, where, place);
  try {
    await service.start();
  } catch (error) {
    await service.dispose();
    throw error;
  }
  return { name, address: address(), ...variablesOf(name, address()), remark, dispose: () => service.dispose() };
}

function serviceOf(name: ServiceName, where: Placement, place: LocalPlace): { service: Startable; address: () => string; remark: string } {
  if (name === 'registry') {
    const service = new RegistryService(place);
    return { service, address: () => service.url, remark: 'Confluent’s REST interface over a folder, in this process' };
  }
  if (where === 'containers') {
    const service = new ContainerService(name, place);
    const scheme = name === 'redis' ? 'redis://' : name === 'clickhouse' ? 'http://' : '';
    return { service, address: () => `${scheme}${service.address}`, remark: 'a container' };
  }
  switch (name) {
    case 'kafka': {
      const service = new KafkaService(place);
      return { service, address: () => service.address, remark: 'one broker, KRaft' };
    }
    case 'redis': {
      const service = new RedisService(place);
      return { service, address: () => service.address, remark: 'append-only file, everysec' };
    }
    case 'clickhouse': {
      const service = new ClickHouseService(place);
      return { service, address: () => service.url, remark: 'chDB behind ClickHouse’s HTTP interface: no users, no replication' };
    }
  }
}

/** Where nothing but the address is needed: what a service is called in tests and in the configuration. */
export function variablesOf(name: ServiceName, address: string): { readonly testVariables: Variables; readonly runVariables: Variables } {
  switch (name) {
    case 'kafka':
      return { testVariables: { VOLTSTREAM_TEST_KAFKA: address }, runVariables: { VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: address } };
    case 'redis':
      return { testVariables: { VOLTSTREAM_TEST_REDIS: address }, runVariables: { VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: address } };
    case 'clickhouse':
      return {
        testVariables: { VOLTSTREAM_TEST_CLICKHOUSE: address },
        runVariables: { VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: address },
      };
    case 'registry':
      return { testVariables: {}, runVariables: { VOLTSTREAM_REGISTRY_KIND: 'confluent', VOLTSTREAM_REGISTRY_URL: address } };
  }
}

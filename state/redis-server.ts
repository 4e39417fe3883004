import type { Redis } from 'ioredis';
import { describeConnection, mastersOf, redisClient } from './redis-connection.ts';
import type { RedisClient, RedisConnectionOptions } from './redis-connection.ts';
import { openingFailure, redisFailure } from './redis-failure.ts';
import { RedisKeys } from './redis-keys.ts';
import type { StoreCounters, StoreServer } from './state-store.ts';

export interface RedisServerOptions extends RedisConnectionOptions {
  /** As of the state store. */
  readonly application: string;
  readonly keyPrefix?: string;
}

/** A connection of its own, for whoever measures, or clears away an application that has ended. */
export class RedisServer implements StoreServer {
  readonly #client: RedisClient;
  readonly #keys: RedisKeys;
  readonly #where: string;

  constructor(options: RedisServerOptions) {
    this.#client = redisClient(options);
    // Every command that fails tells its caller.
    this.#client.on('error', () => undefined);
    this.#keys = new RedisKeys(options.keyPrefix ?? 'voltstream:', options.application, '1');
    this.#where = describeConnection(options);
  }

  async open(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (error) {
      throw openingFailure(redisFailure(error, this.#where), this.#where);
    }
  }

  counters(): Promise<StoreCounters | null> {
    return redisCounters(mastersOf(this.#client), this.#where);
  }

  async removeAll(): Promise<void> {
    for (const pattern of this.#keys.patterns) await removeKeys(mastersOf(this.#client), pattern, this.#where);
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }
}

const none: StoreCounters = { commands: 0, roundTrips: 0, receivedBytes: 0, sentBytes: 0, usedBytes: 0, peakBytes: 0, cpuSeconds: 0 };

async function redisCounters(nodes: readonly Redis[], where: string): Promise<StoreCounters | null> {
  let sum = none;
  for (const node of nodes) {
    const text = await informationOf(node, where);
    if (text === null) return null;
    const values = new Map([...text.matchAll(/^(\w+):([^\r\n]*)/gm)].map(([, name = '', value = '']) => [name, value]));
    const number = (name: string): number => Number(values.get(name) ?? 0);
    // What a script calls is counted as a command, too, but not by this: scripts are what is sent.
    const scripts = ['evalsha', 'eval'].map((name) => Number(/calls=(\d+)/.exec(values.get(`cmdstat_${name}`) ?? '')?.[1] ?? 0));
    sum = {
      commands: sum.commands + number('total_commands_processed'), roundTrips: sum.roundTrips + scripts.reduce((total, one) => total + one, 0),
      receivedBytes: sum.receivedBytes + number('total_net_input_bytes'), sentBytes: sum.sentBytes + number('total_net_output_bytes'),
      usedBytes: sum.usedBytes + number('used_memory'), peakBytes: sum.peakBytes + number('used_memory_peak'),
      cpuSeconds: sum.cpuSeconds + ['used_cpu_user', 'used_cpu_sys', 'used_cpu_user_children', 'used_cpu_sys_children'].reduce((total, name) => total + number(name), 0),
    };
  }
  return sum;
}

async function informationOf(node: Redis, where: string): Promise<string | null> {
  try {
    return (await Promise.all(['stats', 'memory', 'cpu', 'commandstats'].map((section) => node.info(section)))).join('\n');
  } catch (error) {
    if (/^NOPERM|unknown command/i.test(error instanceof Error ? error.message : '')) return null;
    throw redisFailure(error, where);
  }
}

/** Deletes all keys of a pattern, node by node, some at a time. */
async function removeKeys(nodes: readonly Redis[], pattern: string, where: string): Promise<void> {
  try {
    for (const node of nodes) {
      let cursor = '0';
      do {
        const [next, keys] = (await node.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000')) as [string, readonly string[]];
        // One by one: in a cluster they lie in several slots.
        await Promise.all(keys.map((key) => node.call('UNLINK', key)));
        cursor = next;
      } while (cursor !== '0');
    }
  } catch (error) {
    throw redisFailure(error, where);
  }
}

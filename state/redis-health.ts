import type { Redis } from 'ioredis';
import { VoltstreamError } from '../errors.ts';
import { redisFailure } from './redis-failure.ts';
import type { StoreHealth } from './state-store.ts';

type Values = Readonly<Record<string, string>>;

/** What one master says of itself; null where this user may not ask. */
export interface RedisFacts {
  /** INFO: memory, replication. */
  readonly information: Values | null;
  /** CONFIG GET: appendonly, appendfsync, save, min-replicas-to-write. */
  readonly settings: Values | null;
}

const settingNames = ['appendonly', 'appendfsync', 'save', 'min-replicas-to-write'] as const;

/** Asks one node. What a user may not ask is null; anything else that fails is STORE_UNAVAILABLE. */
export async function redisFacts(node: Redis, where: string): Promise<RedisFacts> {
  const information = await permitted(async () => {
    const text = (await Promise.all(['memory', 'replication'].map((section) => node.info(section)))).join('\n');
    return Object.fromEntries(text.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]] : [])));
  }, where);
  const settings = await permitted(async () => {
    const pairs = await Promise.all(settingNames.map((name) => node.call('CONFIG', 'GET', name)));
    return Object.fromEntries(pairs.map((pair, index) => [settingNames[index] as string, String((pair as readonly unknown[])[1] ?? '')]));
  }, where);
  return { information, settings };
}

async function permitted(ask: () => Promise<Values>, where: string): Promise<Values | null> {
  try {
    return await ask();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    // A hosted Redis knows CONFIG under no name at all.
    if (/^NOPERM|unknown command/i.test(message)) return null;
    throw redisFailure(error, where);
  }
}

/** Throws STORE_SETTING when this Redis can throw state away, or is no master. */
export function refuseUnsafe({ information }: RedisFacts, where: string): void {
  if (information === null) return;
  const policy = information['maxmemory_policy'] ?? 'noeviction';
  // volatile-* policies only take keys that expire, and state never does.
  if (policy.startsWith('allkeys-') && Number(information['maxmemory'] ?? 0) > 0) {
    throw new VoltstreamError('STORE_SETTING', 'this Redis throws away keys when its memory is full, and state would go without a word', {
      where, wanted: 'maxmemory-policy noeviction', got: `${policy} with maxmemory ${information['maxmemory']}`,
      cure: 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.',
    });
  }
  if (information['role'] === 'slave') {
    throw new VoltstreamError('STORE_SETTING', 'this Redis is a replica, which takes no writes', {
      where, wanted: 'role master', got: 'role slave', cure: 'Point state.url at the master.',
    });
  }
}

/** Sums over all masters, and what one should know of the worst of them. */
export function healthOf(nodes: readonly RedisFacts[]): StoreHealth {
  const total = (name: string): number | null => {
    const values = nodes.map(({ information }) => information?.[name]);
    return values.some((value) => value === undefined) ? null : values.reduce((sum, value) => sum + Number(value), 0);
  };
  const limits = nodes.map(({ information }) => Number(information?.['maxmemory'] ?? 0));
  const remarks = new Map<string, StoreHealth['remarks'][number]>();
  for (const node of nodes) for (const remark of remarksOn(node)) remarks.set(remark.text, remark);
  return {
    usedBytes: total('used_memory'),
    bytesMax: limits.length === 0 || limits.includes(0) ? null : limits.reduce((sum, limit) => sum + limit, 0),
    remarks: [...remarks.values()],
  };
}

function remarksOn({ information, settings }: RedisFacts): StoreHealth['remarks'] {
  const policy = information?.['maxmemory_policy'] ?? 'noeviction';
  return [
    settings === null
      ? { level: 'info', text: 'Redis does not let this user read its settings (CONFIG GET): what a power loss would cost is not known' }
      : whatIsLost(settings),
    ...(settings === null || information === null ? [] : [replicasOf(settings, information)]),
    ...(information === null ? [{ level: 'info', text: 'Redis does not let this user ask for its memory and eviction policy (INFO): neither was checked' } as const] : []),
    ...(policy.startsWith('allkeys-')
      ? [{ level: 'warn', text: `Redis has the eviction policy ${policy}: as soon as maxmemory is set it would throw away state; set maxmemory-policy noeviction` } as const]
      : []),
  ];
}

const madeAgain = 'they are made again (REWOUND) as long as the log holds their input';

function whatIsLost(settings: Values): StoreHealth['remarks'][number] {
  const snapshots = (settings['save'] ?? '').trim();
  if (settings['appendonly'] === 'yes') {
    switch (settings['appendfsync']) {
      case 'always':
        return { level: 'info', text: 'Redis writes each commit to its disk before it answers: a power loss costs nothing' };
      case 'no':
        return { level: 'warn', text: `Redis leaves it to the system when its file is written (appendfsync no): some 30 s of commits are lost after a power loss; ${madeAgain}` };
      default:
        return { level: 'info', text: `Redis writes its file to the disk every second: up to 1 s of commits is lost after a power loss; ${madeAgain}` };
    }
  }
  return snapshots === ''
    ? { level: 'warn', text: 'Redis keeps nothing on its disk (appendonly no, no save): a restart loses all state (STATE_MISSING); set appendonly yes' }
    : { level: 'warn', text: `Redis keeps snapshots only (save ${snapshots}, appendonly no): any restart may lose the commits since the last one; ${madeAgain}` };
}

function replicasOf(settings: Values, information: Values): StoreHealth['remarks'][number] {
  const replicas = Number(information['connected_slaves'] ?? 0);
  const wanted = Number(settings['min-replicas-to-write'] ?? 0);
  if (replicas === 0 && wanted === 0) return { level: 'info', text: 'Redis has no replicas: while it is away, nothing is processed, and its disk is the only copy' };
  const text = `Redis has ${replicas} replicas, of which ${wanted} must be near for a write (min-replicas-to-write)`;
  return wanted === 0
    ? { level: 'warn', text: `${text}: a fail-over may lose any commits that no replica had; ${madeAgain}` }
    : { level: 'info', text: `${text}: a fail-over may lose the last moments of commits; ${madeAgain}` };
}

import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cellsOfPage } from '../../state/redis-page.ts';
import { RedisStateStore } from '../../state/redis-state-store.ts';
import type { RedisStateStoreOptions } from '../../state/redis-state-store.ts';
import { describeStateStore } from '../../state/state-store-contract.ts';
import { cell, dump, following, loadAll } from '../../state/state-store-harness.ts';
import type { StateStoreHarness } from '../../state/state-store-harness.ts';
import { selfSigned } from './certificates.ts';
import { freePort } from './local-process.ts';
import { RedisService } from './redis.ts';

const installed = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error === undefined;
if (!installed) console.warn('Tests of Redis with a cluster, TLS and users were left out: they start redis-server, which is not installed.');

const folder = mkdtempSync(join(tmpdir(), 'redis-service-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A harness on a Redis of its own; `admin` may do everything. */
function harnessOf(admin: () => Redis, options: () => Partial<RedisStateStoreOptions> & Pick<RedisStateStoreOptions, 'connection'>): () => Promise<StateStoreHarness> {
  return async () => {
    const keyPrefix = `voltstream-test-${randomUUID()}:`;
    const connect = async (extra: Partial<RedisStateStoreOptions> = {}): Promise<RedisStateStore> => {
      const store = new RedisStateStore({ application: 'test', keyPrefix, ...options(), ...extra });
      await store.open();
      return store;
    };
    const keys = (): Promise<string[]> => admin().keys(`${keyPrefix}*`);
    const deleteAll = async (): Promise<void> => {
      for (const key of await keys()) await admin().unlink(key);
    };
    return {
      connect: () => connect(),
      snapshot: async () => Promise.all((await keys()).map(async (key) => [key, await admin().dumpBuffer(key)] as const)),
      restore: async (snapshot) => {
        await deleteAll();
        for (const [key, value] of snapshot as readonly (readonly [string, Buffer])[]) await admin().restore(key, 0, value);
      },
      close: deleteAll,
    };
  };
}

describe.skipIf(!installed)('Redis with a cluster of one node', () => {
  let service: RedisService;
  let admin: Redis;

  beforeAll(async () => {
    service = new RedisService({ arguments: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    await service.start();
    admin = new Redis(service.address);
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), { timeout: 50_000 });
  });
  afterAll(async () => {
    admin.disconnect();
    await service.dispose();
  });

  describeStateStore('Redis Cluster', harnessOf(() => admin, () => ({ connection: service.address, cluster: true })), { canFailHalfWay: false });
  describeStateStore('Redis Cluster, everything staged and scanned', harnessOf(() => admin, () => ({
    connection: service.address, cluster: true, commitCellsMax: 1, chunkCellsMax: 50, readCellsMax: 2, pageBytes: 1_000,
  })), { canFailHalfWay: false });

  it('has all keys of a task in one slot, and commits in one round trip', async () => {
    const sent: string[] = [];
    const store = new RedisStateStore({
      connection: service.address, cluster: true, application: 'slots', intercept: (name, send) => {
        sent.push(name);
        return send();
      },
    });
    await store.open();
    const claim = await store.claim('sessions_7');
    sent.length = 0;
    await store.commit(following(claim, ['a', 'b', 'c', 'd'].map((name) => cell(name, 'k', 'v'))));
    expect(sent).toEqual(['EVALSHA']);
    const keys = (await admin.keys('voltstream:{slots:sessions_7}*'));
    expect(keys).toHaveLength(5);
    expect(new Set(await Promise.all(keys.map((key) => admin.cluster('KEYSLOT', key)))).size).toBe(1);
    await store.close();
  });

  it('gives up in time when the cluster names nodes that cannot be reached', async () => {
    const lost = new RedisService({ arguments: ['--cluster-enabled', 'yes'] }); // knows no address of its own
    await lost.start();
    const setting = new Redis(lost.address);
    await setting.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const store = new RedisStateStore({ connection: lost.address, cluster: true, application: 'test', commandTimeoutMs: 500 });
    await expect(store.open()).rejects.toThrow(/STORE_UNAVAILABLE(.|\n)*no answer of the cluster within 500 ms/);
    setting.disconnect();
    await lost.dispose();
  });

  it('says where it looked when no node answers', async () => {
    const store = new RedisStateStore({ connection: 'redis://127.0.0.1:1', cluster: true, application: 'test', commandTimeoutMs: 1_000 });
    await expect(store.open()).rejects.toThrow(/STORE_UNAVAILABLE(.|\n)*where: Redis Cluster 127\.0\.0\.1:1\n/);
  });
});

describe.skipIf(!installed)('Redis with TLS', () => {
  const server = selfSigned(folder, 'server');
  const client = selfSigned(folder, 'client');
  let service: RedisService;
  let url = '';

  beforeAll(async () => {
    const port = await freePort();
    service = new RedisService({
      arguments: ['--tls-port', String(port), '--tls-cert-file', server.certFile, '--tls-key-file', server.keyFile, '--tls-ca-cert-file', client.certFile, '--tls-auth-clients', 'yes'],
    });
    await service.start();
    url = `rediss://127.0.0.1:${port}`;
  });
  afterAll(() => service.dispose());

  it('keeps state for who trusts it and whom it trusts', async () => {
    const tls = { ca: server.cert, cert: client.cert, key: client.key };
    const store = new RedisStateStore({ connection: url, application: 'test', tls });
    await store.open();
    const claim = await store.claim('t_0');
    await store.commit(following(claim, [cell('a', 'k', 'v')]));
    const again = new RedisStateStore({ connection: url, application: 'test', tls });
    await again.open();
    expect(dump(await loadAll(again, await again.claim('t_0')))).toEqual(dump([cell('a', 'k', 'v')]));
    await Promise.all([store.close(), again.close()]);
  });

  it('says at once that there is no trust, and which settings make it', async () => {
    const nobody = new RedisStateStore({ connection: url, application: 'test' });
    await expect(nobody.open()).rejects.toThrow(/LOGIN_REFUSED(.|\n)*self-signed certificate(.|\n)*state\.caFile/);
    const unknown = new RedisStateStore({ connection: url, application: 'test', tls: { ca: server.cert } });
    await expect(unknown.open()).rejects.toThrow(/LOGIN_REFUSED(.|\n)*state\.certificateFile/);
  });
});

/** As docs/redis.md names them. */
function documentedRights(): string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/redis.md'), 'utf8');
  const line = /^ACL SETUSER voltstream on >PASSWORD (.+)$/m.exec(page)?.[1];
  if (line === undefined) throw new Error('docs/redis.md has no ACL SETUSER');
  return line.split(' ');
}

describe.skipIf(!installed)('Redis with a user of few rights', () => {
  const password = 'p@ss:w/rd';
  let service: RedisService;
  let admin: Redis;
  const urlOf = (user: string, word: string): string => `redis://${user}:${encodeURIComponent(word)}@127.0.0.1:${service.port}`;

  beforeAll(async () => {
    service = new RedisService();
    await service.start();
    admin = new Redis(service.address);
    const rights = documentedRights().map((right) => right.replace('~voltstream:', '~voltstream'));
    await admin.call('ACL', 'SETUSER', 'voltstream', 'on', `>${password}`, ...rights);
    await admin.call('ACL', 'SETUSER', 'blind', 'on', `>${password}`, ...rights.filter((right) => !/^\+(info|config)/.test(right)));
    await admin.call('ACL', 'SETUSER', 'weak', 'on', `>${password}`, ...rights.filter((right) => !right.startsWith('+script')));
  });
  afterAll(async () => {
    admin.disconnect();
    await service.dispose();
  });

  describeStateStore('Redis, with the rights that docs/redis.md names', harnessOf(() => admin, () => ({ connection: urlOf('voltstream', password) })), { canFailHalfWay: false });
  describeStateStore('Redis, with these rights, everything staged and scanned', harnessOf(() => admin, () => ({
    connection: service.address, username: 'voltstream', password, commitCellsMax: 1, chunkCellsMax: 50, readCellsMax: 2, pageBytes: 1_000,
  })), { canFailHalfWay: false });

  it('works where INFO and CONFIG are forbidden, and says what was not checked', async () => {
    const store = new RedisStateStore({ connection: urlOf('blind', password), application: 'test' });
    await store.open();
    const { usedBytes, bytesMax, remarks } = await store.health();
    expect([usedBytes, bytesMax]).toEqual([null, null]);
    expect(remarks.map(({ text }) => text).join('\n')).toMatch(/CONFIG GET(.|\n)*INFO.*neither was checked/);
    await store.close();
  });

  it.each([
    ['a wrong password', 'voltstream', 'planted-secret', /LOGIN_REFUSED: Redis refused the login(.|\n)*WRONGPASS/],
    ['an unknown user', 'nobody', 'planted-secret', /LOGIN_REFUSED: Redis refused the login(.|\n)*WRONGPASS/],
    ['too few rights', 'weak', password, /LOGIN_REFUSED(.|\n)*NOPERM(.|\n)*docs\/redis\.md/],
  ])('says so, at once and without the secret, for %s', async (_what, user, word, message) => {
    const store = new RedisStateStore({ connection: urlOf(user, word), application: 'test' });
    const error: unknown = await store.open().then(() => null, (reason: unknown) => reason);
    expect(String(error)).toMatch(message);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10 })).not.toContain(word);
  });
});

describe.skipIf(!installed)('what Redis says of itself at the start', () => {
  let service: RedisService;
  let admin: Redis;
  const open = async (): Promise<RedisStateStore> => {
    const store = new RedisStateStore({ connection: service.address, application: 'test' });
    await store.open();
    return store;
  };
  const remarks = async (): Promise<string> => {
    const store = await open();
    const { remarks: found } = await store.health();
    await store.close();
    return found.map(({ level, text }) => `${level}: ${text}`).join('\n');
  };

  beforeAll(async () => {
    service = new RedisService();
    await service.start();
    admin = new Redis(service.address);
  });
  afterAll(async () => {
    admin.disconnect();
    await service.dispose();
  });

  it('refuses a policy that can take state away, and takes all others', async () => {
    await admin.config('SET', 'maxmemory', '100mb');
    for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
      await admin.config('SET', 'maxmemory-policy', policy);
      await expect(open()).rejects.toThrow(new RegExp(`STORE_SETTING(.|\n)*wanted: maxmemory-policy noeviction\n {2}got: ${policy} with maxmemory 104857600\n {2}cure: CONFIG SET`));
    }
    for (const policy of ['noeviction', 'volatile-ttl']) {
      await admin.config('SET', 'maxmemory-policy', policy);
      await (await open()).close();
    }
    const store = await open();
    expect((await store.health()).bytesMax).toBe(104_857_600);
    expect((await store.health()).usedBytes).toBeGreaterThan(500_000);
    await store.close();
    await admin.config('SET', 'maxmemory', '0');
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await remarks()).toMatch(/^warn: .*allkeys-lru: as soon as maxmemory is set/m);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('says what a power loss or a restart would cost', async () => {
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ appendonly: 'yes', appendfsync: 'everysec' }, /^info: .*up to 1 s of commits is lost after a power loss; they are made again \(REWOUND\)/m],
      [{ appendonly: 'yes', appendfsync: 'always' }, /^info: .*a power loss costs nothing/m],
      [{ appendonly: 'yes', appendfsync: 'no' }, /^warn: .*some 30 s of commits/m],
      [{ appendonly: 'no', save: '3600 1' }, /^warn: .*snapshots only \(save 3600 1, appendonly no\)/m],
      [{ appendonly: 'no', save: '' }, /^warn: .*keeps nothing on its disk.*STATE_MISSING/m],
    ];
    for (const [settings, text] of cases) {
      for (const [name, value] of Object.entries(settings)) await admin.config('SET', name, value);
      expect(await remarks()).toMatch(text);
    }
    await admin.config('SET', 'appendonly', 'yes');
    expect(await remarks()).toMatch(/^info: Redis has no replicas/m);
  });

  it('refuses a replica, and tells how many replicas a master has', async () => {
    const replica = new RedisService({ arguments: ['--replicaof', '127.0.0.1', String(service.port)] });
    await replica.start();
    await expect.poll(() => admin.info('replication'), { timeout: 20_000 }).toMatch(/connected_slaves:1/);
    expect(await remarks()).toMatch(/^warn: Redis has 1 replicas, of which 0 must be near.*any commits that no replica had/m);
    await admin.config('SET', 'min-replicas-to-write', '1');
    expect(await remarks()).toMatch(/^info: Redis has 1 replicas, of which 1 must be near/m);
    const store = new RedisStateStore({ connection: replica.address, application: 'test' });
    await expect(store.open()).rejects.toThrow(/STORE_SETTING(.|\n)*replica(.|\n)*Point state\.url at the master/);
    await admin.config('SET', 'min-replicas-to-write', '0');
    await replica.dispose();
  });
});

/** The answer of `scan.lua`: cursor, page, run id of the server. */
function isPage(answer: unknown): answer is readonly [Buffer, Buffer, Buffer] {
  return Array.isArray(answer) && answer.length === 3 && Buffer.isBuffer(answer[2]) && /^[0-9a-f]{40}$/.test(answer[2].toString());
}

describe.skipIf(!installed)('ranges of a large store in Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = new RedisService();
    await service.start();
  });
  afterAll(() => service.dispose());

  it('bring only what begins as the range does, not the whole hash', async () => {
    let received = 0;
    const store = new RedisStateStore({
      connection: service.address, application: 'test', readCellsMax: 100,
      intercept: async (_command, send) => {
        const answer = await send();
        if (isPage(answer)) received += cellsOfPage('s', answer[1]).length;
        return answer;
      },
    });
    await store.open();
    const keys = Array.from({ length: 20_000 }, (_, index) => `${index % 200}*[?]\\/${index}`);
    await store.commit(following(await store.claim('t_0'), keys.map((key) => cell('s', key, 'v'))));
    const [from, to] = ['17*[?]\\/', '17*[?]\\0'].map((text) => Buffer.from(text)) as [Buffer, Buffer];
    const found = await store.read('t_0', 's', { from, to });
    expect(found.map(({ key }) => Buffer.from(key).toString())).toEqual(keys.filter((key) => key.startsWith('17*')).sort());
    expect(found.length).toBe(100);
    expect(received).toBe(found.length);
    await store.close();
  });
});

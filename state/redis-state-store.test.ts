import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisStateStore } from './redis-state-store.ts';
import type { RedisStateStoreOptions } from './redis-state-store.ts';
import { describeStateStore, expectFailure } from './state-store-contract.ts';
import { cell, dump, following, loadAll } from './state-store-harness.ts';
import type { StateStoreHarness } from './state-store-harness.ts';

const url = process.env['VOLTSTREAM_TEST_REDIS'] ?? '';
if (url === '') {
  console.warn('Redis tests were left out: set VOLTSTREAM_TEST_REDIS=redis://HOST:PORT (an empty Redis 7) to include them.');
}

/** So small that even the contract's small commits are staged, and that its small stores are scanned. */
const tinyLimits = { commitCellsMax: 1, chunkCellsMax: 50, readCellsMax: 2, pageBytes: 1_000 };

describe.skipIf(url === '')('with Redis', () => {
  describeStateStore('Redis', () => makeHarness({}), { canFailHalfWay: true });
  describeStateStore('Redis, everything staged and scanned', () => makeHarness(tinyLimits), { canFailHalfWay: true });

  describe('RedisStateStore', () => {
    let admin: Redis;
    let prefix: string;
    let sent: string[];
    let store: RedisStateStore;
    const options = (): RedisStateStoreOptions => ({ connection: url, application: 'test', keyPrefix: prefix });
    beforeEach(async () => {
      admin = new Redis(url);
      prefix = `voltstream-test-${randomUUID()}:`;
      sent = [];
      store = new RedisStateStore({
        ...options(),
        intercept: (command, send) => {
          sent.push(command);
          return send();
        },
      });
      await store.open();
    });
    afterEach(async () => {
      await store.close();
      await deleteKeys(admin, prefix);
      admin.disconnect();
    });

    it('commits in one round trip, whatever the number of stores, without MULTI or pipelines', async () => {
      const cells = Array.from({ length: 10_000 }, (_, index) => cell(`s${index % 7}`, `key ${index}`, index % 9 === 0 ? null : 'v'));
      const commit = following(await store.claim('t_0'), cells);
      await admin.call('CONFIG', 'RESETSTAT');
      sent.length = 0;
      expect(await store.commit(commit)).toEqual({ kind: 'committed' });
      expect(sent).toEqual(['EVALSHA']);
      const statistics = await admin.info('commandstats');
      expect(statistics).toMatch(/cmdstat_evalsha:calls=1,/);
      expect(statistics).not.toMatch(/cmdstat_(multi|exec|eval|get|mget):/);
    });

    it('stages a commit that is too large for one script: a command a chunk, one to seal, one to look, one a chunk to apply', async () => {
      const cells = Array.from({ length: 25_000 }, (_, index) => cell('s', `key ${index}`, 'v'));
      const commit = following(await store.claim('t_0'), cells);
      sent.length = 0;
      expect(await store.commit(commit)).toEqual({ kind: 'committed' });
      expect(sent).toHaveLength(3 + 1 + 1 + 3);
      expect(await admin.keys(`${prefix}*staged`)).toEqual([]);
    });

    it('keeps all keys of a task under one hash tag', async () => {
      await store.commit(following(await store.claim('sessions_3'), [cell('a', 'k', 'v'), cell('b', 'k', 'v')]));
      const keys = (await admin.keys(`${prefix}*`)).filter((key) => !key.endsWith(':tasks'));
      expect(keys.map((key) => /\{(.*?)\}/.exec(key)?.[1])).toEqual(keys.map(() => 'test:sessions_3'));
      expect(keys).toHaveLength(3);
    });

    it('tells a Redis that has forgotten a script again', async () => {
      const claim = await store.claim('t_0');
      await admin.script('FLUSH');
      sent.length = 0;
      expect(await store.commit(following(claim, [cell('a', 'k', 'v')]))).toEqual({ kind: 'committed' });
      expect(sent).toEqual(['EVALSHA', 'EVAL']);
      sent.length = 0;
      await store.read('t_0', 'a');
      expect(sent).toEqual(['EVALSHA', 'EVAL']);
    });

    it('asks for the next page of a load before it hands out the one before', async () => {
      const cells = Array.from({ length: 3_000 }, (_, index) => cell('s', `key ${index}`, 'v'));
      const last = following(await store.claim('t_0'), cells);
      await store.commit(last);
      sent.length = 0;
      const asked: number[] = [];
      for await (const page of store.load({ ...last, epoch: 1 })) if (page.length > 0) asked.push(sent.filter((command) => command === 'EVALSHA').length);
      expect(asked.length).toBeGreaterThan(2);
      expect(asked).toEqual(asked.map((_, index) => Math.min(index + 2, asked.length)));
    });

    /** A store of which the n-th page of a scan is changed. */
    const disturbedAt = async (page: number, change: (answer: readonly unknown[]) => readonly unknown[]): Promise<RedisStateStore> => {
      let scans = 0;
      const isScan = (answer: unknown): answer is readonly unknown[] => Array.isArray(answer) && answer.length === 3 && Buffer.isBuffer(answer[1]);
      const disturbed = new RedisStateStore({
        ...options(), readCellsMax: 100,
        intercept: async (_command, send) => {
          const answer = await send();
          return isScan(answer) && ++scans === page ? change(answer) : answer;
        },
      });
      await disturbed.open();
      return disturbed;
    };
    const threeThousand = Array.from({ length: 3_000 }, (_, index) => cell('s', `key ${index}`, 'v'));
    /** The cursor of another process of Redis, which orders the hash otherwise. */
    const passOver = ([, cells, run]: readonly unknown[]): readonly unknown[] => [Buffer.from('0'), cells, run];
    const anotherRun = ([next, cells]: readonly unknown[]): readonly unknown[] => [next, cells, Buffer.from('another')];

    it.each([['passed over', passOver], ['given by another process of Redis', anotherRun]])('refuses a load of which cells were %s', async (_what, change) => {
      const last = following(await store.claim('t_0'), threeThousand);
      await store.commit(last);
      const disturbed = await disturbedAt(2, change);
      await expectFailure(loadAll(disturbed, { ...last, epoch: 1 }), 'STORE_UNAVAILABLE');
      expect(await loadAll(disturbed, { ...last, epoch: 1 })).toHaveLength(3_000);
      await disturbed.close();
    });

    it('scans again when cells were passed over while a large store was read', async () => {
      await store.commit(following(await store.claim('t_0'), threeThousand));
      const disturbed = await disturbedAt(2, passOver);
      expect((await disturbed.readPage('t_0', 's')).cells).toHaveLength(3_000);
      await disturbed.close();
    });

    it('refuses a range of a large store of which another process of Redis gave a part', async () => {
      await store.commit(following(await store.claim('t_0'), threeThousand));
      const disturbed = await disturbedAt(2, anotherRun);
      const range = { from: Buffer.from('key 1'), to: Buffer.from('key 2') };
      await expectFailure(disturbed.readPage('t_0', 's', range), 'STORE_UNAVAILABLE');
      expect((await disturbed.readPage('t_0', 's', range)).cells).toHaveLength(1_111);
      await disturbed.close();
    });

    it('leaves the state as it was when Redis is out of memory, and goes on with the same commit', async () => {
      const first = following(await store.claim('t_0'), [cell('a', 'k', 'v')]);
      await store.commit(first);
      const second = following(first, [cell('a', 'k', null), cell('a', 'l', Buffer.alloc(100_000))]);
      await admin.config('SET', 'maxmemory', '1');
      await expectFailure(store.commit(second), 'STORE_UNAVAILABLE');
      await admin.config('SET', 'maxmemory', '0');
      expect(dump(await store.read('t_0', 'a'))).toEqual(dump([cell('a', 'k', 'v')]));
      expect(await store.commit(second)).toEqual({ kind: 'committed' });
    });

    it('leaves the state as it was when cells are not a hash', async () => {
      const claim = await store.claim('t_0');
      await admin.set(`${prefix}{test:t_0}:1:cells:b`, 'foreign');
      await expectFailure(store.commit(following(claim, [cell('a', 'k', 'v'), cell('b', 'k', 'v')])), 'STORE_UNAVAILABLE');
      expect(await store.read('t_0', 'a')).toEqual([]);
    });

    it('gives the same commit once, although its connection breaks and it is sent again', async () => {
      const claim = await store.claim('t_0');
      const commit = following(claim, [cell('a', 'k', 'v')]);
      const first = store.commit(commit).catch((error: unknown) => error);
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await first;
      expect(['committed', 'repeated']).toContain((await store.commit(commit)).kind);
      expect(await store.commit(commit)).toEqual({ kind: 'repeated' });
    });

    it('refuses a Redis that may evict keys', async () => {
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await admin.config('SET', 'maxmemory', '1gb');
      const other = new RedisStateStore(options());
      await expectFailure(other.open(), 'STORE_SETTING');
      await admin.config('SET', 'maxmemory', '0');
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    });

    it('keeps applications apart, whatever their names', async () => {
      const stores = ['a', 'a:1', '{a}', 'a}:t_0:1:head'].map((application) => new RedisStateStore({ ...options(), application }));
      for (const [index, each] of stores.entries()) {
        await each.open();
        await each.commit(following(await each.claim('t_0'), [cell('s', 'k', `v${index}`)]));
      }
      for (const [index, each] of stores.entries()) {
        expect(dump(await loadAll(each, await each.claim('t_0')))).toEqual(dump([cell('s', 'k', `v${index}`)]));
        expect(await each.tasks()).toHaveLength(1);
        await each.close();
      }
    });

    it('keeps runs apart', async () => {
      await store.commit(following(await store.claim('t_0'), [cell('a', 'k', 'v')]));
      const nextRun = new RedisStateStore({ ...options(), run: 2 });
      await nextRun.open();
      expect(await nextRun.tasks()).toEqual([]);
      expect(await loadAll(nextRun, await nextRun.claim('t_0'))).toEqual([]);
      await nextRun.close();
    });
  });
});

it('says where it wanted to connect when there is no Redis', async () => {
  const store = new RedisStateStore({ connection: 'redis://127.0.0.1:1', application: 'test' });
  await expectFailure(store.open(), 'STORE_UNAVAILABLE');
  await expect(store.open()).rejects.toThrow(/127\.0\.0\.1:1\n {2}got: connect ECONNREFUSED/);
});

async function makeHarness(limits: Partial<RedisStateStoreOptions>): Promise<StateStoreHarness> {
  const admin = new Redis(url);
  const keyPrefix = `voltstream-test-${randomUUID()}:`;
  const connect = async (extra: Partial<RedisStateStoreOptions> = {}) => {
    const store = new RedisStateStore({ connection: url, application: 'test', keyPrefix, ...limits, ...extra });
    await store.open();
    return store;
  };
  return {
    connect: () => connect(),
    snapshot: async () => {
      const keys = await admin.keys(`${keyPrefix}*`);
      return Promise.all(keys.map(async (key) => [key, await admin.dumpBuffer(key)] as const));
    },
    restore: async (snapshot) => {
      await deleteKeys(admin, keyPrefix);
      for (const [key, value] of snapshot as readonly (readonly [string, Buffer])[]) await admin.restore(key, 0, value);
    },
    connectFailing: async (failAt, moment) => {
      let commands = 0;
      let counting = false;
      const intercept = async (_command: string, send: () => Promise<unknown>): Promise<unknown> => {
        if (!counting) return send();
        commands += 1;
        if (commands < failAt) return send();
        if (commands === failAt && moment === 'after') await send();
        throw new Error('connection lost');
      };
      const store = await connect({ intercept, commitCellsMax: 10, chunkCellsMax: 7 });
      counting = true;
      return { store, commands: () => commands };
    },
    close: async () => {
      await deleteKeys(admin, keyPrefix);
      admin.disconnect();
    },
  };
}

async function deleteKeys(admin: Redis, prefix: string): Promise<void> {
  const keys = await admin.keys(`${prefix}*`);
  if (keys.length > 0) await admin.unlink(...keys);
}

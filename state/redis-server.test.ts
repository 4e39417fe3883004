import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RedisServer } from './redis-server.ts';
import { RedisStateStore } from './redis-state-store.ts';
import { cell, following } from './state-store-harness.ts';

const url = process.env['VOLTSTREAM_TEST_REDIS'] ?? '';
if (url === '') console.warn('Redis tests were left out: set VOLTSTREAM_TEST_REDIS=redis://HOST:PORT (an empty Redis 7) to include them.');

describe.skipIf(url === '')('with Redis', () => {
  it('counts a commit as one round trip', async () => {
    const options = { connection: url, application: `count-${randomUUID()}` };
    const [store, server] = [new RedisStateStore(options), new RedisServer(options)];
    await store.open();
    await server.open();
    const claim = await store.claim('t_0');
    const before = await server.counters();
    await store.commit(following(claim, [cell('s', 'key', 'value')]));
    const after = await server.counters();
    expect(after?.roundTrips).toBeGreaterThan(before?.roundTrips ?? 0);
    expect(after?.receivedBytes).toBeGreaterThan(before?.receivedBytes ?? 0);
    for (const one of [after?.usedBytes, after?.peakBytes, after?.cpuSeconds, after?.commands]) expect(one).toBeGreaterThan(0);
    await server.removeAll();
    await server.close();
    await store.close();
  });

  it('deletes all that an application has, and nothing of one whose name begins alike', async () => {
    const name = `gone*[${randomUUID()}]`;
    const options = [name, `${name}-other`].map((application) => ({ connection: url, application, keyPrefix: 'a?:' }));
    const servers = options.map((one) => new RedisServer(one));
    const stores = options.map((one) => new RedisStateStore(one));
    for (const one of [...servers, ...stores]) await one.open();
    for (const store of stores) await store.commit(following(await store.claim('t_0'), [cell('s', 'key', 'value')]));
    const [gone, other] = stores;
    await servers[0]?.removeAll();
    expect(await gone?.tasks()).toEqual([]);
    // Its epochs, too: it begins from nothing.
    expect((await gone?.claim('t_0'))?.epoch).toBe(1);
    expect(await other?.tasks()).toMatchObject([{ task: 't_0', sequence: 1 }]);
    for (const server of servers) await server.removeAll();
    for (const one of [...servers, ...stores]) await one.close();
  });
});

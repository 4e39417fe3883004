import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectKey } from '../../operators/select-key.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import type { Log } from '../../runtime/log/log.ts';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { counting, countingTopics, countingTopology } from '../../runtime/worker/testing/counting-topology.ts';
import { FaultyPorts } from '../../runtime/worker/testing/faulty-ports.ts';
import type { Fault } from '../../runtime/worker/testing/faulty-ports.ts';
import { append, processOf, textsIn, worldOf } from '../../runtime/worker/testing/running.ts';
import type { Process, World } from '../../runtime/worker/testing/running.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { RedisStateStore } from '../../state/redis-state-store.ts';
import type { RedisStateStoreOptions } from '../../state/redis-state-store.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { ClickHouseService } from '../services/clickhouse.ts';
import { FaultyProxy } from '../services/faulty-proxy.ts';
import type { ProxyFault } from '../services/faulty-proxy.ts';
import { RedisService } from '../services/redis.ts';
import { byKey, sweep } from './sweep-outcome.ts';
import type { Outcome } from './sweep-outcome.ts';
import { inputForms, inputTopics, outputTable, outputTopics, sweepInput, sweepTopology } from './sweep-topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'server-sweep-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

async function work(running: Process): Promise<void> {
  await running.application.start();
  await running.drained(60_000);
  await running.application.stop();
}

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
const input = letters.flatMap((letter) => [1, 2, 3, 4].map((count) => `${letter}${count}`));

const hasRedis = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error === undefined;
if (!hasRedis) console.warn('The sweep over commands to Redis was left out: redis-server is not installed.');

describe.skipIf(!hasRedis)('an application on Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = new RedisService();
    await service.start();
  });
  afterAll(() => service.dispose());

  interface RedisRun {
    readonly outcome: unknown;
    readonly commands: number;
    readonly perCommit: readonly number[];
  }

  /** A process over a store whose n-th command fails; what came out is the `read` of a world. */
  async function process(
    given: { readonly world: World; readonly topology: Topology; readonly read: (world: World) => Promise<unknown> }, faultAt: number, moment: 'before' | 'after', limits: Partial<RedisStateStoreOptions> = {},
  ): Promise<RedisRun> {
    let commands = 0;
    const within = new AsyncLocalStorage<{ commands: number }>();
    const perCommit: number[] = [];
    const store = new RedisStateStore({
      connection: service.address, application: 'sweep', keyPrefix: `sweep-${randomUUID()}:`, ...limits,
      intercept: async (_name, send) => {
        const committing = within.getStore();
        if (committing !== undefined) committing.commands++;
        if (++commands !== faultAt) return send();
        if (moment === 'after') await send();
        throw new Error('connection lost, as the test wants it');
      },
    });
    // A process that cannot open its store ends, and another one starts.
    await store.open().catch(() => store.open());
    const { commit } = store;
    store.commit = (one) => {
      const count = { commands: 0 };
      return within.run(count, () => commit.call(store, one)).finally(() => perCommit.push(count.commands));
    };
    await work(processOf({ ...given.world, store }, given.topology));
    await store.close();
    return { outcome: await given.read(given.world), commands, perCommit };
  }

  /** An operator of each stateful kind. */
  async function run(faultAt: number, moment: 'before' | 'after'): Promise<RedisRun> {
    const world = await worldOf(folder, [...inputTopics, ...outputTopics].map((topic) => ({ topic, partitions: 2 })));
    const producer = await world.log.producer();
    await producer.append(sweepInput().map(({ topic, key, value, timestampMs }) => ({
      topic, timestampMs, key: Buffer.from(key), value: (inputForms[topic].value as Codec<unknown>).encode(value),
    })));
    const read = async (): Promise<Outcome> => {
      const outcome: Record<string, Readonly<Record<string, readonly string[]>>> = {};
      for (const topic of outputTopics) outcome[topic] = byKey((await textsIn(world, topic)).flat());
      return { ...outcome, [outputTable]: byKey(world.warehouse.textsOf(outputTable)) };
    };
    return process({ world, topology: sweepTopology(), read }, faultAt, moment);
  }

  /** Few cells, of which each commit is staged, in one or two chunks. */
  async function runStaged(faultAt: number, moment: 'before' | 'after'): Promise<RedisRun> {
    const world = await worldOf(folder, countingTopics);
    await append(world, 'in', input);
    const read = async (): Promise<unknown> => ({
      out: await textsIn(world, 'out'), groups: (await textsIn(world, 'groups')).map((texts) => texts.toSorted()),
      counts: world.warehouse.textsOf('counts').toSorted(), raw: world.warehouse.textsOf('raw').toSorted(),
    });
    return process({ world, topology: countingTopology(), read }, faultAt, moment, { commitCellsMax: 1, chunkCellsMax: 8 });
  }

  it('needs one round trip a commit', async () => {
    const { perCommit } = await run(0, 'before');
    expect(perCommit.length).toBeGreaterThan(20);
    expect(new Set(perCommit)).toEqual(new Set([1]));
  });

  it.each(['before', 'after'] as const)('gives the same, once each, when any one command fails %s it takes effect', async (moment) => {
    const calm = await run(0, moment);
    expect(calm.commands).toBeGreaterThan(60);
    expect(await sweep(calm.outcome, calm.commands + 5, async (n) => (await run(n, moment)).outcome, 6)).toEqual([]);
  }, 300_000);

  it.each(['before', 'after'] as const)('gives the same where every commit is staged: %s', async (moment) => {
    const calm = await runStaged(0, moment);
    expect(calm.outcome).toMatchObject({ counts: input, raw: input });
    expect(Math.max(...calm.perCommit)).toBeGreaterThan(3);
    expect(await sweep(calm.outcome, calm.commands + 5, async (n) => (await runStaged(n, moment)).outcome, 6)).toEqual([]);
  }, 300_000);

  it('says STATE_MISSING when its keys are gone, and changes nothing', async () => {
    const world = await worldOf(folder, countingTopics);
    await append(world, 'in', ['a1', 'b1', 'c1']);
    const options = { connection: service.address, application: 'sweep', keyPrefix: `sweep-${randomUUID()}:` };
    const store = new RedisStateStore(options);
    await store.open();
    await work(processOf({ ...world, store }, countingTopology()));
    const before = await textsIn(world, 'out');
    await store.close();
    const emptied = new RedisStateStore({ ...options, keyPrefix: `sweep-${randomUUID()}:` });
    await emptied.open();
    const again = processOf({ ...world, store: emptied }, countingTopology());
    await expect(again.application.start().then(() => again.drained())).rejects.toMatchObject({ code: 'STATE_MISSING' });
    await again.application.stop();
    expect(await textsIn(world, 'out')).toEqual(before);
    await emptied.close();
  });
});

describe('an application on ClickHouse’s HTTP interface', () => {
  let service: ClickHouseService;
  let proxy: FaultyProxy;
  let warehouse: ServerWarehouse;
  let direct: ServerWarehouse;

  beforeAll(async () => {
    service = new ClickHouseService({ stopMerges: true });
    await service.start();
    proxy = new FaultyProxy(service.url);
    direct = new ServerWarehouse({ url: service.url });
    await direct.command('CREATE DATABASE voltstream ENGINE = Atomic');
    warehouse = new ServerWarehouse({ url: await proxy.listen(), timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await warehouse.close();
    await direct.close();
    await proxy.close();
    await service.dispose();
  });

  const textsOf = async (table: string): Promise<readonly string[]> =>
    (await direct.query<{ readonly text: string }>(`SELECT text FROM voltstream.${table} ORDER BY text`)).map(({ text }) => text);

  async function run(faultAt: number, fault: ProxyFault): Promise<{ readonly outcome: unknown; readonly requests: number }> {
    for (const table of ['raw', 'counts']) {
      await direct.command(`DROP TABLE IF EXISTS voltstream.${table} SYNC`);
      await direct.command(`CREATE TABLE voltstream.${table} (text String, _version UInt64, _batch FixedString(16)) ENGINE = MergeTree PARTITION BY substring(text, 1, 1) ORDER BY text SETTINGS non_replicated_deduplication_window = 1000`);
    }
    const world: World = await worldOf(folder, countingTopics);
    await append(world, 'in', input);
    proxy.arm(faultAt, fault);
    const ports = { ...world, warehouse };
    const running = processOf(ports, countingTopology());
    await running.application.start().catch(async (error: unknown) => {
      // What fails before the first record ends the process, and another one starts.
      expect(error).toMatchObject({ code: 'WAREHOUSE_UNAVAILABLE' });
      await running.application.stop();
      await work(processOf(ports, countingTopology()));
    });
    await running.drained(60_000).catch(() => undefined);
    await running.application.stop();
    const { requests } = proxy;
    proxy.arm(0);
    return { requests, outcome: { raw: await textsOf('raw'), counts: await textsOf('counts'), out: await textsIn(world, 'out') } };
  }

  it.each<ProxyFault>(['lost-request', 'lost-answer', 'false-answer'])('gives the same, once each, when any one request meets a %s', async (fault) => {
    const calm = await run(0, fault);
    expect(calm.outcome).toMatchObject({ raw: input, counts: input });
    expect(calm.requests).toBeGreaterThan(15);
    expect(await sweep(calm.outcome, calm.requests + 2, async (n) => (await run(n, fault)).outcome)).toEqual([]);
  }, 300_000);
});

const kafka = process.env['VOLTSTREAM_TEST_KAFKA'];
if (kafka === undefined) console.warn('The sweep over calls to Kafka’s producers was left out: set VOLTSTREAM_TEST_KAFKA (`npm run services -- kafka`).');

describe.skipIf(kafka === undefined)('an application on Kafka', () => {
  const words = { key: utf8, value: utf8 };

  function topologyOf(id: string): Topology {
    const topology = new Topology(id); // names its repartition topics
    const counts = topology.stream(`${id}.in`, words).pipe(counting('counted'));
    counts.to(logTopic(`${id}.out`, words));
    counts.pipe(selectKey((_value: string, key: string): string => (key < 'd' ? 'low' : 'high'))).repartition('by-group', words)
      .pipe(counting('groups-counted')).to(logTopic(`${id}.groups`, words));
    return topology;
  }

  async function textsOf(log: Log, topic: string): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const partition of [0, 1]) {
      const { start, end } = await log.bounds({ topic, partition });
      for await (const { records } of log.read({ topic, partition }, start, end)) texts.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
    }
    return texts.sort();
  }

  async function run(faultAt: number, fault?: Fault): Promise<{ readonly outcome: unknown; readonly calls: number }> {
    const id = `sweep-${randomUUID().slice(0, 8)}`;
    const log = new KafkaLog({ brokers: [kafka ?? ''], application: id, sessionTimeoutMs: 6_000 });
    await log.open();
    await log.createTopics(['in', 'out', 'groups'].map((name) => ({ topic: `${id}.${name}`, partitions: 2 })));
    const producer = await log.producer();
    await producer.append(input.map((text, index) => ({ topic: `${id}.in`, key: Buffer.from(text.slice(0, 1)), value: Buffer.from(text), timestampMs: 1_700_000_000_000 + index })));
    const world = await worldOf(folder);
    const faulty = new FaultyPorts({ ...world, log }, faultAt, fault ?? null);
    await work(processOf({ ...world, log: faulty.log }, topologyOf(id), { flags: { applicationId: id } }));
    const read = async () => ({ out: await textsOf(log, `${id}.out`), groups: await textsOf(log, `${id}.groups`) });
    // Kafka answers the end of a transaction before its records are stable: readers see them a moment later.
    const all = ({ out, groups }: Awaited<ReturnType<typeof read>>): boolean => out.length >= input.length && groups.length >= input.length;
    for (let times = 0; times < 100 && !all(await read()); times++) await sleepFor(100);
    await sleepFor(200);
    const outcome = await read();
    await log.close();
    return { outcome, calls: faulty.calls };
  }

  it.each(['fail-before', 'fail-after'] as const)('gives the same, once each, when any one call of a producer does: %s', async (fault) => {
    const calm = await run(0);
    expect(calm.outcome).toEqual({ out: [...input].sort(), groups: ['low', 'high'].flatMap((group) => Array.from({ length: 12 }, (_, index) => `${group}${index + 1}`)).sort() });
    expect(calm.calls).toBeGreaterThan(6);
    expect(await sweep(calm.outcome, calm.calls + 2, async (n) => (await run(n, fault)).outcome, 3)).toEqual([]);
  }, 300_000);
});

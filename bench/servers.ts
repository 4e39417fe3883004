/**
 * Throughput on real servers, all of them on this machine: Kafka -> pod -> Redis, and ClickHouse (chDB behind its HTTP interface). The
 * whole product and one windowed aggregation, by one pod and by two; processor time by part and thread; Redis calls a commit. The input is
 * in the log before the clock starts; it stops when everything is processed, committed and delivered.
 *
 * `npm run bench:servers -- --help` explains its options.
 *
 * On a machine that is busy with other work, commits and seals by the clock come more often for each event, and with them everything that they
 * cost. `--slow 5` stretches those times by 5, so that processor time an event is what it would be at five times the speed.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { chargingTopics } from '../charging/topics.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import type { OutboundRecord } from '../runtime/log/log.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { completeChargingEvent } from '../schemas/charging-event-json.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import { InputFeed } from '../test/faults/servers-input.ts';
import { aboveZero, listOption, oneOf, script, whole } from '../test/script-options.ts';
import { ClickHouseService } from '../test/services/clickhouse.ts';
import { KafkaService } from '../test/services/kafka.ts';
import { RedisService } from '../test/services/redis.ts';
import { commandCalls, partSeconds, spread } from './servers-parts.ts';
import type { BenchPodMessage, BenchPodOptions } from './servers-pod.ts';
import { windowsTopic } from './servers-pod.ts';
import { describeThreadTimes, threadTimes } from './thread-times.ts';

type Work = BenchPodOptions['work'];
const values = script('npm run bench:servers --',
  'Throughput on real servers on this machine (Kafka, Redis, and chDB behind the HTTP interface of ClickHouse), which it starts itself: events per second, processor time by '
    + 'part and thread, Redis calls a commit. Needs java, mvn and redis-server.')
  .option('--events <number>', 'of each round; they are in the log before the clock starts', whole(1), 500_000)
  .option('--rounds <number>', 'of each work and number of pods', whole(1), 3)
  .option('--partitions <number>', 'of each topic', whole(1), 2)
  .addOption(listOption<Work>('--work <list>', 'product, windows (one windowed aggregation), or both with commas between', oneOf(['product', 'windows']), ['product', 'windows']))
  .addOption(listOption('--pods <list>', 'processes, with commas between', whole(1), [1, 2]))
  .option('--prof <folder>', 'write CPU profiles of the pods there')
  .option('--slow <times>', 'commits and seals by the clock come so many times more seldom', aboveZero, 1)
  .parse()
  .opts<{
    readonly events: number; readonly rounds: number; readonly partitions: number; readonly work: readonly Work[]; readonly pods: readonly number[]; readonly prof?: string;
    readonly slow: number;
  }>();
const { events, partitions, slow, work: works } = values;
const restMs = 3_000;
const keys = 1_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

class BenchPod {
  readonly #child: ChildProcess;
  readonly #heard: ((message: BenchPodMessage) => void)[] = [];
  tasks = 0;
  processed = 0;

  constructor(options: BenchPodOptions) {
    const profile = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
    this.#child = fork(join(import.meta.dirname, 'servers-pod.ts'), [JSON.stringify(options)], { execArgv: ['--max-semi-space-size=64', ...profile] });
    this.#child.on('message', (message: BenchPodMessage) => {
      if (message.kind === 'tasks') ({ tasks: this.tasks, processed: this.processed } = message);
      else for (const listener of this.#heard) listener(message);
    });
    this.#child.once('exit', (code) => {
      if (code !== 0) throw new Error(`a pod ended with code ${code}`);
    });
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  ask<K extends 'drained' | 'commits'>(order: string, kind: K): Promise<Extract<BenchPodMessage, { readonly kind: K }>> {
    return new Promise((resolve) => {
      this.#heard.push((message) => {
        if (message.kind === kind) resolve(message as Extract<BenchPodMessage, { readonly kind: K }>);
      });
      this.#child.send(order);
    });
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.send('stop');
    await ended;
  }
}

interface Round {
  readonly perSecond: number;
  readonly secondsPerMillion: Readonly<Record<string, number>>;
  /** Processor time of each part when there is nothing to do, as a part of one core: what a longer run costs beside its events. */
  readonly restPercent: Readonly<Record<string, number>>;
  readonly commits: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly inserts: { readonly inserts: number; readonly insertedRows: number };
  /** Microseconds an event by group of threads, for each part. */
  readonly threads: readonly string[];
}

class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-servers-'));
  readonly #kafka = new KafkaService();
  readonly #redis = new RedisService();
  readonly #clickhouse = new ClickHouseService();
  #rounds = 0;

  async start(): Promise<void> {
    await Promise.all([this.#kafka.start(), this.#redis.start(), this.#clickhouse.start()]);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#kafka.dispose(), this.#redis.dispose(), this.#clickhouse.dispose()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async fill(works: readonly string[]): Promise<void> {
    const log = new KafkaLog({ brokers: [this.#kafka.address], application: 'bench-driver' });
    const registry = new FileRegistry({ folder: join(this.#folder, 'schemas') });
    await log.open();
    await registry.open();
    if (works.includes('product')) {
      await log.createTopics(chargingTopics(partitions));
      const feed = new InputFeed({ events, log, registry, perSecond: Number.POSITIVE_INFINITY, plain: true });
      await feed.prelude();
      await feed.run();
    }
    if (works.includes('windows')) await fillWindows(log, registry);
    await registry.close();
    await log.close();
  }

  async round(work: Work, count: number): Promise<Round> {
    const name = `bench_${++this.#rounds}`;
    const redis = new Redis(this.#redis.address);
    await redis.flushall();
    await redis.config('RESETSTAT');
    const flags = {
      applicationId: name, dataFolder: this.#folder, partitions, logLevel: 'error', 'log.kind': 'kafka', 'log.brokers': this.#kafka.address,
      'state.kind': 'redis', 'state.url': this.#redis.address, 'warehouse.kind': 'server', 'warehouse.url': this.#clickhouse.url, 'warehouse.database': name,
      'commit.intervalMs': (work === 'windows' ? 1_000 : 200) * slow, 'outbox.sealAgeMs': 1_000 * slow,
    };
    const pods = Array.from({ length: count }, () => new BenchPod({ work, flags }));
    const parts = {
      pod: pods.map((pod) => pod.processId), Kafka: [this.#kafka.processId ?? 0], Redis: [this.#redis.processId ?? 0], ClickHouse: [this.#clickhouse.processId ?? 0],
    };
    while (pods.every((pod) => pod.processed === 0)) await sleep(5);
    const before = partSeconds(parts);
    const insertedBefore = await this.#clickhouse.totals();
    const threadsBefore = new Map(Object.entries(parts).flatMap(([, ids]) => ids.map((id) => [id, threadTimes(id)] as const)));
    const startedMs = performance.now();
    while (pods.some((pod) => pod.tasks === 0)) await sleep(5);
    await Promise.all(pods.map((pod) => pod.ask('drain', 'drained')));
    const elapsedMs = performance.now() - startedMs;
    const after = partSeconds(parts);
    const threads = Object.entries(parts).flatMap(([part, ids]) => ids.map((id) => (
      `${part}: ${describeThreadTimes(threadsBefore.get(id) ?? new Map(), threadTimes(id), events)}`)));
    const inserted = await this.#clickhouse.totals();
    const resting = partSeconds(parts);
    await sleep(restMs);
    const rested = partSeconds(parts);
    const commits = (await Promise.all(pods.map((pod) => pod.ask('commits', 'commits')))).reduce((sum, answer) => sum + answer.commits, 0);
    const calls = commandCalls(await redis.info('commandstats'));
    redis.disconnect();
    await Promise.all(pods.map((pod) => pod.stop()));
    return {
      perSecond: events / elapsedMs * 1_000, commits, calls, threads,
      restPercent: Object.fromEntries(Object.entries(rested).map(([part, seconds]) => [part, (seconds - (resting[part] ?? 0)) / restMs * 1e5])),
      inserts: { inserts: inserted.inserts - insertedBefore.inserts, insertedRows: inserted.insertedRows - insertedBefore.insertedRows },
      secondsPerMillion: Object.fromEntries(Object.entries(after).map(([part, seconds]) => [part, (seconds - (before[part] ?? 0)) / events * 1e6])),
    };
  }
}

async function fillWindows(log: KafkaLog, registry: FileRegistry): Promise<void> {
  await log.createTopics([{ topic: windowsTopic, partitions, settings: { 'retention.ms': '-1' } }]);
  const writer = await registry.writer(`${windowsTopic}-value`, chargingEvent);
  const producer = await log.producer();
  for (let at = 0; at < events;) {
    const batch: OutboundRecord[] = [];
    for (; batch.length < 4_000 && at < events; at++) {
      const stationId = `station-${at % keys}`;
      const timestampMs = 1_700_000_000_000 + Math.floor(at / keys) * 10_000 + (at % keys) % 10_000;
      batch.push({
        topic: windowsTopic, key: utf8.encode(stationId), timestampMs,
        value: writer.encode(completeChargingEvent({
          eventId: `event-${at}`, type: 'TransactionUpdated', stationId, timestampMs, transactionId: `t-${at % keys}`, seqNo: at % 1_000, meterWh: at,
          powerW: 7_400 + (at % 100), soc: at % 100, chargingState: 'Charging',
        })),
      });
    }
    await producer.append(batch);
  }
  await producer.close();
}

function describeRound({ perSecond, secondsPerMillion, restPercent, commits, calls, inserts, threads }: Round): string {
  const cpu = Object.entries(secondsPerMillion).map(([part, seconds]) => `${part} ${seconds.toFixed(1)}`).join(', ');
  const all = Object.values(secondsPerMillion).reduce((sum, seconds) => sum + seconds, 0);
  // A claim is one script, and the only one that adds to the set of tasks. What scripts call is counted among the other commands.
  const claims = calls['sadd'] ?? 0;
  const scripts = (calls['evalsha'] ?? 0) + (calls['eval'] ?? 0) - claims;
  return `${Math.round(perSecond).toLocaleString('en-US')}/s; CPU-s per million: ${cpu}, together ${all.toFixed(1)}; ${commits} commits by ${scripts} scripts (${
    (scripts / Math.max(1, commits)).toFixed(2)} a commit), ${claims} claims; ${inserts.insertedRows} rows by ${inserts.inserts} inserts\n  at rest, % of a core: ${
    Object.entries(restPercent).map(([part, percent]) => `${part} ${percent.toFixed(1)}`).join(', ')}\n${threads.map((line) => `  microseconds an event, ${line}\n`).join('')}`;
}

process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}, servers on the same cores; ${events.toLocaleString('en-US')} events, ${partitions} partitions\n`);
const bench = new Bench();
try {
  await bench.start();
  await bench.fill(works);
  for (const work of works) {
    for (const count of values.pods) {
      const rates: number[] = [];
      for (let number = 1; number <= values.rounds; number++) {
        const round = await bench.round(work, count);
        rates.push(round.perSecond);
        process.stdout.write(`${work}, ${count} pod${count === 1 ? '' : 's'}, round ${number}: ${describeRound(round)}`);
      }
      process.stdout.write(`${work}, ${count} pod${count === 1 ? '' : 's'}: events/s ${spread(rates)}\n`);
    }
  }
} finally {
  await bench.dispose();
}
process.exit(0);

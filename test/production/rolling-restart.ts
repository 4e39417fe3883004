/**
 * A rolling restart of all pods under load, with real Kafka, Redis and ClickHouse's HTTP interface as local processes:
 * `node test/production/rolling-restart.ts --help`. Prints what it saw as JSON; exit 1 when something was lost, doubled or reloaded.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventsTopic } from '../../charging/topology.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { portsOf } from '../../runtime/ports.ts';
import { aboveZero, script, whole } from '../script-options.ts';
import { ClickHouseService } from '../services/clickhouse.ts';
import { KafkaService } from '../services/kafka.ts';
import { RedisService } from '../services/redis.ts';
import { judgeRolling, reloads } from './rolling-judges.ts';
import type { RollingFacts, TableCount } from './rolling-judges.ts';
import { ServedPod } from './served-pod.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'voltstream.ts');
const partitions = 4;
const database = 'rolling';

export interface RollingOptions {
  readonly pods: number;
  /** Messages a second; lag counts as back when it is below one second of it. */
  readonly rate: number;
  readonly days: number;
  readonly tell: (message: string) => void;
}

export interface RollingOutcome extends RollingFacts {
  readonly wrong: readonly string[];
  readonly restarts: readonly Restart[];
}

interface Restart {
  readonly pod: string;
  /** From SIGTERM to the end of the process. */
  readonly stopMs: number;
  /** From SIGTERM until all tasks run elsewhere and lag is under a second. */
  readonly takenOverMs: number;
  /** From the new start until it is ready, and until lag is under a second again. */
  readonly readyMs: number;
  readonly caughtUpMs: number;
}

/** Starts servers and pods, restarts each pod once while messages come, lets it end, and judges. */
export async function rollingRestart(options: RollingOptions): Promise<RollingOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-rolling-'));
  const services = [new KafkaService(), new RedisService(), new ClickHouseService({ stopMerges: true })] as const;
  const pods: ServedPod[] = [];
  try {
    await Promise.all(services.map((service) => service.start()));
    const [kafka, redis, clickhouse] = services;
    const environment = {
      VOLTSTREAM_APPLICATION_ID: 'rolling', VOLTSTREAM_PARTITIONS: String(partitions), VOLTSTREAM_DATA_FOLDER: folder,
      VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: kafka.address, VOLTSTREAM_LOG_SESSION_TIMEOUT_MS: '10000', VOLTSTREAM_LOG_HEARTBEAT_INTERVAL_MS: '1000',
      VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: redis.address,
      VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: clickhouse.url, VOLTSTREAM_WAREHOUSE_DATABASE: database,
    };
    return await new Rolling(options, environment, pods).run();
  } finally {
    for (const pod of pods) pod.kill();
    await Promise.all(services.map((service) => service.dispose()));
    rmSync(folder, { recursive: true, force: true });
  }
}

class Rolling {
  readonly #options: RollingOptions;
  readonly #environment: Readonly<Record<string, string>>;
  /** Every life of every pod. */
  readonly #lives: ServedPod[];
  readonly #running: ServedPod[] = [];
  readonly #exitCodes: (number | null)[] = [];
  #tasks = 0;

  constructor(options: RollingOptions, environment: Readonly<Record<string, string>>, lives: ServedPod[]) {
    this.#options = options;
    this.#environment = environment;
    this.#lives = lives;
  }

  async run(): Promise<RollingOutcome> {
    const { pods, rate, days, tell } = this.#options;
    for (let pod = 1; pod <= pods; pod++) this.#start(`pod-${pod}`);
    await Promise.all(this.#running.map((pod) => pod.ready()));
    this.#tasks = (await this.#figures())?.tasks ?? 0;
    tell(`${pods} pods with ${this.#tasks} tasks are ready`);
    const load = this.#load(rate, days);
    // The network itself (a thousand stations) comes first, all at once.
    await sleep(5_000);
    await this.#settled();
    const restarts: Restart[] = [];
    for (let pod = 1; pod <= pods; pod++) restarts.push(await this.#restart(`pod-${pod}`));
    const loadGoesOn = await Promise.race([load.then(() => false), sleep(0).then(() => true)]);
    tell(loadGoesOn ? 'all pods are restarted; the load goes on' : 'all pods are restarted, but the load ended before: give it more days');
    await load;
    await this.#drained();
    for (const pod of this.#running) this.#exitCodes.push(await pod.stop());
    const facts = {
      ...await this.#asked(), exitCodes: this.#exitCodes, recoveryMs: restarts.flatMap(({ takenOverMs, caughtUpMs }) => [takenOverMs, caughtUpMs]),
      reloads: this.#lives.flatMap((pod) => reloads(pod.name, pod.lines)),
    };
    return { ...facts, restarts, wrong: [...judgeRolling(facts), ...(loadGoesOn ? [] : ['the load ended before the last restart'])] };
  }

  #start(name: string): ServedPod {
    const pod = new ServedPod(name, this.#environment);
    this.#lives.push(pod);
    this.#running.push(pod);
    return pod;
  }

  async #restart(name: string): Promise<Restart> {
    const at = this.#running.findIndex((pod) => pod.name === name);
    const [old] = this.#running.splice(at, 1);
    const startedMs = performance.now();
    const ended = old?.stop().then((code) => {
      this.#exitCodes.push(code);
      return performance.now() - startedMs;
    });
    await this.#settled();
    const takenOverMs = performance.now() - startedMs;
    const stopMs = await ended ?? 0;
    const againMs = performance.now();
    const pod = this.#start(name);
    await pod.ready();
    const readyMs = performance.now() - againMs;
    await this.#settled();
    const restart = {
      pod: name, stopMs: Math.round(stopMs), takenOverMs: Math.round(takenOverMs), readyMs: Math.round(readyMs), caughtUpMs: Math.round(performance.now() - againMs),
    };
    this.#options.tell(JSON.stringify(restart));
    return restart;
  }

  async #load(rate: number, days: number): Promise<void> {
    await promisify(execFile)(process.execPath, [
      program, 'simulate', '--profile', 'city', '--seed', 'rolling', '--days', String(days), '--rate', String(rate), '--workers', '0', '--no-ledger', '--json',
    ], { env: { ...process.env, ...this.#environment }, maxBuffer: 64_000_000 });
  }

  /** Sums over the pods that run; null when one of them does not answer. */
  async #figures(): Promise<{ readonly tasks: number; readonly lagRecords: number; readonly outboxRows: number } | null> {
    const sum = { tasks: 0, lagRecords: 0, outboxRows: 0 };
    for (const pod of this.#running) {
      const figures = await pod.figures();
      if (figures === null) return null;
      sum.tasks += figures.tasks;
      sum.lagRecords += figures.lagRecords;
      sum.outboxRows += figures.outboxRows;
    }
    return sum;
  }

  /** Every task runs somewhere, and less than a second of records waits. */
  #settled(): Promise<void> {
    return this.#until('every task runs and lag is under a second', ({ tasks, lagRecords }) => tasks === this.#tasks && lagRecords < this.#options.rate);
  }

  async #drained(): Promise<void> {
    await this.#until('all is processed and delivered', ({ tasks, lagRecords, outboxRows }) => tasks === this.#tasks && lagRecords === 0 && outboxRows === 0);
    // The end that a task knows is that of its last fetch; and a repartition hands on what another task has just delivered.
    await sleep(5_000);
    await this.#until('all is still processed and delivered', ({ lagRecords, outboxRows }) => lagRecords === 0 && outboxRows === 0);
  }

  async #until(what: string, holds: (figures: { readonly tasks: number; readonly lagRecords: number; readonly outboxRows: number }) => boolean): Promise<void> {
    const untilMs = Date.now() + 180_000;
    let figures = await this.#figures();
    while (figures === null || !holds(figures)) {
      if (Date.now() > untilMs) throw new Error(`it did not come that ${what}: ${JSON.stringify(figures)}`);
      await sleep(50);
      figures = await this.#figures();
    }
  }

  /** With merges stopped, so that what came twice is there twice. */
  async #asked(): Promise<{ readonly tables: readonly TableCount[]; readonly inputRecords: number; readonly rawEvents: number; readonly deadLetters: number }> {
    const { log, warehouse } = await portsOf(loadConfiguration({ environment: this.#environment }));
    await log.open();
    await warehouse.open();
    try {
      let inputRecords = 0;
      for (let partition = 0; partition < partitions; partition++) {
        const { start, end } = await log.bounds({ topic: eventsTopic, partition });
        inputRecords += end - start;
      }
      const found = await warehouse.query<{ readonly name: string; readonly key: string }>(
        `SELECT name, sorting_key AS key FROM system.tables WHERE database = '${database}' AND engine LIKE '%ReplacingMergeTree' AND name != 'applied_migrations'
         AND name IN (SELECT table FROM system.columns WHERE database = '${database}' AND name = '_version') ORDER BY name`,
      );
      const tables: TableCount[] = [];
      for (const { name, key } of found) {
        const [counts] = await warehouse.query<{ readonly rows: string; readonly distinct: string }>(
          `SELECT count() AS rows, uniqExact(tuple(${key}, _version)) AS distinct FROM ${database}.${name}`);
        tables.push({ table: name, rows: Number(counts?.rows), distinct: Number(counts?.distinct) });
      }
      const [counted] = await warehouse.query<{ readonly raw: string; readonly dead: string }>(
        `SELECT (SELECT count() FROM ${database}.charging_events) AS raw,
                (SELECT uniqExact(topic, partition, offset) FROM ${database}.dead_letters WHERE topic = '${eventsTopic}' AND stage = 'deserialise') AS dead`);
      return { tables, inputRecords, rawEvents: Number(counted?.raw), deadLetters: Number(counted?.dead) };
    } finally {
      await warehouse.close();
      await log.close();
    }
  }
}

if (import.meta.main) {
  const values = script('node test/production/rolling-restart.ts',
    "Restarts each pod once while a simulated network sends, on Kafka, Redis and ClickHouse's HTTP interface, which it starts itself. Prints what it saw as JSON; exit code 1 "
      + 'when anything was lost, came twice or was loaded again. Needs java, mvn and redis-server.')
    .option('--pods <number>', 'from 2 on, as the others take over', whole(2), 3)
    .option('--rate <number>', 'messages a second', aboveZero, 1_500)
    .option('--days <number>', 'simulated time, in days: enough that the load goes on until the last pod is back', aboveZero, 1)
    .parse()
    .opts<{ readonly pods: number; readonly rate: number; readonly days: number }>();
  // Ends servers and pods with us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const outcome = await rollingRestart({ ...values, tell: (message) => void process.stderr.write(`${message}\n`) });
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  process.exitCode = outcome.wrong.length === 0 ? 0 : 1;
}

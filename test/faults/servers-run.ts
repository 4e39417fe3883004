import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargingTopics } from '../../charging/topics.ts';
import { chargingTopology, eventsTopic, sessionsTopic } from '../../charging/topology.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import type { ClickHouseService } from '../services/clickhouse.ts';
import { Fleet, Pod } from './servers-fleet.ts';
import { countEvents, inputFiles, Tap } from './servers-input.ts';
import { isSound, judgedTables, judgeSequences, judgeTable, readSequences, type Verdict } from './servers-judges.ts';
import type { Fault } from './servers-faults.ts';
import { randomFrom } from '../seeded-random.ts';
import { schedule } from './servers-faults.ts';
import { RenamedLog, type TopicNames } from './servers-topics.ts';

export interface ServersRunOptions {
  readonly seed: number;
  readonly kills: number;
  /** Stops of one pod for longer than the session. */
  readonly zombies: number;
  /** Times that Redis is put back to an older copy; tables are then judged with FINAL. */
  readonly rewinds: number;
  /** Kills of ClickHouse, and as many inserts that fail or whose answer is lost. */
  readonly warehouseFaults: number;
  /** Rows of the session log to take; null takes all of Dundee's. */
  readonly rowsMax: number | null;
  readonly sessionTimeoutMs: number;
  readonly kafka: string;
  readonly redis: { readonly address: string; snapshot?(): Promise<string>; restore?(snapshot: string): Promise<void> };
  readonly warehouse: ClickHouseService;
  /** For schemas, the input slice and the pods' logs. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

export interface ServersReport {
  readonly seed: number;
  readonly events: number;
  readonly faults: Readonly<Record<string, number>>;
  /** What the pods' logs tell of the disturbed part. */
  readonly happenings: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
  readonly sound: boolean;
  readonly disturbedMs: number;
  readonly referenceMs: number;
}

const partitions = 4;
const { subTopologies, archives } = chargingTopology().build();
const taskCount = (subTopologies.length + archives.length) * partitions;
const calmMs = 120_000;

/** One run: the same events through two disturbed pods and, afterwards, through one that is left alone; then the judges. */
export class ServersRun {
  readonly #options: ServersRunOptions;
  readonly #id: string;
  readonly #random: () => number;
  readonly #log: KafkaLog;
  readonly #warehouse: ServerWarehouse;
  readonly #faults: Record<string, number> = {};

  constructor(options: ServersRunOptions) {
    this.#options = options;
    this.#id = `run${options.seed}-${Date.now().toString(36)}`;
    this.#random = randomFrom(options.seed);
    this.#log = new KafkaLog({ brokers: [options.kafka], application: `${this.#id}-driver` });
    this.#warehouse = new ServerWarehouse({ url: options.warehouse.url });
  }

  async run(): Promise<ServersReport> {
    mkdirSync(this.#options.folder, { recursive: true });
    await this.#log.open();
    try {
      return await this.#run();
    } finally {
      await this.#warehouse.close();
      await this.#log.close();
    }
  }

  async #run(): Promise<ServersReport> {
    const { report, rowsMax, folder, seed } = this.#options;
    const files = await inputFiles(rowsMax, folder);
    const events = await countEvents(files);
    report(`seed ${seed}: ${events} events in ${partitions} partitions`);
    const startedMs = performance.now();
    const happenings = await this.#disturbed(files, events);
    const disturbedMs = performance.now() - startedMs;
    report(`calm after ${(disturbedMs / 1_000).toFixed(1)} s; reference run`);
    const referenceMs = await this.#reference();
    const verdicts = await this.#judge();
    return { seed, events, faults: this.#faults, happenings, verdicts, sound: verdicts.every(isSound), disturbedMs, referenceMs };
  }

  #names(run: 'judged' | 'reference'): TopicNames {
    return Object.fromEntries(chargingTopics(partitions).map(({ topic }) => [topic, `${this.#id}.${topic === sessionsTopic ? `${run}.` : ''}${topic}`]));
  }

  #fleet(run: 'judged' | 'reference', names: readonly string[]): Fleet {
    const { folder, sessionTimeoutMs, kafka, redis, warehouse } = this.#options;
    const flags = {
      applicationId: `${this.#id}-${run}`, dataFolder: folder, partitions, logLevel: 'info',
      'log.kind': 'kafka', 'log.brokers': kafka, 'log.sessionTimeoutMs': sessionTimeoutMs, 'log.heartbeatIntervalMs': Math.floor(sessionTimeoutMs / 10),
      'state.kind': 'redis', 'state.url': redis.address.startsWith('redis') ? redis.address : `redis://${redis.address}`,
      'warehouse.kind': 'server', 'warehouse.url': warehouse.url, 'warehouse.database': run,
    };
    return new Fleet(names.map((name) => new Pod({ name, flags, topics: this.#names(run) }, folder)), taskCount);
  }

  async #disturbed(files: readonly string[], events: number): Promise<Readonly<Record<string, number>>> {
    const names = this.#names('judged');
    const log = new RenamedLog(this.#log, names);
    await log.createTopics(chargingTopics(partitions));
    const registry = new FileRegistry({ folder: join(this.#options.folder, 'schemas') });
    await registry.open();
    const faults = schedule(this.#options, this.#random);
    const share = Math.ceil(events / (faults.length + 2));
    const tap = new Tap();
    // The first append brings the stations along: no task may see events before them, or the order of arrival would matter.
    tap.allow(share);
    const ingesting = tap.ingest(files, log, registry);
    while (tap.appended === 0) await Promise.race([sleep(10), ingesting]);
    const fleet = this.#fleet('judged', ['a', 'b']);
    try {
      fleet.start();
      await this.#faultsOn(fleet, faults, tap, share);
      tap.allow(Number.POSITIVE_INFINITY);
      await ingesting;
      await this.#options.warehouse.mode('serve');
      await fleet.drained(calmMs);
      await fleet.stop();
      return fleet.happenings();
    } finally {
      await fleet.kill();
      await registry.close();
    }
  }

  async #faultsOn(fleet: Fleet, faults: readonly Fault[], tap: Tap, share: number): Promise<void> {
    const { report } = this.#options;
    let snapshot: string | null = null;
    for (const fault of faults) {
      await this.#beforeFault(fleet, fault, () => tap.allow(share));
      this.#faults[fault.kind] = (this.#faults[fault.kind] ?? 0) + 1;
      report(`  ${fault.kind}${'pod' in fault ? ` ${fault.pod}` : ''}, ${tap.appended} events in, tasks ${
        fleet.pods.map((pod) => `${pod.name}:${pod.status?.tasks.length ?? '-'}`).join(' ')}`);
      if (fault.kind === 'snapshot') snapshot = await this.#options.redis.snapshot?.() ?? null;
      else if (fault.kind === 'rewind') await this.#options.redis.restore?.(snapshot ?? '');
      else await this.#inflict(fleet, fault);
    }
  }

  /** New work begins right before the moment, so that the fault falls into it. */
  async #beforeFault(fleet: Fleet, fault: Fault, work: () => void): Promise<void> {
    if (fault.kind === 'snapshot') {
      // State that was never committed is not older state but missing state, which stops the pods, and rightly.
      await fleet.drained(calmMs);
    } else if (fault.waitsForPods === true) {
      await fleet.until(() => fleet.complete && fleet.pods.every((pod) => pod.status?.ready === true), calmMs);
    } else if (fault.waitsForWork) {
      await fleet.until(() => fleet.complete, this.#options.sessionTimeoutMs * 3 + 20_000);
    }
    work();
    await fleet.until(() => false, fault.delayMs);
  }

  async #inflict(fleet: Fleet, fault: Fault): Promise<void> {
    const { warehouse, sessionTimeoutMs } = this.#options;
    switch (fault.kind) {
      case 'kill': {
        const victims = fault.pod === 'both' ? fleet.pods : fleet.pods.filter((pod) => pod.name === fault.pod);
        await Promise.all(victims.map((pod) => pod.kill()));
        await fleet.until(() => false, fault.downMs);
        for (const pod of victims) pod.start();
        return;
      }
      case 'zombie': {
        const pod = fleet.pods.find((one) => one.name === fault.pod);
        pod?.signal('SIGSTOP');
        await fleet.until(() => false, sessionTimeoutMs + fault.downMs);
        pod?.signal('SIGCONT');
        return;
      }
      case 'kill ClickHouse':
        await warehouse.kill();
        await fleet.until(() => false, fault.downMs);
        await warehouse.restart();
        return;
      case 'insert':
        await warehouse.mode(fault.mode, fault.times);
        return;
    }
  }

  async #reference(): Promise<number> {
    const fleet = this.#fleet('reference', ['reference']);
    const startedMs = performance.now();
    try {
      fleet.start();
      await fleet.drained(calmMs * 2);
      await fleet.stop();
    } finally {
      await fleet.kill();
    }
    return performance.now() - startedMs;
  }

  async #judge(): Promise<readonly Verdict[]> {
    const final = this.#options.rewinds > 0;
    const verdicts: Verdict[] = [];
    const input = this.#names('judged')[eventsTopic] ?? '';
    let events = 0;
    for (let partition = 0; partition < partitions; partition++) events += (await this.#log.bounds({ topic: input, partition })).end;
    const [archived] = await this.#warehouse.query<{ n: string }>('SELECT count() AS n FROM reference.charging_events');
    if (Number(archived?.n) !== events) throw new Error(`the reference run is incomplete: ${archived?.n} of ${events} events`);
    for (const table of judgedTables) verdicts.push(await judgeTable(this.#warehouse, { reference: 'reference', judged: 'judged' }, table, final));
    const [reference, judged] = await Promise.all((['reference', 'judged'] as const).map((run) =>
      readSequences(this.#log, this.#names(run)[sessionsTopic] ?? '', partitions)));
    verdicts.push(judgeSequences(`topic ${sessionsTopic}`, reference ?? new Map(), judged ?? new Map()));
    return verdicts;
  }
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargingTopics } from '../../charging/topics.ts';
import { chargingTopology, eventsTopic, sessionsTopic } from '../../charging/topology.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import { randomFrom } from '../seeded-random.ts';
import type { RollingRestart } from './servers-chaos.ts';
import { Chaos } from './servers-chaos.ts';
import type { Cluster } from './servers-cluster.ts';
import { Fleet, Pod } from './servers-fleet.ts';
import { firstEvents, InputFeed, patiently } from './servers-input.ts';
import { isSound, judgeSequences, judgeTable, readSequences, type Verdict } from './servers-judges.ts';
import { counted } from './servers-pod-log.ts';
import type { Reference } from './servers-reference.ts';
import type { FaultKind } from './servers-schedule.ts';
import { schedule } from './servers-schedule.ts';
import { baseTables, stopMerges } from './servers-tables.ts';

export interface ServersRunOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Records in the topic of events. */
  readonly events: number;
  readonly pods: number;
  readonly partitions: number;
  readonly kinds: ReadonlySet<FaultKind>;
  readonly sessionTimeoutMs: number;
  /** How long ClickHouse refuses or hangs. */
  readonly outageMs: number;
  readonly gapMsMax: number;
  /** One round with every kind once, however long it takes, instead of as many rounds as fit. */
  readonly onceEach?: boolean;
  /** Running; its folders are empty. */
  readonly cluster: Cluster;
  readonly reference: Reference;
  /** For schemas and the pods' logs. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

export interface ServersReport {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  /** What the pods' logs tell of the disturbed part. */
  readonly happenings: Readonly<Record<string, number>>;
  readonly rollingRestarts: readonly RollingRestart[];
  /** Starts of pods that found a server dead. */
  readonly startsFailed: number;
  /** True when tables were judged with FINAL, since Redis may have lost commits. */
  readonly rewound: boolean;
  readonly verdicts: readonly Verdict[];
  readonly sound: boolean;
  readonly disturbedMs: number;
}

/** Share of the time in which the input comes in. */
const inputShare = 0.85;
/** Time without any progress at all after which a run has failed; a hung insert waits for a minute. */
const stallMs = 150_000;
const judgeMs = 600_000;
const { subTopologies, archives } = chargingTopology().build();

/** One run: events through disturbed pods, then the judges, who compare what is there with the undisturbed run. */
export class ServersRun {
  readonly #options: ServersRunOptions;
  readonly #log: KafkaLog;
  readonly #warehouse: ServerWarehouse;

  constructor(options: ServersRunOptions) {
    this.#options = options;
    this.#log = new KafkaLog({ brokers: [options.cluster.kafka.address], application: 'chaos-driver' });
    this.#warehouse = new ServerWarehouse({ url: options.cluster.clickhouse.url, timeoutMs: judgeMs });
  }

  async run(): Promise<ServersReport> {
    mkdirSync(this.#options.folder, { recursive: true });
    await patiently(() => this.#log.open());
    try {
      return await this.#run();
    } finally {
      await this.#warehouse.close();
      await this.#log.close();
    }
  }

  async #run(): Promise<ServersReport> {
    const { reference, folder, seed, partitions, events } = this.#options;
    reference.copySchemas(join(folder, 'schemas'));
    await patiently(() => this.#log.createTopics(chargingTopics(partitions)));
    await migrate(this.#warehouse, { folder: join(import.meta.dirname, '../../deploy/clickhouse'), database: 'judged' });
    await stopMerges(this.#warehouse, 'judged');
    const registry = new FileRegistry({ folder: join(folder, 'schemas') });
    await registry.open();
    const feed = new InputFeed({ events, log: this.#log, registry, perSecond: this.#perSecond });
    await feed.prelude();
    const fleet = this.#fleet();
    const startedMs = performance.now();
    try {
      const chaos = await this.#disturbed(fleet, feed);
      const disturbedMs = performance.now() - startedMs;
      this.#options.report(`all processed, committed and delivered after ${(disturbedMs / 1_000).toFixed(1)} s; judging`);
      const verdicts = [...await this.#judge(chaos.rewound), ...rollingVerdict(chaos.rollingRestarts)];
      return {
        seed, faults: chaos.counts, happenings: counted(fleet.allHappenings), rollingRestarts: chaos.rollingRestarts, startsFailed: fleet.startsFailed,
        rewound: chaos.rewound, verdicts, sound: verdicts.every(isSound), disturbedMs,
      };
    } finally {
      await fleet.kill();
      await registry.close();
    }
  }

  get #perSecond(): number {
    const { events, minutes } = this.#options;
    return events / (minutes * 60 * inputShare);
  }

  #fleet(): Fleet {
    const { folder, sessionTimeoutMs, cluster, partitions, pods } = this.#options;
    const flags = {
      applicationId: 'chaos', dataFolder: folder, partitions, logLevel: 'info',
      'log.kind': 'kafka', 'log.brokers': cluster.kafka.address, 'log.sessionTimeoutMs': sessionTimeoutMs,
      'log.heartbeatIntervalMs': Math.floor(sessionTimeoutMs / 10),
      'state.kind': 'redis', 'state.url': cluster.redis.address, 'warehouse.kind': 'server', 'warehouse.url': cluster.clickhouse.url,
      'warehouse.database': 'judged',
    };
    // One more than run usually: pods are started and stopped, too.
    const names = Array.from({ length: pods + 1 }, (_, index) => String.fromCharCode('a'.charCodeAt(0) + index));
    const tasks = (subTopologies.length + archives.length) * partitions;
    return new Fleet(names.map((name) => new Pod({ name, flags }, folder, () => cluster.outage)), tasks);
  }

  async #disturbed(fleet: Fleet, feed: InputFeed): Promise<Chaos> {
    const { pods, seed, kinds, gapMsMax, outageMs, cluster, sessionTimeoutMs, events, minutes, report, onceEach = false } = this.#options;
    for (const pod of fleet.pods.slice(0, pods)) pod.start();
    await fleet.drained(stallMs);
    const faults = schedule({ pods, kinds, gapMsMax, outageMs, onceEach }, randomFrom(seed));
    const chaos = new Chaos({ cluster, fleet, feed, faults, pods, sessionTimeoutMs, events, perSecond: this.#perSecond, report });
    const feeding = feed.run().catch((error: unknown) => chaos.fail(error));
    try {
      await this.#begun(fleet, feed);
      await chaos.run(minutes * 60_000, onceEach ? kinds : new Set());
    } finally {
      feed.abandon();
      await feeding;
    }
    await cluster.clickhouse.mode('serve');
    report(`${chaos.progress()} | faults are over`);
    const telling = setInterval(() => report(`${chaos.progress()}`), 15_000);
    try {
      await fleet.drained(stallMs);
      await fleet.stop();
    } finally {
      clearInterval(telling);
    }
    fleet.happenings();
    return chaos;
  }

  /** State that was never committed is not older state but missing state, which stops the pods, and rightly: all tasks begin undisturbed. */
  async #begun(fleet: Fleet, feed: InputFeed): Promise<void> {
    const first = firstEvents(this.#options.events);
    while (!await fleet.until(() => feed.appended >= first, stallMs));
    await feed.pause();
    await fleet.drained(stallMs);
    feed.resume();
  }

  async #judge(final: boolean): Promise<readonly Verdict[]> {
    const { partitions, reference, events } = this.#options;
    let appended = 0;
    for (let partition = 0; partition < partitions; partition++) appended += (await this.#log.bounds({ topic: eventsTopic, partition })).end;
    if (appended !== events) throw new Error(`the input itself is not what it should be: ${appended} of ${events} records`);
    await reference.fill(this.#warehouse, 'reference');
    const verdicts: Verdict[] = [];
    for (const table of baseTables) verdicts.push(await judgeTable(this.#warehouse, { reference: 'reference', judged: 'judged' }, table, final));
    // What the last pods left open is ended by the broker a moment later.
    await sleep(1_000);
    verdicts.push(judgeSequences(`topic ${sessionsTopic}`, reference.sequences, await readSequences(this.#log, sessionsTopic, partitions)));
    return verdicts;
  }
}

function rollingVerdict(restarts: readonly RollingRestart[]): readonly Verdict[] {
  if (restarts.length === 0) return [];
  const again = restarts.reduce((sum, { reloads }) => sum + reloads, 0);
  return [{ what: 'tasks that stay in a rolling restart', rows: restarts.length, lost: 0, extra: 0, repeated: again, disordered: 0, samples: [] }];
}

import { once } from 'node:events';
import { chargingTopology, eventsTopic } from '../../../charging/topology.ts';
import type { Configuration } from '../../../runtime/configuration.ts';
import type { LogConsumer } from '../../../runtime/log/log.ts';
import type { Ports } from '../../../runtime/ports.ts';
import { Random } from '../../../simulator/random/random.ts';
import { productOptions } from '../../product-options.ts';
import { overdueBy } from '../feed.ts';
import { Latencies } from '../latencies.ts';
import type { LatencyFigures } from '../latencies.ts';
import type { LoadRun } from '../load-run.ts';
import { rateAt } from '../load-test-options.ts';
import { SampleSeries } from '../samples.ts';
import type { LoadSample } from '../samples.ts';
import { sumOf, visibleRows, watch } from '../visible-rows.ts';
import type { FeedThread } from './feed-thread.ts';
import type { PodsUnderTest } from './pods-under-test.ts';
import type { Kill } from './servers-report.ts';

/** All is done when it was so for this long: the end that a task knows is that of its last fetch, and a repartition hands on what another task has delivered. */
const CALM_MS = 3_000;
/** Beside several sessions of a dead pod: what has not moved for so long will not come, and is found missing. */
const STALLED_MS = 90_000;

export interface WatchOptions {
  readonly run: LoadRun;
  readonly configuration: Configuration;
  readonly ports: Ports;
  readonly pods: PodsUnderTest;
  readonly feed: FeedThread;
}

/** Samples a load test against servers, kills pods at their time, and knows when all is in the tables. */
export class ServersWatch {
  readonly #options: WatchOptions;
  readonly #latencies = new Latencies();
  readonly #consumer: LogConsumer;
  readonly #partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly #tasks: number;
  /** Shares of all messages after which a pod is killed, in order. */
  readonly #killsAt: number[];
  readonly #kills: Kill[] = [];
  readonly series = new SampleSeries();
  readonly #drained = Promise.withResolvers<void>();
  #kafkaLagMax = 0;
  #seconds = 0;
  #calmSinceMs: number | null = null;
  #moved = '';
  #movedMs = performance.now();

  constructor(options: WatchOptions) {
    this.#options = options;
    const { configuration, ports, run } = options;
    const { partitions, applicationId } = configuration;
    this.#partitions = Array.from({ length: partitions }, (_, partition) => ({ topic: eventsTopic, partition }));
    // It never joins: it only asks for the offsets of the group.
    this.#consumer = ports.log.consumer({ group: applicationId, tasks: [] });
    const { subTopologies, archives } = chargingTopology(productOptions(configuration)).build();
    this.#tasks = (subTopologies.length + archives.length) * partitions;
    const random = new Random(`${run.options.seed}/kill-times`);
    const { kills } = run.options;
    this.#killsAt = Array.from({ length: kills }, (_, at) => 0.1 + (0.8 * (at + random.part())) / kills);
  }

  due(counts: readonly number[], dueMs: number): void {
    counts.forEach((count, partition) => this.#latencies.due(partition, count, dueMs));
  }

  /** Resolves when all is in the tables, or when what is missing does not come; false: the signal came before. */
  async run(signal: AbortSignal): Promise<boolean> {
    const sampling = new AbortController();
    const watching = watch(() => this.#sample(), sampling.signal);
    try {
      const isComplete = await Promise.race([this.#options.feed.finished, watching.then(() => false)]);
      // What was not sent to its end judges nothing, and need not be waited for.
      if (!isComplete) return false;
      await Promise.race([this.#drained.promise, stopped(signal), watching]);
      return !signal.aborted;
    } finally {
      if (this.#seconds === 0) this.#seconds = this.#options.feed.seconds;
      sampling.abort();
      await watching;
      await this.#consumer.stop();
    }
  }

  get latency(): LatencyFigures | null {
    return this.#latencies.figures;
  }

  get kills(): readonly Kill[] {
    return this.#kills;
  }

  get kafkaLagMax(): number {
    return this.#kafkaLagMax;
  }

  /** From the first message until all was in the tables, the time to be sure of it left out. */
  get seconds(): number {
    return this.#seconds;
  }

  async #sample(): Promise<void> {
    const { run, configuration, ports, pods, feed } = this.#options;
    const rows = await visibleRows(ports.warehouse, configuration.warehouse.database);
    this.#latencies.visible(rows, performance.now());
    const visible = sumOf(rows);
    await pods.look();
    const offsets = await this.#consumer.committedOffsets(this.#partitions);
    const processed = offsets.reduce<number>((sum, offset) => sum + (offset ?? 0), 0);
    feed.through(Math.min(visible, processed));
    const { seconds, sent } = feed;
    const { cpuSeconds, rowsDelivered } = pods.counters;
    const lag = Math.max(0, sent - processed);
    this.#kafkaLagMax = Math.max(this.#kafkaLagMax, lag);
    const one: LoadSample = {
      seconds, sent, processed, lag: lag + overdueBy(run.options.pace, feed, run.options.events), rowsDelivered, visible, latencyP95Ms: this.#latencies.takeRecent(),
      memoryMb: pods.memoryMb, cpuSeconds, rate: feed.done ? null : rateAt(run.options.pace, seconds),
    };
    this.series.add(one);
    run.progress(one);
    this.#killWhenDue(visible);
    this.#lookWhetherDrained(one);
  }

  #killWhenDue(visible: number): void {
    const { run, pods, feed } = this.#options;
    const at = this.#killsAt[0];
    if (at === undefined || visible < at * run.options.events) return;
    const pod = pods.kill();
    if (pod === null) return;
    this.#killsAt.shift();
    this.#kills.push({ pod, seconds: feed.seconds, visible });
  }

  #lookWhetherDrained({ visible, sent, lag, processed, rowsDelivered }: LoadSample): void {
    const { pods, feed, configuration } = this.#options;
    const nowMs = performance.now();
    const moved = `${visible} ${sent} ${processed} ${rowsDelivered}`;
    if (moved !== this.#moved) this.#movedMs = nowMs;
    this.#moved = moved;
    if (!feed.done) return;
    const { states } = pods;
    const isCalm = visible >= sent && lag === 0 && states !== null && states.tasks >= this.#tasks && states.lagRecords === 0 && states.outboxRows === 0;
    if (!isCalm) this.#calmSinceMs = null;
    else if (this.#calmSinceMs === null) {
      this.#calmSinceMs = nowMs;
      this.#seconds = feed.seconds;
    }
    if ((this.#calmSinceMs !== null && nowMs - this.#calmSinceMs >= CALM_MS) || nowMs - this.#movedMs > STALLED_MS + 3 * configuration.log.sessionTimeoutMs) {
      this.#drained.resolve();
    }
  }
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

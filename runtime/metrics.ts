import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { metricCatalogue } from './metrics/catalogue.ts';
import { CounterTotals } from './metrics/counter-totals.ts';
import type { MetricDefinition, MetricKey } from './metrics/catalogue.ts';
import { emptyCounterReadings, pulledCounters, pulledGauges, readCounters, readGauges } from './metrics/readings.ts';
import type { CounterReadings } from './metrics/readings.ts';
import type { TaskMetricsSource } from './metrics/task-metrics-source.ts';

export { metricCatalogue } from './metrics/catalogue.ts';
export type {
  DropReason, SinkCounters, SourceCounters, StepCounters, StoreCounters, TaskMetricsSource,
} from './metrics/task-metrics-source.ts';

export interface EngineMetricsOptions {
  readonly version?: string;
  /** Adds Node's own metrics (memory, event loop, garbage collection). On unless a test leaves them out. */
  readonly nodeMetrics?: boolean;
  /** Wall-clock time, for the lag of stream time. */
  readonly nowMs?: () => number;
  /** False leaves out the series of each step of each task. */
  readonly steps?: boolean;
  /** Which process of which application this is. */
  readonly pod?: { readonly application: string; readonly id: string };
}

/** Metrics with a label for the step: the most series by far. */
const metricsOfSteps: ReadonlySet<MetricKey> = new Set(['recordsIn', 'recordsOut', 'late', 'dropped']);

/** What a guard of memory shows. */
export interface MemoryFigures {
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly paused: boolean;
}

/** Sums over all tasks, those that have left included, for progress lines and the live page. */
export interface EngineTotals {
  readonly sourceRecords: number;
  readonly lateRecords: number;
  readonly deadLetters: number;
  readonly deliveredRows: number;
  readonly lagRecords: number;
  readonly outboxRows: number;
  readonly outboxBytes: number;
  readonly stateEntries: number;
  readonly tasks: number;
}

/**
 * The metrics of one process, in Prometheus' form.
 *
 * Per record nothing is called here: tasks count in plain integers of their own and are read when someone scrapes. Only what
 * happens once per batch, commit, delivery or claim is pushed by the methods below.
 */
export class EngineMetrics {
  readonly registry = new Registry();
  readonly #tasks = new Set<TaskMetricsSource>();
  readonly #left = emptyCounterReadings();
  readonly #nowMs: () => number;
  #memory: (() => MemoryFigures) | null = null;
  readonly #processing: Histogram;
  readonly #commit: Histogram;
  readonly #delivery: Histogram;
  readonly #restore: Histogram;
  readonly #commitCells: Counter;
  readonly #claims: Counter;
  readonly #fences: Counter;
  readonly #rewinds: Counter;
  readonly #retries: Counter;
  readonly #simulated: Counter;
  readonly #stateServerUsed: Gauge;
  readonly #stateServerMax: Gauge;
  readonly #workerRestarts: Counter;

  constructor(options: EngineMetricsOptions = {}) {
    this.#nowMs = options.nowMs ?? Date.now;
    for (const key of pulledCounters) {
      const steps = options.steps ?? true;
      this.#pull(key, () => (steps ? this.#counters()[key] : withoutSteps(key, this.#counters()[key])));
    }
    for (const key of pulledGauges) this.#pull(key, () => readGauges(this.#tasks, this.#nowMs())[key]);
    this.#processing = this.#histogram('processing');
    this.#commit = this.#histogram('commit');
    this.#delivery = this.#histogram('delivery');
    this.#restore = this.#histogram('restore');
    this.#commitCells = this.#counter('commitCells');
    this.#claims = this.#counter('claims');
    this.#fences = this.#counter('fences');
    this.#rewinds = this.#counter('rewinds');
    this.#retries = this.#counter('retries');
    this.#simulated = this.#counter('simulatedMessages');
    this.#stateServerUsed = new Gauge({ ...this.#head('stateServerUsed') });
    this.#stateServerMax = new Gauge({ ...this.#head('stateServerMax') });
    this.storeServer(null, null);
    this.#workerRestarts = this.#counter('workerRestarts');
    const build = new Gauge({ ...this.#head('build') });
    build.set({ version: options.version ?? 'unknown', node_version: process.version }, 1);
    const pod = new Gauge({ ...this.#head('pod') });
    if (options.pod !== undefined) pod.set({ application: options.pod.application, pod: options.pod.id }, 1);
    this.#memoryGauge('memoryUsed', ({ usedBytes }) => usedBytes);
    this.#memoryGauge('memoryLimit', ({ limitBytes }) => limitBytes);
    this.#memoryGauge('memoryPaused', ({ paused }) => Number(paused));
    if (options.nodeMetrics ?? true) collectDefaultMetrics({ register: this.registry });
  }

  /**
   * Shows a task's counters from now on. The function given back takes the task out again: its gauges vanish, its counts
   * stay in the totals. Call it exactly when the task is dropped (calling it twice does nothing).
   */
  registerTask(source: TaskMetricsSource): () => void {
    this.#tasks.add(source);
    for (const counter of [this.#claims, this.#fences, this.#rewinds]) counter.inc({ sub_topology: source.subTopology }, 0);
    return () => {
      if (this.#tasks.delete(source)) readCounters(source, this.#left);
    };
  }

  /** Shows the memory of the process from now on. */
  watchMemory(figures: () => MemoryFigures): void {
    this.#memory = figures;
  }

  /** Time for decoding and processing one batch of one partition. */
  batchProcessed(subTopology: string, durationMs: number): void {
    this.#processing.observe({ sub_topology: subTopology }, durationMs / 1000);
  }

  committed(subTopology: string, durationMs: number, cells: number): void {
    this.#commit.observe({ sub_topology: subTopology }, durationMs / 1000);
    this.#commitCells.inc({ sub_topology: subTopology }, cells);
  }

  /** A sealed batch was acknowledged; `durationMs` counts from its first hand-over. */
  delivered(sink: string, durationMs: number): void {
    this.#delivery.observe({ sink }, durationMs / 1000);
  }

  /** A task was claimed and its state loaded. */
  claimed(subTopology: string, restoreMs: number): void {
    this.#claims.inc({ sub_topology: subTopology });
    this.#restore.observe({ sub_topology: subTopology }, restoreMs / 1000);
  }

  fenced(subTopology: string): void {
    this.#fences.inc({ sub_topology: subTopology });
  }

  rewound(subTopology: string): void {
    this.#rewinds.inc({ sub_topology: subTopology });
  }

  /** What the server of the state store uses, and its limit; null for what is not known or not there. */
  storeServer(usedBytes: number | null, bytesMax: number | null): void {
    for (const [gauge, value] of [[this.#stateServerUsed, usedBytes], [this.#stateServerMax, bytesMax]] as const) {
      if (value === null) gauge.remove();
      else gauge.set(value);
    }
  }

  /** `operation` is one of a few fixed words (`commit`, `deliver`, `poll`, `schema`...), never an error text. */
  retried(operation: string): void {
    this.#retries.inc({ operation });
  }

  /** Messages of simulated stations went into the log. */
  simulated(messages: number): void {
    this.#simulated.inc(messages);
  }

  /** A supervised process has died and is started again. */
  workerRestarted(worker: string): void {
    this.#workerRestarts.inc({ worker_name: worker });
  }

  /** Entries by store and bytes of outboxes, over all tasks. */
  memoryUse(): { readonly stores: ReadonlyMap<string, number>; readonly outboxBytes: number } {
    const gauges = readGauges(this.#tasks, this.#nowMs());
    const stores = new Map<string, number>();
    for (const { labels, value } of gauges.stateEntries.entries()) {
      const store = labels.at(-1) ?? '';
      stores.set(store, (stores.get(store) ?? 0) + value);
    }
    return { stores, outboxBytes: sum(gauges.outboxBytes) };
  }

  totals(): EngineTotals {
    const counters = this.#counters();
    const gauges = readGauges(this.#tasks, this.#nowMs());
    return {
      sourceRecords: sum(counters.sourceRecords), lateRecords: sum(counters.late), deadLetters: sum(counters.deadLetters),
      deliveredRows: sum(counters.delivered), lagRecords: sum(gauges.sourceLag), outboxRows: sum(gauges.outboxRows),
      outboxBytes: sum(gauges.outboxBytes), stateEntries: sum(gauges.stateEntries), tasks: this.#tasks.size,
    };
  }

  /** The exposition text of `/metrics`; `contentType` of the registry names its form. */
  async text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  #counters(): CounterReadings {
    const readings = emptyCounterReadings();
    for (const key of pulledCounters) readings[key].addAll(this.#left[key]);
    for (const task of this.#tasks) readCounters(task, readings);
    return readings;
  }

  #head(key: MetricKey): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const { name, help, labels }: MetricDefinition = metricCatalogue[key];
    return { name, help, labelNames: [...labels], registers: [this.registry] };
  }

  #memoryGauge(key: MetricKey, of: (figures: MemoryFigures) => number): void {
    const value = (): number | null => (this.#memory === null ? null : of(this.#memory()));
    new Gauge({
      ...this.#head(key),
      collect() {
        const now = value();
        this.reset();
        if (now !== null) this.set(now);
      },
    });
  }

  #counter(key: MetricKey): Counter {
    return new Counter(this.#head(key));
  }

  #histogram(key: MetricKey): Histogram {
    const { buckets = [] }: MetricDefinition = metricCatalogue[key];
    return new Histogram({ ...this.#head(key), buckets: [...buckets] });
  }

  #pull(key: MetricKey, read: () => CounterTotals): void {
    const definition: MetricDefinition = metricCatalogue[key];
    const collect = (metric: { reset(): void; inc(labels: Record<string, string>, value: number): void }): void => {
      metric.reset();
      for (const { labels, value } of read().entries()) {
        metric.inc(Object.fromEntries(definition.labels.map((label, index) => [label, labels[index] ?? ''])), value);
      }
    };
    if (definition.kind === 'counter') new Counter({ ...this.#head(key), collect() { collect(this); } });
    else new Gauge({ ...this.#head(key), collect() { collect(this); } });
  }
}

/** Dead letters of a step are too rare to be many, and too important to be left out: only the zeros go. */
function withoutSteps(key: MetricKey, totals: CounterTotals): CounterTotals {
  const rest = new CounterTotals();
  if (metricsOfSteps.has(key)) return rest;
  for (const { labels, value } of totals.entries()) {
    if (key !== 'deadLetters' || value > 0 || labels.at(-1) !== 'process') rest.add(labels, value);
  }
  return rest;
}

function sum(totals: CounterTotals): number {
  let value = 0;
  for (const entry of totals.entries()) value += entry.value;
  return value;
}

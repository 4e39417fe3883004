import { deserialize } from 'node:v8';
import { VoltstreamError } from '../../errors.ts';
import type { LocalStore } from '../../state/local-store.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { BuiltTopology, SinkNode } from '../../topology/graph.ts';
import type { Topology } from '../../topology/topology.ts';
import { judgeStoredTasks, refuseOrphanedTasks, refuseWaitingRows } from '../stored-tasks.ts';
import { applyGlobalRecord } from '../global-tables.ts';
import { decodeTopicRow } from '../delivery/topic-row.ts';
import { FailurePolicies } from '../task/error-policy.ts';
import type { SealedBatch } from '../task/outbox.ts';
import { visitBatch } from '../task/outbox.ts';
import { writerHeader } from '../task/writer-header.ts';
import type { LogHeader } from '../log/log.ts';
import { codecOf } from './driver-forms.ts';
import { DriverLog } from './driver-log.ts';
import { DriverCrash, DriverTask } from './driver-task.ts';

export interface TopologyTestDriverOptions {
  /** Partitions of every topic. */
  readonly partitions?: number;
  /**
   * `each`: commits and delivers after each push, so that outputs are there at once. `manual`: only `commit()` and `restart()`
   * decide, as the commit interval does in production.
   */
  readonly commit?: 'each' | 'manual';
  readonly maxTaskIdleMs?: number;
  /** False for a run as in replay and backfill: no wall-clock punctuators, and no source is ever idle. Default true. */
  readonly wallClock?: boolean;
}

export interface OutputRecord<K = unknown, V = unknown> {
  readonly key: K;
  readonly value: V;
  readonly timestampMs: number;
  /** Headers of a topic's record, as text; left out where there are none. */
  readonly headers?: readonly { readonly key: string; readonly value: string }[];
}

/**
 * Runs a topology without network, threads or clocks, synchronously: records in, outputs and stores out, restarts from
 * committed state in the middle, and a crash at the n-th call of a store or sink. It runs the very task that production
 * runs; only what lies behind the ports is replaced.
 *
 * @example
 * const driver = new TopologyTestDriver(topology);
 * driver.push('lines', 'a', 'hello', 10);
 * expect(driver.take('clean-lines')).toEqual([{ key: 'a', value: 'hello', timestampMs: 10 }]);
 */
export class TopologyTestDriver {
  #topology: BuiltTopology;
  readonly #options: TopologyTestDriverOptions;
  readonly #log: DriverLog;
  #tasks: readonly DriverTask[];
  #globalStores = new Map<string, LocalStore>();
  /** What was pushed into global tables, for another version of the topology. */
  readonly #globalRecords: { readonly topic: string; readonly key: unknown; readonly value: unknown; readonly timestampMs: number }[] = [];
  readonly #outputs = new Map<string, OutputRecord[]>();
  /** Highest ordinal that each sink has of each task: what a real sink keeps to recognise a batch that comes again. */
  readonly #delivered = new Map<string, number>();
  readonly #commitEach: boolean;
  #nowMs = 0;
  #calls = 0;
  #droppedByGlobalTables = 0;
  #crashAt: { readonly call: number; readonly moment: 'before' | 'after' } | null = null;

  constructor(topology: Topology, options: TopologyTestDriverOptions = {}) {
    this.#topology = topology.build();
    this.#options = options;
    this.#commitEach = (options.commit ?? 'each') === 'each';
    this.#log = new DriverLog(options.partitions ?? 1);
    this.#globalStores = globalStoresOf(this.#topology);
    this.#tasks = this.#tasksOf(this.#topology, this.#globalStores, new Map());
  }

  /**
   * Goes on with another version of the topology from what is committed, as a deployment does: to test that state is kept, read in
   * its earlier form, let go of, or that the change is refused. Throws as `Application.start` would; then the driver stays as it was.
   */
  evolve(topology: Topology): this {
    const built = topology.build();
    const committed = new Map(this.#tasks.filter((task) => task.committed.size > 0).map((task) => [task.id, task.committed]));
    const storesOf = new Map([...committed].map(([task, cells]) => [task, [...new Set([...cells.values()].map(({ store }) => store))]]));
    const running = new Set(built.subTopologies.flatMap((part) => this.#partitions.map((partition) => `${part.name}_${partition}`)));
    const judged = judgeStoredTasks(built, running, [...committed.keys()]);
    refuseOrphanedTasks(built, judged, storesOf);
    for (const task of judged.dropped) refuseWaitingRows(task, storesOf.get(task) ?? []);
    const globalStores = globalStoresOf(built);
    const tasks = this.#tasksOf(built, globalStores, committed);
    this.#topology = built;
    this.#globalStores = globalStores;
    this.#tasks = tasks;
    for (const { topic, key, value, timestampMs } of this.#globalRecords) this.#pushGlobal(topic, key, value, timestampMs);
    this.#run();
    return this;
  }

  /** A copy of what is committed, as a state store: for `committedState`, and for savepoints. */
  async stateStore(): Promise<StateStore> {
    const store = new MemoryStateStore();
    for (const task of this.#tasks) {
      const { owner } = await store.claim(task.id);
      if (task.committed.size === 0) continue;
      await store.commit({ task: task.id, owner, previousSequence: 0, sequence: 1, commitId: `copy of ${task.id}`, cells: [...task.committed.values()] });
    }
    return store;
  }

  /** Appends one record to a topic, in the topic's form, and processes everything up to the end. */
  push<K, V>(topic: string, key: K | null, value: V | null, timestampMs: number): void {
    if (this.#topology.globalTables.some((table) => table.topic === topic)) {
      this.#globalRecords.push({ topic, key, value, timestampMs });
      this.#pushGlobal(topic, key, value, timestampMs);
      return;
    }
    const form = this.#topology.subTopologies.flatMap((part) => part.sources).find((source) => source.topic === topic)?.form;
    if (form === undefined) throw this.#unknown('topic', topic);
    this.pushBytes(
      topic,
      key === null ? null : codecOf(form.key).encode(key),
      value === null ? null : codecOf(form.value).encode(value),
      timestampMs,
    );
  }

  /** Appends bytes as they are, for malformed input. */
  pushBytes(topic: string, key: Uint8Array | null, value: Uint8Array | null, timestampMs: number): void {
    this.#log.append(topic, { key, value, timestampMs, headers: null });
    this.#run();
  }

  /** Outputs of a sink since the last `take`, in the order of their delivery. For a table, `value` is the row. */
  take<K = unknown, V = unknown>(sink: string): OutputRecord<K, V>[] {
    if (![...this.#sinks()].some((node) => node.name === sink)) throw this.#unknown('sink', sink);
    const taken = this.#outputs.get(sink) ?? [];
    this.#outputs.set(sink, []);
    return taken as OutputRecord<K, V>[];
  }

  /** A store of a task as it is now, with changes that are not committed yet. */
  store<S extends LocalStore>(name: string, partition = 0): S {
    const stores = this.#tasks.filter((task) => task.id.endsWith(`_${partition}`)).map((task) => task.core.stores.get(name));
    const store = stores.find((candidate) => candidate !== undefined) ?? this.#globalStores.get(name);
    if (store === undefined) throw this.#unknown('store', name);
    return store as S;
  }

  /** Records that steps and global tables have dropped since the last restart, as `dropped-records-total` counts. */
  get dropped(): number {
    let sum = this.#droppedByGlobalTables;
    for (const task of this.#tasks) {
      for (const counter of task.core.counters.all().values()) {
        for (const count of Object.values(counter.dropped)) sum += count;
      }
    }
    return sum;
  }

  /** Commits, delivers, and processes what came into internal topics by that, until nothing is left. */
  commit(): void {
    this.#guard(() => {
      this.#commitAll();
      for (const task of this.#tasks) task.tick();
    });
  }

  /** Drops all memory, as a crash does, and goes on from what is committed. */
  restart(): void {
    this.#droppedByGlobalTables = 0;
    for (const task of this.#tasks) task.restart();
    this.#run();
  }

  /**
   * Moves the wall clock, which stands still otherwise; it begins at 0. Wall-clock punctuators that fall due run once, and steps
   * behind sources that have been idle are told. Each task gives what comes out of that to those behind it before they look at
   * the clock themselves; so behind a repartition that has just brought something, idle time begins anew.
   */
  advanceWallClock(byMs: number): void {
    this.#nowMs += byMs;
    this.#run();
  }

  /** Calls of stores and sinks so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Crashes once at the n-th call from now on, before or after it takes effect, and recovers by a restart. */
  crashAtCall(n: number, moment: 'before' | 'after'): void {
    this.#crashAt = { call: this.#calls + n, moment };
  }

  get #partitions(): readonly number[] {
    return Array.from({ length: this.#options.partitions ?? 1 }, (_unused, partition) => partition);
  }

  #tasksOf(
    topology: BuiltTopology, globalStores: ReadonlyMap<string, LocalStore>, committed: ReadonlyMap<string, DriverTask['committed']>,
  ): readonly DriverTask[] {
    const failures = new FailurePolicies(topology);
    return topology.subTopologies.flatMap((part) => this.#partitions.map((partition) => new DriverTask({
      topology, part, partition, partitions: this.#partitions.length, log: this.#log, globalStores, failures,
      maxTaskIdleMs: this.#options.maxTaskIdleMs ?? 0, wallClock: this.#options.wallClock ?? true,
      committed: committed.get(`${part.name}_${partition}`) ?? new Map(),
      hooks: {
        call: (what, moment) => this.#call(what, moment),
        deliver: (task, sink, batch) => this.#deliver(task, sink, batch),
        nowMs: () => this.#nowMs,
      },
    })));
  }

  #pushGlobal(topic: string, key: unknown, value: unknown, timestampMs: number): void {
    const global = this.#topology.globalTables.find((table) => table.topic === topic);
    if (global === undefined) return;
    const { store } = global;
    const timeMs = value === null ? timestampMs : global.form.timestampOf?.(value, timestampMs) ?? timestampMs;
    if (!applyGlobalRecord(this.#globalStores.get(store.name) as LocalStore, store.kind, key, value, timeMs)) this.#droppedByGlobalTables++;
  }

  #run(): void {
    this.#guard(() => {
      while (this.#tasks.map((task) => task.process()).includes(true));
      for (const task of this.#tasks) {
        task.tick();
        if (this.#commitEach && task.core.dirty) this.#commitAll();
      }
    });
    if (this.#commitEach) this.commit();
  }

  #commitAll(): void {
    for (let busy = true; busy;) {
      for (const task of this.#tasks) task.commit();
      const delivered = this.#tasks.map((task) => task.deliver()).includes(true);
      const processed = this.#tasks.map((task) => task.process()).includes(true);
      busy = delivered || processed;
    }
    for (const task of this.#tasks) task.commit();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DriverCrash)) throw error;
      this.restart();
      this.commit();
    }
  }

  #call(what: string, moment: 'before' | 'after'): void {
    if (moment === 'before') this.#calls++;
    if (this.#crashAt?.call !== this.#calls || this.#crashAt.moment !== moment) return;
    this.#crashAt = null;
    throw new DriverCrash(this.#calls, what);
  }

  #deliver(task: DriverTask, sink: string, batch: SealedBatch): void {
    const node = [...this.#sinks()].find((candidate) => candidate.name === sink) as SinkNode;
    const mark = `${task.id}/${sink}`;
    visitBatch(batch, (ordinal, _group, bytes, start, end) => {
      const row = bytes.subarray(start, end);
      if (node.sink.kind === 'repartition') {
        const record = decodeTopicRow(node.sink.topic, row, [writerHeader({ run: 1, task: task.id, ordinal })]);
        this.#log.append(node.sink.topic, { ...record, headers: record.headers ?? null });
      } else if (ordinal > (this.#delivered.get(mark) ?? -1)) {
        this.#delivered.set(mark, ordinal);
        this.#output(sink).push(decodeOutput(node, row));
      }
    });
  }

  #output(sink: string): OutputRecord[] {
    const known = this.#outputs.get(sink);
    if (known !== undefined) return known;
    const made: OutputRecord[] = [];
    this.#outputs.set(sink, made);
    return made;
  }

  * #sinks(): IterableIterator<SinkNode> {
    for (const part of this.#topology.subTopologies) yield* part.sinks;
    if (this.#topology.deadLetters !== null) yield this.#topology.deadLetters;
  }

  #unknown(kind: string, name: string): VoltstreamError {
    return new VoltstreamError('TOPOLOGY_INVALID', `the topology has no ${kind} of this name`, { wanted: `a ${kind} of ${this.#topology.name}`, got: name });
  }
}

function globalStoresOf(topology: BuiltTopology): Map<string, LocalStore> {
  return new Map(topology.globalTables.map(({ store }) => [store.name, store.create()]));
}

function decodeOutput(node: SinkNode, bytes: Buffer): OutputRecord {
  if (node.sink.kind === 'warehouse') return deserialize(bytes) as OutputRecord;
  const record = decodeTopicRow(node.sink.topic, bytes, null);
  return {
    key: record.key === null ? null : codecOf(node.sink.key).decode(record.key),
    value: record.value === null ? null : codecOf(node.sink.value).decode(record.value),
    timestampMs: record.timestampMs,
    ...(record.headers === null || record.headers === undefined ? {} : { headers: record.headers.map(textHeader) }),
  };
}

function textHeader({ key, value }: LogHeader): { readonly key: string; readonly value: string } {
  return { key, value: Buffer.from(value).toString() };
}

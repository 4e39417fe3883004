import type { LocalStore } from '../../state/local-store.ts';
import type { Cell } from '../../state/state-store.ts';
import type { BuiltTopology, SubTopology } from '../../topology/graph.ts';
import type { FailurePolicies } from '../task/error-policy.ts';
import { RecordRetry } from '../task/error-policy.ts';
import type { SealedBatch } from '../task/outbox.ts';
import type { CommitContent } from '../task/task-core.ts';
import { restoreAll } from '../task/restore-all.ts';
import { TaskCore } from '../task/task-core.ts';
import type { DriverLog } from './driver-log.ts';
import { driverEncoder, readerOf } from './driver-forms.ts';

/** A simulated crash at a store or sink call: `before` it takes effect or `after`. */
export class DriverCrash extends Error {
  constructor(call: number, what: string) {
    super(`crash at call ${call}: ${what}`);
    this.name = 'DriverCrash';
  }
}

export interface DriverTaskHooks {
  /** Called before and after each store and sink call; throws DriverCrash where one is wanted. */
  call(what: string, moment: 'before' | 'after'): void;
  deliver(task: DriverTask, sink: string, batch: SealedBatch): void;
  nowMs(): number;
}

export interface DriverTaskOptions {
  readonly topology: BuiltTopology;
  readonly part: SubTopology;
  readonly partition: number;
  /** Partitions of every topic. */
  readonly partitions: number;
  readonly log: DriverLog;
  readonly globalStores: ReadonlyMap<string, LocalStore>;
  readonly maxTaskIdleMs: number;
  readonly wallClock: boolean;
  /** One for all tasks: attempts are counted across restarts. */
  readonly failures: FailurePolicies;
  readonly hooks: DriverTaskHooks;
  /** What another version of the task has committed, by store and key. */
  readonly committed?: ReadonlyMap<string, Cell>;
}

/** A task of the test driver: the production core, a store that is a map, and a log in memory. */
export class DriverTask {
  core: TaskCore;
  readonly id: string;
  readonly #options: DriverTaskOptions;
  readonly #committed: Map<string, Cell>;
  readonly #due: { readonly sink: string; readonly batch: SealedBatch }[] = [];

  constructor(options: DriverTaskOptions) {
    this.#options = options;
    this.#committed = new Map(options.committed);
    this.core = this.#newCore();
    this.id = this.core.id;
    this.restart();
    this.tick();
  }

  /** What is committed, by store and key. */
  get committed(): ReadonlyMap<string, Cell> {
    return this.#committed;
  }

  /** Drops the memory and goes on from what is committed. */
  restart(): void {
    this.core = this.#newCore();
    this.#due.length = 0;
    this.#due.push(...restoreAll(this.core, [[...this.#committed.values()]]));
    for (const queue of this.core.queues) {
      const { topic } = queue.source;
      queue.start(this.core.committedPosition(queue.source) ?? 0, this.#options.log.end(topic, queue.partition));
    }
  }

  /**
   * Processes everything that is in the log; true when there was something. A record to be tried again restarts the task, and is
   * committed as soon as it has passed.
   */
  process(): boolean {
    for (const queue of this.core.queues) {
      this.core.accept(this.#options.log.fetch(queue.source.topic, queue.partition, queue.requestPosition));
    }
    try {
      for (let processed = 0;;) {
        processed += this.core.process(Number.POSITIVE_INFINITY, this.#options.hooks.nowMs());
        if (!this.core.wantsCommit) return processed > 0;
        this.commit();
      }
    } catch (error) {
      if (!(error instanceof RecordRetry)) throw error;
      this.restart();
      return true;
    }
  }

  /** What the wall clock makes due now. */
  tick(): void {
    for (;;) {
      try {
        this.core.tick(this.#options.hooks.nowMs(), true);
        if (this.core.wantsCommit) this.commit();
        return;
      } catch (error) {
        if (!(error instanceof RecordRetry)) throw error;
        this.restart();
      }
    }
  }

  commit(): void {
    const { hooks } = this.#options;
    if (!this.core.dirty && ![...this.core.outboxes.values()].some((outbox) => outbox.rows > 0)) return;
    const content = this.#takeCommit();
    if (content === null) return;
    hooks.call(`commit ${this.id}`, 'before');
    for (const cell of content.cells) {
      const id = `${cell.store}\n${Buffer.from(cell.key).toString('hex')}`;
      if (cell.value === null) this.#committed.delete(id);
      else this.#committed.set(id, cell);
    }
    hooks.call(`commit ${this.id}`, 'after');
    this.core.accepted(content);
    this.#due.push(...content.sealed);
  }

  /** Null: what steps gave for the commit failed, and is to be tried again. */
  #takeCommit(): CommitContent | null {
    try {
      return this.core.takeCommit(this.#options.hooks.nowMs(), true);
    } catch (error) {
      if (!(error instanceof RecordRetry)) throw error;
      this.restart();
      return null;
    }
  }

  /** Delivers what is sealed; true when there was something. */
  deliver(): boolean {
    const had = this.#due.length > 0;
    for (let due = this.#due[0]; due !== undefined; due = this.#due[0]) {
      this.#options.hooks.call(`deliver to ${due.sink}`, 'before');
      this.#options.hooks.deliver(this, due.sink, due.batch);
      this.#options.hooks.call(`deliver to ${due.sink}`, 'after');
      this.#due.shift();
      this.core.outboxes.get(due.sink)?.acknowledge(due.batch);
    }
    return had;
  }

  #newCore(): TaskCore {
    const { topology, part, partition, partitions, globalStores, maxTaskIdleMs, wallClock } = this.#options;
    const sinks = topology.deadLetters === null ? part.sinks : [...part.sinks, topology.deadLetters];
    return new TaskCore({
      part, partition, partitions, run: 1, globalStores, droppedState: topology.droppedState, maxTaskIdleMs, wallClock,
      readers: new Map(part.sources.map((source) => [source.name, { key: readerOf(source.form.key), value: readerOf(source.form.value) }])),
      encoders: new Map(sinks.map((sink) => [sink.name, driverEncoder(sink)])),
      deadLetters: topology.deadLetters, failures: this.#options.failures,
      sealPolicyOf: () => ({ rowsMax: 1, bytesMax: 1, ageMs: 0 }),
    });
  }
}

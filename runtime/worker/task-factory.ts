import { assertInvariant } from '../../errors.ts';
import type { LocalStore } from '../../state/local-store.ts';
import type { Cell, Claim, StateStore } from '../../state/state-store.ts';
import type { BuiltTopology, SinkNode, SubTopology } from '../../topology/graph.ts';
import type { DeliveryTask, SinkDelivery } from '../delivery/delivery.ts';
import type { SinkEncoders } from '../delivery/sink-encoders.ts';
import type { Log, LogConsumer, TaskAssignment } from '../log/log.ts';
import type { SourceReaders } from '../task/partition-queue.ts';
import type { FailurePolicies } from '../task/error-policy.ts';
import type { DueBatch } from '../task/outbox.ts';
import { Task } from '../task/task.ts';
import type { TaskLimits, TaskListener } from '../task/task.ts';
import { TaskCore } from '../task/task-core.ts';
import { runOf } from '../task/task-facts.ts';
import { LargeLoads } from './large-loads.ts';
import type { PositionPolicy } from './positions.ts';
import { claimPatiently } from './patient-claim.ts';
import { startPositions } from './positions.ts';
import type { TaskSource } from './worker.ts';

export interface TaskFactoryOptions {
  readonly topology: BuiltTopology;
  readonly log: Log;
  readonly store: StateStore;
  readonly limits: TaskLimits;
  readonly maxTaskIdleMs: number;
  readonly wallClock: boolean;
  readonly partitionsOf: (part: SubTopology) => number;
  readonly readers: ReadonlyMap<string, SourceReaders>;
  readonly encoders: SinkEncoders;
  readonly globalStores: ReadonlyMap<string, LocalStore>;
  readonly failures: FailurePolicies;
  readonly deliveryOf: (sink: SinkNode, task: DeliveryTask) => SinkDelivery;
  readonly positions: PositionPolicy;
  readonly listener: TaskListener;
  readonly claimed: (task: Task, restoreMs: number) => void;
  readonly retrying: (operation: string, error: unknown) => void;
  /** Run of a task that has no state yet; higher than any before it. */
  readonly newRun: () => number;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** Cells of a state that is loaded and restored beside another one: some 50 ms of work. */
const SMALL_STATE_CELLS_MAX = 10_000;

/** Claims tasks of a topology: owner, state, position, sinks, in this order (Laws 2 and 3). */
export class TaskFactory implements TaskSource {
  readonly #options: TaskFactoryOptions;
  readonly #largeLoads = new LargeLoads();

  constructor(options: TaskFactoryOptions) {
    this.#options = options;
  }

  /** Tries again while store or log cannot be reached. Throws FENCED or REWOUND when another claim came in between. */
  claim(assignment: TaskAssignment, consumer: LogConsumer, outdated: AbortSignal): Promise<Task> {
    const { signal, retrying } = this.#options;
    return claimPatiently(() => this.#claimOnce(assignment, consumer, outdated), AbortSignal.any([signal, outdated]), retrying);
  }

  async #claimOnce(assignment: TaskAssignment, consumer: LogConsumer, outdated: AbortSignal): Promise<Task> {
    const options = this.#options;
    const startedMs = performance.now();
    const { part, partition } = this.#partOf(assignment.task);
    const claim = await options.store.claim(assignment.task);
    // Asked for while the state is loaded; awaited where they are needed, also when they cannot be had.
    const groupOffsets = consumer.committedOffsets(part.sources.map(({ topic }) => ({ topic, partition })));
    groupOffsets.catch(() => undefined);
    const { core, due } = await this.#restored(claim, part, partition, outdated);
    await startPositions(core, options.log, groupOffsets, options.positions);
    const { deadLetters } = options.topology;
    const task = new Task({
      id: assignment.task, store: options.store, claim, core, limits: options.limits,
      sinks: deadLetters === null ? part.sinks : [...part.sinks, deadLetters],
      deliveryOf: options.deliveryOf, listener: options.listener, nowMs: options.nowMs,
    });
    options.claimed(task, performance.now() - startedMs);
    task.begin(due);
    return task;
  }

  /** Loads the state of a claim and puts it back, a bounded number of cells at a time; large states one after the other. */
  async #restored(claim: Claim, part: SubTopology, partition: number, outdated: AbortSignal): Promise<{ readonly core: TaskCore; readonly due: readonly DueBatch[] }> {
    const pages: (readonly Cell[])[] = [];
    let cells = 0;
    let leave: (() => void) | null = null;
    try {
      for await (const page of this.#options.store.load(claim)) {
        outdated.throwIfAborted();
        pages.push(page);
        cells += page.length;
        if (cells > SMALL_STATE_CELLS_MAX) leave ??= await this.#largeLoads.enter();
      }
      const core = this.#coreOf(part, partition, runOf(pages) ?? this.#options.newRun());
      for (const steps = core.restoring(pages); ;) {
        outdated.throwIfAborted();
        const { done, value } = steps.next();
        if (done === true) return { core, due: value };
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      leave?.();
    }
  }

  #coreOf(part: SubTopology, partition: number, run: number): TaskCore {
    const options = this.#options;
    return new TaskCore({
      part, partition, run, partitions: options.partitionsOf(part),
      readers: options.readers,
      encoders: options.encoders(run),
      globalStores: options.globalStores,
      droppedState: options.topology.droppedState,
      deadLetters: options.topology.deadLetters,
      failures: options.failures,
      sealPolicyOf: (sink) => sink.sink.kind === 'warehouse'
        ? { rowsMax: options.limits.outbox.sealRowsMax, bytesMax: options.limits.outbox.sealBytesMax, ageMs: options.limits.outbox.sealAgeMs }
        : { rowsMax: 1, bytesMax: 1, ageMs: 0 },
      maxTaskIdleMs: options.maxTaskIdleMs, wallClock: options.wallClock,
    });
  }

  #partOf(id: string): { readonly part: SubTopology; readonly partition: number } {
    const cut = id.lastIndexOf('_');
    const part = this.#options.topology.subTopologies.find((candidate) => candidate.name === id.slice(0, cut));
    assertInvariant(part !== undefined, `task ${id} belongs to a sub-topology`);
    return { part, partition: Number(id.slice(cut + 1)) };
  }
}

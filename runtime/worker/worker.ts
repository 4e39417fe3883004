import { VoltstreamError } from '../../errors.ts';
import type { Log, LogBatch, LogConsumer, TaskAssignment, TopicPartition } from '../log/log.ts';
import { RecordRetry } from '../task/error-policy.ts';
import type { RunningTask } from '../task/running-task.ts';
import { ClaimQueue } from './claim-queue.ts';
import { GroupOffsets } from './group-offsets.ts';

/** Makes and claims tasks; `TaskFactory` in production, something smaller in tests. */
export interface TaskSource {
  /**
   * Claims a task, decides where it reads, and gives it ready to process. May reject as soon as `outdated` is aborted: nobody waits for the task
   * any more. A task that comes nevertheless is dropped.
   */
  claim(assignment: TaskAssignment, consumer: LogConsumer, outdated: AbortSignal): Promise<RunningTask>;
}

export interface WorkerOptions {
  readonly log: Log;
  readonly group: string;
  readonly tasks: readonly TaskAssignment[];
  readonly source: TaskSource;
  readonly pollWaitMs: number;
  readonly bufferBytesMax: number;
  /** A fraction in [0, 1): random back-off before a task is claimed again, so that two claimers cannot starve each other. */
  readonly random: () => number;
  /** True while tasks must not take further input, because there is no memory for it; commits and deliveries go on. */
  readonly paused?: () => boolean;
  readonly listener: WorkerListener;
}

export interface WorkerListener {
  /** Tasks have come or gone. */
  assigned(tasks: readonly string[]): void;
  dropped(task: RunningTask, reason: string): void;
  /** Something that no further claim can cure: the process should stop with this error. */
  failed(error: unknown): void;
  /** One turn of a task took records. */
  processed(task: RunningTask, records: number, durationMs: number): void;
  retrying(operation: string, error: unknown): void;
  /** The worker has stopped: how long it took to commit and deliver what was there, and then to leave the group. */
  left(took: { readonly finishMs: number; readonly leaveMs: number }): void;
}

/** Records of one task between two looks at the others. Small enough that a commit is never late by much. */
const RECORDS_PER_TURN = 2_000;
/**
 * Turns of several tasks after which timers, sockets and the store's answers come first: heartbeats must not wait for all tasks of a backlog, nor
 * must a claim, which is some 30 answers one after the other. A turn of the product takes about as long.
 */
const TURNS_MS_MAX = 20;
/** Fetched records of one partition above which it is paused, and below half of which it goes on. */
const BUFFERED_RECORDS_MAX = 20_000;
const RECLAIM_WAIT_MS = 200;
/** After a join, claims of members that have not heard of it yet may still be under way: tasks that stay ask once more after so long. */
const CONFIRM_AGAIN_MS = 2_000;
/**
 * For delivering what is there before a member leaves others behind: enough when there is no backlog. With one, its tasks would stand still for as
 * long as tens of thousands of rows need; who takes over delivers them while it goes on.
 */
const HAND_OVER_MS_MAX = 3_000;
/** Small states are loaded at the same time, so that one is awaited while another is decoded; large ones take turns (`large-loads.ts`). */
const CLAIMS_AT_ONCE = 2;

/** One member of a consumer group: a loop that polls, hands batches to its tasks and gives each a turn. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #consumer: LogConsumer;
  readonly #groupOffsets: GroupOffsets;
  readonly #tasks = new Map<string, RunningTask>();
  readonly #assignments = new Map<string, TaskAssignment>();
  /** Which task reads a partition, by `<topic>-<partition>`. */
  readonly #readers = new Map<string, string>();
  readonly #pausedPartitions = new Set<string>();
  readonly #claims = new ClaimQueue(CLAIMS_AT_ONCE, (assignment, outdated) => this.#claimNow(assignment, outdated));
  /** Tasks that went away, until they have let go of what they held. */
  readonly #dropping = new Map<string, Promise<void>>();
  readonly #reclaiming = new Set<Promise<void>>();
  /** Why tasks stopped that stopped before their claim had come back to us. */
  readonly #stoppedEarly = new WeakMap<RunningTask, unknown>();
  #loop: Promise<void> | null = null;
  readonly #stop = new AbortController();
  #stopping = false;
  #confirming: NodeJS.Timeout | undefined;
  #answers = 0;
  #firstAssignment = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    for (const { task, partitions } of options.tasks) for (const partition of partitions) this.#readers.set(partitionName(partition), task);
    this.#consumer = options.log.consumer({ group: options.group, tasks: options.tasks, bufferBytesMax: options.bufferBytesMax });
    this.#groupOffsets = new GroupOffsets(options.log, this.#consumer, (operation, error) => options.listener.retrying(operation, error));
  }

  get tasks(): readonly RunningTask[] {
    return [...this.#tasks.values()];
  }

  /** Tasks that are ours and not yet claimed and restored; null before the first join. */
  get claiming(): readonly string[] | null {
    return this.#firstAssignment ? [...this.#assignments.keys()].filter((id) => !this.#tasks.has(id)) : null;
  }

  /** Joined, and every assigned task claimed and restored. */
  get ready(): boolean {
    return this.#firstAssignment && [...this.#assignments.keys()].every((id) => this.#tasks.has(id));
  }

  /** True when all tasks have processed, committed and delivered everything up to the end of their input. */
  get caughtUp(): boolean {
    return this.ready && this.tasks.every((task) => task.settled && task.queues.every((queue) => queue.atEnd));
  }

  async start(): Promise<void> {
    await this.#consumer.start({ assigned: (tasks) => this.#assigned(tasks) });
    this.#loop ??= this.#run();
  }

  /**
   * Stops polling, commits and delivers what is there, leaves the group. Whatever does not finish within the time is dropped; where other members
   * wait to take over, within `HAND_OVER_MS_MAX`.
   */
  async stop(timeoutMs: number): Promise<void> {
    const startedMs = performance.now();
    this.#stopping = true;
    clearTimeout(this.#confirming);
    this.#stop.abort();
    this.#claims.keepOnly(new Set());
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#finish(), new Promise((resolve) => {
      timer = setTimeout(resolve, this.#alone ? timeoutMs : Math.min(timeoutMs, HAND_OVER_MS_MAX));
    })]);
    clearTimeout(timer);
    const finishedMs = performance.now();
    await this.#groupOffsets.finish(this.tasks);
    await Promise.all(this.tasks.map((task) => task.drop('stopped')));
    await this.#consumer.stop();
    this.#options.listener.left({ finishMs: finishedMs - startedMs, leaveMs: performance.now() - finishedMs });
  }

  /** True when nobody else is there to go on: all tasks are ours, or nothing is known yet. */
  get #alone(): boolean {
    return !this.#firstAssignment || this.#assignments.size === this.#options.tasks.length;
  }

  /** A claim that waits for a store that is away, or for a heartbeat, may take for ever: the caller's time-out ends the wait. */
  async #finish(): Promise<void> {
    await this.#loop;
    await Promise.allSettled([...this.#reclaiming, ...this.#dropping.values()]);
    await Promise.allSettled(this.tasks.map((task) => task.flush()));
  }

  /** A task's claim was lost or it failed: called by whoever listens to the task. */
  taskStopped(task: RunningTask, error: unknown): void {
    const assignment = this.#assignments.get(task.id);
    if (this.#tasks.get(task.id) !== task || assignment === undefined) {
      this.#stoppedEarly.set(task, error);
      return;
    }
    this.#consumer.pause(assignment.partitions);
    this.#tasks.delete(task.id);
    const reason = claimedAnew(error);
    this.#options.listener.dropped(task, reason ?? (error instanceof VoltstreamError ? error.code : 'failed'));
    if (reason === null) {
      void task.drop('failed');
      this.#options.listener.failed(error);
      return;
    }
    this.#track(this.#claimAgain(task, assignment, reason, error instanceof RecordRetry ? error.waitMs : 0));
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const hungry = this.tasks.every((task) => task.queues.every((queue) => queue.buffered === 0 && !queue.hasHead));
        for (const batch of await this.#consumer.poll(hungry ? this.#options.pollWaitMs : 0)) this.#route(batch);
        await this.#turns(this.#polled());
        this.#groupOffsets.startWhenDue(this.tasks);
      } catch (error) {
        if (error instanceof VoltstreamError && error.code === 'OFFSET_OUT_OF_RANGE' && await this.#outOfRange(error)) continue;
        if (!this.#stopping) this.#options.listener.failed(error);
        return;
      }
    }
  }

  /** Records went away before they were read: what was read is kept, and the next claim decides where to go on (Law 3). */
  async #outOfRange(error: VoltstreamError): Promise<boolean> {
    let found = false;
    for (const task of this.tasks) {
      for (const queue of task.queues) {
        const { start, end } = await this.#options.log.bounds({ topic: queue.source.topic, partition: queue.partition });
        if (queue.requestPosition >= start && queue.requestPosition <= end) continue;
        found = true;
        this.#track(task.flush().then(() => this.taskStopped(task, error), (failure: unknown) => this.taskStopped(task, failure)));
        break;
      }
    }
    return found;
  }

  /** True when the log has answered since the last time. */
  #polled(): boolean {
    const answers = this.#consumer.answers?.();
    if (answers === undefined) return true;
    const more = answers !== this.#answers;
    this.#answers = answers;
    return more;
  }

  async #turns(polled: boolean): Promise<void> {
    let processed = 0;
    const paused = this.#options.paused?.() ?? false;
    let heldSinceMs = performance.now();
    for (const task of this.tasks) {
      if (performance.now() - heldSinceMs >= TURNS_MS_MAX) {
        await new Promise((resolve) => setImmediate(resolve));
        heldSinceMs = performance.now();
        if (this.#stopping) return;
      }
      if (this.#tasks.get(task.id) !== task) continue; // went away meanwhile
      const startedMs = performance.now();
      const taken = task.turn(paused ? 0 : RECORDS_PER_TURN, polled && !paused);
      if (taken > 0) this.#options.listener.processed(task, taken, performance.now() - startedMs);
      processed += taken;
      if (await task.loadSchemas()) processed++;
      this.#throttle(task, paused);
    }
    // A macrotask, so that timers, sockets and the store's answers are never starved by a full log.
    await new Promise<void>((resolve) => (processed > 0 ? setImmediate(resolve) : setTimeout(resolve, 1)));
  }

  #route(batch: LogBatch): void {
    const task = this.#tasks.get(this.#readers.get(partitionName(batch)) ?? '');
    if (task === undefined || task.stopped || task.accept(batch)) return;
    // Not what the task asked for (Law 3): dropped, and sought again at the task's own position.
    const queue = task.queues.find((candidate) => candidate.source.topic === batch.topic);
    if (queue !== undefined && batch.requestedPosition !== queue.requestPosition) this.#consumer.seek(batch, queue.requestPosition);
  }

  #throttle(task: RunningTask, paused: boolean): void {
    for (const queue of task.queues) {
      const partition = { topic: queue.source.topic, partition: queue.partition };
      const name = partitionName(partition);
      if ((paused || queue.buffered > BUFFERED_RECORDS_MAX) && !this.#pausedPartitions.has(name)) {
        this.#pausedPartitions.add(name);
        this.#consumer.pause([partition]);
      } else if (!paused && queue.buffered < BUFFERED_RECORDS_MAX / 2 && this.#pausedPartitions.delete(name)) {
        this.#consumer.resume([partition]);
      }
    }
  }

  /**
   * Tasks that stay go on at once, and each new one as soon as it is loaded. A later join may come before this has resolved: then it decides what
   * is claimed.
   */
  async #assigned(assignments: readonly TaskAssignment[]): Promise<void> {
    if (this.#stopping) return;
    this.#pausedPartitions.clear();
    this.#assignments.clear();
    for (const assignment of assignments) this.#assignments.set(assignment.task, assignment);
    this.#firstAssignment = true;
    this.#claims.keepOnly(new Set(this.#assignments.keys()));
    for (const [id, task] of this.#tasks) {
      const assignment = this.#assignments.get(id);
      if (assignment === undefined) this.#giveAway(id, task);
      else this.#goOn(task, assignment);
    }
    this.#confirmOwners([...this.#tasks.values()]);
    this.#loop ??= this.#run();
    this.#options.listener.assigned([...this.#assignments.keys()]);
    const claims = assignments.filter(({ task }) => !this.#tasks.has(task)).map((assignment) => this.#claims.claim(assignment));
    await Promise.all([...this.#dropping.values(), ...claims]);
  }

  /** A member that was away keeps its tasks, which somebody else may have claimed meanwhile. */
  #confirmOwners(staying: readonly RunningTask[]): void {
    clearTimeout(this.#confirming);
    for (const task of staying) task.confirmOwner();
    if (staying.length === 0) return;
    this.#confirming = setTimeout(() => {
      for (const task of staying) if (this.#tasks.get(task.id) === task) task.confirmOwner();
    }, CONFIRM_AGAIN_MS);
  }

  #giveAway(id: string, task: RunningTask): void {
    this.#tasks.delete(id);
    this.#options.listener.dropped(task, 'assigned elsewhere');
    const dropping = task.drop('assigned elsewhere').catch((error: unknown) => this.#options.listener.failed(error))
      .finally(() => this.#dropping.delete(id));
    this.#dropping.set(id, dropping);
  }

  async #claimNow(assignment: TaskAssignment, outdated: AbortSignal): Promise<void> {
    let task: RunningTask;
    try {
      const before = this.#dropping.get(assignment.task);
      if (before !== undefined) await before;
      task = await this.#options.source.claim(assignment, this.#consumer, outdated);
    } catch (error) {
      if (!this.#stopping && !outdated.aborted) this.#claimFailed(assignment, error);
      return;
    }
    if (outdated.aborted) {
      const reason = this.#stopping ? 'stopped' : 'assigned elsewhere';
      this.#options.listener.dropped(task, reason);
      await task.drop(reason).catch((error: unknown) => this.#options.listener.failed(error));
      return;
    }
    this.#tasks.set(assignment.task, task);
    this.#goOn(task, assignment);
    // Its first delivery may have been refused before it was ours to know.
    if (task.stopped) this.taskStopped(task, this.#stoppedEarly.get(task));
  }

  #claimFailed(assignment: TaskAssignment, error: unknown): void {
    if (error instanceof VoltstreamError && (error.code === 'FENCED' || error.code === 'REWOUND')) {
      this.#track(this.#claimAgain(null, assignment, error.code, 0));
    } else if (error instanceof RecordRetry) {
      // An archive makes an unfinished range again while it claims.
      this.#options.listener.retrying('record', error.cause);
      this.#track(this.#claimAgain(null, assignment, 'retry', error.waitMs));
    } else {
      this.#options.listener.failed(error);
    }
  }

  /** Reads on at the position in memory: nothing that was fetched under another claim or generation is taken. */
  #goOn(task: RunningTask, assignment: TaskAssignment): void {
    for (const queue of task.queues) {
      const partition = { topic: queue.source.topic, partition: queue.partition };
      this.#pausedPartitions.delete(partitionName(partition));
      this.#consumer.seek(partition, queue.requestPosition);
    }
    this.#consumer.resume(assignment.partitions);
  }

  /** After `waitMs` at least, and a proof that we are still a member; earlier when a join gives us the task anew. */
  async #claimAgain(task: RunningTask | null, assignment: TaskAssignment, reason: string, waitMs: number): Promise<void> {
    await task?.drop(reason);
    if (waitMs > 0) await this.#pause(waitMs);
    await this.#membershipConfirmed();
    await new Promise((resolve) => setTimeout(resolve, RECLAIM_WAIT_MS * (0.5 + this.#options.random())));
    if (this.#stopping || this.#assignments.get(assignment.task) !== assignment || this.#tasks.has(assignment.task)) return;
    await this.#claims.claim(assignment);
  }

  /** Ends at once when the worker stops. */
  #pause(waitMs: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, signal.aborted ? 0 : waitMs);
      signal.addEventListener('abort', done);
    });
  }

  /** While a join is under way, or the log does not answer, nobody can say whether we are still a member. */
  async #membershipConfirmed(): Promise<void> {
    while (!this.#stopping) {
      try {
        return await this.#consumer.confirmMembership();
      } catch (error) {
        if (!(error instanceof VoltstreamError) || error.code !== 'LOG_UNAVAILABLE') throw error;
        if (!this.#stopping) this.#options.listener.retrying('confirm membership', error);
        await new Promise((resolve) => setTimeout(resolve, RECLAIM_WAIT_MS));
      }
    }
  }

  #track(work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => this.#options.listener.failed(error)).finally(() => this.#reclaiming.delete(guarded));
    this.#reclaiming.add(guarded);
  }
}

function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/**
 * Why a task that stopped with this error is claimed anew, null when it is not: a new claim cures the error, or judges it (the
 * position's policy belongs to the claim), or a record is to be tried again from the last commit.
 */
function claimedAnew(error: unknown): string | null {
  if (error instanceof RecordRetry) return 'retry';
  const code = error instanceof VoltstreamError ? error.code : null;
  return code === 'FENCED' || code === 'REWOUND' || code === 'OFFSET_OUT_OF_RANGE' ? code : null;
}

import { createHash } from 'node:crypto';
import { VoltstreamError } from '../../../errors.ts';
import { Waiter } from '../embedded/waiter.ts';
import type { AssignmentListener, ConsumerOptions, LogBatch, LogConsumer, TopicPartition } from '../log.ts';
import { boundsOf } from './bounds.ts';
import type { Cluster } from './cluster.ts';
import { PartitionBuffer, partitionName } from './partition-buffer.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMember } from './group-member.ts';
import { asKafkaFailure, kafkaFailure } from './failure.ts';
import { fetchGroupOffsets } from './offset-mark.ts';
import { DamagedBatch } from './protocol/damaged-batch.ts';
import { decodeAssignment, decodeUserData, encodeAssignment, encodeSubscription, type GroupAssignment } from './protocol/group-messages.ts';
import { assignTasks, type HeldTasks, parseHeld } from './task-assigner.ts';

/** Default of `bufferBytesMax`: fetched ahead of the reader, over all partitions that are not paused. */
const bufferBytesDefault = 16 * 1024 * 1024;
const sessionTimeoutDefaultMs = 10_000;

/** A member of a group that fetches what its tasks read; see the port for what it promises. */
export class KafkaConsumer implements LogConsumer {
  readonly #cluster: Cluster;
  readonly #options: ConsumerOptions;
  readonly #member: GroupMember;
  readonly #fetcher: Fetcher;
  readonly #buffers = new Map<string, PartitionBuffer>();
  readonly #filled = new Waiter();
  #listener: AssignmentListener | null = null;
  #held: HeldTasks = { held: [], heldSinceMs: 0 };
  #answers = 0;
  /** Stands for the tasks of this version of the topology. */
  readonly #tasksHash: string;
  #failure: unknown = null;
  #stopped = false;

  constructor(cluster: Cluster, options: ConsumerOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#tasksHash = hashOf(options.tasks);
    for (const { topic, partition } of options.tasks.flatMap((task) => task.partitions)) {
      const name = partitionName({ topic, partition });
      if (this.#buffers.has(name)) throw new Error(`invariant violated: ${name} belongs to two tasks of group ${options.group}`);
      this.#buffers.set(name, new PartitionBuffer({ topic, partition }));
    }
    this.#fetcher = new Fetcher(cluster, this.#buffers, options.bufferBytesMax ?? bufferBytesDefault, {
      answered: () => void (this.#answers += 1),
      filled: () => this.#filled.wake(),
      failed: (error) => this.#fail(error),
    });
    this.#member = this.#newMember();
  }

  #newMember(): GroupMember {
    const { sessionTimeoutMs = sessionTimeoutDefaultMs, heartbeatMs, instanceId } = this.#cluster.options;
    const topics = [...new Set([...this.#buffers.values()].map((buffer) => buffer.topic))];
    return new GroupMember(this.#cluster, {
      group: this.#options.group,
      sessionTimeoutMs,
      heartbeatMs: heartbeatMs ?? sessionTimeoutMs / 10,
      // A process may be in several groups, and only once in each.
      instanceId: instanceId === undefined || instanceId === null ? null : instanceId,
      subscription: () => encodeSubscription(topics, JSON.stringify(this.#held)),
      assign: (members) => this.#assign(members),
      joined: (assignment) => this.#joined(decodeAssignment(assignment)),
      failed: (error) => this.#fail(error),
    });
  }

  async start(listener: AssignmentListener): Promise<void> {
    this.#listener = listener;
    await asKafkaFailure(`cannot join the group ${this.#options.group}`, () => this.#member.start());
  }

  async poll(waitMs: number): Promise<readonly LogBatch[]> {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      if (this.#failure !== null) throw kafkaFailure(this.#failure, `the consumer of group ${this.#options.group} has ended`);
      const batches: LogBatch[] = [];
      for (const buffer of this.#buffers.values()) if (buffer.outOfRange) await this.#throwOutOfRange(buffer);
      for (const buffer of this.#buffers.values()) this.#take(buffer, batches);
      const leftMs = untilMs - performance.now();
      if (batches.length > 0 || leftMs <= 0) return batches;
      await this.#filled.sleep(leftMs);
    }
  }

  /** Fetches that a broker has answered while none that leads what is read was away. */
  answers(): number {
    return this.#answers;
  }

  seek(partition: TopicPartition, position: number): void {
    const buffer = this.#get(partition);
    if (!buffer.assigned) return; // a join came between: the listener is called again
    buffer.seek(position);
    this.#fetcher.wake();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).paused = true;
    this.#fetcher.wake(); // what a paused partition holds does not count against the others
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).paused = false;
    this.#filled.wake();
    this.#fetcher.wake();
  }

  async commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await asKafkaFailure('cannot commit group offsets', () => this.#member.commitOffsets(positions));
  }

  async committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]> {
    return asKafkaFailure('cannot read group offsets', async () => {
      const stored = await fetchGroupOffsets(this.#cluster, this.#options.group, partitions);
      return partitions.map(({ topic, partition }) => {
        const found = stored.find((one) => one.topic === topic && one.partition === partition);
        return found === undefined || found.offset < 0 ? null : found.offset;
      });
    });
  }

  confirmMembership(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(kafkaFailure(this.#failure, `no member of group ${this.#options.group}`));
    return this.#member.confirm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#filled.wake();
    await asKafkaFailure('cannot leave the group', () => Promise.all([this.#member.stop(), this.#fetcher.stop()]));
  }

  #take(buffer: PartitionBuffer, into: LogBatch[]): void {
    try {
      const batch = buffer.take();
      if (batch === null) return;
      into.push(batch);
      if (buffer.waiting) this.#filled.wake();
      this.#fetcher.wake();
    } catch (error) {
      if (!(error instanceof DamagedBatch)) throw error;
      throw new VoltstreamError('RECORDS_DAMAGED', `cannot read ${partitionName(buffer)}: ${error.message}`, { where: partitionName(buffer), cause: error });
    }
  }

  async #throwOutOfRange(buffer: PartitionBuffer): Promise<void> {
    const { position, cutAt, version } = buffer;
    const { start, end } = await asKafkaFailure('cannot ask for the bounds of a partition', () => boundsOf(this.#cluster, buffer)).catch((error: unknown) => {
      if (error instanceof VoltstreamError && error.code === 'LOG_UNAVAILABLE') return { start: -1, end: -1 };
      throw error;
    });
    if (start < 0 || buffer.version !== version || position === null) return; // the log is away, and the next poll asks again; or sought meanwhile
    buffer.reset();
    const where = partitionName(buffer);
    if (cutAt !== null) throw recordsGone(where, cutAt, position);
    throw new VoltstreamError('OFFSET_OUT_OF_RANGE', `cannot read ${where} at ${position}`, { where, wanted: `an offset from ${start} to ${end}`, got: String(position) });
  }

  /** Runs on the member that leads the group; all members must run the same tasks. */
  #assign(members: readonly { readonly memberId: string; readonly subscription: Buffer }[]): Map<string, Buffer> {
    const { tasks } = this.#options;
    const claims = members.map(({ memberId, subscription }) => ({ member: memberId, ...parseHeld(decodeUserData(subscription)) }));
    const assigned = assignTasks(tasks.map(({ task }) => task), claims);
    return new Map([...assigned].map(([memberId, names]) => {
      const assignment = new Map<string, number[]>();
      for (const { task, partitions } of tasks) {
        if (!names.includes(task)) continue;
        for (const { topic, partition } of partitions) assignment.set(topic, [...(assignment.get(topic) ?? []), partition]);
      }
      return [memberId, encodeAssignment({ partitions: assignment, userData: this.#tasksHash })];
    }));
  }

  /** False when the tasks were shared out by a process that has others than we have. */
  #joined({ partitions, userData }: GroupAssignment): boolean {
    for (const buffer of this.#buffers.values()) buffer.assigned = partitions.get(buffer.topic)?.includes(buffer.partition) ?? false;
    this.#pauseAll();
    const tasks = this.#options.tasks.filter((task) => task.partitions.every((one) => this.#get(one).assigned));
    this.#held = { held: tasks.map(({ task }) => task), heldSinceMs: Date.now() };
    if (!this.#stopped) void this.#listener!.assigned(tasks).catch((error: unknown) => this.#fail(error));
    return userData === this.#tasksHash;
  }

  #pauseAll(): void {
    for (const buffer of this.#buffers.values()) {
      buffer.reset();
      buffer.paused = true;
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#failure ??= error;
    this.#filled.wake();
  }

  #get(partition: TopicPartition): PartitionBuffer {
    const buffer = this.#buffers.get(partitionName(partition));
    if (buffer === undefined) throw new Error(`invariant violated: ${partitionName(partition)} is in no task`);
    return buffer;
  }
}

function hashOf(tasks: ConsumerOptions['tasks']): string {
  const names = tasks.flatMap(({ task, partitions }) => partitions.map(({ topic, partition }) => `${task} ${topic}/${partition}`)).toSorted();
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16);
}

function recordsGone(where: string, cutAt: number, position: number): VoltstreamError {
  return new VoltstreamError('OFFSET_OUT_OF_RANGE', `${where} lost records that were read: a broker leads that lacked them`, {
    where, wanted: `records ${cutAt} to ${position - 1} as they were read`, got: `a log that was cut at ${cutAt}`,
    cure: 'The state holds records that the log does not, and what was written in their place is passed over: start over with --reset, or go on by starting again. '
      + 'Set unclean.leader.election.enable to false, and min.insync.replicas to 2 or more.',
  });
}

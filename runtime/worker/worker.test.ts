import { afterEach, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import type { AssignmentListener, Log, LogConsumer, TaskAssignment } from '../log/log.ts';
import type { RunningTask } from '../task/running-task.ts';
import { Worker } from './worker.ts';

const assignment: TaskAssignment = { task: 'part_0', partitions: [{ topic: 'in', partition: 0 }] };

/** A worker whose joins, heartbeats and claims happen when the test says so. */
function drive(paused: () => boolean = () => false) {
  let listener: AssignmentListener | null = null;
  const claims: ((task: RunningTask) => void)[] = [];
  const dropped: string[] = [];
  const failed: unknown[] = [];
  const retried: string[] = [];
  /** How the next heartbeats end; after these they succeed. */
  const heartbeats: (() => Promise<void>)[] = [];
  const nothing = (): void => undefined;
  const log = { answers: 0 };
  const consumer: LogConsumer = {
    start: async (given) => void (listener = given),
    poll: async (waitMs) => new Promise((resolve) => setTimeout(() => resolve([]), waitMs)),
    seek: nothing, pause: nothing, resume: nothing,
    commitOffsets: async () => undefined, committedOffsets: async () => [], answers: () => log.answers,
    confirmMembership: () => heartbeats.shift()?.() ?? Promise.resolve(), stop: async () => undefined,
  };
  const worker = new Worker({
    log: { consumer: () => consumer } as unknown as Log, group: 'g', tasks: [assignment], pollWaitMs: 1, bufferBytesMax: 1, random: () => 0, paused,
    source: { claim: () => new Promise((resolve) => claims.push(resolve)) },
    listener: {
      assigned: nothing, dropped: (task, reason) => dropped.push(`${task.id} ${reason}`), failed: (error) => failed.push(error), processed: nothing,
      retrying: (operation) => retried.push(operation),
    },
  });
  const task = (stopped = false): RunningTask & { readonly drops: string[] } => {
    const drops: string[] = [];
    return {
      id: 'part_0', queues: [], stopped, pausedBy: null, committedPositions: [], settled: true, drops,
      accept: () => false, turn: () => 0, loadSchemas: async () => false, flush: async () => undefined, drop: async (reason) => void drops.push(reason),
    };
  };
  return { worker, claims, dropped, failed, retried, heartbeats, log, task, join: (tasks: readonly TaskAssignment[]) => listener?.assigned(tasks) };
}

describe('Worker', () => {
  let run: ReturnType<typeof drive>;
  afterEach(() => run.worker.stop(100));

  const fenced = new VoltstreamError('FENCED', 'another owner');

  it('claims a task once at a time, also when a join comes while it claims a lost task again', async () => {
    run = drive();
    await run.worker.start();
    const first = run.task();
    const joined = run.join([assignment]);
    run.claims.shift()?.(first);
    await joined;
    run.worker.taskStopped(first, fenced);
    await expect.poll(() => run.claims.length).toBe(1);
    const again = run.join([assignment]);
    const second = run.task();
    run.claims.shift()?.(second);
    await again;
    expect(run.claims).toHaveLength(0);
    expect(run.worker.tasks).toEqual([second]);
    expect(second.drops).toEqual([]);
  });

  it('tells its tasks whether the log has answered since their last turn, be it with nothing', async () => {
    run = drive();
    await run.worker.start();
    const turns: (boolean | undefined)[] = [];
    const joined = run.join([assignment]);
    run.claims.shift()?.({ ...run.task(), turn: (_records, polled) => {
      turns.push(polled);
      return 0;
    } });
    await joined;
    await expect.poll(() => turns.length).toBeGreaterThan(3);
    expect(turns).not.toContain(true);
    run.log.answers = 1;
    await expect.poll(() => turns.includes(true)).toBe(true);
    await expect.poll(() => turns.at(-1)).toBe(false);
    expect(turns.filter((polled) => polled)).toEqual([true]);
  });

  it('drops what it has claimed when the task went elsewhere meanwhile', async () => {
    run = drive();
    await run.worker.start();
    const first = run.task();
    const joined = run.join([assignment]);
    run.claims.shift()?.(first);
    await joined;
    run.worker.taskStopped(first, fenced);
    await expect.poll(() => run.claims.length).toBe(1);
    await run.join([]);
    const second = run.task();
    run.claims.shift()?.(second);
    await expect.poll(() => second.drops).toEqual(['assigned elsewhere']);
    expect(run.worker.tasks).toEqual([]);
    expect(run.dropped).toEqual(['part_0 FENCED', 'part_0 assigned elsewhere']);
  });

  it('claims again a task that was stopped before its claim had come back', async () => {
    run = drive();
    await run.worker.start();
    const joined = run.join([assignment]);
    const early = run.task(true);
    run.worker.taskStopped(early, fenced);                       // by its first delivery, while the claim is on its way
    run.claims.shift()?.(early);
    await joined;
    await expect.poll(() => run.claims.length).toBe(1);
    const second = run.task();
    run.claims.shift()?.(second);
    await expect.poll(() => run.worker.tasks).toEqual([second]);
    expect([run.dropped, run.failed]).toEqual([['part_0 FENCED'], []]);
  });

  it('waits for a heartbeat while nobody can say whether it is still a member', async () => {
    run = drive();
    run.heartbeats.push(() => Promise.reject(new VoltstreamError('LOG_UNAVAILABLE', 'planted')));
    await run.worker.start();
    const first = run.task();
    const joined = run.join([assignment]);
    run.claims.shift()?.(first);
    await joined;
    run.worker.taskStopped(first, fenced);
    await expect.poll(() => run.claims.length).toBe(1);
    expect([run.retried, run.failed]).toEqual([['confirm membership'], []]);
    run.claims.shift()?.(run.task());
  });

  it('fails with an error that no claim cures, and does not claim again', async () => {
    run = drive();
    await run.worker.start();
    const first = run.task();
    const joined = run.join([assignment]);
    run.claims.shift()?.(first);
    await joined;
    const error = new VoltstreamError('WAREHOUSE_REFUSED', 'planted');
    run.worker.taskStopped(first, error);
    expect([run.failed, run.worker.tasks, run.claims, first.drops]).toEqual([[error], [], [], ['failed']]);
  });

  it('stops in its time though a claim or a heartbeat never comes back, and drops what is claimed afterwards', async () => {
    run = drive();
    await run.worker.start();
    void run.join([assignment]);
    await run.worker.stop(20);
    const late = run.task();
    run.claims.shift()?.(late);
    await expect.poll(() => late.drops).toEqual(['stopped']);
    expect([run.worker.tasks, run.failed]).toEqual([[], []]);
    run = drive();
    run.heartbeats.push(() => new Promise(() => undefined));
    await run.worker.start();
    const first = run.task();
    const joined = run.join([assignment]);
    run.claims.shift()?.(first);
    await joined;
    run.worker.taskStopped(first, fenced);
    await run.worker.stop(20);
    expect(run.worker.tasks).toEqual([]);
  });

  it('gives tasks turns of no records while memory is full, and lets no source become idle meanwhile', async () => {
    let full = true;
    run = drive(() => full);
    await run.worker.start();
    const turns: string[] = [];
    const task: RunningTask = { ...run.task(), turn: (recordsMax, polled) => { turns.push(`${recordsMax} ${String(polled)}`); return 0; } };
    const joined = run.join([assignment]);
    expect(run.worker.claiming).toBe(null);
    run.claims.shift()?.(task);
    await joined;
    expect(run.worker.claiming).toEqual([]);
    run.log.answers++;
    await expect.poll(() => turns.length).toBeGreaterThan(3);
    expect(new Set(turns)).toEqual(new Set(['0 false']));
    full = false;
    await expect.poll(() => turns.at(-1)).toMatch(/^2000 /);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import type { AssignmentListener, Log, LogConsumer, TaskAssignment } from '../log/log.ts';
import type { RunningTask } from '../task/running-task.ts';
import { Worker } from './worker.ts';

const assignmentOf = (partition: number): TaskAssignment => ({ task: `part_${partition}`, partitions: [{ topic: 'in', partition }] });
const assignment = assignmentOf(0);
const five = [0, 1, 2, 3, 4].map(assignmentOf);

/** A worker whose joins, heartbeats and claims happen when the test says so. */
function drive(paused: () => boolean = () => false) {
  let listener: AssignmentListener | null = null;
  const claims: ((task: RunningTask) => void)[] = [];
  const claimed: { readonly task: string; readonly outdated: AbortSignal }[] = [];
  const resumed: string[] = [];
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
    seek: nothing, pause: nothing, resume: (partitions) => void resumed.push(...partitions.map(({ topic, partition }) => `${topic}-${partition}`)),
    commitOffsets: async () => undefined, committedOffsets: async () => [], answers: () => log.answers,
    confirmMembership: () => heartbeats.shift()?.() ?? Promise.resolve(), stop: async () => undefined,
  };
  const worker = new Worker({
    log: { consumer: () => consumer } as unknown as Log, group: 'g', tasks: five, pollWaitMs: 1, bufferBytesMax: 1, random: () => 0, paused,
    source: {
      claim: ({ task }, _consumer, outdated) => {
        claimed.push({ task, outdated });
        return new Promise((resolve) => claims.push(resolve));
      },
    },
    listener: {
      assigned: nothing, dropped: (task, reason) => dropped.push(`${task.id} ${reason}`), failed: (error) => failed.push(error), processed: nothing,
      retrying: (operation) => retried.push(operation), left: nothing,
    },
  });
  const task = (stopped = false, id = 'part_0'): RunningTask & { readonly drops: string[]; readonly confirmed: string[] } => {
    const drops: string[] = [];
    const confirmed: string[] = [];
    return {
      id, queues: [], stopped, pausedBy: null, committedPositions: [], settled: true, drops, confirmed, confirmOwner: () => void confirmed.push(id),
      accept: () => false, turn: () => 0, loadSchemas: async () => false, flush: async () => undefined, drop: async (reason) => void drops.push(reason),
    };
  };
  return { worker, claims, claimed, resumed, dropped, failed, retried, heartbeats, log, task, join: (tasks: readonly TaskAssignment[]) => listener?.assigned(tasks) };
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

  it('begins with each task as soon as it is loaded, and loads two at a time', async () => {
    run = drive();
    await run.worker.start();
    let joined = false;
    void run.join(five)?.then(() => void (joined = true));
    expect(run.claimed.map(({ task }) => task)).toEqual(['part_0', 'part_1']);
    let turns = 0;
    run.claims[1]?.({ ...run.task(false, 'part_1'), turn: () => ++turns });
    await expect.poll(() => turns).toBeGreaterThan(0);
    expect([run.worker.tasks.map(({ id }) => id), run.resumed]).toEqual([['part_1'], ['in-1']]);
    expect([run.worker.ready, joined, run.worker.claiming]).toEqual([false, false, ['part_0', 'part_2', 'part_3', 'part_4']]);
    expect(run.claimed.map(({ task }) => task)).toEqual(['part_0', 'part_1', 'part_2']);
    for (const [index, id] of [[0, 'part_0'], [2, 'part_2'], [3, 'part_3'], [4, 'part_4']] as const) {
      await expect.poll(() => run.claims.length).toBeGreaterThan(index);
      run.claims[index]?.(run.task(false, id));
    }
    await expect.poll(() => joined).toBe(true);
    expect(run.worker.ready).toBe(true);
  });

  it('goes on with tasks that stay while new ones are claimed', async () => {
    run = drive();
    await run.worker.start();
    const joined = run.join([assignment]);
    let turns = 0;
    run.claims[0]?.({ ...run.task(), turn: () => ++turns });
    await joined;
    run.resumed.length = 0;
    const before = turns;
    void run.join(five);
    expect(run.resumed).toEqual(['in-0']);
    await expect.poll(() => turns).toBeGreaterThan(before);
    expect(run.claimed.map(({ task }) => task)).toEqual(['part_0', 'part_1', 'part_2']);
  });

  it('asks the store at each join whether tasks that stay are still ours: others may have claimed them while we were away', async () => {
    run = drive();
    await run.worker.start();
    const joined = run.join([assignment]);
    const first = run.task();
    run.claims.shift()?.(first);
    await joined;
    expect(first.confirmed).toEqual([]);
    await run.join([assignment]);
    expect(first.confirmed).toEqual(['part_0']);
    await expect.poll(() => first.confirmed.length, { timeout: 10_000 }).toBe(2); // claims of who has not heard of the join yet
    run.worker.taskStopped(first, fenced);
    await expect.poll(() => run.claims.length).toBe(1);
  });

  it('gives up the claims of an assignment that a later join has replaced, and begins none of them', async () => {
    run = drive();
    await run.worker.start();
    const first = run.join(five);
    const second = run.join([assignmentOf(1), assignmentOf(4)]);
    expect(run.claimed.map(({ task, outdated }) => [task, outdated.aborted])).toEqual([['part_0', true], ['part_1', false], ['part_4', false]]);
    const unwanted = run.task(false, 'part_0');
    run.claims[0]?.(unwanted);
    run.claims[1]?.(run.task(false, 'part_1'));
    run.claims[2]?.(run.task(false, 'part_4'));
    await Promise.all([first, second]);
    expect(run.claimed).toHaveLength(3);
    expect([run.worker.tasks.map(({ id }) => id), unwanted.drops, run.failed]).toEqual([['part_1', 'part_4'], ['assigned elsewhere'], []]);
  });

  it('claims a task that comes back anew, once its outdated claim has ended', async () => {
    run = drive();
    await run.worker.start();
    void run.join([assignment]);
    void run.join([]);
    const joined = run.join([assignment]);
    expect(run.claimed).toHaveLength(1);
    const [outdated, present] = [run.task(), run.task()];
    run.claims[0]?.(outdated);
    await expect.poll(() => run.claims.length).toBe(2);
    run.claims[1]?.(present);
    await joined;
    expect([run.worker.tasks, outdated.drops]).toEqual([[present], ['assigned elsewhere']]);
  });

  it('lets timers and answers come between the turns of many busy tasks', async () => {
    run = drive();
    await run.worker.start();
    const between: number[] = [];
    let immediates = 0;
    const count = (): void => {
      immediates++;
      if (run.worker.tasks.length > 0) setImmediate(count);
    };
    const busy = (id: string): RunningTask => ({ ...run.task(false, id), turn: () => {
      between.push(immediates);
      for (const untilMs = performance.now() + 25; performance.now() < untilMs;);
      return 2_000;
    } });
    const joined = run.join(five);
    for (const [index, { task }] of five.entries()) {
      await expect.poll(() => run.claims.length).toBeGreaterThan(index);
      run.claims[index]?.(busy(task));
    }
    await joined;
    count();
    between.length = 0;
    await expect.poll(() => between.length).toBeGreaterThan(10);
    const turns = between.slice(1, 11);
    expect(new Set(turns).size).toBe(turns.length);
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

  it('waits for all that is to be delivered when nobody else is there, and for a named time when others take over', async () => {
    const timer = vi.spyOn(globalThis, 'setTimeout');
    for (const [tasks, waitsMs] of [[five, 60_000], [five.slice(1), 3_000]] as const) {
      run = drive();
      await run.worker.start();
      const joined = run.join(tasks);
      const flushed = Promise.withResolvers<void>();
      for (const [index, { task }] of tasks.entries()) {
        await expect.poll(() => run.claims.length).toBeGreaterThan(index);
        run.claims[index]?.({ ...run.task(false, task), flush: () => flushed.promise });
      }
      await joined;
      timer.mockClear();
      const stopped = run.worker.stop(60_000);
      expect(timer.mock.calls.map(([, ms]) => ms)).toContain(waitsMs);
      flushed.resolve();
      await stopped;
    }
    timer.mockRestore();
  });

  it('gives tasks turns of no records while memory is full, and lets no source become idle meanwhile', async () => {
    let full = true;
    run = drive(() => full);
    await run.worker.start();
    const turns: string[] = [];
    const task: RunningTask = { ...run.task(), turn: (recordsMax, polled) => { turns.push(`${recordsMax} ${String(polled)}`); return 0; } };
    const joined = run.join([assignment]);
    expect(run.worker.claiming).toEqual(['part_0']);
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

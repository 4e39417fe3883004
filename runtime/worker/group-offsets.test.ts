import { describe, expect, it, vi } from 'vitest';
import type { Log, LogConsumer } from '../log/log.ts';
import type { RunningTask } from '../task/running-task.ts';
import { GroupOffsets } from './group-offsets.ts';

/** A consumer whose answers come when the test says so. */
function drive() {
  const commits: { readonly offset: number; readonly answer: () => void; readonly refuse: (error: unknown) => void }[] = [];
  const retried: unknown[] = [];
  const commitOffsets: LogConsumer['commitOffsets'] = ([first]) => new Promise((answer, refuse) => {
    commits.push({ offset: first?.offset ?? -1, answer, refuse });
  });
  const offsets = new GroupOffsets({} as Log, { commitOffsets } as LogConsumer, (_, error) => retried.push(error));
  const at = (offset: number) => [{ committedPositions: [{ topic: 'in', partition: 0, offset }], queues: [] } as unknown as RunningTask];
  return { offsets, commits, retried, at };
}

describe('GroupOffsets', () => {
  it('waits for no answer, and has one write under way at a time', async () => {
    const { offsets, commits, at } = drive();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(10_000);
    offsets.startWhenDue(at(1));
    clock.mockReturnValue(11_999);
    offsets.startWhenDue(at(2));
    clock.mockReturnValue(20_000);
    offsets.startWhenDue(at(3));
    expect(commits.map(({ offset }) => offset)).toEqual([1]);
    commits[0]?.answer();
    await vi.waitFor(() => {
      offsets.startWhenDue(at(4));
      expect(commits.map(({ offset }) => offset)).toEqual([1, 4]);
    });
    clock.mockRestore();
  });

  it('ends with what is committed last, after what is under way', async () => {
    const { offsets, commits, at } = drive();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(10_000);
    offsets.startWhenDue(at(1));
    clock.mockRestore();
    const finished = offsets.finish(at(2));
    await Promise.resolve();
    expect(commits.map(({ offset }) => offset)).toEqual([1]);
    commits[0]?.answer();
    await vi.waitFor(() => expect(commits).toHaveLength(2));
    expect(commits[1]?.offset).toBe(2);
    commits[1]?.answer();
    await finished;
  });

  it('tells a failure, and writes again when the next is due', async () => {
    const { offsets, commits, retried, at } = drive();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(10_000);
    offsets.startWhenDue(at(1));
    commits[0]?.refuse('no coordinator');
    await vi.waitFor(() => expect(retried).toEqual(['no coordinator']));
    clock.mockReturnValue(12_000);
    offsets.startWhenDue(at(2));
    expect(commits.map(({ offset }) => offset)).toEqual([1, 2]);
    clock.mockRestore();
  });
});

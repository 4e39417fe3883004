import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import type { Cell, Commit, CommitOutcome } from '../../state/state-store.ts';
import { CommitLoop } from './commit-loop.ts';

const unavailable = (): VoltstreamError => new VoltstreamError('STORE_UNAVAILABLE', 'planted');
const cell = (value: string): Cell => ({ store: 's', key: Buffer.from('k'), value: Buffer.from(value) });

/** Does with a commit what is planned: by default, what the store does. */
class PlannedStore extends MemoryStateStore {
  readonly seen: Commit[] = [];
  readonly plan: ((commit: Commit, commitAsStore: () => Promise<CommitOutcome>) => Promise<CommitOutcome>)[] = [];

  override commit(commit: Commit): Promise<CommitOutcome> {
    this.seen.push(commit);
    const planned = this.plan.shift();
    return planned === undefined ? super.commit(commit) : planned(commit, () => super.commit(commit));
  }

  async value(): Promise<string | undefined> {
    const [found] = await this.read('task_0', 's');
    return found?.value === undefined || found.value === null ? undefined : Buffer.from(found.value).toString();
  }
}

async function claimed(store: PlannedStore) {
  const abort = new AbortController();
  const retried: unknown[] = [];
  const committed: number[] = [];
  const loop = new CommitLoop(store, await store.claim('task_0'), abort.signal, {
    retrying: (_operation, error) => retried.push(error), 
    committing: async (cells, work) => {
      await work();
      committed.push(cells);
    },
  });
  return { loop, abort, retried, committed };
}

describe('CommitLoop', () => {
  it('commits one after the other, each on top of the sequence before', async () => {
    const store = new PlannedStore();
    const { loop, committed } = await claimed(store);
    const first = loop.commit([cell('1')]);
    const second = loop.commit([cell('2'), cell('3')]);
    expect([loop.busy, store.seen.length <= 1]).toEqual([true, true]);
    await Promise.all([first, second]);
    expect(store.seen.map(({ previousSequence, sequence }) => [previousSequence, sequence])).toEqual([[0, 1], [1, 2]]);
    expect([loop.busy, loop.sequence, committed, await store.value()]).toEqual([false, 2, [1, 2], '3']);
  });

  it('sends the same commit again after an unknown outcome, and it counts once', async () => {
    const store = new PlannedStore();
    store.plan.push(
      () => Promise.reject(unavailable()),
      async (_commit, commitAsStore) => {
        await commitAsStore();
        throw unavailable();                                     // done, but the answer was lost
      },
    );
    const { loop, retried } = await claimed(store);
    await loop.commit([cell('1')]);
    expect(new Set(store.seen.map(({ commitId }) => commitId)).size).toBe(1);
    expect([store.seen.length, retried.length, loop.sequence]).toEqual([3, 2, 1]);
    expect(await store.tasks()).toMatchObject([{ sequence: 1 }]);
  });

  it('goes on when there is room on the disk again', async () => {
    const store = new PlannedStore();
    store.plan.push(() => Promise.reject(new VoltstreamError('DISK_FULL', 'planted')));
    const { loop } = await claimed(store);
    await loop.commit([cell('1')]);
    expect(loop.sequence).toBe(1);
  });

  it('is FENCED by another owner, and whatever was queued behind fails with it', async () => {
    const store = new PlannedStore();
    const { loop } = await claimed(store);
    await store.claim('task_0');
    const first = loop.commit([cell('1')]);
    const second = loop.commit([cell('2')]);
    await expect(first).rejects.toMatchObject({ code: 'FENCED' });
    await expect(second).rejects.toMatchObject({ code: 'FENCED' });
    await expect(loop.commit([cell('3')])).rejects.toMatchObject({ code: 'FENCED' });
    expect([store.seen.length, loop.busy, await store.value()]).toEqual([1, false, undefined]);
  });

  it('is REWOUND by a store that has lost commits, and says what is stored', async () => {
    const store = new PlannedStore();
    const { loop } = await claimed(store);
    await loop.commit([cell('1')]);
    const older = store.backup();
    await loop.commit([cell('2')]);
    store.restore(older);
    await expect(loop.commit([cell('3')])).rejects.toThrow(/REWOUND[^]*wanted: sequence 2\n\s+got: sequence 1/);
    expect(await store.value()).toBe('1');
  });

  it('stops at once at any other error', async () => {
    const store = new PlannedStore();
    store.plan.push(() => Promise.reject(new Error('a bug')));
    const { loop, retried } = await claimed(store);
    await expect(loop.commit([cell('1')])).rejects.toThrow('a bug');
    await expect(loop.commit([cell('2')])).rejects.toThrow('a bug');
    expect([store.seen.length, retried]).toEqual([1, []]);
  });

  it('sends nothing more once the task is dropped', async () => {
    const store = new PlannedStore();
    const { loop, abort } = await claimed(store);
    store.plan.push(() => {
      abort.abort(new Error('dropped'));
      return Promise.reject(unavailable());
    });
    await expect(loop.commit([cell('1')])).rejects.toThrow('dropped');
    expect(store.seen.length).toBe(1);
  });
});

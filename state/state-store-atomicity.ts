import { expect, it } from 'vitest';
import { assertInvariant, VoltstreamError } from '../errors.ts';
import { cell, dump, following, loadAll } from './state-store-harness.ts';
import type { FailureMoment, StateStoreHarness } from './state-store-harness.ts';
import type { Cell, Commit, StateStore } from './state-store.ts';

const BIG_CELLS = 100_000;

/** The laws of "all of a commit or nothing of it", for small commits, huge ones and half-sent ones. */
export function describeAtomicity(current: () => { harness: StateStoreHarness; store: StateStore }): void {
  it('takes a commit of 100,000 cells', async () => {
    const { store } = current();
    const cells = Array.from({ length: BIG_CELLS }, (_, index) => cell(`s${index % 3}`, `key ${index}`, `value ${index}`));
    const commit = following(await store.claim('t_0'), cells);
    expect(await store.commit(commit)).toEqual({ kind: 'committed' });
    expect(await store.commit(commit)).toEqual({ kind: 'repeated' });
    const loaded = await loadAll(store, await store.claim('t_0'));
    expect(loaded).toHaveLength(BIG_CELLS);
    const first = dump(loaded.slice(0, 1_000));
    expect(dump(cells)).toMatchObject(first);
    const next = following({ ...commit, owner: (await store.claim('t_0')).owner }, cells.map((each) => ({ ...each, value: null })));
    expect(await store.commit(next)).toEqual({ kind: 'committed' });
    expect(await loadAll(store, await store.claim('t_0'))).toEqual([]);
  }, 120_000);

  it('takes a commit of 64 MB, one value of it 16 MB', async () => {
    const { store } = current();
    const sizes = [16_000_000, ...Array.from({ length: 48 }, () => 1_000_000)];
    const cells = sizes.map((size, index) => cell('blobs', `blob ${index}`, Buffer.alloc(size, index + 1)));
    expect(await store.commit(following(await store.claim('t_0'), cells))).toEqual({ kind: 'committed' });
    const loaded = await loadAll(store, await store.claim('t_0'));
    const summary = loaded.map(({ key, value }) => [Buffer.from(key).toString(), value?.length, value?.at(0), value?.at(-1)]);
    expect(summary.sort()).toEqual(sizes.map((size, index) => [`blob ${index}`, size, index + 1, index + 1]).sort());
  }, 120_000);

  it('never shows half of a commit to a reader, nor to a load that another owner runs into', async () => {
    const { harness, store } = current();
    const reader = await harness.connect();
    const generation = (round: number): Cell[] =>
      Array.from({ length: 3_000 }, (_, index) => cell('s', `key ${index}`, String(round)));
    let last: Commit = following(await store.claim('t_0'), generation(0));
    await store.commit(last);
    let writing = true;
    const seen = new Set<string>();
    const reading = (async () => {
      while (writing) {
        const values = new Set((await reader.read('t_0', 's')).map(({ value }) => Buffer.from(value ?? []).toString()));
        expect(values.size).toBe(1);
        for (const value of values) seen.add(value);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 1; round <= 15; round++) {
      last = following(last, generation(round));
      expect(await store.commit(last)).toEqual({ kind: 'committed' });
    }
    writing = false;
    await reading;
    expect(seen.size).toBeGreaterThan(0);
    await reader.close();
  });

  it('refuses what a load read when another owner claimed and committed before its last page', async () => {
    const { harness, store } = current();
    const cells = Array.from({ length: 10_000 }, (_, index) => cell('s', `key ${index}`, 'old'));
    await store.commit(following(await store.claim('t_0'), cells));
    const claim = await store.claim('t_0');
    const other = await harness.connect();
    const codes: string[] = [];
    let pages = 0;
    try {
      for await (const page of store.load(claim)) {
        expect(page.length).toBeGreaterThan(0);
        if (pages++ > 0) continue;
        const taken = await other.claim('t_0');
        await other.commit(following(taken, cells.map((each) => ({ ...each, value: Buffer.from('new') }))));
      }
    } catch (error) {
      codes.push(error instanceof VoltstreamError ? error.code : String(error));
    }
    expect(codes).toEqual(['FENCED']);
    await other.close();
  });
}

/** Fail the n-th command, for every n: each time the state is the old or the new one, and the same commit goes through later. */
export function describeFailures(current: () => { harness: StateStoreHarness; store: StateStore }): void {
  it.each<FailureMoment>(['before', 'after'])('leaves the old or the new state when its process dies %s any command', async (moment) => {
    const { harness, store } = current();
    assertInvariant(harness.connectFailing !== undefined, 'the harness can let commands fail');
    const oldCells = Array.from({ length: 60 }, (_, index) => cell(`s${index % 2}`, `key ${index}`, 'old'));
    const newCells = oldCells.map((each, index) => ({ ...each, value: index % 5 === 0 ? null : Buffer.from('new') }));
    const oldState = dump(oldCells);
    const newState = dump(newCells.filter(({ value }) => value !== null));
    let outcomes = '';
    for (let failAt = 1; failAt < 200; failAt++) {
      const task = `t_${failAt}`;
      await store.commit(following(await store.claim(task), oldCells));
      const dying = await harness.connectFailing(failAt, moment);
      const result = await dieAt(dying.store, task, newCells);
      const read = [...(await store.read(task, 's0')), ...(await store.read(task, 's1'))];
      const next = await store.claim(task);
      const state = dump(await loadAll(store, next));
      expect(dump(read)).toEqual(state);
      const isNew = Object.keys(state).length === Object.keys(newState).length;
      expect(state).toEqual(isNew ? newState : oldState);
      expect(next.sequence).toBe(isNew ? 2 : 1);
      if (result.committed) expect(isNew).toBe(true);
      if (result.commit !== undefined) {
        expect(await store.commit(result.commit)).toEqual({ kind: 'fenced' });
        expect(await store.commit(following(next, newCells))).toEqual({ kind: 'committed' });
        expect(dump(await loadAll(store, await store.claim(task)))).toEqual(newState);
      }
      outcomes += isNew ? 'n' : 'o';
      await dying.store.close();
      if (dying.commands() < failAt) break;
    }
    expect(outcomes).toMatch(/^o+n+$/);
  }, 120_000);

  it('goes on with the same commit after its store failed at any command', async () => {
    const { harness, store } = current();
    assertInvariant(harness.connectFailing !== undefined, 'the harness can let commands fail');
    const cells = Array.from({ length: 60 }, (_, index) => cell(`s${index % 2}`, `key ${index}`, 'new'));
    for (let failAt = 1; failAt < 200; failAt++) {
      const task = `t_${failAt}`;
      const claim = await store.claim(task);
      const commit = following(claim, cells);
      const failing = await harness.connectFailing(failAt, failAt % 2 === 0 ? 'before' : 'after');
      const first = await failing.store.commit(commit).catch((error: unknown) => error);
      if (first instanceof Error) expect(first).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(['committed', 'repeated']).toContain((await store.commit(commit)).kind);
      const next = following(commit, [cell('s0', 'key 0', 'newer')]);
      expect(await store.commit(next)).toEqual({ kind: 'committed' });
      const expected = dump([...cells.slice(1), cell('s0', 'key 0', 'newer')]);
      expect(dump(await loadAll(store, await store.claim(task)))).toEqual(expected);
      await failing.store.close();
      if (failing.commands() < failAt) break;
    }
  }, 120_000);
}

async function dieAt(
  store: StateStore,
  task: string,
  cells: readonly Cell[],
): Promise<{ readonly committed: boolean; readonly commit?: Commit }> {
  let commit: Commit | undefined;
  try {
    commit = following(await store.claim(task), cells);
    const outcome = await store.commit(commit);
    return { committed: outcome.kind === 'committed', commit };
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    return commit === undefined ? { committed: false } : { committed: false, commit };
  }
}

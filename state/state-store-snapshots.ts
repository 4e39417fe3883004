import { expect, it } from 'vitest';
import { bytes, cell, dump, following } from './state-store-harness.ts';
import type { StateStoreHarness } from './state-store-harness.ts';
import type { Cell, CellPage, Commit, StateStore } from './state-store.ts';

const cellsOf = (number: number, count = 40): Cell[] =>
  Array.from({ length: count }, (_, index) => cell(`s${index % 3}`, `key ${index}`, `${number}`));

/** All pages of a snapshot; fails when a cell comes twice. */
async function taken(store: StateStore, task: string, between: () => Promise<void> = async () => {}): Promise<CellPage[]> {
  const pages: CellPage[] = [];
  for await (const page of store.snapshot(task)) {
    pages.push(page);
    await between();
  }
  const cells = pages.flatMap((page) => page.cells);
  if (Object.keys(dump(cells)).length !== cells.length) throw new Error('a snapshot gives each cell once');
  return pages;
}

/** What readers that own nothing get, while an owner goes on committing. */
export function describeSnapshots(current: () => { harness: StateStoreHarness; store: StateStore }): void {
  it('gives a task as it stood at one commit, although its owner commits between two pages and is not fenced', async () => {
    const { harness, store } = current();
    const reader = await harness.connect();
    let last: Commit = following(await store.claim('t_0'), [...cellsOf(1), cell('gone', 'later', '1')]);
    await store.commit(last);
    const pages = await taken(reader, 't_0', async () => {
      last = following(last, [...cellsOf(last.sequence + 1, 50), cell('gone', 'later', null), cell('new', 'store', 'x')]);
      expect(await store.commit(last)).toEqual({ kind: 'committed' });
    });
    expect(new Set(pages.map(({ epoch, sequence }) => `${epoch}/${sequence}`))).toEqual(new Set(['1/1']));
    expect(dump(pages.flatMap(({ cells }) => cells))).toEqual(dump([...cellsOf(1), cell('gone', 'later', '1')]));
    const [after] = await taken(reader, 't_0');
    expect(after?.sequence).toBe(last.sequence);
    await reader.close();
  });

  it('gives whole commits in a snapshot that begins while one is made', async () => {
    const { harness, store } = current();
    const reader = await harness.connect();
    let last: Commit = following(await store.claim('t_0'), cellsOf(1));
    await store.commit(last);
    for (let round = 0; round < 5; round++) {
      last = following(last, cellsOf(last.sequence + 1));
      const [pages] = await Promise.all([taken(reader, 't_0'), store.commit(last)]);
      const numbers = new Set(pages.flatMap(({ cells }) => cells.map(({ value }) => Buffer.from(value ?? []).toString())));
      expect([...numbers]).toEqual([String(pages[0]?.sequence)]);
    }
    await reader.close();
  });

  it('gives an empty page for a task without cells, none for one that was never claimed, and leaves nothing behind', async () => {
    const { store } = current();
    expect(await taken(store, 'none_0')).toEqual([]);
    await store.claim('t_0');
    expect((await taken(store, 't_0')).flatMap(({ cells }) => cells)).toEqual([]);
    expect((await taken(store, 't_0')).length).toBeGreaterThan(0);
    await store.commit(following(await store.claim('t_0'), cellsOf(1)));
    for await (const page of store.snapshot('t_0')) {
      expect(page.sequence).toBe(1);
      break;
    }
    expect((await store.tasks()).map(({ task }) => task)).toEqual(['t_0']);
  });

  it('tells with each page which commit it stands at, and asks for a key before it counts', async () => {
    const { store } = current();
    expect(await store.readPage('none_0', 's0')).toEqual({ epoch: 0, sequence: 0, cells: [] });
    const first = following(await store.claim('t_0'), cellsOf(1));
    await store.commit(first);
    await store.commit(following(first, [cell('s0', 'key 0', 'second')]));
    const page = await store.readPage('t_0', 's0', { from: bytes('key 1'), limit: 2, where: (key) => key.at(-1) === 0x38 });
    expect([page.epoch, page.sequence]).toEqual([1, 2]);
    expect(page.cells.map(({ key }) => Buffer.from(key).toString())).toEqual(['key 18']);
    const one = await store.readPage('t_0', 's0', { from: bytes('key 0'), to: bytes('key 0\0') });
    expect([one.sequence, dump(one.cells)]).toEqual([2, dump([cell('s0', 'key 0', 'second')])]);
    expect((await store.readPage('t_0', 'none')).sequence).toBe(2);
  });

  it('says how many cells each store holds, and about how large they are', async () => {
    const { store } = current();
    expect(await store.sizes('none_0')).toEqual([]);
    await store.commit(following(await store.claim('t_0'), [...cellsOf(1), cell('gone', 'k', '1'), cell('gone', 'k', null)]));
    const sizes = await store.sizes('t_0');
    expect(sizes.map(({ store: name, cells }) => [name, cells])).toEqual([['s0', 14], ['s1', 13], ['s2', 13]]);
    expect(sizes.every(({ bytes: size }) => size >= 13)).toBe(true);
  });
}

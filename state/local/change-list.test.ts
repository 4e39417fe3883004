import { expect, it } from 'vitest';
import type { Cell } from '../state-store.ts';
import { ChangeList, type CellForm, type Tracked } from './change-list.ts';

interface Named extends Tracked {
  readonly name: string;
}

const entry = (name: string, facts: Partial<Tracked> = {}): Named => ({ name, changed: false, persisted: false, live: true, ...facts });

function form(held: readonly string[] = []): CellForm<Named> {
  return { store: 's', key: ({ name }) => Buffer.from(name), value: () => Buffer.from('v'), has: ({ name }) => held.includes(name) };
}

function taken(list: ChangeList<Named>, held?: readonly string[]): readonly (readonly [string, boolean])[] {
  const cells: Cell[] = [];
  list.take(cells, form(held));
  return cells.map(({ key, value }) => [Buffer.from(key).toString(), value !== null]);
}

it('gives each entry once, in the order of the first change, and then nothing until it changes again', () => {
  const list = new ChangeList<Named>();
  const [a, b] = [entry('a'), entry('b')];
  for (const changed of [b, a, b]) list.mark(changed);
  expect(list.length).toBe(2);
  expect(taken(list)).toEqual([['b', true], ['a', true]]);
  expect([list.length, taken(list)]).toEqual([0, []]);
  list.mark(b);
  expect(taken(list)).toEqual([['b', true]]);
});

it('deletes what a commit has written, and writes nothing of what came and went between two', () => {
  const list = new ChangeList<Named>();
  const written = entry('written');
  list.mark(written);
  taken(list);
  written.live = false;
  list.mark(written);
  list.mark(entry('passing', { live: false }));
  expect(taken(list)).toEqual([['written', false]]);
});

it('leaves the cell of a key to the entry that has come since', () => {
  const list = new ChangeList<Named>();
  list.mark(entry('a', { live: false, persisted: true }));
  list.mark(entry('a'));
  expect(taken(list, ['a'])).toEqual([['a', true]]);
});

import { expect, it } from 'vitest';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { Topology } from '../../topology/topology.ts';
import { restoredAtOnce } from './task-stores.ts';
import { batch, CommittedCells, coreOf } from './testing/core-fixture.ts';

const counted = (): Topology => {
  const topology = new Topology('t');
  topology.stream<string, string>('in', { key: utf8, value: utf8 }).groupByKey({ key: utf8, value: utf8 }).count('by-key');
  return topology;
};

it('puts a state back so many cells at a time, and in the end has all of them', () => {
  const keys = 2 * restoredAtOnce + 10;
  const before = coreOf(counted());
  const committed = new CommittedCells();
  before.accept(batch('in', 0, Array.from({ length: keys }, (_, index) => ({ key: `key ${index}`, value: 'v' }))));
  before.process(keys, 0);
  committed.apply(before.takeCommit(0, false).cells);

  const all = committed.all;
  const half = Math.floor(all.length / 2);
  const core = coreOf(counted());
  const entries = (): number => core.stores.get('by-key')?.entries ?? 0;
  const steps = core.restoring([all.slice(0, half), all.slice(half)]);
  const after: number[] = [];
  while (steps.next().done !== true) after.push(entries());
  expect(after).toEqual([restoredAtOnce, 2 * restoredAtOnce]);
  expect(entries()).toBe(keys);
});

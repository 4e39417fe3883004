import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../schemas/testing/property-runs.ts';
import { assignTasks, type MemberTasks } from './task-assigner.ts';

const member = (name: string, held: readonly string[] = [], heldSinceMs = 0): MemberTasks => ({ member: name, held, heldSinceMs });
const tasks = ['a_0', 'a_1', 'a_2', 'a_3'];

describe('assignTasks', () => {
  it('leaves every task where it was when nothing changes', () => {
    const assigned = assignTasks(tasks, [member('x', ['a_0', 'a_3']), member('y', ['a_1', 'a_2'])]);
    expect(Object.fromEntries(assigned)).toEqual({ x: ['a_0', 'a_3'], y: ['a_1', 'a_2'] });
  });

  it('moves only what a new member must get', () => {
    const assigned = assignTasks(tasks, [member('x', ['a_0', 'a_1']), member('y', ['a_2', 'a_3']), member('z')]);
    expect(assigned.get('x')).toEqual(['a_0', 'a_1']);
    expect(assigned.get('y')).toEqual(['a_2']);
    expect(assigned.get('z')).toEqual(['a_3']);
  });

  it('believes the later one when two members say that they have a task', () => {
    const assigned = assignTasks(['a_0'], [member('woken', ['a_0'], 1), member('present', ['a_0'], 2)]);
    expect(assigned.get('present')).toEqual(['a_0']);
  });

  it('gives nothing to members beyond the number of tasks', () => {
    expect([...assignTasks(['a_0'], [member('x'), member('y')]).values()].flat()).toEqual(['a_0']);
  });

  it('spreads each sub-topology by itself, so that none has all of the one that costs most', () => {
    const all = ['events', 'quality', 'quarantine'].flatMap((part) => [0, 1, 2, 3].map((partition) => `${part}_${partition}`));
    const assigned = assignTasks(all, [member('x'), member('y')]);
    expect(Object.fromEntries(assigned)).toEqual({
      x: ['events_0', 'events_1', 'quality_0', 'quality_1', 'quarantine_0', 'quarantine_1'],
      y: ['events_2', 'events_3', 'quality_2', 'quality_3', 'quarantine_2', 'quarantine_3'],
    });
    const before = [member('x', all.filter((task) => task.startsWith('events')), 1), member('y', all.filter((task) => task.startsWith('qua')), 1)];
    expect([...assignTasks(all, before).values()].map((own) => own.filter((task) => task.startsWith('events')).length)).toEqual([2, 2]);
  });

  it('gives what is left over of several sub-topologies to different members', () => {
    expect(Object.fromEntries(assignTasks(['a_0', 'b_0', 'c_0', 'd_0'], [member('x'), member('y')]))).toEqual({ x: ['a_0', 'b_0'], y: ['c_0', 'd_0'] });
  });

  const world = fc.record({
    counts: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
    names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
    owners: fc.array(fc.nat(5), { minLength: 36, maxLength: 36 }),
  });
  const tasksOf = (counts: readonly number[]): string[] => counts.flatMap((count, part) => Array.from({ length: count }, (_, index) => `p${part}_${index}`));
  const holding = (names: readonly string[], all: readonly string[], owners: readonly number[]): MemberTasks[] =>
    names.map((name, index) => member(name, all.filter((_, at) => owners[at] === index), 1));
  const spread = (sizes: readonly number[]): number => Math.max(...sizes) - Math.min(...sizes);
  const kept = (assigned: ReadonlyMap<string, readonly string[]>, before: readonly MemberTasks[]): number =>
    before.reduce((sum, { member: name, held }) => sum + assigned.get(name)!.filter((task) => held.includes(task)).length, 0);
  const unevenness = (assigned: readonly (readonly string[])[], counts: readonly number[]): number => Math.max(
    spread(assigned.map((own) => own.length)), ...counts.map((_, part) => spread(assigned.map((own) => own.filter((task) => task.startsWith(`p${part}_`)).length))));

  it('gives each task to exactly one member, evenly to within one by sub-topology and in all, in whatever order members come', () => {
    fc.assert(fc.property(world, ({ counts, names, owners }) => {
      const all = tasksOf(counts);
      const before = holding(names, all, owners);
      const assigned = assignTasks(all, before);
      expect([...assigned.values()].flat().toSorted()).toEqual(all.toSorted());
      expect(unevenness([...assigned.values()], counts)).toBeLessThanOrEqual(1);
      expect(assignTasks(all, before.toReversed())).toEqual(assigned);
    }), propertyRuns());
  });

  it('moves no task of an even assignment while members stay, and none that needs not to when they come and go', () => {
    const steps = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }), { minLength: 1, maxLength: 5 });
    fc.assert(fc.property(world, steps, ({ counts }, memberships) => {
      const all = tasksOf(counts);
      let present: ReadonlyMap<string, readonly string[]> = new Map();
      memberships.forEach((names, at) => {
        const before = names.map((name) => member(name, present.get(name) ?? [], at));
        present = assignTasks(all, before);
        expect(assignTasks(all, names.map((name) => member(name, present.get(name)!, at + 1)))).toEqual(new Map(present));
      });
    }), propertyRuns());
  });

  it('keeps as many tasks where they are as any assignment that is as even could', () => {
    const small = fc.record({
      counts: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }).filter((counts) => counts.reduce((sum, count) => sum + count, 0) <= 6),
      names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
      owners: fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
    });
    fc.assert(fc.property(small, ({ counts, names, owners }) => {
      const all = tasksOf(counts);
      const before = holding(names, all, owners);
      let best = 0;
      for (let way = 0; way < names.length ** all.length; way++) {
        const own = names.map((_, index) => all.filter((_task, at) => Math.floor(way / names.length ** at) % names.length === index));
        if (unevenness(own, counts) <= 1) best = Math.max(best, kept(new Map(names.map((name, index) => [name, own[index]!])), before));
      }
      expect(kept(assignTasks(all, before), before)).toBe(best);
    }), propertyRuns());
  });
});

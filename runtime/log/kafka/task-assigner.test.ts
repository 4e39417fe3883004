import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

  it('gives each task to exactly one member, evenly to within one, and keeps as many as evenness allows', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });
    fc.assert(fc.property(fc.nat(12), names, fc.array(fc.nat(4), { minLength: 12, maxLength: 12 }), (count, members, owners) => {
      const all = Array.from({ length: count }, (_, index) => `t_${index}`);
      const before = members.map((name, index) => member(name, all.filter((_, at) => owners[at] === index), 1));
      const assigned = assignTasks(all, before);
      expect([...assigned.values()].flat().toSorted()).toEqual(all.toSorted());
      const sizes = [...assigned.values()].map((one) => one.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      for (const { member: name, held } of before) {
        const kept = assigned.get(name)!.filter((one) => held.includes(one)).length;
        expect(kept).toBeGreaterThanOrEqual(Math.min(held.length, Math.floor(count / members.length)));
      }
    }));
  });
});

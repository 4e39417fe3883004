import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemberOrder } from './member-order.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

interface Member {
  readonly member: string;
  live: boolean;
}

/** A group as a store keeps it. */
class Group {
  readonly order = new MemberOrder<Member>();
  readonly members = new Map<string, Member>();

  come(member: string): void {
    if (this.members.has(member)) return;
    const one = { member, live: true };
    this.members.set(member, one);
    this.order.came(one);
  }

  leave(member: string): void {
    const one = this.members.get(member);
    if (one === undefined) return;
    this.members.delete(member);
    one.live = false;
    this.order.left(this.members.size);
  }

  get inOrder(): readonly string[] {
    return this.order.of(this.members).map(({ member }) => member);
  }
}

describe('the order of members', () => {
  it('is that of their bytes, whoever came and left between two looks', () => {
    const member = fc.nat(80).map(String);
    const command = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('come' as const), member }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('leave' as const), member }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), member }) },
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 200, size: 'max' }), (commands) => {
      const group = new Group();
      const wanted = new Set<string>();
      for (const one of commands) {
        if (one.do === 'look') {
          expect(group.inOrder).toEqual([...wanted].sort());
          continue;
        }
        group[one.do](one.member);
        if (one.do === 'come') wanted.add(one.member);
        else wanted.delete(one.member);
      }
      expect(group.inOrder).toEqual([...wanted].sort());
    }), propertyRuns());
  });

  it('looks at what came and left only, not at each pair again', () => {
    let compared = 0;
    const counted = (member: string): Member => ({
      get member() {
        compared += 1;
        return member;
      },
      live: true,
    });
    const order = new MemberOrder<Member>();
    const members = new Map(Array.from({ length: 1_000 }, (_unused, index) => [String(index), counted(String(index))]));
    order.of(members);
    compared = 0;
    const late = counted('5000');
    members.set('5000', late);
    order.came(late);
    order.of(members);
    expect(compared).toBeLessThan(2_100);
    compared = 0;
    order.of(members);
    expect(compared).toBe(0);
  });
});

import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { TaskAssignment } from '../log.ts';

export interface MemberTasks {
  readonly member: string;
  /** Tasks that the member had after its last join, and when that was (its own clock). */
  readonly held: readonly string[];
  readonly heldSinceMs: number;
}

/**
 * Gives each task to one member: evenly to within one, and to the member that has it already where evenness allows. When
 * two members say that they hold a task, the one that got it later keeps it.
 */
export function assignTasks(tasks: readonly string[], members: readonly MemberTasks[]): Map<string, string[]> {
  const known = new Set(tasks);
  const holder = new Map<string, MemberTasks>();
  for (const member of members) {
    for (const task of member.held) {
      const other = holder.get(task);
      if (known.has(task) && (other === undefined || other.heldSinceMs < member.heldSinceMs)) holder.set(task, member);
    }
  }
  const heldBy = new Map(members.map(({ member }) => [member, tasks.filter((task) => holder.get(task)?.member === member)]));
  const ordered = [...heldBy].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
  const least = Math.floor(tasks.length / members.length);
  const withOneMore = tasks.length % members.length;
  const result = new Map<string, string[]>();
  ordered.forEach(([member, held], index) => result.set(member, held.slice(0, least + (index < withOneMore ? 1 : 0))));
  const taken = new Set([...result.values()].flat());
  for (const task of tasks) {
    if (taken.has(task)) continue;
    let lowest: string[] | undefined;
    for (const assigned of result.values()) if (lowest === undefined || assigned.length < lowest.length) lowest = assigned;
    lowest!.push(task);
  }
  return result;
}

interface UserData {
  readonly held: readonly string[];
  readonly heldSinceMs: number;
}

function parseUserData(bytes: Buffer | undefined): UserData {
  if (bytes === undefined || bytes.length === 0) return { held: [], heldSinceMs: 0 };
  return JSON.parse(bytes.toString()) as UserData;
}

/** `assignTasks` as kafkajs' protocol wants it: members tell their tasks as user data; all members must run the same tasks. */
export function taskAssigner(tasks: readonly TaskAssignment[], held: () => UserData): PartitionAssigner {
  const name = 'voltstream-tasks';
  const version = 1;
  return () => ({
    name,
    version,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.from(JSON.stringify(held())) }),
    }),
    assign: async ({ members }) => {
      const claims = members.map(({ memberId, memberMetadata }) => {
        const decoded = AssignerProtocol.MemberMetadata.decode(memberMetadata);
        return { member: memberId, ...parseUserData(decoded?.userData) };
      });
      const assigned = assignTasks(tasks.map(({ task }) => task), claims);
      return [...assigned].map(([memberId, names]) => {
        const assignment: Record<string, number[]> = {};
        for (const { task, partitions } of tasks) {
          if (!names.includes(task)) continue;
          for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition);
        }
        return { memberId, memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment, userData: Buffer.alloc(0) }) };
      });
    },
  });
}

import { type FlowEdge, leastCostFlow } from './task-assigner-flow.ts';

export interface MemberTasks {
  readonly member: string;
  /** Tasks that the member had after its last join, and when that was (its own clock). */
  readonly held: readonly string[];
  readonly heldSinceMs: number;
}

/** Tasks of one sub-topology, and who holds them. */
interface Part {
  readonly tasks: readonly string[];
  /** By member, in the order of `members`. */
  readonly held: readonly (readonly string[])[];
}

/**
 * Gives each task to one member. The tasks of each sub-topology are spread evenly to within one, since they cost as much as each other, and so
 * are all tasks together. Among all ways to do so it takes one that moves the fewest tasks away from members that have them. When two members
 * say that they hold a task, the one that got it later has it. The order in which members are given makes no difference.
 */
export function assignTasks(tasks: readonly string[], members: readonly MemberTasks[]): Map<string, string[]> {
  const ordered = members.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  const holders = holdersOf(tasks, ordered);
  const parts = [...Map.groupBy(tasks, (task) => task.slice(0, task.lastIndexOf('_'))).values()].map((ofPart): Part => ({
    tasks: ofPart, held: ordered.map((member) => ofPart.filter((task) => holders.get(task) === member)),
  }));
  const withOneMore = shareOut(parts, ordered.length);
  const assigned = ordered.map((): string[] => []);
  parts.forEach((part, index) => {
    const least = Math.floor(part.tasks.length / ordered.length);
    const shares = ordered.map((_, member) => least + (withOneMore(index, member) ? 1 : 0));
    divide(part, shares).forEach((share, member) => assigned[member]!.push(...share));
  });
  return new Map(ordered.map(({ member }, index) => [member, assigned[index]!]));
}

function holdersOf(tasks: readonly string[], members: readonly MemberTasks[]): ReadonlyMap<string, MemberTasks> {
  const known = new Set(tasks);
  const holders = new Map<string, MemberTasks>();
  for (const member of members) {
    for (const task of member.held) {
      const other = holders.get(task);
      if (known.has(task) && (other === undefined || other.heldSinceMs < member.heldSinceMs)) holders.set(task, member);
    }
  }
  return holders;
}

/**
 * Who gets one task more of a part whose tasks do not come out even: as a flow of what is left over, from parts to members. Each member takes
 * as many of these as any other, to within one; best is who holds that task already.
 */
function shareOut(parts: readonly Part[], members: number): (part: number, member: number) => boolean {
  const leftOver = parts.map(({ tasks }) => tasks.length % members);
  const all = leftOver.reduce((sum, count) => sum + count, 0);
  const source = parts.length + members;
  const sink = source + 1;
  // What every member must take comes before whatever can be kept.
  const must = -(all + 1);
  const between = parts.flatMap(({ tasks, held }, part) => held.map((ofMember, member): FlowEdge => ({
    from: part, to: parts.length + member, capacity: 1, cost: ofMember.length > Math.floor(tasks.length / members) ? -1 : 0,
  })));
  const flows = leastCostFlow(sink + 1, [
    ...between,
    ...leftOver.map((capacity, part): FlowEdge => ({ from: source, to: part, capacity, cost: 0 })),
    ...Array.from({ length: members }, (_, member): readonly FlowEdge[] => [
      { from: parts.length + member, to: sink, capacity: Math.floor(all / members), cost: must },
      { from: parts.length + member, to: sink, capacity: all % members === 0 ? 0 : 1, cost: 0 },
    ]).flat(),
  ], source, sink);
  return (part, member) => flows[part * members + member] === 1;
}

/** Each member keeps what it holds up to its share; what nobody keeps goes to those whose share is not full. */
function divide({ tasks, held }: Part, shares: readonly number[]): readonly (readonly string[])[] {
  const divided = held.map((ofMember, member) => ofMember.slice(0, shares[member]));
  const kept = new Set(divided.flat());
  const free = tasks.filter((task) => !kept.has(task));
  return divided.map((share, member) => {
    const own = new Set([...share, ...free.splice(0, shares[member]! - share.length)]);
    return tasks.filter((task) => own.has(task));
  });
}

export type HeldTasks = Pick<MemberTasks, 'held' | 'heldSinceMs'>;

/** What a member tells of itself at a join, as text; one that tells nothing holds nothing. */
export function parseHeld(text: string): HeldTasks {
  return text === '' ? { held: [], heldSinceMs: 0 } : (JSON.parse(text) as HeldTasks);
}

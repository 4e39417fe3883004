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

export type HeldTasks = Pick<MemberTasks, 'held' | 'heldSinceMs'>;

/** What a member tells of itself at a join, as text; one that tells nothing holds nothing. */
export function parseHeld(text: string): HeldTasks {
  return text === '' ? { held: [], heldSinceMs: 0 } : (JSON.parse(text) as HeldTasks);
}

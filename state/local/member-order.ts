import { compareUtf8 } from './key-identity.ts';

export interface OrderedMember {
  readonly member: string;
  /** False when it has left. One that comes again is another. */
  readonly live: boolean;
}

const fewLeft = 16;

/**
 * Members in the order of their bytes, for groups that are iterated now and then while members come and go. To come and to
 * leave costs nothing; an iteration sorts only those that came since the last one, and drops those that left.
 */
export class MemberOrder<M extends OrderedMember> {
  /** Null: to be sorted anew. */
  #sorted: M[] | null = null;
  #came: M[] = [];
  #left = 0;

  came(member: M): void {
    if (this.#sorted !== null) this.#came.push(member);
  }

  /** `size` members remain. When most of what is held here has left, it is let go. */
  left(size: number): void {
    this.#left += 1;
    if (this.#left <= size + fewLeft) return;
    this.#sorted = null;
    this.#came = [];
    this.#left = 0;
  }

  /** All members in order, given what the group holds. */
  of(members: ReadonlyMap<string, M>): readonly M[] {
    if (this.#sorted === null) this.#sorted = [...members.values()].sort(byMember);
    else if (this.#came.length > 0 || this.#left > 0) this.#sorted = merged(this.#sorted, this.#came.filter(isLive).sort(byMember));
    if (this.#came.length > 0) this.#came = [];
    this.#left = 0;
    return this.#sorted;
  }
}

function merged<M extends OrderedMember>(sorted: readonly M[], came: readonly M[]): M[] {
  const all: M[] = [];
  let next = 0;
  for (const one of sorted) {
    if (!one.live) continue;
    for (let other = came[next]; other !== undefined && byMember(other, one) < 0; other = came[next]) {
      all.push(other);
      next += 1;
    }
    all.push(one);
  }
  for (; next < came.length; next += 1) all.push(came[next] as M);
  return all;
}

function byMember(left: OrderedMember, right: OrderedMember): number {
  return compareUtf8(left.member, right.member);
}

function isLive(one: OrderedMember): boolean {
  return one.live;
}

import { inByteOrder } from '../../state/local/byte-order.ts';
import type { KeyIdentity } from '../../state/local/key-identity.ts';

/** A window, or a rollup, that has changed since it was given. */
interface Waiting<K> {
  readonly key: K;
  readonly identity: string;
  readonly startMs: number;
  /** Another of the same key. */
  next: Waiting<K> | null;
}

/** Starts of what waits to be given, by key. Memory only: what is kept of windows tells which of them wait. */
export class WaitingWindows<K> {
  readonly #identity: KeyIdentity<K>;
  readonly #keys = new Map<string, Waiting<K>>();

  constructor(identity: KeyIdentity<K>) {
    this.#identity = identity;
  }

  /** Does nothing when it waits already. */
  add(key: K, startMs: number): void {
    const identity = this.#identityOf(key);
    const first = this.#keys.get(identity);
    for (let other = first ?? null; other !== null; other = other.next) if (other.startMs === startMs) return;
    this.#keys.set(identity, { key, identity, startMs, next: first ?? null });
  }

  /** Calls `give` with those of a key that start at or before `untilMs`, earliest first, and forgets them. */
  takeKey(key: K, untilMs: number, give: (key: K, startMs: number) => void): void {
    if (this.#keys.size === 0) return;
    const identity = this.#identityOf(key);
    const first = this.#keys.get(identity);
    if (first === undefined) return;
    const due: Waiting<K>[] = [];
    this.#keep(identity, first, untilMs, due);
    due.sort(byStart);
    for (const { startMs } of due) give(key, startMs);
  }

  /** The same of all keys, in the order of (start, key bytes). */
  take(untilMs: number, give: (key: K, startMs: number) => void): void {
    if (this.#keys.size === 0) return;
    const due: Waiting<K>[] = [];
    for (const [identity, first] of this.#keys) this.#keep(identity, first, untilMs, due);
    due.sort(byStart);
    for (let from = 0, to = 0; from < due.length; from = to) {
      const { startMs } = due[from] as Waiting<K>;
      while (to < due.length && (due[to] as Waiting<K>).startMs === startMs) to += 1;
      const run = from === 0 && to === due.length ? due : due.slice(from, to);
      for (const { key } of inByteOrder(run, identityOf, this.#identity.compare)) give(key, startMs);
    }
  }

  /** Moves what is due of a key to `due`. */
  #keep(identity: string, first: Waiting<K>, untilMs: number, due: Waiting<K>[]): void {
    let kept: Waiting<K> | null = null;
    for (let waiting: Waiting<K> | null = first; waiting !== null;) {
      const { next }: Waiting<K> = waiting;
      if (waiting.startMs <= untilMs) {
        due.push(waiting);
      } else {
        waiting.next = kept;
        kept = waiting;
      }
      waiting = next;
    }
    if (kept === null) this.#keys.delete(identity);
    else this.#keys.set(identity, kept);
  }

  #identityOf(key: K): string {
    return this.#identity.direct ? (key as string) : this.#identity.of(key);
  }
}

function identityOf(waiting: Waiting<unknown>): string {
  return waiting.identity;
}

function byStart(left: Waiting<unknown>, right: Waiting<unknown>): number {
  return left.startMs - right.startMs;
}

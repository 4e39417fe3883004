import type { Codec } from '../../schemas/codec.ts';
import { int64 } from '../../schemas/builtin-codecs.ts';
import { keyIdentity } from '../../state/local/key-identity.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { TimeIndex, type Timed } from '../../state/local/time-index.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import { timestamped, type Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';

export interface SessionStores<K, A> {
  /** Open sessions by their start; their timestamp is their end. */
  readonly sessions: StoreDefinition<TimeKeyStore<K, Timestamped<A>>>;
  /** The highest timestamp of each key; only where lateness is measured by key. */
  readonly progress: StoreDefinition<KeyValueStore<K, number>> | null;
  readonly all: readonly StoreDefinition[];
}

export function sessionStores<K, A>(
  name: string, options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
): SessionStores<K, A> {
  const sessions = timeKeyStore({ name, key: options.key, value: timestamped(options.aggregate) });
  const progress = options.timeScope === 'key' ? keyValueStore({ name: `${name}.progress`, key: options.key, value: int64 }) : null;
  return { sessions, progress, all: progress === null ? [sessions] : [sessions, progress] };
}

export interface ClosedSession<K, A> {
  readonly key: K;
  readonly startMs: number;
  readonly endMs: number;
  readonly value: A;
}

interface Expected<K> extends Timed {
  readonly key: K;
  readonly startMs: number;
}

/**
 * When the sessions of a store end. A session is looked at when the end is due that it had when it was looked at last: one that
 * went on meanwhile is put off, so that a record that extends it costs nothing here.
 */
export class SessionEnds<K, A> {
  readonly #store: TimeKeyStore<K, Timestamped<A>>;
  readonly #compare: (left: K, right: K) => number;
  readonly #expected = new TimeIndex<Expected<K>>();

  constructor(store: TimeKeyStore<K, Timestamped<A>>, key: Codec<K>) {
    this.#store = store;
    const identity = keyIdentity(key);
    this.#compare = (left, right) => identity.compare(identity.of(left), identity.of(right));
    for (const { key: owner, timeMs, value } of store.all()) this.add(owner, timeMs, value.timestampMs);
  }

  /** To be called for each session that begins. */
  add(key: K, startMs: number, endMs: number): void {
    this.#expected.add({ timeMs: endMs, place: 0, key, startMs });
  }

  /** False when no session can have ended by then. */
  mayHaveEnded(untilMs: number): boolean {
    const { earliestMs } = this.#expected;
    return earliestMs !== undefined && earliestMs <= untilMs;
  }

  /** Removes the sessions that end at or before `untilMs` from the store, and gives them in the order of (end, key bytes). */
  drain(untilMs: number): readonly ClosedSession<K, A>[] {
    const closed: ClosedSession<K, A>[] = [];
    this.#close(untilMs, closed);
    return closed.length < 2 ? closed : closed.sort((left, right) => left.endMs - right.endMs || this.#compare(left.key, right.key));
  }

  /** Removes those, for nobody. */
  forget(untilMs: number): void {
    this.#close(untilMs, null);
  }

  #close(untilMs: number, closed: ClosedSession<K, A>[] | null): void {
    const expected = this.#expected;
    for (let bucket = expected.takeEarliest(untilMs); bucket !== undefined; bucket = expected.takeEarliest(untilMs)) {
      for (const { key, startMs } of bucket) {
        const session = this.#store.get(key, startMs);
        // Absorbed by another that began before it, or closed by its key.
        if (session === undefined) continue;
        if (session.timestampMs > untilMs) {
          this.add(key, startMs, session.timestampMs);
          continue;
        }
        this.#store.delete(key, startMs);
        closed?.push({ key, startMs, endMs: session.timestampMs, value: session.value });
      }
    }
  }
}

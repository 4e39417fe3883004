import { int64 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeBytes, timeThenBytes } from '../../state/local/time-bytes.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';

/** A session as it is held under its end and key. */
export interface HeldSession<A> {
  readonly startMs: number;
  readonly value: A;
}

/** Start (8 bytes, int64), then the aggregate. */
export function heldSession<A>(aggregate: Codec<A>): Codec<HeldSession<A>> {
  return {
    kind: 'codec',
    schemaId: `session(${aggregate.schemaId})`,
    encode: (session) => timeThenBytes(session.startMs, aggregate.encode(session.value)),
    decode: (encoded) => ({
      startMs: int64.decode(encoded.subarray(0, timeBytes)), value: aggregate.decode(encoded.subarray(timeBytes)),
    }),
  };
}

export interface SessionStores<K, A> {
  /** Open sessions by their end. Those of one key are further apart than the gap, so that no two end at one time. */
  readonly sessions: StoreDefinition<TimeKeyStore<K, HeldSession<A>>>;
  /** The highest timestamp of each key; only where lateness is measured by key. */
  readonly progress: StoreDefinition<KeyValueStore<K, number>> | null;
  readonly all: readonly StoreDefinition[];
}

export function sessionStores<K, A>(
  name: string, options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
): SessionStores<K, A> {
  const sessions = timeKeyStore({ name, key: options.key, value: heldSession(options.aggregate) });
  const progress = options.timeScope === 'key' ? keyValueStore({ name: `${name}.progress`, key: options.key, value: int64 }) : null;
  return { sessions, progress, all: progress === null ? [sessions] : [sessions, progress] };
}

import type { Codec } from '../../schemas/codec.ts';
import { int64 } from '../../schemas/builtin-codecs.ts';
import { composite } from '../../schemas/codec-evolution.ts';
import { encodeInto } from '../../schemas/encode-into.ts';
import { keyIdentity, type KeyIdentity } from '../../state/local/key-identity.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeBytes, writeTime } from '../../state/local/time-bytes.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import { timestamped, type Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';
import type { Rollup } from './periodic-emission.ts';

export interface WindowStores<K, A> {
  /** Aggregates by window start. */
  readonly windows: StoreDefinition<TimeKeyStore<K, Timestamped<A>>>;
  /** The highest timestamp of each key; only where lateness is measured by key. */
  readonly progress: StoreDefinition<KeyValueStore<K, number>> | null;
  /** Results that wait for the close of their window; only where those differ from the windows themselves. */
  readonly pending: StoreDefinition<TimeKeyStore<K, Timestamped<A>>> | null;
  readonly all: readonly StoreDefinition[];
}

/** `meaning` names the windows: state of others would be taken for theirs. */
export function windowStores<K, A>(
  name: string,
  options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
  holdsPending: boolean,
  meaning: string,
): WindowStores<K, A> {
  const value = timestamped(options.aggregate);
  const windows = { ...timeKeyStore({ name, key: options.key, value }), meaning };
  const pending = holdsPending ? { ...timeKeyStore({ name: `${name}.pending`, key: options.key, value }), meaning } : null;
  const progress = options.timeScope === 'key' ? keyValueStore({ name: `${name}.progress`, key: options.key, value: int64 }) : null;
  return { windows, progress, pending, all: [windows, progress, pending].filter((store) => store !== null) };
}

/** An aggregate with the times at which it changed last: the key's own, or the step's where all keys have one time; and the step's. */
export interface StampedAggregate<A> {
  value: A;
  timestampMs: number;
  keyMs: number;
  stepMs: number;
}

/** What a step with `emit: { everyMs }` keeps. */
export interface PeriodicStores<K, A> extends Pick<WindowStores<K, A>, 'progress' | 'all'> {
  readonly windows: StoreDefinition<TimeKeyStore<K, StampedAggregate<A>>>;
  readonly everyMs: number;
  readonly identity: KeyIdentity<K>;
  /** Smallest first. */
  readonly rollups: readonly (Rollup<K, A> & { readonly name: string })[];
}

export function periodicStores<K, A>(
  name: string,
  options: { readonly key: Codec<K>; readonly aggregate: Codec<A>; readonly timeScope?: 'task' | 'key' },
  everyMs: number,
  rollups: readonly (Rollup<K, A> & { readonly name: string })[],
  meaning: string,
): PeriodicStores<K, A> {
  const { progress } = windowStores(name, options, false, meaning);
  const windows = { ...timeKeyStore({ name, key: options.key, value: stamped(options.aggregate) }), meaning };
  return { windows, progress, everyMs, identity: keyIdentity(options.key), rollups, all: [windows, progress].filter((store) => store !== null) };
}

/** The three times (8 bytes each), then the aggregate. */
function stamped<A>(aggregate: Codec<A>): Codec<StampedAggregate<A>> {
  return composite<StampedAggregate<A>, [Codec<A>]>('stamped', [aggregate], ([part]) => ({
    encodeInto: ({ value, timestampMs, keyMs, stepMs }, writer) => {
      writeTime(timestampMs, writer);
      writeTime(keyMs, writer);
      writeTime(stepMs, writer);
      encodeInto(part, value, writer);
    },
    decode: (encoded) => ({
      value: part.decode(encoded.subarray(3 * timeBytes)), timestampMs: timeAt(encoded, 0), keyMs: timeAt(encoded, 1), stepMs: timeAt(encoded, 2),
    }),
  }));
}

function timeAt(encoded: Uint8Array, place: number): number {
  return int64.decode(encoded.subarray(place * timeBytes, (place + 1) * timeBytes));
}

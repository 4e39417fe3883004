import { VoltstreamError } from '../errors.ts';
import { int64, utf8 } from '../schemas/builtin-codecs.ts';
import type { Codec } from '../schemas/codec.ts';
import { bytesToLatin1 } from '../state/cell-bytes.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timeKeyStore } from '../state/local/time-key-store.ts';
import type { TimeKeyStore } from '../state/local-store.ts';
import type { Operator } from './operator.ts';
import { statefulOperator } from './stateful-operator.ts';
import { advanceProgress } from './windows/progress.ts';
import { wantMilliseconds } from './windows/window-span.ts';

export interface DeduplicateOptions<K, V> {
  /** What two records of one key have in common when they are the same. */
  readonly by: (value: V, key: K) => string;
  /** How far time goes on before an identity is forgotten. */
  readonly withinMs: number;
  /**
   * Identities remembered for one key; the one seen first goes first. Default 10,000: a bound for a key that runs wild, about
   * 2 MB, far above what a device sends within a day.
   */
  readonly maxEntriesPerKey?: number;
  /** What time is: `task` (default), the step's stream time; or `key`, the highest timestamp of the record's own key. */
  readonly timeScope?: 'task' | 'key';
  /** Form of keys that are not texts. */
  readonly key?: Codec<NonNullable<K>>;
}

const defaultMaxEntriesPerKey = 10_000;

/**
 * Lets through the first of the records of a key that have the same identity, and drops the others (counted as `duplicate`).
 *
 * An identity is remembered from the time at which it was first seen (the stream time then, not the record's timestamp) until
 * time has gone on by more than `withinMs`. So an old record has its full horizon, too: a charger that sends yesterday's events
 * twice in a row, after others went on, is deduplicated like any other. What comes again after the horizon passes as new; no
 * record is ever late here. Records without a key pass as they are, for they have nothing to be compared within.
 *
 * @example
 * deduplicate('once', { by: (event: ChargingEvent) => event.eventId, withinMs: 3_600_000 })
 */
export function deduplicate<K, V>(name: string, options: DeduplicateOptions<K, V>): Operator<K, V, K, V> {
  wantMilliseconds(name, 'withinMs', options.withinMs);
  const { by, withinMs, maxEntriesPerKey = defaultMaxEntriesPerKey, timeScope = 'task' } = options;
  if (!Number.isSafeInteger(maxEntriesPerKey) || maxEntriesPerKey < 1) {
    throw new VoltstreamError('TOPOLOGY_INVALID', 'maxEntriesPerKey is not a limit', { where: name, wanted: '1 or more', got: String(maxEntriesPerKey) });
  }
  const textOf = keyText(name, options.key);
  // Identities by (first seen, owner and identity); the value numbers them in the order of arrival.
  const seen = timeKeyStore({ name, key: utf8, value: int64 });
  const progress = keyValueStore({ name: `${name}.progress`, key: utf8, value: int64 });
  const indexes = new WeakMap<TimeKeyStore<string, number>, SeenIndex>();
  const indexOf = (store: TimeKeyStore<string, number>): SeenIndex => {
    let index = indexes.get(store);
    if (index === undefined) indexes.set(store, (index = new SeenIndex(store)));
    return index;
  };
  return statefulOperator<K, V, K, V, { seen: typeof seen; progress: typeof progress }>({
    kind: 'deduplicate',
    name,
    stores: { seen, progress },
    detail: `within ${withinMs} ms, at most ${maxEntriesPerKey} a key, time by ${timeScope}`,
    process(record, { stores, streamTime, dropped }, emit) {
      const { key, value, timestampMs } = record;
      if (key === null || key === undefined) return emit(record);
      const owner = textOf(key);
      const identity = by(value, key);
      const index = indexOf(stores.seen);
      let nowMs = streamTime.ms;
      if (timeScope === 'key') {
        nowMs = advanceProgress(stores.progress, owner, timestampMs);
        index.forgetOf(owner, nowMs - withinMs - 1);
      } else {
        index.forget(nowMs - withinMs - 1);
      }
      if (index.has(owner, identity)) return dropped('duplicate');
      index.remember(owner, identity, nowMs, maxEntriesPerKey);
      return emit(record);
    },
  });
}

interface Sighting {
  readonly cellKey: string;
  readonly seenMs: number;
}

/** Which identities each key has, the first seen first. Made from the store, so that it needs no cells of its own. */
class SeenIndex {
  readonly #store: TimeKeyStore<string, number>;
  readonly #byOwner = new Map<string, Map<string, Sighting>>();
  #nextNumber = 0;

  constructor(store: TimeKeyStore<string, number>) {
    this.#store = store;
    const sightings = [...store.all()].sort((left, right) => left.value - right.value);
    for (const { key, timeMs } of sightings) this.#add(...parseCellKey(key), { cellKey: key, seenMs: timeMs });
    this.#nextNumber = (sightings.at(-1)?.value ?? -1) + 1;
  }

  has(owner: string, identity: string): boolean {
    return this.#byOwner.get(owner)?.has(identity) === true;
  }

  remember(owner: string, identity: string, seenMs: number, entriesMax: number): void {
    const cellKey = `${owner.length}:${owner}${identity}`;
    this.#store.put(cellKey, seenMs, this.#nextNumber);
    this.#nextNumber += 1;
    const sightings = this.#add(owner, identity, { cellKey, seenMs });
    if (sightings.size <= entriesMax) return;
    for (const [first, sighting] of sightings) {
      sightings.delete(first);
      this.#store.delete(sighting.cellKey, sighting.seenMs);
      break;
    }
  }

  forget(untilMs: number): void {
    const earliestMs = this.#store.earliestMs;
    if (earliestMs === undefined || earliestMs > untilMs) return;
    for (const { key } of this.#store.drain(untilMs)) {
      const [owner, identity] = parseCellKey(key);
      const sightings = this.#byOwner.get(owner);
      sightings?.delete(identity);
      if (sightings?.size === 0) this.#byOwner.delete(owner);
    }
  }

  forgetOf(owner: string, untilMs: number): void {
    const sightings = this.#byOwner.get(owner);
    if (sightings === undefined) return;
    for (const [identity, { cellKey, seenMs }] of sightings) {
      if (seenMs > untilMs) break;
      sightings.delete(identity);
      this.#store.delete(cellKey, seenMs);
    }
    if (sightings.size === 0) this.#byOwner.delete(owner);
  }

  #add(owner: string, identity: string, sighting: Sighting): Map<string, Sighting> {
    let sightings = this.#byOwner.get(owner);
    if (sightings === undefined) this.#byOwner.set(owner, (sightings = new Map()));
    sightings.set(identity, sighting);
    return sightings;
  }
}

/** Owner and identity out of `<length of owner>:<owner><identity>`. */
function parseCellKey(cellKey: string): readonly [owner: string, identity: string] {
  const begin = cellKey.indexOf(':') + 1;
  const end = begin + Number(cellKey.slice(0, begin - 1));
  return [cellKey.slice(begin, end), cellKey.slice(end)];
}

function keyText<K>(name: string, codec: Codec<NonNullable<K>> | undefined): (key: NonNullable<K>) => string {
  if (codec !== undefined && codec.schemaId !== utf8.schemaId) return (key) => bytesToLatin1(codec.encode(key));
  return (key) => {
    if (typeof key === 'string') return key;
    throw new VoltstreamError('TOPOLOGY_INVALID', 'deduplicate needs the form of keys that are not texts', {
      where: name, wanted: 'a codec as option key', got: typeof key,
    });
  };
}

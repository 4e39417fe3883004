import { VoltstreamError } from '../errors.ts';
import { int64, utf8 } from '../schemas/builtin-codecs.ts';
import type { Codec } from '../schemas/codec.ts';
import { bytesToLatin1 } from '../state/cell-bytes.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { seenStore } from '../state/local/seen-store.ts';
import type { SeenStore } from '../state/local/seen-store.ts';
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
 * record is ever late here. Records without a key pass as they are, for they have nothing to be compared within. Behind sources
 * that are idle (`idleAfterMs`) the step's time goes on, too, and what it has outlived is forgotten.
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
  const seen = seenStore({ name });
  const progress = keyValueStore({ name: `${name}.progress`, key: utf8, value: int64 });
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
      const nowMs = timeScope === 'key' ? advanceProgress(stores.progress, owner, timestampMs) : streamTime.ms;
      stores.seen.forget(owner, nowMs - withinMs - 1);
      if (timeScope === 'task') forgetSilentOwners(stores.seen, nowMs - withinMs - 1, ownersLookedAtByRecord);
      if (stores.seen.sizeOf(owner) >= maxEntriesPerKey) {
        if (stores.seen.has(owner, identity)) return dropped('duplicate');
        stores.seen.forgetOldest(owner);
      }
      return stores.seen.remember(owner, identity, nowMs) ? emit(record) : dropped('duplicate');
    },
    onIdle(_timeMs, { stores, streamTime }) {
      if (timeScope === 'task') forgetSilentOwners(stores.seen, streamTime.ms - withinMs - 1, ownersLookedAtWhenIdle);
    },
  });
}

/** Owners looked at with each record: two, so that owners that fell silent go faster than new ones can come. */
const ownersLookedAtByRecord = 2;
/** Owners looked at when the sources are idle: that is told many times a second, and must never take long. */
const ownersLookedAtWhenIdle = 1_000;

/** By the task's time a silent owner's identities are over, too; it only has to be noticed, for the memory's sake. */
function forgetSilentOwners(seen: SeenStore, untilMs: number, owners: number): void {
  let looks = owners;
  for (const owner of seen.owners()) {
    if (looks === 0) return;
    looks -= 1;
    if ((seen.newestOf(owner) ?? untilMs) > untilMs) return;
    seen.forget(owner, untilMs);
  }
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

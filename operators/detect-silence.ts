import { assertInvariant } from '../errors.ts';
import { int64, pair } from '../schemas/builtin-codecs.ts';
import type { Codec } from '../schemas/codec.ts';
import type { KeyValueStore, TimeKeyStore } from '../state/local-store.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timeKeyStore } from '../state/local/time-key-store.ts';
import type { Operator, StreamRecord, StreamTime } from './operator.ts';
import type { Emit } from './record-step.ts';
import { statefulStep } from './stateful-operator.ts';
import { wantPositive } from './windows/window-span.ts';

export interface DetectSilenceOptions<K> {
  /** A key is silent when stream time has gone on by more than this since its last record came. */
  readonly afterMs: number;
  /** How keys are kept. */
  readonly key: Codec<K>;
  /**
   * Lets the wall clock move time, too, every so often: for live events whose times are those of the clock, where silence shall be
   * noticed although other streams of the task go on or no source has `idleAfterMs`. Not in replay and backfill.
   */
  readonly wallClockEveryMs?: number;
}

/** A key that has fallen silent. */
export interface Silence {
  /** The highest timestamp of its records since it was last silent. */
  readonly lastMs: number;
  /** Stream time when the last of them came: from here its silence is counted. Above `lastMs` when that record was an old one. */
  readonly heardMs: number;
  /** The time by which the silence was noticed: of a record, an idle source or the wall clock, above `heardMs + afterMs`. */
  readonly noticedMs: number;
}

/**
 * Gives one record for each key from which nothing has come for more than `afterMs`; another one only after the key was heard
 * of again. Its key is the silent one, its timestamp the end of the time allowed: `heardMs + afterMs`.
 *
 * Time is the step's stream time: records of any key move it, and so do idle sources (`idleAfterMs`) and, if wanted, the wall
 * clock. Silence is counted from the stream time at which the key's last record came, not from that record's timestamp: what
 * a device sends late, it sends now. A record that comes exactly `afterMs` later is in time; one that comes later ends a
 * silence which is told first, even if nothing else has moved time in between. Silences are given in the order of (end of the
 * time allowed, key bytes), the same whatever moves time. Records of any value count, null ones, too; those without a key are
 * dropped and counted. The records themselves do not pass: read the stream twice.
 *
 * State: a time and a timer for each key that is not silent.
 *
 * @example Chargers that have not been heard of for a quarter of an hour
 * detectSilence('silent-stations', { afterMs: 900_000, key: utf8 })
 */
export function detectSilence<K, V>(name: string, options: DetectSilenceOptions<K>): Operator<K | null, V, K, Silence> {
  wantPositive(name, 'afterMs', options.afterMs);
  const { afterMs, key, wallClockEveryMs } = options;
  if (wallClockEveryMs !== undefined) wantPositive(name, 'wallClockEveryMs', wallClockEveryMs);
  const stores = {
    /** Stream time and highest timestamp, by key. */
    heard: keyValueStore({ name, key, value: pair(int64, int64) }),
    /** One for each key, at `heardMs` or before: it is only put right when it comes to its turn. */
    timers: timeKeyStore({ name: `${name}.timers`, key, value: int64 }),
  };
  return statefulStep<K | null, V, K, Silence, typeof stores>({
    kind: 'detectSilence',
    name,
    stores,
    detail: `after ${afterMs} ms${wallClockEveryMs === undefined ? '' : `, wall clock every ${wallClockEveryMs} ms`}`,
    advancesTime: false,
    start: (context, emit) => {
      const { streamTime } = context;
      const listener = new SilenceListener<K>(context, afterMs, emit);
      const reached = (timeMs: number): void => {
        streamTime.advance(timeMs);
        listener.tellSilent();
      };
      context.onIdle(reached);
      if (wallClockEveryMs !== undefined) context.schedule({ type: 'wall-clock', intervalMs: wallClockEveryMs }, reached);
      return (record: StreamRecord<K | null, V>) => {
        if (record.key === null || record.key === undefined) return context.dropped('null-key');
        reached(record.timestampMs);
        listener.heard(record.key, record.timestampMs);
      };
    },
  });
}

type Heard = readonly [heardMs: number, lastMs: number];

interface SilenceStores<K> {
  readonly heard: KeyValueStore<K, Heard>;
  readonly timers: TimeKeyStore<K, number>;
}

class SilenceListener<K> {
  readonly #stores: SilenceStores<K>;
  readonly #streamTime: StreamTime;
  readonly #afterMs: number;
  readonly #emit: Emit<StreamRecord<K, Silence>>;

  constructor(
    { stores, streamTime }: { readonly stores: SilenceStores<K>; readonly streamTime: StreamTime }, afterMs: number,
    emit: Emit<StreamRecord<K, Silence>>,
  ) {
    this.#stores = stores;
    this.#streamTime = streamTime;
    this.#afterMs = afterMs;
    this.#emit = emit;
  }

  heard(key: K, timestampMs: number): void {
    const { heard, timers } = this.#stores;
    const nowMs = this.#streamTime.ms;
    const before = heard.get(key);
    if (before === undefined) timers.put(key, nowMs, 0);
    else if (before[0] === nowMs && before[1] >= timestampMs) return;
    heard.put(key, [nowMs, before === undefined || before[1] < timestampMs ? timestampMs : before[1]]);
  }

  /** The earliest time first, one at a time: a timer that was put right comes to its turn among the others. */
  tellSilent(): void {
    const { heard, timers } = this.#stores;
    const noticedMs = this.#streamTime.ms;
    const untilMs = noticedMs - this.#afterMs - 1;
    for (let timeMs = timers.earliestMs; timeMs !== undefined && timeMs <= untilMs; timeMs = timers.earliestMs) {
      for (const { key } of timers.drain(timeMs)) {
        const found = heard.get(key);
        assertInvariant(found !== undefined, `${heard.name}: a key with a timer was heard of`);
        const [heardMs, lastMs] = found;
        if (heardMs > timeMs) {
          timers.put(key, heardMs, 0);
          continue;
        }
        heard.delete(key);
        this.#emit({ key, value: { lastMs, heardMs, noticedMs }, timestampMs: heardMs + this.#afterMs });
      }
    }
  }
}

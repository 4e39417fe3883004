import type { KeyValueStore, StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';
import type { StepContext, StreamRecord } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import { KeptRecords } from './kept-records.ts';
import type { Side } from './time-counts.ts';
import { UnmatchedRecords } from './unmatched-records.ts';

type Lists<K> = StoreDefinition<TimeKeyStore<K, readonly unknown[]>>;

export interface StreamJoinStores<K> {
  /** All records by time, for as long as they may be matched; by side. */
  readonly kept: readonly [left: Lists<K>, right: Lists<K>];
  /** Those that have not been matched yet; null for a side whose unmatched ones give nothing. */
  readonly unmatched: readonly [left: Lists<K> | null, right: Lists<K> | null];
  /** Times that do not follow from the records kept. */
  readonly times: StoreDefinition<KeyValueStore<string, number>>;
}

export interface StreamJoinTimes {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;
}

/** Values are of any type here: what is done with them is the same on both sides. */
export type AnyJoiner<K, R> = (left: unknown, right: unknown, key: K) => R;

/** What a join is made of. */
export interface StreamJoinParts<K, R> {
  readonly times: StreamJoinTimes;
  readonly stores: StreamJoinStores<K>;
  readonly join: AnyJoiner<K, R>;
}

/** What differs between the records of the two inputs. */
interface Direction<K, R> {
  readonly side: Side;
  readonly otherSide: Side;
  readonly own: KeptRecords<K, unknown>;
  readonly others: KeptRecords<K, unknown>;
  readonly backMs: number;
  readonly aheadMs: number;
  /** A record of this side that is not matched leaves joined with null. */
  readonly keepsUnmatched: boolean;
  readonly join: (value: unknown, other: unknown, key: K) => R;
}

const idleName = 'idle';

/** A stream join at work. `context.input` tells the side of a record. */
export class StreamJoin<K, R> {
  readonly #context: StepContext;
  readonly #emit: Emit<StreamRecord<K, R>>;
  readonly #late: Emit<StreamRecord<K, unknown>>;
  readonly #times: KeyValueStore<string, number>;
  readonly #unmatched: UnmatchedRecords<K> | null;
  readonly #directions: readonly [Direction<K, R>, Direction<K, R>];

  constructor(context: StepContext, parts: StreamJoinParts<K, R>, emit: Emit<StreamRecord<K, R>>, late: Emit<StreamRecord<K, unknown>>) {
    const { times: { beforeMs, afterMs, graceMs }, stores, join } = parts;
    this.#context = context;
    this.#emit = emit;
    this.#late = late;
    this.#times = context.store(stores.times);
    const idleMs = this.#times.get(idleName) ?? -1;
    const [left, right] = stores.kept.map((store) => new KeptRecords(context.store(store), beforeMs + afterMs + graceMs, idleMs)) as
      [KeptRecords<K, unknown>, KeptRecords<K, unknown>];
    const [leftUnmatched, rightUnmatched] = stores.unmatched;
    this.#unmatched = leftUnmatched === null ? null : new UnmatchedRecords(
      context.store(leftUnmatched), rightUnmatched === null ? null : context.store(rightUnmatched), this.#times,
      { leftMs: afterMs + graceMs, rightMs: beforeMs + graceMs },
    );
    this.#directions = [
      { side: 0, otherSide: 1, own: left, others: right, backMs: beforeMs, aheadMs: afterMs, keepsUnmatched: leftUnmatched !== null, join },
      {
        side: 1, otherSide: 0, own: right, others: left, backMs: afterMs, aheadMs: beforeMs, keepsUnmatched: rightUnmatched !== null,
        join: (value, other, key) => join(other, value, key),
      },
    ];
  }

  process(record: StreamRecord<K | null, unknown>): void {
    const { key, value, timestampMs } = record;
    const { streamTime } = this.#context;
    const direction = this.#directions[this.#context.input as Side];
    streamTime.advance(timestampMs);
    if (value === null || value === undefined) {
      this.#context.dropped('null-value');
      return;
    }
    if (key === null || key === undefined) {
      if (direction.keepsUnmatched) this.#emitAlone(direction, key as K, value, timestampMs);
      else this.#context.dropped('null-key');
      return;
    }
    if (timestampMs === streamTime.ms && this.#unmatched?.looksAt(direction.side, timestampMs) === true) this.#emitClosed(this.#unmatched);
    const keeping = direction.own.keep(key, value, timestampMs);
    if (keeping !== 'kept') {
      if (keeping === 'expired') this.#context.dropped('late');
      this.#late(record as StreamRecord<K, unknown>);
    }
    // No time lies before 0; what would have to, is looked for at 0.
    const untilMs = Math.max(0, timestampMs + direction.aheadMs);
    if (this.#emitPairs(direction, key, value, timestampMs, untilMs) || !direction.keepsUnmatched) return;
    if (untilMs < streamTime.ms) this.#emitAlone(direction, key, value, timestampMs);
    else this.#unmatched?.add(direction.side, key, value, timestampMs);
  }

  /** Nothing comes on either side for the time being: takes both on to `timeMs`. */
  idle(timeMs: number): void {
    this.#context.streamTime.advance(timeMs);
    const behind = this.#directions.filter(({ own }) => own.timeMs < timeMs);
    for (const { own } of behind) own.advance(timeMs);
    if (behind.length > 0) this.#times.put(idleName, timeMs);
    if (this.#unmatched?.hasClosed(this.#context.streamTime.ms) === true) this.#emitClosed(this.#unmatched);
  }

  /** Joins a record with those that the other side has within its times; false when there are none. */
  #emitPairs(direction: Direction<K, R>, key: K, value: unknown, timestampMs: number, untilMs: number): boolean {
    const found = direction.others.between(key, Math.max(0, timestampMs - direction.backMs), untilMs);
    if (found.length === 0) return false;
    for (const { timeMs, value: others } of found) {
      this.#unmatched?.remove(direction.otherSide, key, timeMs);
      const laterMs = timeMs > timestampMs ? timeMs : timestampMs;
      for (const other of others) this.#emit({ key, value: direction.join(value, other, key), timestampMs: laterMs });
    }
    return true;
  }

  #emitAlone(direction: Direction<K, R>, key: K, value: unknown, timestampMs: number): void {
    this.#emit({ key, value: direction.join(value, null, key), timestampMs });
  }

  #emitClosed(unmatched: UnmatchedRecords<K>): void {
    for (const { side, entry: { key, timeMs, value: values } } of unmatched.takeClosed(this.#context.streamTime.ms)) {
      for (const value of values) {
        let joined: R;
        try {
          joined = this.#directions[side].join(value, null, key);
        } catch (error) {
          // The failure of this record, not of the one that has come in; and the others shall leave all the same.
          this.#context.failed(error, { key, value, timestampMs: timeMs }, 'kept');
          continue;
        }
        this.#emit({ key, value: joined, timestampMs: timeMs });
      }
    }
  }
}

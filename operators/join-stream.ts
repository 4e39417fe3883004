import { VoltstreamError } from '../errors.ts';
import { int64, utf8 } from '../schemas/builtin-codecs.ts';
import type { Codec } from '../schemas/codec.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timeKeyStore } from '../state/local/time-key-store.ts';
import type { Operator, StreamReference } from './operator.ts';
import { handlerStep } from './record-step.ts';
import { listCodec } from './joins/list-codec.ts';
import { StreamJoin, type AnyJoiner, type StreamJoinParts, type StreamJoinStores, type StreamJoinTimes } from './joins/stream-join-step.ts';
import { wantMilliseconds } from './windows/window-span.ts';

/** Which records of two streams belong together, and how they are kept until they meet. */
export interface StreamJoinOptions<K, V, V2> {
  /** How far the other stream's record may lie before the piped one's. Negative: it must lie behind by so much at least. */
  readonly beforeMs: number;
  /** How far the other stream's record may lie behind the piped one's. Negative: it must lie before by so much at least. */
  readonly afterMs: number;
  /** How long records are kept beyond that for those that come late. */
  readonly graceMs: number;
  readonly key: Codec<K>;
  readonly left: Codec<V>;
  readonly right: Codec<V2>;
}

/**
 * Joins each record with those of another stream that have the same key and lie within a time of it: `beforeMs` back,
 * `afterMs` ahead, both inclusive, as seen from the piped stream.
 *
 * Every pair comes out once, when the second of the two arrives, with the later of both timestamps; where one record meets
 * several, by their time and arrival. The stream joined with itself is two inputs like any: each record meets itself, too.
 *
 * Each side keeps its records until its own highest timestamp is `beforeMs + afterMs + graceMs` ahead of them. A record that
 * comes later than that is joined with what is there, but is not kept for others: it goes to the output `late`, and is counted as
 * dropped (`late`) where Kafka Streams counts it, which is up to a minute later still. Records without key or value are
 * dropped and counted. A record for which the joiner throws is kept all the same; pairs before it have come out, those behind it
 * do not. Idle sources (`idleAfterMs`) take the time of both sides on. Both streams must have the same partitions and be keyed
 * alike. Throws TOPOLOGY_INVALID for times that join nothing, as three zeros do in Kafka Streams.
 *
 * Rules of Kafka Streams 4.2 (KStreamKStreamJoin, without topology optimisation; KIP-633 for the grace).
 *
 * @example
 * joinStream('paid', payments, { beforeMs: 0, afterMs: 3_600_000, graceMs: 60_000, key: utf8, left: order, right: payment },
 *   (order, payment) => ({ ...order, paidMinor: payment.amountMinor }))
 */
export function joinStream<K, V, V2, R>(
  name: string,
  other: StreamReference<NoInfer<K> | null, V2>,
  options: StreamJoinOptions<NoInfer<K>, NoInfer<NonNullable<V>>, NoInfer<NonNullable<V2>>>,
  join: (value: NonNullable<V>, other: NonNullable<V2>, key: K) => R,
): Operator<K | null, V, K, R> {
  return streamJoin('joinStream', name, other, options, join as AnyJoiner<never, R>, false, false);
}

/**
 * Like `joinStream`, but a record of the piped stream that meets none of the other leaves joined with null: as soon as a record of
 * either side shows that its time and the grace are over, with its own timestamp. One that comes when its time is over already is
 * joined with null at once, though the grace is not; so is one without a key (KIP-962).
 *
 * What waits leaves by time and then key bytes. When it is looked for is Kafka Streams' rule: some wait until a later record's time
 * is over, too. A record that was joined with null is still joined with one that comes later than that. What is sent to a sink
 * carries the origin of the record that released it, as in Kafka Streams.
 *
 * @example
 * leftJoinStream('paid', payments, { beforeMs: 0, afterMs: 3_600_000, graceMs: 60_000, key: utf8, left: order, right: payment },
 *   (order, payment) => ({ ...order, paidMinor: payment?.amountMinor ?? 0 }))
 */
export function leftJoinStream<K, V, V2, R>(
  name: string,
  other: StreamReference<NoInfer<K> | null, V2>,
  options: StreamJoinOptions<NoInfer<NonNullable<K>>, NoInfer<NonNullable<V>>, NoInfer<NonNullable<V2>>>,
  join: (value: NonNullable<V>, other: NonNullable<V2> | null, key: K) => R,
): Operator<K, V, K, R> {
  return streamJoin('leftJoinStream', name, other, options, join as AnyJoiner<never, R>, true, false);
}

/**
 * Like `leftJoinStream`, for both sides: a record of the other stream that meets none of the piped one leaves joined with null in
 * its place. At equal times those of the other stream leave first.
 *
 * @example
 * outerJoinStream('matched', payments, { beforeMs: 0, afterMs: 3_600_000, graceMs: 60_000, key: utf8, left: order, right: payment },
 *   (order, payment) => ({ order, payment }))
 */
export function outerJoinStream<K, V, V2, R>(
  name: string,
  other: StreamReference<NoInfer<K> | null, V2>,
  options: StreamJoinOptions<NoInfer<NonNullable<K>>, NoInfer<NonNullable<V>>, NoInfer<NonNullable<V2>>>,
  join: (value: NonNullable<V> | null, other: NonNullable<V2> | null, key: K) => R,
): Operator<K, V, K, R> {
  return streamJoin('outerJoinStream', name, other, options, join as AnyJoiner<never, R>, true, true);
}

function streamJoin<K, V, V2, KI, VI, KO, R>(
  kind: string,
  name: string,
  other: StreamReference<unknown, unknown>,
  options: StreamJoinOptions<K, V, V2>,
  join: AnyJoiner<never, R>,
  keepsLeft: boolean,
  keepsRight: boolean,
): Operator<KI, VI, KO, R> {
  checkTimes(name, options);
  const { beforeMs, afterMs, graceMs } = options;
  const stores = storesOf(name, options, keepsLeft, keepsRight);
  const parts: StreamJoinParts<K, R> = { times: { beforeMs, afterMs, graceMs }, stores, join: join as AnyJoiner<K, R> };
  const operator: Operator<K | null, unknown, K, R> = {
    kind,
    name,
    others: [other],
    stores: [...stores.kept, ...stores.unmatched.filter((store) => store !== null), stores.times],
    reads: [],
    ports: ['late'],
    changesKey: false,
    detail: `with ${other.node}, ${beforeMs} ms before to ${afterMs} ms after, grace ${graceMs} ms`,
    build: (context) =>
      handlerStep(context, (emit, guard) => {
        const late = guard(context.output<K, unknown>('late'));
        // It begins with what the stores hold, and those of a task are filled when its steps are built.
        let running: StreamJoin<K, R> | null = null;
        const begin = (): StreamJoin<K, R> => (running = new StreamJoin(context, parts, emit, late));
        context.onIdle((timeMs) => (running ?? begin()).idle(timeMs));
        return (record) => (running ?? begin()).process(record);
      }),
  };
  // Keys and values that a kind of join does not have are dropped by it.
  return operator as unknown as Operator<KI, VI, KO, R>;
}

function storesOf<K, V, V2>(
  name: string, { key, left, right }: StreamJoinOptions<K, V, V2>, keepsLeft: boolean, keepsRight: boolean,
): StreamJoinStores<K> {
  const lists = <T>(part: string, value: Codec<T>) => timeKeyStore({ name: `${name}.${part}`, key, value: listCodec(value as Codec<unknown>) });
  return {
    kept: [lists('left', left), lists('right', right)],
    unmatched: [keepsLeft ? lists('left-unmatched', left) : null, keepsRight ? lists('right-unmatched', right) : null],
    times: keyValueStore({ name: `${name}.times`, key: utf8, value: int64 }),
  };
}

function checkTimes(name: string, { beforeMs, afterMs, graceMs }: StreamJoinTimes): void {
  wantMilliseconds(name, 'graceMs', graceMs);
  wantMilliseconds(name, 'beforeMs', Math.abs(beforeMs));
  wantMilliseconds(name, 'afterMs', Math.abs(afterMs));
  if (beforeMs + afterMs >= 0 && beforeMs + afterMs + graceMs > 0) return;
  throw new VoltstreamError('TOPOLOGY_INVALID', 'the times of a join let no two records meet', {
    where: name, wanted: 'beforeMs + afterMs of 0 or more, and more than 0 with graceMs', got: `${beforeMs} + ${afterMs}, grace ${graceMs}`,
  });
}

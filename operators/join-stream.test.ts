import { describe, expect, expectTypeOf, it } from 'vitest';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { joinStream, leftJoinStream, outerJoinStream, type StreamJoinOptions } from './join-stream.ts';
import type { Operator, StreamRecord, StreamReference } from './operator.ts';
import { OperatorHarness } from './testing/harness.ts';

type Text = string | null;
type Texts = StreamRecord<Text, Text>;
type Running = OperatorHarness<Text, Text, Text, string>;

const right: StreamReference<Text, Text> = { node: 'right', port: 'out' };
const times = { beforeMs: 10, afterMs: 5, graceMs: 20 };
const options = (changed: Partial<typeof times> = {}): StreamJoinOptions<string, string, string> =>
  ({ ...times, ...changed, key: utf8, left: utf8, right: utf8 });
const both = (one: Text, other: Text): string => `${one}+${other}`;
const left = 0;
const at = (timestampMs: number, value: Text, key: Text = 'a'): Texts => ({ key, value, timestampMs });
const plain = (records: readonly Texts[]): readonly string[] => records.map(({ value, timestampMs }) => `${value}@${timestampMs}`);

const inner = (changed = {}, join = both): Running =>
  new OperatorHarness(joinStream<string, Text, Text, string>('join', right, options(changed), join) as Operator<Text, Text, Text, string>);
const leftJoin = (changed = {}, join = both): Running =>
  new OperatorHarness(leftJoinStream<Text, Text, Text, string>('join', right, options(changed), join));
const outer = (changed = {}): Running => new OperatorHarness(outerJoinStream<Text, Text, Text, string>('join', right, options(changed), both));

describe('joinStream', () => {
  it('joins what lies from beforeMs back to afterMs ahead of the piped record, whichever comes first', () => {
    const running = inner();
    for (const timeMs of [89, 90, 105, 106]) running.pushInto(1, at(timeMs, `r${timeMs}`));
    running.pushInto(left, at(100, 'l'));
    for (const timeMs of [89, 90, 105, 106]) running.pushInto(1, at(timeMs, `s${timeMs}`));
    expect(plain(running.take())).toEqual(['l+r90@100', 'l+r105@105', 'l+s90@100', 'l+s105@105']);
  });

  it('gives the pairs of a record by the time of the other, then by arrival, and does not join other keys', () => {
    const running = inner();
    running.pushInto(1, at(101, 'c'), at(100, 'a'), at(100, 'b'), at(100, 'x', 'other'));
    running.restart();
    running.pushInto(left, at(102, 'l'));
    expect(plain(running.take())).toEqual(['l+a@102', 'l+b@102', 'l+c@102']);
  });

  it('keeps a side until its own time is before, after and grace ahead', () => {
    const running = inner();
    running.pushInto(1, at(100, 'r'));
    running.pushInto(left, at(1_000, 'far'), at(100, 'l'));
    expect(plain(running.take())).toEqual(['l+r@100']);
    running.pushInto(1, at(134, 'r'));
    running.pushInto(left, at(100, 'm'));
    expect(plain(running.take())).toEqual(['m+r@100']);
    running.pushInto(1, at(135, 'r'));
    running.pushInto(left, at(100, 'n'));
    expect(running.take()).toEqual([]);
  });

  it('joins a late record with what is there, but keeps it not: it goes to the output late, counted when its segment is gone', () => {
    const running = inner();
    running.pushInto(1, at(50, 'r'));
    running.pushInto(left, at(85, 'l'), at(50, 'late'));
    expect(plain(running.take())).toEqual(['late+r@50']);
    expect(plain(running.take('late') as Texts[])).toEqual(['late@50']);
    expect(running.dropped).toEqual({});
    running.pushInto(left, at(60_034, 'l'), at(59_998, 'late'));
    expect(running.dropped).toEqual({});
    running.pushInto(left, at(60_035, 'l'), at(59_999, 'late'));
    expect(running.dropped).toEqual({ late: 1 });
    running.pushInto(1, at(50, 'nothing left'));
    expect(plain(running.take('late') as Texts[])).toEqual(['late@59998', 'late@59999']);
    expect(running.take()).toEqual([]);
  });

  it('drops records without key or value, which take time on but not the horizon of their side', () => {
    const running = inner();
    running.pushInto(left, at(100, 'l'), at(1_000, null), at(1_000, 'x', null), at(1_000, null, null));
    running.pushInto(1, at(100, 'r'), at(1_000, 'x', null));
    expect(plain(running.take())).toEqual(['l+r@100']);
    expect(running.dropped).toEqual({ 'null-value': 2, 'null-key': 2 });
  });

  it('joins a stream with itself: each record meets itself, and each pair comes both ways', () => {
    const running = inner({ beforeMs: 5, afterMs: 5 });
    for (const record of [at(100, 'x'), at(103, 'y')]) {
      running.pushInto(left, record);
      running.pushInto(1, record);
    }
    expect(plain(running.take())).toEqual(['x+x@100', 'y+x@103', 'x+y@103', 'y+y@103']);
  });

  it('takes negative times: the other must lie behind by so much at least', () => {
    const running = inner({ beforeMs: -3, afterMs: 5 });
    for (const timeMs of [102, 103, 105, 106]) running.pushInto(1, at(timeMs, `r${timeMs}`));
    running.pushInto(left, at(100, 'l'));
    expect(plain(running.take())).toEqual(['l+r103@103', 'l+r105@105']);
  });

  it('looks at time 0 for what would have to lie before it, as Kafka Streams', () => {
    const running = inner({ beforeMs: 10, afterMs: -10 });
    running.pushInto(1, at(0, 'r'));
    running.pushInto(left, at(3, 'l'));
    expect(plain(running.take())).toEqual(['l+r@3']);
  });

  it('refuses times that join nothing', () => {
    expect(() => inner({ beforeMs: 0, afterMs: 0, graceMs: 0 })).toThrow(/TOPOLOGY_INVALID.*no two records meet/s);
    expect(() => inner({ beforeMs: 4, afterMs: -5 })).toThrow(/TOPOLOGY_INVALID/);
    expect(() => inner({ graceMs: -1 })).toThrow(/TOPOLOGY_INVALID.*graceMs/s);
    expect(() => inner({ beforeMs: 0.5 })).toThrow(/TOPOLOGY_INVALID.*beforeMs/s);
  });

  it('hands an error of the joiner to the policy, once for a record, and keeps the record', () => {
    const running = inner({}, (one, other) => {
      if (other === 'bad') throw new Error('no');
      return both(one, other);
    });
    running.pushInto(1, at(100, 'good'), at(101, 'bad'), at(102, 'bad'), at(103, 'good'));
    running.pushInto(left, at(100, 'l'));
    running.pushInto(1, at(104, 'next'));
    expect(plain(running.take())).toEqual(['l+good@100', 'l+next@104']);
    expect(running.failures).toHaveLength(1);
  });

  it('holds no more than its times ask for, and nothing when its sources have been idle for so long', () => {
    const running = outer();
    for (let timeMs = 0; timeMs < 10_000; timeMs += 1) running.pushInto(timeMs % 2, at(timeMs, 'v', `key-${timeMs % 100}`));
    const entries = (): number[] => running.stores.commit().reduce((sums, { store, value }) => {
      const place = ['join.left', 'join.right', 'join.left-unmatched', 'join.right-unmatched'].indexOf(store);
      return place < 0 || value === null ? sums : sums.with(place, (sums[place] ?? 0) + 1);
    }, [0, 0, 0, 0]);
    expect(Math.max(...entries())).toBeLessThanOrEqual(40);
    running.idle(20_000);
    running.pushInto(left, at(9_999, 'late'));
    expect(running.take('late')).toHaveLength(1);
    running.restart();
    running.pushInto(1, at(19_965, 'late, too'));
    expect(running.take('late')).toHaveLength(1);
  });
});

describe('leftJoinStream', () => {
  it('joins with null what has met nothing, when its time and the grace are over', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'l'));
    running.pushInto(1, at(110, 'r', 'b'), at(120, 'r', 'b'));
    running.restart();
    running.pushInto(left, at(125, 'm', 'c'));
    expect(running.take()).toEqual([]);
    running.pushInto(left, at(126, 'n', 'c'));
    expect(plain(running.take())).toEqual(['l+null@100']);
  });

  it('looks for them later by a record of the other side, when that has to look further back', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'l'));
    running.pushInto(1, at(130, 'r', 'b'));
    expect(running.take()).toEqual([]);
    running.pushInto(1, at(131, 'r', 'b'));
    expect(plain(running.take())).toEqual(['l+null@100']);
  });

  it('does not look again before the newest of those that it saw has closed, as Kafka Streams', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'a', 'a'), at(110, 'b', 'b'), at(120, 'c', 'c'));
    running.pushInto(left, at(126, 'd', 'd'));
    expect(plain(running.take())).toEqual(['a+null@100']);
    running.restart();
    running.pushInto(left, at(145, 'e', 'e'));
    expect(running.take()).toEqual([]);
    running.pushInto(left, at(146, 'f', 'f'));
    expect(plain(running.take())).toEqual(['b+null@110', 'c+null@120']);
  });

  it('lets those of equal times leave by key bytes, and those of a key by arrival', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'c', '\u{10000}'), at(100, 'b', '\uffff'), at(100, 'a2'), at(99, 'z', 'z'), at(100, 'a1'), at(1_000, 'far'));
    expect(plain(running.take())).toEqual(['z+null@99', 'a2+null@100', 'a1+null@100', 'b+null@100', 'c+null@100']);
  });

  it('joins with null at once what comes after its time, and still with what comes later yet', () => {
    const running = leftJoin();
    running.pushInto(1, at(106, 'r', 'b'));
    running.pushInto(left, at(100, 'l'));
    running.pushInto(1, at(100, 'r'));
    expect(plain(running.take())).toEqual(['l+null@100', 'l+r@100']);
  });

  it('joins what has no key with null at once, and drops such of the other side', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'l', null));
    running.pushInto(1, at(100, 'r', null));
    expect(running.take()).toEqual([{ key: null, value: 'l+null', timestampMs: 100 }]);
    expect(running.dropped).toEqual({ 'null-key': 1 });
  });

  it('lets what waits leave when the sources are idle', () => {
    const running = leftJoin();
    running.pushInto(left, at(100, 'a', 'a'), at(110, 'b', 'b'));
    running.idle(125);
    expect(running.take()).toEqual([]);
    running.idle(126);
    running.restart();
    running.idle(136);
    expect(plain(running.take())).toEqual(['a+null@100', 'b+null@110']);
  });

  it('lets the others leave when the joiner throws for one that waits', () => {
    const running = leftJoin({}, (one, other) => {
      if (one === 'bad') throw new Error('no');
      return both(one, other);
    });
    running.pushInto(left, at(100, 'bad'), at(101, 'good'), at(1_000, 'far'));
    expect(plain(running.take())).toEqual(['good+null@101']);
    expect(running.failures.map(({ record, kept }) => [record, kept])).toEqual([[at(100, 'bad'), true]]);
  });
});

describe('outerJoinStream', () => {
  it('joins both sides with null; at equal times the other side leaves first', () => {
    const running = outer({ afterMs: 10 });
    running.pushInto(left, at(100, 'l', 'a'));
    running.pushInto(1, at(100, 'r', 'b'), at(100, 'q', null));
    running.restart();
    running.pushInto(1, at(1_000, 'far'));
    expect(plain(running.take())).toEqual(['null+q@100', 'null+r@100', 'l+null@100']);
  });

  it('does not look again before the one behind the first open ones of both sides has closed, as Kafka Streams', () => {
    const running = outer({ afterMs: 10 });
    running.pushInto(left, at(80, 'x', 'x'));
    running.pushInto(1, at(100, 'r', 'r'));
    running.pushInto(left, at(101, 'l', 'l'), at(109, 'm', 'm'), at(111, 'z', 'z'));
    expect(plain(running.take())).toEqual(['x+null@80']);
    running.restart();
    running.pushInto(1, at(139, 'v', 'v'));
    expect(running.take()).toEqual([]);
    running.pushInto(1, at(140, 'w', 'w'));
    expect(plain(running.take())).toEqual(['null+r@100', 'l+null@101', 'm+null@109']);
  });

  it('closes each side by its own times', () => {
    const running = outer();
    running.pushInto(1, at(100, 'r', 'b'));
    running.pushInto(left, at(100, 'l', 'a'), at(126, 'x', 'x'));
    expect(plain(running.take())).toEqual(['l+null@100']);
    running.pushInto(left, at(131, 'y', 'y'));
    expect(plain(running.take())).toEqual(['null+r@100']);
  });
});

describe('types of stream joins', () => {
  interface Order { readonly total: number }
  interface Payment { readonly amount: number }
  const orders: StreamReference<string, Order> = { node: 'orders', port: 'out' };
  const payments: StreamReference<string, Payment> = { node: 'payments', port: 'out' };
  const kept = { ...times, key: utf8, left: json<Order>('order'), right: json<Payment>('payment') };
  const pipe = <K, V, K2, V2>(_from: StreamReference<K, V>, step: Operator<K, V, K2, V2>): StreamReference<K2, V2> => ({ node: step.kind, port: 'out' });

  it('infers what the joiner sees and gives', () => {
    const paid = pipe(orders, joinStream('paid', payments, kept, (order, payment) => ({ ...order, ...payment })));
    expectTypeOf(paid).toEqualTypeOf<StreamReference<string, { total: number; amount: number }>>();
    const open = pipe(orders, leftJoinStream('open', payments, kept, (order, payment) => order.total - (payment?.amount ?? 0)));
    expectTypeOf(open).toEqualTypeOf<StreamReference<string, number>>();
    const all = pipe(orders, outerJoinStream('all', payments, kept, (order, payment, key) => [order, payment, key] as const));
    expectTypeOf(all).toEqualTypeOf<StreamReference<string, readonly [Order | null, Payment | null, string]>>();
    const maybe: StreamReference<string | null, Order | null> = orders;
    expectTypeOf(pipe(maybe, joinStream('some', payments, kept, (order) => order.total))).toEqualTypeOf<StreamReference<string, number>>();
    expectTypeOf(pipe(maybe, leftJoinStream('any', payments, kept, (order) => order.total))).toEqualTypeOf<StreamReference<string | null, number>>();
    expect([paid.node, open.node, all.node]).toEqual(['joinStream', 'leftJoinStream', 'outerJoinStream']);
  });

  it('refuses streams of other keys, codecs of other types, and a payment that may be missing', () => {
    const numbered: StreamReference<number, Payment> = payments as unknown as StreamReference<number, Payment>;
    // @ts-expect-error keys differ
    pipe(orders, joinStream('a', numbered, kept, (order) => order.total));
    // @ts-expect-error texts are no payments
    pipe(orders, joinStream('b', payments, { ...kept, right: utf8 }, (order) => order.total));
    // @ts-expect-error numbers are no keys here
    pipe(orders, joinStream('c', payments, { ...kept, key: float64 }, (order) => order.total));
    // @ts-expect-error it may be null
    pipe(orders, leftJoinStream('d', payments, kept, (order, payment) => order.total - payment.amount));
    expect(joinStream('e', payments, kept, both as never).detail).toBe('with payments, 10 ms before to 5 ms after, grace 20 ms');
  });
});

import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { TopologyTestDriver } from '../runtime/testing/topology-test-driver.ts';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { logTopic } from './sink.ts';
import type { Table } from './table.ts';
import { Topology } from './topology.ts';

interface Order {
  readonly customer: number | null;
  readonly item: string;
}

interface Joined extends Order {
  readonly name: string | null;
}

const orderForm = { key: utf8, value: json<Order>('order') };
const customerForm = { key: float64, value: utf8 };
const forms = { key: utf8, value: orderForm.value, foreignKey: float64, foreignValue: utf8, result: json<Joined>('joined') };
const customerOf = (order: Order): number | null => order.customer;
const withName = (order: Order, name: string | null): Joined => ({ ...order, name });

function shop(type: 'inner' | 'left'): Topology {
  const topology = new Topology('shop');
  const orders = topology.table('orders', orderForm);
  const customers = topology.table('customers', customerForm);
  const joined = type === 'inner'
    ? orders.foreignKeyJoin('joined', customers, customerOf, withName, forms)
    : orders.leftForeignKeyJoin('joined', customers, customerOf, withName, forms);
  joined.toStream().to(logTopic<string, Joined | null>('out', { key: utf8, value: json() }));
  return topology;
}

type Input =
  | { readonly topic: 'orders'; readonly key: string; readonly value: Order | null }
  | { readonly topic: 'customers'; readonly key: number; readonly value: string | null };

const order = fc.record({ customer: fc.constantFrom(1, 2, 3, null), item: fc.constantFrom('x', 'y') });
const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ topic: fc.constant('orders' as const), key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(order, { freq: 3 }) }),
  fc.record({ topic: fc.constant('customers' as const), key: fc.constantFrom(1, 2, 3), value: fc.option(fc.constantFrom('Ada', 'Bea'), { freq: 2 }) }),
);
const types = fc.constantFrom('inner' as const, 'left' as const);

/** Both tables as they are, all that was ever in them, and the join computed from scratch. */
class Model {
  readonly #type: 'inner' | 'left';
  readonly #orders = new Map<string, Order>();
  readonly #customers = new Map<number, string>();
  readonly #ever = new Set<string>();

  constructor(type: 'inner' | 'left') {
    this.#type = type;
  }

  take(given: Input): void {
    this.#ever.add(JSON.stringify([given.topic, given.key, given.value]));
    if (given.topic === 'orders') change(this.#orders, given.key, given.value);
    else change(this.#customers, given.key, given.value);
  }

  get rows(): readonly (readonly [string, Joined])[] {
    return [...this.#orders].sort(byKey).flatMap(([key, one]) => {
      const name = one.customer === null ? null : this.#customers.get(one.customer) ?? null;
      return name === null && this.#type === 'inner' ? [] : [[key, withName(one, name)] as const];
    });
  }

  /** Whether a row can have been right once: its order was there, and so was its customer, or none where that may be. */
  explains(key: string, { customer, item, name }: Joined): boolean {
    return this.#ever.has(JSON.stringify(['orders', key, { customer, item }])) &&
      (name === null ? this.#type === 'left' : this.#ever.has(JSON.stringify(['customers', customer, name])));
  }
}

function change<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

const byKey = (left: readonly [string, unknown], right: readonly [string, unknown]): number => (left[0] < right[0] ? -1 : 1);

/** What whoever follows the join holds. */
class Follower {
  readonly #rows = new Map<string, Joined>();

  follow(driver: TopologyTestDriver, model: Model): void {
    for (const { key, value } of driver.take<string, Joined | null>('out')) {
      change(this.#rows, key, value);
      if (value !== null) expect(model.explains(key, value), JSON.stringify(value)).toBe(true);
    }
  }

  get rows(): readonly (readonly [string, Joined])[] {
    return [...this.#rows].sort(byKey);
  }
}

describe('a foreign-key join', () => {
  it('follows changes of rows, of foreign keys and of what they name', () => {
    const driver = new TopologyTestDriver(shop('left'));
    const out = (): unknown[] => driver.take('out').map(({ key, value, timestampMs }) => [key, (value as Joined | null)?.name, timestampMs]);
    driver.push('orders', 'a', { customer: 1, item: 'x' }, 10);
    expect(out()).toEqual([['a', null, 10]]);
    driver.push('customers', 1, 'Ada', 5);
    expect(out()).toEqual([['a', 'Ada', 5]]);
    driver.push('customers', 2, 'Bea', 30);
    driver.push('orders', 'a', { customer: 2, item: 'x' }, 20);
    expect(out()).toEqual([['a', 'Bea', 30]]);
    driver.push('customers', 1, 'Adele', 40);
    expect(out()).toEqual([]);
    driver.push('orders', 'a', { customer: null, item: 'x' }, 50);
    expect(out()).toEqual([['a', null, 50]]);
    driver.push('orders', 'a', null, 60);
    expect(out()).toEqual([['a', undefined, 60]]);
  });

  it.each([1, 3])('holds after each record what both tables make, with %i partitions and restarts', (partitions) => {
    fc.assert(fc.property(types, fc.array(input, { maxLength: 25 }), fc.infiniteStream(fc.nat(9)), (type, inputs, dice) => {
      const driver = new TopologyTestDriver(shop(type), { partitions });
      const model = new Model(type);
      const follower = new Follower();
      for (const [at, one] of inputs.entries()) {
        model.take(one);
        driver.push(one.topic, one.key, one.value, at);
        if (dice.next().value === 0) driver.restart();
        follower.follow(driver, model);
        expect(follower.rows).toEqual(model.rows);
      }
    }), propertyRuns(60));
  });

  it.each([1, 3])('comes to what both tables make, however answers overtake changes, with %i partitions, restarts and crashes', (partitions) => {
    const action = fc.oneof(
      { weight: 6, arbitrary: input },
      fc.constantFrom('commit' as const, 'restart' as const),
      fc.record({ crashAtCall: fc.integer({ min: 1, max: 20 }), moment: fc.constantFrom('before' as const, 'after' as const) }),
    );
    fc.assert(fc.property(types, fc.array(action, { maxLength: 40 }), (type, actions) => {
      const driver = new TopologyTestDriver(shop(type), { partitions, commit: 'manual' });
      const model = new Model(type);
      const follower = new Follower();
      for (const [at, one] of actions.entries()) {
        if (one === 'commit') driver.commit();
        else if (one === 'restart') driver.restart();
        else if ('crashAtCall' in one) driver.crashAtCall(one.crashAtCall, one.moment);
        else {
          model.take(one);
          driver.push(one.topic, one.key, one.value, at);
        }
        follower.follow(driver, model);
      }
      driver.commit();
      driver.commit();
      follower.follow(driver, model);
      expect(follower.rows).toEqual(model.rows);
    }), propertyRuns(60));
  });

  it('takes back a row whose tombstone was overtaken, which Kafka Streams keeps for ever', () => {
    const driver = new TopologyTestDriver(shop('inner'), { commit: 'manual' });
    driver.push('customers', 1, 'Ada', 1);
    driver.push('orders', 'a', { customer: 1, item: 'x' }, 2);
    driver.commit();
    driver.push('customers', 1, null, 3);
    driver.push('orders', 'a', { customer: 1, item: 'y' }, 4);
    driver.commit();
    expect(driver.take('out').map(({ value }) => (value as Joined | null)?.name)).toEqual(['Ada', undefined]);
  });

  it('joins a table with itself', () => {
    const topology = new Topology('staff');
    const people = topology.table('people', { key: utf8, value: utf8 });
    people.leftForeignKeyJoin('bosses', people, (boss) => (boss === '' ? null : boss), (boss, bossOfBoss) => `${boss}<${bossOfBoss}`, {
      key: utf8, value: utf8, foreignKey: utf8, foreignValue: utf8, result: utf8,
    }).toStream().to(logTopic<string, string | null>('out', { key: utf8, value: utf8 as never }));
    const driver = new TopologyTestDriver(topology, { partitions: 3 });
    driver.push('people', 'ann', '', 1);
    driver.push('people', 'bob', 'ann', 2);
    driver.push('people', 'ann', 'zoe', 3);
    expect(driver.take('out').map(({ key, value }) => [key, value]).sort()).toEqual([['ann', '<null'], ['ann', 'zoe<null'], ['bob', 'ann<'], ['bob', 'ann<zoe']]);
  });
});

describe('the topology of a foreign-key join', () => {
  it('has two sub-topologies that feed each other, called after their tables', () => {
    const built = shop('left').build();
    expect(built.subTopologies.map((part) => [part.name, part.sources.map((source) => source.topic), part.stores.map((store) => store.name)])).toEqual([
      ['orders', ['orders', 'joined-answers-repartition'], ['orders-table', 'joined']],
      ['customers', ['customers', 'joined-subscriptions-repartition'], ['customers-table', 'joined-answer']],
    ]);
    expect(built.repartitionTopics).toEqual(['joined-subscriptions-repartition', 'joined-answers-repartition']);
  });

  it('is told as text and drawn, both topics between the sub-topologies', () => {
    expect(shop('left').describe()).toMatchInlineSnapshot(`
      "Topology shop

      Sub-topology orders
        source orders (table orders)
          -> orders-table
        source joined-answers (repartition joined-answers-repartition)
          -> joined-match (input 0)
        step orders-table (tableSource; key-value; stores: orders-table)
          -> joined-subscribe
        step joined-subscribe (foreignKeySubscribe; left)
          -> joined-subscriptions-sink
          -without-foreign-key-> joined-match (input 1)
        step joined-match (foreignKeyMatch; left, with orders; reads: orders-table, joined)
          -> joined
        step joined (tableSource; key-value; stores: joined)
          -> toStream-1
        step toStream-1 (toStream)
          -> out
        sink joined-subscriptions-sink (repartition topic joined-subscriptions-repartition)
        sink out (topic out)

      Sub-topology customers
        source customers (table customers)
          -> customers-table
        source joined-subscriptions (repartition joined-subscriptions-repartition)
          -> joined-answer (input 0)
        step customers-table (tableSource; key-value; stores: customers-table)
          -> joined-answer (input 1)
        step joined-answer (foreignKeyAnswer; from customers; stores: joined-answer; reads: customers-table)
          -> joined-answers-sink
        sink joined-answers-sink (repartition topic joined-answers-repartition)
      "
    `);
    expect(shop('left').describe('mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        subgraph s1["orders"]
          n1[/"orders"/]
          n2[/"joined-answers-repartition"/]
          n3["orders-table<br/><i>tableSource</i>"]
          n4[("orders-table")]
          n3 -.- n4
          n5["joined-subscribe<br/><i>foreignKeySubscribe</i>"]
          n6["joined-match<br/><i>foreignKeyMatch</i>"]
          n7["joined<br/><i>tableSource</i>"]
          n8[("joined")]
          n7 -.- n8
          n9["toStream-1<br/><i>toStream</i>"]
          n4 -.-> n6
          n8 -.-> n6
          n1 --> n3
          n3 --> n5
          n2 --> n6
          n5 -->|without-foreign-key| n6
          n6 --> n7
          n7 --> n9
        end
        subgraph s2["customers"]
          n10[/"customers"/]
          n11[/"joined-subscriptions-repartition"/]
          n12["customers-table<br/><i>tableSource</i>"]
          n13[("customers-table")]
          n12 -.- n13
          n14["joined-answer<br/><i>foreignKeyAnswer</i>"]
          n15[("joined-answer")]
          n14 -.- n15
          n13 -.-> n14
          n10 --> n12
          n11 --> n14
          n12 --> n14
        end
        n5 ==> n11
        n16[\\"out"\\]
        n9 --> n16
        n14 ==> n2
      "
    `);
  });

  it('takes foreign keys of the right table\'s type, forms of all that travels, and tables of one topology', () => {
    const topology = new Topology('types');
    const orders = topology.table('orders', orderForm);
    const customers = topology.table('customers', customerForm);
    expectTypeOf(orders.foreignKeyJoin('inner', customers, ({ customer }) => customer, ({ item }, name) => ({ item, length: name.length }), {
      ...forms, result: json<{ item: string; length: number }>(),
    })).toEqualTypeOf<Table<string, { item: string; length: number }>>();
    // @ts-expect-error items are texts, customers have numbers
    const wrongKey = (): unknown => orders.foreignKeyJoin('wrong', customers, ({ item }) => item, withName, forms);
    // @ts-expect-error the customer of a left join may be null
    const careless = (): unknown => orders.leftForeignKeyJoin('careless', customers, customerOf, (one: Order, name) => ({ ...one, name: name.trim() }), forms);
    // @ts-expect-error foreign keys are numbers
    const wrongForm = (): unknown => orders.foreignKeyJoin('wrong', customers, customerOf, withName, { ...forms, foreignKey: utf8 });
    expect([wrongKey, careless, wrongForm]).toHaveLength(3);
    expect(() => orders.foreignKeyJoin('other', new Topology('other').table('customers', customerForm), customerOf, withName, forms)).toThrow(/another topology/);
  });
});

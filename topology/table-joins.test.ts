import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { joinTable } from '../operators/join-table.ts';
import { TopologyTestDriver } from '../runtime/testing/topology-test-driver.ts';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { logTopic } from './sink.ts';
import type { Table } from './table.ts';
import { Topology } from './topology.ts';

const words = { key: utf8, value: utf8 };
const out = logTopic<string, string | null>('out', words as never);
type Text = string | null;
const both = (left: Text, right: Text): string => `(${left},${right})`;

describe('joins of tables', () => {
  it('chain, and are joined by streams as they are at that moment', () => {
    const topology = new Topology('chained');
    const joined = topology.table('a', words).join(topology.table('b', words), both).outerJoin('three', topology.table('c', words), both);
    topology.stream('in', words).pipe(joinTable('with-three', joined, (value, three) => `${value}:${three}`)).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('c', 'k', 'c1', 5);
    driver.push('in', 'k', '1', 6);
    driver.push('a', 'k', 'a1', 7);
    driver.push('b', 'k', 'b1', 8);
    driver.push('in', 'k', '2', 9);
    driver.restart();
    driver.push('in', 'k', '3', 10);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['1:(null,c1)', '2:((a1,b1),c1)', '3:((a1,b1),c1)']);
  });

  it('stand with the tables that they are computed from in one sub-topology, and keep nothing', () => {
    const topology = new Topology('together');
    topology.table('a', words).leftJoin(topology.table('b', words), both).toStream().to(out);
    const [part, ...others] = topology.build().subTopologies;
    expect([part?.name, part?.stores.map((store) => store.name), others.length]).toEqual(['a', ['a-table', 'b-table'], 0]);
    expect(topology.describe()).toContain('step leftJoinTables-1 (leftJoinTables; a with b; reads: a-table, b-table)');
    expect(topology.describe('mermaid')).toContain('leftJoinTables');
  });

  it('of a table with itself give each change once', () => {
    const topology = new Topology('itself');
    const table = topology.table('a', words);
    table.join(table, both).toStream().to(out);
    const driver = new TopologyTestDriver(topology);
    driver.push('a', 'k', 'x', 5);
    driver.push('a', 'k', null, 6);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['(x,x)', null]);
  });

  it('refuse sides that are computed from one table, and tables of another topology', () => {
    const topology = new Topology('refused');
    const table = topology.table('a', words);
    const long = table.filter((value) => value.length > 3);
    expect(() => table.join('both', long, both)).toThrow(/TOPOLOGY_INVALID.*same table/);
    expect(() => table.join(long.leftJoin(topology.table('b', words), both), both)).toThrow(/a-table/);
    expect(() => table.outerJoin(new Topology('other').table('c', words), both)).toThrow(/another topology/);
  });

  it('infer what they join, and take tables of one key type only', () => {
    const topology = new Topology('types');
    const texts = topology.table('texts', words);
    const numbers = topology.table('numbers', { key: utf8, value: float64 });
    const byNumber = topology.table('by-number', { key: float64, value: utf8 });
    expectTypeOf(texts.join(numbers, (text, number, key) => ({ text, number, key })))
      .toEqualTypeOf<Table<string, { text: string; number: number; key: string }>>();
    expectTypeOf(texts.leftJoin('left', numbers, (text, number) => ({ text, number }))).toEqualTypeOf<Table<string, { text: string; number: number | null }>>();
    expectTypeOf(texts.outerJoin(numbers, (text, number) => text ?? number)).toEqualTypeOf<Table<string, string | number>>();
    // @ts-expect-error the keys are numbers there
    const wrong = (): unknown => texts.join(byNumber, both);
    // @ts-expect-error a left join's right side may be null
    const careless = (): unknown => texts.leftJoin(numbers, (text, number) => text.length + number);
    // @ts-expect-error a global table sends no changes
    const global = (): unknown => texts.join(topology.globalTable('global', words), both);
    expect([wrong, careless, global]).toHaveLength(3);
  });
});

interface Input {
  readonly topic: 'a' | 'b' | 'c';
  readonly key: string;
  readonly value: Text;
  readonly timestampMs: number;
}

interface Row {
  readonly value: string;
  readonly timestampMs: number;
}

type Joining = 'join' | 'leftJoin' | 'outerJoin';

function joinBy(how: Joining, left: Table<string, string>, right: Table<string, string>): Table<string, string> {
  switch (how) {
    case 'join': return left.join(right, both);
    case 'leftJoin': return left.leftJoin(right, both);
    case 'outerJoin': return left.outerJoin(right, both);
  }
}

/** What a join holds for a key, computed from what both sides hold; undefined when nothing. */
function joined(how: Joining, left: Row | undefined, right: Row | undefined): Row | undefined {
  if (left === undefined && right === undefined) return undefined;
  if (how === 'join' && (left === undefined || right === undefined)) return undefined;
  if (how === 'leftJoin' && left === undefined) return undefined;
  return { value: both(left?.value ?? null, right?.value ?? null), timestampMs: Math.max(left?.timestampMs ?? -1, right?.timestampMs ?? -1) };
}

describe('a chain of joins', () => {
  const input: fc.Arbitrary<Input> = fc.record({
    topic: fc.constantFrom('a' as const, 'b' as const, 'c' as const), key: fc.constantFrom('k', 'l', 'm'),
    value: fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 2 }), timestampMs: fc.nat(50),
  });
  const how = fc.constantFrom<Joining>('join', 'leftJoin', 'outerJoin');

  it.each([1, 3])('holds after each record what its tables make, and says so, with %i partitions and restarts', (partitions) => {
    fc.assert(fc.property(how, how, fc.array(input, { maxLength: 25 }), fc.infiniteStream(fc.nat(7)), (first, second, inputs, dice) => {
      const topology = new Topology('chain');
      const table = (name: string): Table<string, string> => topology.table(name, words);
      const joins = joinBy(second, joinBy(first, table('a'), table('b')), table('c'));
      joins.toStream().to(out);
      topology.stream('ask', words).pipe(joinTable('ask-row', joins, (_ask, row) => row)).to(logTopic<string, string>('answers', words));
      const driver = new TopologyTestDriver(topology, { partitions });
      const held = { a: new Map<string, Row>(), b: new Map<string, Row>(), c: new Map<string, Row>() };
      const rowOf = (key: string): Row | undefined => joined(second, joined(first, held.a.get(key), held.b.get(key)), held.c.get(key));
      for (const { topic, key, value, timestampMs } of inputs) {
        const before = rowOf(key);
        driver.push(topic, key, value, timestampMs);
        if (value === null) held[topic].delete(key);
        else held[topic].set(key, { value, timestampMs });
        const row = rowOf(key);
        // One record changes one side: at most one change, and it says what is there now.
        const given = driver.take<string, Text>('out');
        expect(given.length).toBeLessThanOrEqual(1);
        if (before?.value !== row?.value) expect(given).toHaveLength(1);
        for (const one of given) {
          expect([one.key, one.value]).toEqual([key, row?.value ?? null]);
          expect(one.timestampMs).toBeGreaterThanOrEqual(Math.max(timestampMs, row?.timestampMs ?? -1));
          const seen = [timestampMs, ...Object.values(held).map((table) => table.get(key)?.timestampMs)];
          expect(seen).toContain(one.timestampMs);
        }
        if (dice.next().value === 0) driver.restart();
        driver.push('ask', key, '?', timestampMs);
        expect(driver.take('answers').map((one) => one.value)).toEqual(row === undefined ? [] : [row.value]);
      }
    }), propertyRuns(60));
  });

  it('of versioned tables goes by the newest version of each side, and is deaf to older ones', () => {
    fc.assert(fc.property(how, fc.uniqueArray(input, { maxLength: 25, selector: (one) => one.timestampMs }), fc.infiniteStream(fc.nat(7)), (one, inputs, dice) => {
      const topology = new Topology('versions');
      joinBy(one, topology.table('a', words, { historyMs: 1_000 }), topology.table('b', words, { historyMs: 1_000 })).toStream().to(out);
      const driver = new TopologyTestDriver(topology);
      const newest = new Map<string, Row | { readonly value: null; readonly timestampMs: number }>();
      const rowIn = (table: string, key: string): Row | undefined => {
        const found = newest.get(`${table}/${key}`);
        return found === undefined || found.value === null ? undefined : found;
      };
      for (const { topic, key, value, timestampMs } of inputs) {
        if (topic === 'c') continue;
        driver.push(topic, key, value, timestampMs);
        const isNewest = (newest.get(`${topic}/${key}`)?.timestampMs ?? -1) < timestampMs;
        if (isNewest) newest.set(`${topic}/${key}`, { value, timestampMs });
        const given = driver.take<string, Text>('out').map((record) => record.value);
        const row = joined(one, rowIn('a', key), rowIn('b', key));
        if (!isNewest) expect(given).toEqual([]);
        else if (row !== undefined) expect(given).toEqual([row.value]);
        else expect([[], [null]]).toContainEqual(given);
        if (dice.next().value === 0) driver.restart();
      }
    }), propertyRuns(60));
  });

  it('tells as old value what it said before', () => {
    fc.assert(fc.property(how, fc.array(input, { maxLength: 25 }), (one, inputs) => {
      const topology = new Topology('old');
      const counts = joinBy(one, topology.table('a', words), topology.table('b', words))
        .groupBy((value) => ({ key: 'all', value }), words)
        .aggregate('values', { aggregate: json<readonly string[]>(), initial: () => [], add: (all, value) => [...all, value], subtract: (all, value) => without(all, value) });
      counts.toStream().to(logTopic<string, readonly string[] | null>('out', { key: utf8, value: json() }));
      const driver = new TopologyTestDriver(topology);
      const held = { a: new Map<string, Row>(), b: new Map<string, Row>(), c: new Map<string, Row>() };
      let last: readonly string[] = [];
      for (const { topic, key, value, timestampMs } of inputs) {
        if (topic === 'c') continue;
        driver.push(topic, key, value, timestampMs);
        if (value === null) held[topic].delete(key);
        else held[topic].set(key, { value, timestampMs });
        last = driver.take<string, readonly string[]>('out').at(-1)?.value ?? last;
        const wanted = ['k', 'l', 'm'].map((each) => joined(one, held.a.get(each), held.b.get(each))?.value).filter((each) => each !== undefined);
        expect([...last].sort()).toEqual(wanted.sort());
      }
    }), propertyRuns(60));
  });
});

function without(all: readonly string[], value: string): readonly string[] {
  const at = all.indexOf(value);
  if (at < 0) throw new Error(`${value} was never added`);
  return all.toSpliced(at, 1);
}

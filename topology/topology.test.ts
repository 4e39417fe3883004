import { describe, expect, it } from 'vitest';
import { branch } from '../operators/branch.ts';
import { deduplicate } from '../operators/deduplicate.ts';
import { filter } from '../operators/filter.ts';
import { joinGlobalTable } from '../operators/join-global-table.ts';
import { joinTable } from '../operators/join-table.ts';
import { mapValues } from '../operators/map-values.ts';
import type { Operator } from '../operators/operator.ts';
import { selectKey } from '../operators/select-key.ts';
import { statefulOperator } from '../operators/stateful-operator.ts';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import type { DeadLetter } from './dead-letter.ts';
import { clickhouse, logTopic } from './sink.ts';
import { Topology } from './topology.ts';

const words = { key: utf8, value: utf8 };
const once = (name: string): Operator<string, string, string, string> => deduplicate(name, { by: (value: string) => value, withinMs: 1_000 });

/** A step with a store of any name. */
function keeping(name: string, store: string): Operator<string, string, string, string> {
  return statefulOperator({
    kind: 'keeping', name, stores: { kept: keyValueStore({ name: store, key: utf8, value: utf8 }) },
    process: (record, _context, emit) => emit(record),
  });
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message.replaceAll('\n  ', ' | ').replace(/ \| cure: .*$/, '');
  }
  return 'nothing was refused';
}

describe('a topology', () => {
  it('refuses a name that is used twice, whatever kinds of things bear it', () => {
    const twice = (build: (topology: Topology) => unknown): string => {
      const topology = new Topology('twice');
      topology.stream('a', words).pipe(once('step')).to(logTopic('sink', words));
      return refusal(() => build(topology));
    };
    const message = (name: string): string =>
      `TOPOLOGY_INVALID: a name is used twice | where: step "${name}" | wanted: names that are unique in the topology | got: a second "${name}"`;
    expect(twice((topology) => topology.stream('a', words))).toBe(message('a'));
    expect(twice((topology) => topology.table('a', words))).toBe(message('a'));
    expect(twice((topology) => topology.globalTable('a', words))).toBe(message('a'));
    expect(twice((topology) => topology.archive('a', 'a', words, clickhouse({ database: 'd', table: 't', columns: {}, partitionOf: () => '' }, () => ({})))))
      .toBe(message('a'));
    expect(twice((topology) => topology.stream('b', words).pipe(once('step')))).toBe(message('step'));
    expect(twice((topology) => topology.stream('b', words).to(logTopic('step', words)))).toBe(message('step'));
    expect(twice((topology) => topology.stream('b', words).to(logTopic('sink', words)))).toBe(message('sink'));   // equal is not the same
    expect(twice((topology) => topology.stream('b', words).repartition('a', words))).toBe(message('a'));
  });

  it('refuses names that Redis keys, topics, metrics or files cannot bear', () => {
    const unusable = (name: string): string => refusal(() => new Topology('names').stream(name, words));
    expect(unusable('a b')).toBe(
      'TOPOLOGY_INVALID: a source has a name that cannot be used | where: step "a b" | wanted: letters, digits, ".", "_" and "-", at most 120 | got: "a b"',
    );
    for (const name of ['', 'a{b}', 'ä', 'a/b', 'x'.repeat(121)]) expect(unusable(name)).toMatch(/TOPOLOGY_INVALID: a source has a name/);
    expect(unusable('x'.repeat(120))).toBe('nothing was refused');
    expect(refusal(() => new Topology('no name'))).toMatch(/a topology has a name/);
    const stream = new Topology('names').stream('in', words);
    expect(refusal(() => stream.pipe(once('no name')))).toMatch(/a step has a name/);
    expect(refusal(() => stream.to(logTopic('no name', words)))).toMatch(/a sink has a name/);
    expect(refusal(() => stream.repartition('no name', words))).toMatch(/a repartition has a name/);
    expect(refusal(() => new Topology('names').deadLetters(logTopic('no name', { key: utf8, value: json<DeadLetter>() })))).toMatch(/a sink has a name/);
  });

  it('refuses a side output that the step does not have, and names those it has', () => {
    const split = new Topology('sides').stream('in', words).pipe(branch({ short: (value: string) => value.length < 3 }, 'long'));
    expect(refusal(() => split.side('medium')))
      .toBe('TOPOLOGY_INVALID: it has no side output "medium" | where: step "branch-1" | wanted: one of short, long | got: medium');
    expect(refusal(() => new Topology('sides').stream('in', words).side('late')))
      .toBe('TOPOLOGY_INVALID: it has no side output "late" | where: step "in" | wanted: a step with side outputs | got: late');
  });

  it('refuses state by key behind a changed key, however far, until a repartition is between', () => {
    const topology = (repartition: boolean): Topology => {
      const made = new Topology('keys');
      const changed = made.stream('in', words).pipe(selectKey((value: string) => value), filter(() => true));
      (repartition ? changed.repartition('by-value', words) : changed).pipe(once('once'));
      return made;
    };
    expect(refusal(() => topology(false).build())).toBe(
      'TOPOLOGY_INVALID: it keeps state by key, but the key was changed before it | where: step "once" | '
      + 'wanted: .repartition(name, { key, value }) between "selectKey-1" and "once" | got: "selectKey-1" directly before it',
    );
    expect(topology(true).build().subTopologies.map((part) => part.name)).toEqual(['in', 'by-value']);
  });

  it('refuses a table join behind a changed key, also when only one of two merged streams has changed it; a global table is free', () => {
    const joining = (kind: 'table' | 'global'): Topology => {
      const topology = new Topology('joins');
      const table = kind === 'table' ? topology.table('names', words) : topology.globalTable('names', words);
      const stream = topology.stream('a', words).merge(topology.stream('b', words).pipe(selectKey((value: string) => value)));
      if (kind === 'table') stream.pipe(joinTable('named', table, (value: string) => value));
      else stream.pipe(joinGlobalTable(table, (value: string) => value, (value) => value));
      return topology;
    };
    expect(refusal(() => joining('table').build())).toMatch(/where: step "named" \| wanted: .repartition/);
    expect(joining('global').build().globalTables.map((table) => table.name)).toEqual(['names']);
  });

  it('refuses a table and a stream of another topology', () => {
    const other = new Topology('other');
    const topology = new Topology('one');
    topology.stream('in', words).pipe(joinTable('named', other.table('names', words), (value: string) => value));
    expect(refusal(() => topology.build())).toBe(
      'TOPOLOGY_INVALID: it reads a table of another topology | where: step "named" | wanted: a table made by this topology | got: "names-table"',
    );
    expect(refusal(() => new Topology('two').stream('in', words).merge(other.stream('elsewhere', words)))).toBe(
      'TOPOLOGY_INVALID: it is merged with a stream of another topology | where: step "in" | wanted: a stream of this topology | got: "elsewhere"',
    );
  });

  it('refuses to be empty', () => {
    expect(refusal(() => new Topology('empty').build()))
      .toBe('TOPOLOGY_INVALID: the topology is empty | where: step "(none)" | wanted: at least one source | got: none');
  });

  it('refuses two stores of one name: of two steps, and of a step and a global table', () => {
    const steps = new Topology('stores');
    steps.stream('in', words).pipe(keeping('a', 'kept'), keeping('b', 'kept'));
    expect(refusal(() => steps.build()))
      .toBe('TOPOLOGY_INVALID: a store name is used twice | where: step "b" | wanted: names that are unique in the topology | got: kept');
    const global = new Topology('stores');
    global.globalTable('names', words);
    global.stream('in', words).pipe(keeping('a', 'names-table'));
    expect(refusal(() => global.build()))
      .toMatch(/where: step "a" \| wanted: another name \| got: names-table/);
  });

  it('refuses a second sink for dead letters, and one that bears the name of another sink', () => {
    const dead = logTopic('dead', { key: utf8, value: json<DeadLetter>() });
    const topology = new Topology('dead');
    topology.deadLetters(dead);
    expect(refusal(() => topology.deadLetters(dead))).toMatch(/there are two sinks for dead letters \| where: step "dead" \| wanted: one \| got: two/);
    topology.stream('in', words).to(logTopic('dead', words));
    expect(refusal(() => topology.build())).toMatch(/dead letters has a name that is used twice \| where: step "dead"/);
  });

  it('cannot be a circle: every method gives a stream further down, and all edges lead there', () => {
    const topology = new Topology('lines');
    const stream = topology.stream('a', words);
    const mapped = stream.pipe(mapValues((value: string) => value));
    mapped.merge(stream).merge(mapped).pipe(filter(() => true));
    const [part] = topology.build().subTopologies;
    const order = new Map([...part?.sources ?? [], ...part?.steps ?? []].map((node, index) => [node.name, index]));
    expect(part?.edges.every((edge) => (order.get(edge.from) ?? 0) < (order.get(edge.to) ?? 0))).toBe(true);
  });

  it('is not changed by what is added after it was built', () => {
    const topology = new Topology('built');
    const stream = topology.stream('in', words);
    const built = topology.build();
    stream.pipe(filter(() => true)).to(logTopic('out', words));
    expect(built.subTopologies[0]?.steps).toEqual([]);
    expect(Object.isFrozen(built)).toBe(true);
  });
});

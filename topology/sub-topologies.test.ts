import { describe, expect, it } from 'vitest';
import { deduplicate } from '../operators/deduplicate.ts';
import { filter } from '../operators/filter.ts';
import { joinGlobalTable } from '../operators/join-global-table.ts';
import { joinTable } from '../operators/join-table.ts';
import { selectKey } from '../operators/select-key.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { logTopic } from './sink.ts';
import { Topology } from './topology.ts';

const words = { key: utf8, value: utf8 };

function partsOf(topology: Topology): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(topology.build().subTopologies.map((part) => [
    part.name, [...part.sources, ...part.steps, ...part.sinks].map((node) => node.name),
  ]));
}

describe('sub-topologies', () => {
  it('end at a repartition, and another begins behind it', () => {
    const topology = new Topology('split');
    topology.stream('in', words).pipe(selectKey((value: string) => value)).repartition('by-value', words).pipe(filter(() => true)).to(logTopic('out', words));
    expect(partsOf(topology)).toEqual({ in: ['in', 'selectKey-1', 'by-value-sink'], 'by-value': ['by-value', 'filter-1', 'out'] });
    expect(topology.build().repartitionTopics).toEqual(['by-value-repartition']);
  });

  it('keep a table together with the streams that join it, and a global table apart from all', () => {
    const topology = new Topology('tables');
    const names = topology.table('names', words);
    const cities = topology.globalTable('cities', words);
    topology.stream('a', words).pipe(joinTable('named', names, (value: string) => value));
    topology.stream('b', words).pipe(joinGlobalTable(cities, (value: string) => value, (value) => value));
    topology.stream('c', words).pipe(joinGlobalTable(cities, (value: string) => value, (value) => value));
    expect(partsOf(topology)).toEqual({
      a: ['names', 'a', 'names-table', 'named'], b: ['b', 'joinGlobalTable-1'], c: ['c', 'joinGlobalTable-2'],
    });
  });

  it('are joined by a merge, but not by a sink that several end in', () => {
    const topology = new Topology('shared');
    const out = logTopic<string, string>('out', words);
    topology.stream('a', words).merge(topology.stream('b', words)).to(out);
    topology.stream('c', words).to(out);
    expect(partsOf(topology)).toEqual({ a: ['a', 'b', 'merge-1', 'out'], c: ['c', 'out'] });
  });

  it('are called after their first stream, and a table alone after itself', () => {
    const topology = new Topology('names');
    topology.table('alone', words);
    const names = topology.table('first', words);
    topology.stream('second', words).pipe(joinTable('named', names, (value: string) => value));
    expect(Object.keys(partsOf(topology))).toEqual(['alone', 'second']);
  });

  it('and their stores keep their names when steps, tables, sinks and other sub-topologies are added', () => {
    const build = (more: boolean): Topology => {
      const topology = new Topology('growing');
      const out = logTopic<string, string>('out', words);
      const added = more ? topology.table('added-table', words) : null;
      if (more) topology.stream('added', words).pipe(filter(() => true)).to(out);
      let stream = topology.stream('orders', words);
      if (added !== null) stream = stream.pipe(filter(() => true), joinTable('added-join', added, (value: string) => value));
      const once = stream.pipe(deduplicate('once', { by: (value: string) => value, withinMs: 1 }));
      if (more) once.to(out);
      once.pipe(selectKey((value: string) => value)).repartition('by-value', words).pipe(deduplicate('again', { by: (value: string) => value, withinMs: 1 }));
      return topology;
    };
    const stores = (topology: Topology): Readonly<Record<string, readonly string[]>> =>
      Object.fromEntries(topology.build().subTopologies.map((part) => [part.name, part.stores.map((store) => store.name)]));
    const before = stores(build(false));
    const after = stores(build(true));
    expect(Object.keys(after)).toEqual(expect.arrayContaining(Object.keys(before)));
    for (const [part, names] of Object.entries(before)) expect(after[part]).toEqual(expect.arrayContaining([...names]));
    expect(build(true).build().repartitionTopics).toEqual(build(false).build().repartitionTopics);
  });

  it('keep their names when tables are joined by a foreign key, though its topics come into them', () => {
    const build = (joined: boolean): Topology => {
      const topology = new Topology('growing');
      const left = topology.table('left', words);
      const right = topology.stream('in', words).pipe(selectKey((value: string) => value)).toTable('right', words);
      const forms = { ...words, foreignKey: utf8, foreignValue: utf8, result: utf8 };
      if (joined) left.foreignKeyJoin('joined', right, (value) => value, (value) => value, forms);
      return topology;
    };
    expect(Object.keys(partsOf(build(false)))).toEqual(['left', 'in', 'right-by-key']);
    expect(Object.keys(partsOf(build(true)))).toEqual(['left', 'in', 'right-by-key']);
  });
});

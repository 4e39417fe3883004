import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { logTopic } from './sink.ts';
import { Topology } from './topology.ts';

const words = { key: utf8, value: utf8 };
const counts = logTopic<string, number | null>('counts', { key: utf8, value: json<number | null>() });

describe('grouping', () => {
  it('sends a table\'s changes through a topic of the aggregate, always', () => {
    const topology = new Topology('groups');
    topology.table('rows', words).groupBy((value, key) => ({ key, value }), words).count('by-site').toStream().to(counts);
    expect(topology.describe()).toMatchInlineSnapshot(`
      "Topology groups

      Sub-topology rows
        source rows (table rows)
          -> rows-table
        step rows-table (tableSource; key-value; stores: rows-table)
          -> groupTable-1
        step groupTable-1 (groupTable)
          -> by-site-by-key-sink
        sink by-site-by-key-sink (repartition topic by-site-by-key-repartition)

      Sub-topology by-site-by-key
        source by-site-by-key (repartition by-site-by-key-repartition)
          -> by-site
        step by-site (countTable; subtracts old, adds new; stores: by-site)
          -> toStream-1
        step toStream-1 (toStream)
          -> counts
        sink counts (topic counts)
      "
    `);
  });

  it('sends a stream through a topic of the aggregate only where its key was changed', () => {
    const topology = new Topology('groups');
    const lines = topology.stream('lines', words);
    lines.groupByKey(words).count('by-line').toStream().to(counts);
    lines.groupBy((value) => value, words).count('by-value').toStream().to(counts);
    expect(topology.build().repartitionTopics).toEqual(['by-value-by-key-repartition']);
    expect(topology.describe()).toContain('  step by-line (count; stores: by-line)\n');
    expect(topology.describe()).toContain('  step filter-1 (filter; with a key)\n    -> by-value-by-key-sink\n');
  });

  it('draws steps, stores and the topics between as Mermaid', () => {
    const topology = new Topology('groups');
    topology.table('rows', words).groupBy((value, key) => ({ key, value }), words)
      .reduce('by-site', { add: (all, value) => all + value, subtract: (all, value) => all.replace(value, '') })
      .toStream().to(logTopic('all', { key: utf8, value: json<string | null>() }));
    const drawn = topology.describe('mermaid');
    expect(drawn).toContain('["by-site<br/><i>reduceTable</i>"]');
    expect(drawn).toContain('[("by-site")]');
    expect(drawn).toMatch(/n\d+ ==> n\d+/);
  });

  it('refuses two aggregates of one name', () => {
    const grouped = new Topology('groups').stream('lines', words).groupByKey(words);
    grouped.count('twice');
    expect(() => grouped.reduce('twice', (left) => left)).toThrow(/TOPOLOGY_INVALID.*used twice/s);
  });

  it('gives an aggregate as a table to be grouped again, joined by its name and followed', () => {
    const table = new Topology('groups').stream('lines', words).groupByKey(words).count('counts');
    expect([table.name, table.versioned, table.reads]).toEqual(['counts', false, ['counts']]);
  });

  it('ends a stream in a function', () => {
    const topology = new Topology('groups');
    topology.stream('lines', words).forEach(() => {});
    expect(topology.describe()).toContain('step forEach-1 (forEach)');
  });
});

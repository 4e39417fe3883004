import { describe, expect, it } from 'vitest';
import * as voltstream from '../../index.ts';
import { pages } from './pages.ts';

const page = pages().find(({ path }) => path === 'docs/from-kafka-streams.md');

/** What stands behind the names that the page uses for things of our own. */
const types: Readonly<Record<string, { readonly prototype: object }>> = {
  topology: voltstream.Topology,
  stream: voltstream.Stream,
  table: voltstream.Table,
  grouped: voltstream.GroupedStream,
  groupedTable: voltstream.GroupedTable,
  cogrouped: voltstream.CogroupedStream,
  windowedTable: voltstream.WindowedTable,
};

/** Functions and methods in the second column of the page's tables. */
const named = [...(page?.text ?? '').matchAll(/^\| .+? \| (.+) \|$/gm)]
  .flatMap(([, here = '']) => [...here.matchAll(/`(?:(\w+)\.)?(\w+)\(/g)].map(([, owner, name = '']) => ({ owner, name })));

/** Every method of the DSL of Kafka Streams 4.2, by interface; deprecated ones and overloads left out. */
const methods = [
  'stream', 'table', 'globalTable', 'addStateStore', 'addGlobalStore', 'build',
  'filter', 'filterNot', 'selectKey', 'map', 'mapValues', 'flatMap', 'flatMapValues', 'print', 'foreach', 'peek', 'split', 'merge', 'repartition', 'to',
  'toTable', 'groupBy', 'groupByKey', 'join', 'leftJoin', 'outerJoin', 'process', 'processValues',
  'toStream', 'suppress', 'transformValues', 'queryableStoreName',
  'count', 'reduce', 'aggregate', 'cogroup', 'windowedBy', 'emitStrategy',
];

describe('From Kafka Streams', () => {
  it('names functions and methods that exist', () => {
    expect(named.length).toBeGreaterThan(50);
    const missing = named.filter(({ owner, name }) => owner === undefined
      ? !(name in voltstream) && !(name in methodsOfContext)
      : types[owner] !== undefined && !(name in types[owner].prototype));
    expect(missing).toEqual([]);
  });

  it.each(methods)('says what %s is here', (method) => {
    const left = [...(page?.text ?? '').matchAll(/^\| (.+?) \| /gm)].map(([, cell = '']) => cell).join('\n');
    expect(left).toMatch(new RegExp(`\\b${method}\\b`));
  });
});

/** What a step's function is given. */
const methodsOfContext = { emit: true, output: true };

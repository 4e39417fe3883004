import { joinGlobalTable } from '../../operators/join-global-table.ts';
import { joinStream } from '../../operators/join-stream.ts';
import { joinTable, leftJoinTable } from '../../operators/join-table.ts';
import { deduplicate } from '../../operators/deduplicate.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { float64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Stream } from '../../topology/stream.ts';
import type { Table } from '../../topology/table.ts';
import { Topology } from '../../topology/topology.ts';
import { statefulTarget, type Benchmark, type Reading, type Site } from './benchmark.ts';
import { readings } from './stateless.ts';

const sites = { key: utf8, value: json<Site>() };

function withSites(
  name: string, historyMs: number | null, piped: (stream: Stream<string, Reading>, table: Table<string, Site>) => unknown,
): Benchmark {
  return {
    name,
    target: statefulTarget,
    topics: ['readings'],
    filled: ['sites'],
    topology: () => {
      const topology = new Topology('bench');
      piped(topology.stream('readings', readings), topology.table('sites', sites, historyMs === null ? {} : { historyMs }));
      return topology;
    },
  };
}

const withSite = (reading: Reading, site: Site | null): Reading & { readonly site: string } => ({
  id: reading.id, deltaWh: reading.deltaWh, site: site?.name ?? '',
});

export const joinBenchmarks: readonly Benchmark[] = [
  {
    name: 'table',
    target: statefulTarget,
    topics: ['sites'],
    topology: () => {
      const topology = new Topology('bench');
      topology.table('sites', sites);
      return topology;
    },
  },
  withSites('joinTable', null, (stream, table) => stream.pipe(joinTable('join', table, withSite))),
  withSites('leftJoinTable', null, (stream, table) => stream.pipe(leftJoinTable('join', table, withSite))),
  withSites('joinTable, versioned', 86_400_000, (stream, table) => stream.pipe(joinTable('join', table, withSite))),
  {
    name: 'joinGlobalTable',
    target: statefulTarget,
    topics: ['readings'],
    filled: ['sites'],
    topology: () => {
      const topology = new Topology('bench');
      const table = topology.globalTable('sites', sites);
      topology.stream('readings', readings).pipe(joinGlobalTable(table, (_reading, key) => key, withSite));
      return topology;
    },
  },
  {
    name: 'joinStream, 5 s before and after',
    target: null,
    topics: ['readings', 'commands'],
    topology: () => {
      const topology = new Topology('bench');
      topology.stream('readings', readings).pipe(joinStream('join', topology.stream('commands', readings), {
        beforeMs: 5_000, afterMs: 5_000, graceMs: 1_000, key: utf8, left: readings.value, right: readings.value,
      }, (left, right) => left.deltaWh + right.deltaWh));
      return topology;
    },
  },
  {
    name: 'join of two tables',
    target: statefulTarget,
    topics: ['sites', 'sites-of-others'],
    topology: () => {
      const topology = new Topology('bench');
      topology.table('sites', sites).join(topology.table('sites-of-others', sites), (left, right) => left.powerW + right.powerW);
      return topology;
    },
  },
  {
    name: 'foreign-key join of two tables',
    target: null,
    topics: ['sites'],
    filled: ['sites-by-name'],
    topology: () => {
      const topology = new Topology('bench');
      const byName = topology.table('sites-by-name', sites);
      // A hundred rows of the left table to one of the right, which is called as the filled ones are.
      topology.table('sites', sites).foreignKeyJoin('join', byName, ({ name }) => `station-${name.slice(5).padStart(7, '0')}`,
        (left, right) => ({ name: right.name, powerW: left.powerW }),
        { key: utf8, value: sites.value, foreignKey: utf8, foreignValue: sites.value, result: sites.value });
      return topology;
    },
  },
  {
    name: 'count of a table by group',
    target: null,
    topics: ['sites'],
    topology: () => {
      const topology = new Topology('bench');
      topology.table('sites', sites).groupBy((site) => ({ key: site.name, value: site }), sites).count('count');
      return topology;
    },
  },
  withSites('deduplicate, joinTable, tumbling final', null, (stream, table) => stream.pipe(
    deduplicate('once', { by: (reading) => reading.id, withinMs: 60_000 }),
    joinTable('join', table, withSite),
    windowAggregate('window', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
      key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (sum, reading) => sum + reading.deltaWh,
    }),
  )),
];

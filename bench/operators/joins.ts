import { joinGlobalTable } from '../../operators/join-global-table.ts';
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
  withSites('deduplicate, joinTable, tumbling final', null, (stream, table) => stream.pipe(
    deduplicate('once', { by: (reading) => reading.id, withinMs: 60_000 }),
    joinTable('join', table, withSite),
    windowAggregate('window', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
      key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (sum, reading) => sum + reading.deltaWh,
    }),
  )),
];

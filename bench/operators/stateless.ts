import { filter as rxjsFilter } from 'rxjs';
import { branch } from '../../operators/branch.ts';
import { filter, filterNot } from '../../operators/filter.ts';
import { flatMap } from '../../operators/flat-map.ts';
import { flatMapValues } from '../../operators/flat-map-values.ts';
import { map } from '../../operators/map.ts';
import { mapValues } from '../../operators/map-values.ts';
import { peek } from '../../operators/peek.ts';
import { rxjsStep } from '../../operators/rxjs-step.ts';
import { selectKey } from '../../operators/select-key.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Stream } from '../../topology/stream.ts';
import { Topology } from '../../topology/topology.ts';
import { statelessTarget, type Benchmark, type Reading } from './benchmark.ts';

export const readings = { key: utf8, value: json<Reading>() };

/** A benchmark over one stream of readings. */
export function overReadings(name: string, target: number | null, piped: (stream: Stream<string, Reading>) => unknown): Benchmark {
  return {
    name,
    target,
    topics: ['readings'],
    topology: () => {
      const topology = new Topology('bench');
      piped(topology.stream('readings', readings));
      return topology;
    },
  };
}

let seen = 0;

export const statelessBenchmarks: readonly Benchmark[] = [
  overReadings('map', statelessTarget, (stream) => stream.pipe(map((reading, key) => ({ key, value: reading.deltaWh })))),
  overReadings('mapValues', statelessTarget, (stream) => stream.pipe(mapValues((reading) => reading.deltaWh))),
  overReadings('flatMap', statelessTarget, (stream) => stream.pipe(flatMap((reading, key) => [{ key, value: reading.deltaWh }]))),
  overReadings('flatMapValues', statelessTarget, (stream) => stream.pipe(flatMapValues((reading) => [reading.deltaWh]))),
  overReadings('filter', statelessTarget, (stream) => stream.pipe(filter((reading) => reading.deltaWh > 0))),
  overReadings('filterNot', statelessTarget, (stream) => stream.pipe(filterNot((reading) => reading.deltaWh > 0))),
  overReadings('selectKey', statelessTarget, (stream) => stream.pipe(selectKey((reading) => reading.id))),
  overReadings('branch', statelessTarget, (stream) => stream.pipe(branch({ low: (reading) => reading.deltaWh < 25 }, 'high'))),
  overReadings('peek', statelessTarget, (stream) => stream.pipe(peek((reading) => { seen += reading.deltaWh; }))),
  {
    name: 'merge',
    target: statelessTarget,
    topics: ['readings', 'others'],
    topology: () => {
      const topology = new Topology('bench');
      topology.stream('readings', readings).merge(topology.stream('others', readings));
      return topology;
    },
  },
  overReadings('RxJS filter', statelessTarget, (stream) => stream.pipe(rxjsStep(rxjsFilter((record) => record.value.deltaWh > seen % 1)))),
  overReadings('filter, map, mapValues', statelessTarget / 3, (stream) => stream.pipe(
    filter((reading) => reading.deltaWh >= 0),
    map((reading, key) => ({ key, value: reading })),
    mapValues((reading) => reading.deltaWh),
  )),
];

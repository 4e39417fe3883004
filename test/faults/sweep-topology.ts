import { joinTable } from '../../operators/join-table.ts';
import { leftJoinStream } from '../../operators/join-stream.ts';
import { map } from '../../operators/map.ts';
import { mapValues } from '../../operators/map-values.ts';
import { selectKey } from '../../operators/select-key.ts';
import { untilTimeLimit } from '../../operators/suppress.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { sessions } from '../../operators/windows/session-windows.ts';
import { hopping, tumbling } from '../../operators/windows/time-windows.ts';
import { tableOf } from '../../runtime/worker/testing/running.ts';
import { float64, int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { clickhouse, logTopic } from '../../topology/sink.ts';
import type { Stream } from '../../topology/stream.ts';
import { Topology } from '../../topology/topology.ts';

/**
 * A topology with an operator of each stateful kind and sinks of each kind, and an input for which its output is the same however
 * its tasks take turns: where records of several tasks meet behind a topic, no result depends on who is first.
 */
interface Reading {
  readonly wh: number;
  readonly meter: string;
}
interface Station {
  readonly site: string;
}

const words = { key: utf8, value: utf8 };
const reading = { key: utf8, value: json<Reading>('reading') };
const station = { key: utf8, value: json<Station>('station') };
const counted = { key: utf8, value: int64 };

export const inputTopics = ['readings', 'commands', 'stations', 'sites'] as const;
/** All outputs are texts that begin with their key. */
export const outputTopics = ['minutes', 'late', 'meters', 'visits', 'pairs', 'calm', 'site-sizes', 'station-sites'] as const;
export const outputTable = 'minute_rows';

export function sweepTopology(): Topology {
  const topology = new Topology('sweep');
  const readings = topology.stream('readings', reading);
  const stations = topology.table('stations', station);
  const to = (topic: string, stream: Stream<string, string>): void => void stream.to(logTopic(topic, words));

  const minutes = readings.pipe(
    joinTable('with-station', stations, ({ wh }, { site }) => ({ wh, site })),
    windowAggregate('minutes-of-stations', tumbling({ sizeMs: 20, graceMs: 5 }), {
      key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (sum, value) => sum + value.wh + value.site.length,
    }),
  );
  const minuteTexts = minutes.pipe(map((sum, { key, startMs }) => ({ key, value: `${key} ${startMs} ${sum}` })));
  to('minutes', minuteTexts);
  minuteTexts.to(clickhouse(tableOf(outputTable), (text: string) => ({ text })));
  to('late', minutes.side<string, { readonly wh: number }>('late').pipe(mapValues(({ wh }, key) => `${key} ${wh}`)));

  // Each meter belongs to one station, so that only one task sends to it.
  to('meters', readings.pipe(selectKey(({ meter }) => meter)).groupByKey(reading).windowedBy(hopping({ sizeMs: 20, advanceMs: 10, graceMs: 5 }))
    .count('windows-of-meters', { timeScope: 'key' }).toStream()
    .pipe(map((count, { key, startMs }) => ({ key, value: `${key} ${startMs} ${count}` }))));

  to('visits', readings.groupByKey(reading).windowedBy(sessions({ gapMs: 6, graceMs: 5 })).count('visits-of-stations').toStream()
    .pipe(map((count, { key, startMs, endMs }) => ({ key, value: `${key} ${startMs}-${endMs} ${count ?? 'absorbed'}` }))));

  to('pairs', readings.pipe(
    leftJoinStream('with-command', topology.stream('commands', words),
      { beforeMs: 4, afterMs: 4, graceMs: 3, key: utf8, left: reading.value, right: utf8 },
      ({ wh }, command, key) => `${key} ${wh} ${command ?? 'none'}`),
  ));

  to('calm', readings.groupByKey(reading).count('readings-of-stations').suppress('calm-counts', counted, untilTimeLimit(15)).toStream()
    .pipe(mapValues((count, key) => `${key} ${count}`)));

  to('site-sizes', stations.groupBy((value, key) => ({ key: value.site, value: key }), words).count('stations-of-sites').toStream()
    .pipe(mapValues((count, key) => `${key} ${count}`)));

  const sites = topology.table('sites', words);
  to('station-sites', stations.foreignKeyJoin('sites-of-stations', sites, ({ site }) => site, ({ site }, name) => `${site} ${name}`, {
    key: utf8, value: station.value, foreignKey: utf8, foreignValue: utf8, result: utf8,
  }).toStream().pipe(mapValues((text, key) => `${key} ${text}`)));
  return topology;
}

export interface SweepInput {
  readonly topic: (typeof inputTopics)[number];
  readonly key: string;
  readonly value: string | Reading | Station;
  readonly timestampMs: number;
}

/**
 * Tables first, each row once; then readings and commands. Times rise from topic to topic, so that who reads all again merges
 * them in the same order; late readings follow one that is on time.
 */
export function sweepInput(): readonly SweepInput[] {
  const names = ['a', 'b', 'c', 'd'];
  const input: SweepInput[] = [
    ...['x', 'y'].map((key) => ({ topic: 'sites', key, value: `site-${key}`, timestampMs: 0 }) as const),
    ...names.map((key, index) => ({ topic: 'stations', key, value: { site: index < 3 ? 'x' : 'y' }, timestampMs: 0 }) as const),
  ];
  for (let step = 1; step <= 24; step += 1) {
    const key = names[(step * 3 + (step >> 1)) % names.length] as string;
    const timestampMs = step * 4;
    const reading = (wh: number, atMs: number): SweepInput =>
      ({ topic: 'readings', key, value: { wh, meter: `${key}-${wh % 2}` }, timestampMs: atMs });
    input.push(reading(step, timestampMs));
    if (step % 5 === 0) input.push(reading(100 + step, timestampMs - 8), reading(200 + step, Math.max(0, timestampMs - 60)));
    if (step % 3 === 0) input.push({ topic: 'commands', key, value: `command-${step}`, timestampMs: timestampMs + 1 });
  }
  // Closes what is open in the task of each station.
  for (const key of names) input.push({ topic: 'readings', key, value: { wh: 0, meter: `${key}-0` }, timestampMs: 1_000 });
  return input;
}

/** The forms of the input topics, for whoever writes them. */
export const inputForms = { readings: reading, commands: words, stations: station, sites: words } as const;

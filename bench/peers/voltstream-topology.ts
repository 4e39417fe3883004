import type { Windowed } from '../../operators/operator.ts';
import { joinTable } from '../../operators/join-table.ts';
import { sessionAggregate } from '../../operators/session-aggregate.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { sessions } from '../../operators/windows/session-windows.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { lastOfCommit } from './last-of-commit.ts';
import { nothing, stationLoad, together, windowedKeyOf, withPower } from './station-load.ts';
import type { StationLoad } from './station-load.ts';
import type { PeerOptions } from './workloads.ts';

/** The workloads in our words; `kafka-streams/Workloads.java` says the same. */
export function peerTopology(options: PeerOptions): Topology {
  const topology = new Topology('peer');
  if (options.workload === 'c') sessionsByStation(topology, options);
  else minutesByStation(topology, options);
  return topology;
}

function minutesByStation(topology: Topology, { workload, eventsTopic, outputTopic, windowMs, graceMs }: PeerOptions): void {
  const results = eventsOf(topology, eventsTopic).pipe(windowAggregate<string, ChargingEvent, StationLoad>('station-minute', tumbling({ sizeMs: windowMs, graceMs }), {
    key: utf8, aggregate: stationLoad, emit: workload === 'b' ? 'final' : 'update', initial: () => nothing, fold: (load, event) => withPower(load, event.powerW, ''),
  }));
  const sink = logTopic<Windowed<string>, StationLoad>(outputTopic, { key: windowedKeyOf('time', windowMs), value: stationLoad }, 'output');
  if (workload === 'b') results.to(sink);
  else results.pipe(lastOfCommit<StationLoad>('changed')).to(sink);
}

interface Enriched {
  readonly powerW: number | null;
  readonly city: string;
}

function sessionsByStation(topology: Topology, { eventsTopic, stationsTopic, outputTopic, windowMs, graceMs, gapMs }: PeerOptions): void {
  const stations = topology.table<string, Station>(stationsTopic, { key: utf8, value: station });
  eventsOf(topology, eventsTopic)
    .pipe(
      joinTable('with-station', stations, (event: ChargingEvent, place: Station): Enriched => ({ powerW: event.powerW, city: place.city ?? 'null' })),
      sessionAggregate<string, Enriched, StationLoad>('station-session', sessions({ gapMs, graceMs }), {
        key: utf8, aggregate: stationLoad, initial: () => nothing, fold: (load, { powerW, city }) => withPower(load, powerW, city), merge: together,
      }),
      lastOfCommit<StationLoad | null>('changed'),
    )
    .to(logTopic<Windowed<string>, StationLoad | null>(outputTopic, { key: windowedKeyOf('session', windowMs), value: stationLoadOrNull }, 'output'));
}

/** The sink writes null as a record without a value, and never asks the codec. */
const stationLoadOrNull = stationLoad as Codec<StationLoad | null>;

function eventsOf(topology: Topology, topic: string) {
  return topology.stream<string, ChargingEvent>(topic, { key: utf8, value: chargingEvent, timestampOf: (event) => event.timestampMs });
}

import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import type { ChargingEvent } from '../../../schemas/generated/charging-event.ts';
import type { Station } from '../../../schemas/generated/station.ts';
import { deduplicate, leftJoinTable, logTopic, statefulStep, Topology } from '../../engine.ts';
import type { Emit, Operator, StreamRecord } from '../../engine.ts';
import type { LoadChange } from '../../load/load-change.ts';
import { eventTimeOf, reasonToSetAside } from '../../session-event.ts';
import type { SessionEvent } from '../../session-event.ts';
import type { SessionRow } from '../../stitching/session-row.ts';
import { stitchSessions } from '../../stitching/stitch-sessions.ts';

/** The product up to its sessions and their load, with plain forms: topics `events` and `stations` in; `rows`, `load`, `late`, `dead` out. */
export function stitchingTopology(): Topology {
  const topology = new Topology('stitching');
  const events = { key: utf8, value: json<ChargingEvent>('event'), timestampOf: timeOf };
  const sessionEvents = { key: utf8, value: json<SessionEvent>('session-event') };
  topology.deadLetters(logTopic('dead', { key: utf8, value: json('dead') }));
  const stations = topology.table<string, Station>(
    'stations', { key: utf8, value: json<Station>('station'), timestampOf: (value) => value.validFromMs }, { historyMs: 50 * 365 * 86_400_000 },
  );
  const sessions = topology.stream<string, ChargingEvent>('events', events).pipe(
    believable(),
    deduplicate('once', { by: (event: ChargingEvent) => event.eventId, withinMs: 86_400_000, timeScope: 'key' }),
    leftJoinTable('with-station', stations, (event: ChargingEvent & { readonly clock?: 'received' }, found: Station | null): SessionEvent => ({
      ...event, station: found, clock: event.clock ?? 'device',
    })),
    stitchSessions('sessions', stations.toStream()),
  );
  sessions.to(logTopic('rows', { key: utf8, value: json<SessionRow>('row') }));
  sessions.side<string, LoadChange>('load').to(logTopic('load', { key: utf8, value: json<LoadChange>('load') }));
  sessions.side<string, SessionEvent>('late').to(logTopic('late', sessionEvents));
  return topology;
}

function timeOf(event: ChargingEvent, logTimestampMs: number): number {
  const found = eventTimeOf(event);
  return found.kind === 'unknown' ? logTimestampMs : found.ms;
}

type Believed = ChargingEvent & { readonly clock?: 'received' };

function believable(): Operator<string, ChargingEvent, string, Believed> {
  return statefulStep({
    kind: 'believable',
    name: 'believable',
    stores: {},
    start: (_context, emit: Emit<StreamRecord<string, Believed>>) => (record: StreamRecord<string, ChargingEvent>) => {
      const event = record.value;
      const found = eventTimeOf(event);
      const reason = reasonToSetAside(event, found);
      if (reason !== null || found.kind === 'unknown') throw new Error(reason ?? 'no time');
      emit(found.kind === 'device' ? record : { ...record, value: { ...event, timestampMs: found.ms, clock: 'received' } });
    },
  });
}

import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import type { ChargingEvent } from '../../../schemas/generated/charging-event.ts';
import type { Station } from '../../../schemas/generated/station.ts';
import { deduplicate, leftJoinTable, logTopic, Topology } from '../../engine.ts';
import { believable, streamTimeOf, withStation } from '../../front.ts';
import type { LoadChange } from '../../load/load-change.ts';
import type { SessionEvent } from '../../session-event.ts';
import type { SessionRow } from '../../stitching/session-row.ts';
import { stitchSessions } from '../../stitching/stitch-sessions.ts';

/** The product up to its sessions and their load, with plain forms: topics `events` and `stations` in; `rows`, `load`, `late`, `dead` out. */
export function stitchingTopology(): Topology {
  const topology = new Topology('stitching');
  const events = { key: utf8, value: json<ChargingEvent>('event'), timestampOf: streamTimeOf };
  const sessionEvents = { key: utf8, value: json<SessionEvent>('session-event') };
  topology.deadLetters(logTopic('dead', { key: utf8, value: json('dead') }));
  const stations = topology.table<string, Station>(
    'stations', { key: utf8, value: json<Station>('station'), timestampOf: (value) => value.validFromMs }, { historyMs: 50 * 365 * 86_400_000 },
  );
  const sessions = topology.stream<string, ChargingEvent>('events', events).pipe(
    believable('believable'),
    deduplicate('once', { by: (event: ChargingEvent) => event.eventId, withinMs: 86_400_000, timeScope: 'key' }),
    leftJoinTable('with-station', stations, withStation),
    stitchSessions('sessions', stations.toStream()),
  );
  sessions.to(logTopic('rows', { key: utf8, value: json<SessionRow>('row') }));
  sessions.side<string, LoadChange>('load').to(logTopic('load', { key: utf8, value: json<LoadChange>('load') }));
  sessions.side<string, SessionEvent>('late').to(logTopic('late', sessionEvents));
  return topology;
}

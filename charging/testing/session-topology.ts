import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Station } from '../../schemas/generated/station.ts';
import { logTopic, Topology } from '../engine.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { stitchSessions } from '../stitching/stitch-sessions.ts';
import type { StitchSessionsOptions } from '../stitching/stitch-sessions.ts';
import { days } from './events.ts';

/** Only the stitching, with plain forms: topics `events` and `stations` in; `rows`, `live`, `load`, `late` out. */
export function sessionTopology(options: StitchSessionsOptions = {}, idleAfterMs?: number): Topology {
  const topology = new Topology('t');
  const events = {
    key: utf8, value: json<SessionEvent>('event'), timestampOf: (event: SessionEvent) => event.timestampMs, ...(idleAfterMs === undefined ? {} : { idleAfterMs }),
  };
  const stations = topology.table<string, Station>(
    'stations', { key: utf8, value: json<Station>('station'), timestampOf: (value) => value.validFromMs }, { historyMs: days(10_000) },
  );
  const sessions = topology.stream('events', events).pipe(stitchSessions('sessions', stations.toStream(), options));
  sessions.to(logTopic('rows', { key: utf8, value: json<SessionRow>('row') }));
  sessions.side<string, SessionRow>('live').to(logTopic('live', { key: utf8, value: json<SessionRow>('row') }));
  sessions.side<string, LoadChange>('load').to(logTopic('load', { key: utf8, value: json<LoadChange>('load') }));
  sessions.side<string, SessionEvent>('late').to(logTopic('late', events));
  return topology;
}

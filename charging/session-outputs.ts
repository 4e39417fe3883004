import { utf8 } from '../schemas/builtin-codecs.ts';
import { chargingSession } from '../schemas/generated/charging-session.ts';
import { isFinal, priceSessions } from './cost/price-sessions.ts';
import { clickhouse, filter, logTopic, mapValues } from './engine.ts';
import type { Stream, TableDefinition, Topology } from './engine.ts';
import { liveSessions } from './live-sessions.ts';
import { sessionMessage } from './session-message.ts';
import { liveTableRow, sessionTableRow } from './session-tables.ts';
import type { LiveTableRow, SessionTableRow } from './session-tables.ts';
import type { SessionRow } from './stitching/session-row.ts';
import type { LateRecord } from './tables.ts';
import type { StitchVisitsOptions } from './visits/stitch-visits.ts';
import { lateAttempt, visitSteps } from './visits/visit-steps.ts';
import { visitTableRow } from './visits/visit-table.ts';
import type { VisitTableRow } from './visits/visit-table.ts';

export interface SessionTables {
  readonly sessions: TableDefinition<SessionTableRow>;
  readonly live: TableDefinition<LiveTableRow>;
  readonly visits: TableDefinition<VisitTableRow>;
}

/**
 * What becomes of the rows of `stitchSessions`: with vehicle and price they go into the tables of sessions and live sessions and into the
 * topic of sessions; final ones are put together to visits. Gives the attempts that came too late for their visit.
 */
export function sessionOutputs(
  topology: Topology, sessions: Stream<string, SessionRow>, tables: SessionTables, sessionsTopic: string, options: StitchVisitsOptions = {},
): Stream<string, LateRecord> {
  const priced = priceSessions(topology, sessions.merge(sessions.side<string, SessionRow>('live')));
  const final = priced.pipe(filter(isFinal));
  final.to(clickhouse(tables.sessions, sessionTableRow));
  final.pipe(mapValues(sessionMessage)).to(logTopic(sessionsTopic, { key: utf8, value: chargingSession }));
  priced.pipe(liveSessions('live-sessions')).to(clickhouse(tables.live, liveTableRow));
  const { visits, alone, late } = visitSteps(sessions, options);
  visits.to(clickhouse(tables.visits, visitTableRow));
  alone.to(clickhouse(tables.visits, visitTableRow, 'visits-alone'));
  return late.pipe(mapValues(lateAttempt));
}

import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { Stream } from '../engine.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import type { LateRecord } from '../tables.ts';
import { stitchVisits } from './stitch-visits.ts';
import type { StitchVisitsOptions } from './stitch-visits.ts';
import type { AttemptChange } from './visit-attempt.ts';
import { visitAttempts } from './visit-attempts.ts';
import { attemptChangeCodec } from './visit-codecs.ts';
import type { Visit } from './visit.ts';

export interface VisitStreams {
  /** Visits of tokens at sites. */
  readonly visits: Stream<string, Visit>;
  /** Sessions without token or site, each a visit of its own. Another task writes them, but never a row of the same key. */
  readonly alone: Stream<string, Visit>;
  /** Attempts that came too late to be put into visits. */
  readonly late: Stream<string, AttemptChange>;
}

/** Visits from final rows of sessions, keyed by station; a site's stations may lie in other partitions, so attempts go by a topic keyed by site. */
export function visitSteps(sessions: Stream<string, SessionRow>, options: StitchVisitsOptions = {}): VisitStreams {
  const attempts = sessions.pipe(visitAttempts('visit-attempts', options.horizonMs ?? 7 * 86_400_000));
  const visits = attempts.repartition('visits-by-site', { key: utf8, value: attemptChangeCodec }).pipe(stitchVisits('visits', options));
  return { visits, alone: attempts.side<string, Visit>('alone'), late: visits.side<string, AttemptChange>('late') };
}

/** A late attempt as a late record; its energy is in its session and not lost. */
export function lateAttempt({ sessionId, attempt }: AttemptChange): LateRecord {
  return { step: 'visits', number: 0, stationId: attempt?.stationId ?? '', eventId: sessionId, energyWh: 0, json: JSON.stringify(attempt) };
}

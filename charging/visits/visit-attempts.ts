import { utf8 } from '../../schemas/builtin-codecs.ts';
import { statefulStep, timeKeyStore } from '../engine.ts';
import type { Emit, Operator, StreamRecord } from '../engine.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { noVisit, visitOf } from './group-attempts.ts';
import { attemptOf } from './visit-attempt.ts';
import type { AttemptChange } from './visit-attempt.ts';
import { placesCodec } from './visit-codecs.ts';
import type { SessionPlace } from './visit-codecs.ts';
import type { Visit } from './visit.ts';

/**
 * Sessions of a station as attempts to charge, keyed by site, for `stitchVisits`; live rows are passed over. A session of which nobody
 * knows the site or the token is a visit of its own, and leaves by the output `alone`.
 *
 * A revision that moves a session to another site or token takes it back where it was before; for that the step remembers where
 * sessions were, `horizonMs` of their station's time behind their first row, and up to a seventh more: those of a seventh are kept, and forgotten, together.
 */
export function visitAttempts(name: string, horizonMs: number): Operator<string, SessionRow, string, AttemptChange> {
  return statefulStep({
    kind: 'visitAttempts',
    name,
    stores: { places: timeKeyStore({ name, key: utf8, value: placesCodec }) },
    ports: ['alone'],
    changesKey: true,
    detail: `places kept ${horizonMs} ms, time by station`,
    start: (context, emit: Emit<StreamRecord<string, AttemptChange>>) => {
      const { places } = context.stores;
      const grainMs = Math.max(1, Math.floor(horizonMs / 7));
      const send = (session: SessionRow, { siteId, idToken }: SessionPlace, timestampMs: number, gone: boolean): void => {
        const attempt = attemptOf(session);
        if (siteId !== null && idToken !== null) {
          return emit({ key: siteId, value: { idToken, sessionId: session.sessionId, attempt: gone ? null : attempt }, timestampMs });
        }
        const value: Visit = gone ? noVisit(siteId, idToken, attempt, null) : visitOf(siteId, idToken, [attempt]);
        return context.output('alone', { key: session.stationId, value, timestampMs });
      };
      /** The place of a session before; and where it is remembered. */
      const placeBefore = (session: SessionRow) => {
        for (const { timeMs, value } of places.fetch(session.stationId, 0, Number.MAX_SAFE_INTEGER)) {
          const place = value.find(({ sessionId }) => sessionId === session.sessionId);
          if (place !== undefined) return { timeMs, value, place };
        }
        return undefined;
      };
      return ({ value: session, timestampMs }: StreamRecord<string, SessionRow>) => {
        if (session.closedBy === 'None') return;
        const { stationId, sessionId } = session;
        const nowMs = Math.max(0, timestampMs, places.lastOf(stationId, Number.MAX_SAFE_INTEGER - 1)?.timeMs ?? 0);
        const dueMs = nowMs - horizonMs - grainMs;
        if ((places.earliestOf(stationId) ?? nowMs) <= dueMs) places.drainKey(stationId, dueMs);
        const place = { sessionId, siteId: named(session.siteId), idToken: named(session.idToken) };
        const before = session.revision > 0 ? placeBefore(session) : undefined;
        if (before === undefined) {
          const keptAtMs = nowMs - nowMs % grainMs;
          places.put(stationId, keptAtMs, [...places.get(stationId, keptAtMs) ?? [], place]);
        } else if (before.place.siteId !== place.siteId || before.place.idToken !== place.idToken) {
          places.put(stationId, before.timeMs, before.value.map((each) => (each === before.place ? place : each)));
          send(session, before.place, timestampMs, true);
        }
        send(session, place, timestampMs, false);
      };
    },
  });
}

/** An empty text names nothing. */
function named(text: string | null): string | null {
  return text === '' ? null : text;
}

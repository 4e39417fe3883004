import { isSuccessful } from './successful-attempt.ts';
import type { Visit } from './visit.ts';
import { endOf } from './visit-attempt.ts';
import type { VisitAttempt } from './visit-attempt.ts';

/** Attempts of one visit, in order of start, then of session id: at least one. */
export type VisitAttempts = readonly VisitAttempt[];

/**
 * Visits from attempts by one token at one site: an attempt belongs to the visit before it when it starts at most `retryWithinMs`
 * after the end of all that came before in that visit, also when they overlap. A visit with `attemptsMax` attempts takes no more.
 */
export function groupAttempts(attempts: readonly VisitAttempt[], retryWithinMs: number, attemptsMax: number): readonly VisitAttempts[] {
  const visits: VisitAttempt[][] = [];
  let visit: VisitAttempt[] = [];
  let endMs = 0;
  for (const attempt of [...attempts].sort(byStart)) {
    if (visit.length > 0 && visit.length < attemptsMax && attempt.startMs <= endMs + retryWithinMs) {
      visit.push(attempt);
      endMs = Math.max(endMs, endOf(attempt));
      continue;
    }
    visit = [attempt];
    endMs = endOf(attempt);
    visits.push(visit);
  }
  return visits;
}

function byStart(a: VisitAttempt, b: VisitAttempt): number {
  return a.startMs - b.startMs || (a.sessionId < b.sessionId ? -1 : 1);
}

/** The attempt that ended last; of several the one with the highest session id. */
export function lastOf(attempts: VisitAttempts): VisitAttempt {
  let last = firstOf(attempts);
  for (const attempt of attempts) {
    const laterMs = endOf(attempt) - endOf(last);
    if (laterMs > 0 || (laterMs === 0 && attempt.sessionId > last.sessionId)) last = attempt;
  }
  return last;
}

export function firstOf(attempts: VisitAttempts): VisitAttempt {
  return attempts[0] as VisitAttempt;
}

/** A visit as its row says it. Energy is the sum of what is known, to the mWh. */
export function visitOf(siteId: string | null, idToken: string | null, attempts: VisitAttempts): Visit {
  const first = firstOf(attempts);
  let [stopMs, successes, milliWh]: [number | null, number, number] = [null, 0, 0];
  for (const attempt of attempts) {
    if (attempt.stopMs !== null && (stopMs === null || attempt.stopMs > stopMs)) stopMs = attempt.stopMs;
    if (isSuccessful(attempt)) successes++;
    milliWh += Math.round((attempt.energyWh ?? 0) * 1000);
  }
  return {
    visitId: first.sessionId, openedMs: first.openedMs, stationId: first.stationId, siteId, city: first.city, operator: first.operator, timeZone: first.timeZone, idToken,
    startMs: first.startMs, stopMs, attempts: attempts.length, successes, successful: successes > 0, firstAttemptSuccessful: isSuccessful(first),
    energyWh: milliWh / 1000, sessionIds: attempts.map(({ sessionId }) => sessionId), mergedInto: null,
  };
}

/** The row that takes a visit back: there is none of this id at this site and token. */
export function noVisit(siteId: string | null, idToken: string | null, named: VisitAttempt, mergedInto: string | null): Visit {
  return {
    visitId: named.sessionId, openedMs: named.openedMs, stationId: named.stationId, siteId, city: named.city, operator: named.operator, timeZone: named.timeZone, idToken,
    startMs: named.startMs, stopMs: null, attempts: 0, successes: 0, successful: false, firstAttemptSuccessful: false, energyWh: 0, sessionIds: [],
    mergedInto,
  };
}

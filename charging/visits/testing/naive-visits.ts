import type { Visit } from '../visit.ts';

export interface NaiveAttempt {
  readonly sessionId: string;
  readonly stationId: string;
  readonly openedMs: number;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly energyWh: number | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly timeZone: string | null;
  readonly siteId: string | null;
  readonly idToken: string | null;
}

/**
 * Visits of all attempts at once: two attempts by one token at one site go together when neither starts later than `retryWithinMs`
 * after the end of the other, and so does what goes together with one of them. By labels handed on until nothing changes; shares nothing with the product.
 */
export function naiveVisits(attempts: readonly NaiveAttempt[], retryWithinMs: number): readonly Visit[] {
  const labels = attempts.map((_attempt, index) => index);
  for (let changed = true; changed;) {
    changed = false;
    for (const [i, one] of attempts.entries()) {
      for (const [j, other] of attempts.entries()) {
        if (labels[i] === labels[j] || !goTogether(one, other, retryWithinMs)) continue;
        labels[i] = labels[j] = Math.min(labels[i] as number, labels[j] as number);
        changed = true;
      }
    }
  }
  return [...new Set(labels)].map((label) => {
    const members = attempts.filter((_attempt, index) => labels[index] === label).sort((a, b) => a.startMs - b.startMs || (a.sessionId < b.sessionId ? -1 : 1));
    const first = members[0] as NaiveAttempt;
    const stops = members.flatMap(({ stopMs }) => (stopMs === null ? [] : [stopMs]));
    const delivered = members.map(({ energyWh }) => energyWh ?? 0);
    return {
      visitId: first.sessionId, openedMs: first.openedMs, stationId: first.stationId, siteId: first.siteId, city: first.city, operator: first.operator,
      timeZone: first.timeZone, idToken: first.idToken, startMs: first.startMs, stopMs: stops.length === 0 ? null : Math.max(...stops), attempts: members.length,
      successes: delivered.filter((wh) => wh > 100).length, successful: delivered.some((wh) => wh > 100), firstAttemptSuccessful: (delivered[0] ?? 0) > 100,
      energyWh: delivered.reduce((sum, wh) => Math.round((sum + wh) * 1000) / 1000, 0), sessionIds: members.map(({ sessionId }) => sessionId), mergedInto: null,
    };
  });
}

function goTogether(one: NaiveAttempt, other: NaiveAttempt, retryWithinMs: number): boolean {
  if (one.siteId === null || one.idToken === null || one.siteId !== other.siteId || one.idToken !== other.idToken) return false;
  const [oneEndMs, otherEndMs] = [one.stopMs ?? one.startMs, other.stopMs ?? other.startMs];
  return one.startMs <= otherEndMs + retryWithinMs && other.startMs <= oneEndMs + retryWithinMs;
}

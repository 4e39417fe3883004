import type { SessionRow } from '../stitching/session-row.ts';

/** What a visit must know of a session. Times are UTC milliseconds. */
export interface VisitAttempt {
  readonly sessionId: string;
  readonly stationId: string;
  readonly openedMs: number;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly energyWh: number | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly timeZone: string | null;
}

/** What became known of an attempt by one id token at one site; the site is the record's key. */
export interface AttemptChange {
  readonly idToken: string;
  readonly sessionId: string;
  /** Null: the session turned out to be of another token or site. */
  readonly attempt: VisitAttempt | null;
}

export function attemptOf(session: SessionRow): VisitAttempt {
  const { sessionId, stationId, openedMs, startMs, stopMs, energyWh, city, operator, timeZone } = session;
  return { sessionId, stationId, openedMs, startMs, stopMs, energyWh, city, operator, timeZone };
}

/** The stop, or the start of an attempt without one. */
export function endOf({ startMs, stopMs }: VisitAttempt): number {
  return stopMs === null || stopMs < startMs ? startMs : stopMs;
}

export function isSameAttempt(one: VisitAttempt, other: VisitAttempt): boolean {
  return one.sessionId === other.sessionId && one.stationId === other.stationId && one.openedMs === other.openedMs && one.startMs === other.startMs &&
    one.stopMs === other.stopMs && one.energyWh === other.energyWh && one.city === other.city && one.operator === other.operator && one.timeZone === other.timeZone;
}

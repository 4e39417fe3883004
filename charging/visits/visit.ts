/**
 * A driver's visit to a site: the attempts to charge by one id token there, each at most minutes after the one before. Absolute
 * values, replaced by later rows of the same `visitId`; `attempts` 0 says that it has become part of another visit.
 */
export interface Visit {
  /** The session id of its first attempt. */
  readonly visitId: string;
  /** `openedMs` of that session: it never changes. */
  readonly openedMs: number;
  /** Station of that session: where the driver tried first. */
  readonly stationId: string;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  /** IANA zone of the site; null: not known. */
  readonly timeZone: string | null;
  /** Null: nobody said who charged; such a session is a visit of its own. */
  readonly idToken: string | null;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly attempts: number;
  /** Attempts that delivered energy. */
  readonly successes: number;
  /** The visit ended with energy delivered. */
  readonly successful: boolean;
  readonly firstAttemptSuccessful: boolean;
  readonly energyWh: number;
  readonly sessionIds: readonly string[];
  /** The visit that this one has become part of. */
  readonly mergedInto: string | null;
}

import type { MeterSample, TimeSpan } from '../cost/priced-session.ts';

/** What closed a session; `None` while it runs. */
export type SessionClosedBy = 'None' | 'TransactionEnded' | 'NextStart' | 'StatusAvailable' | 'Inactivity';

/** What a session drew, as far as it is believed: for its price and nothing else; it goes into no table. */
export interface SessionMetering {
  /** Cumulative energy in whole mWh from 0 at the start, never falling, in order of time; fewer than two: energy is unknown. */
  readonly samples: readonly MeterSample[];
  /** When energy flowed, in order and apart; null: unknown. */
  readonly charging: readonly TimeSpan[] | null;
}

/** What is known of a session's station and connector, as of the session's start. */
export interface SessionPlace {
  readonly siteId: string | null;
  readonly city: string | null;
  readonly region: string | null;
  readonly country: string | null;
  readonly operator: string | null;
  /** IANA zone of the site; null: the station is unknown. */
  readonly timeZone: string | null;
  /** The tariff that its station names. */
  readonly tariffId: string | null;
  readonly connectorStandard: string | null;
  readonly current: 'AC' | 'DC' | null;
  readonly powerMaxW: number | null;
}

/**
 * A session as it is known now: absolute values, which replace those of an earlier revision as a whole. Times are UTC
 * milliseconds, energies Wh. Live rows (`closedBy` None) say how a session stands while it runs.
 */
export interface SessionRow extends SessionPlace {
  /** `station/transaction`; of a session without a transaction id `station/evse.connector/first event's time`. */
  readonly sessionId: string;
  /** 0 for the first final row, one more for each row that corrects it; -1 on live rows. */
  readonly revision: number;
  readonly transactionId: string | null;
  readonly stationId: string;
  readonly evseId: number;
  readonly connectorId: number;
  /** Time of the earliest event that was seen of it before its first final row; unlike the start it never changes after that. The month of it is the table's partition. */
  readonly openedMs: number;
  /** Reported, or inferred from the first event (flag `missing-start`). */
  readonly startMs: number;
  /** Null while it runs, and where nothing but its start is known. */
  readonly stopMs: number | null;
  /** What is believed to have been delivered: never negative, never more than the connector can give. Null: unknown (missing is not zero). */
  readonly energyWh: number | null;
  /** What the registers say, last minus first as they stand, whatever that is worth; null without two of them. */
  readonly registerWh: number | null;
  readonly exportWh: number | null;
  readonly chargingMs: number | null;
  readonly idleMs: number | null;
  readonly peakPowerW: number | null;
  readonly meanPowerW: number | null;
  readonly socFrom: number | null;
  readonly socTo: number | null;
  readonly stopReason: string | null;
  readonly closedBy: SessionClosedBy;
  readonly flags: readonly string[];
  /** A start and a stop were both reported. */
  readonly complete: boolean;
  readonly eventCount: number;
  readonly duplicates: number;
  /** Sequence numbers that are missing between those seen. */
  readonly sequenceGaps: number;
  readonly idToken: string | null;
  readonly partner: string | null;
  readonly vehicleModel: string | null;
  readonly metering: SessionMetering;
}

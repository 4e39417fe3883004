import type { ConnectorInterval } from './connector-interval.ts';

/** Where a connector stands at the newest event of it: its last interval, which has no end yet. Absolute; key: station, EVSE, connector. */
export interface ConnectorNow extends Omit<ConnectorInterval, 'fromMs' | 'toMs' | 'transactionId'> {
  /** Since when anything is known of it. */
  readonly firstMs: number;
  /** Since when it has had this status (and error code, and vehicle). */
  readonly sinceMs: number;
  /** The transaction under way; null: none. */
  readonly transactionId: string | null;
  /** That of the vehicle that is there, also when it has ended: what the interval will have. */
  readonly stayTransactionId: string | null;
}

import type { ConnectorInterval } from './connector-interval.ts';

/** Where a connector stands at the newest event of it. Absolute; key: station, EVSE, connector. */
export interface ConnectorNow extends Omit<ConnectorInterval, 'fromMs' | 'toMs' | 'transactionId'> {
  /** Since when anything is known of it. */
  readonly firstMs: number;
  /** Since when it has had this status (and error code, and vehicle). */
  readonly sinceMs: number;
  /** The transaction under way; null: none. */
  readonly transactionId: string | null;
}

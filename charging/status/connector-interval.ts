/** OCPP 2.0.1 connector status; `Unknown` while the station cannot be heard and nothing else is known. */
export const connectorStatuses = ['Available', 'Occupied', 'Reserved', 'Unavailable', 'Faulted', 'Unknown'] as const;
export type ConnectorStatus = (typeof connectorStatuses)[number];

/**
 * A span in which a connector had one status, and that has ended: the one that lasts is its `ConnectorNow`. Absolute: a later row of the same
 * start replaces it (a status in between that came late). Key: station, EVSE, connector, `fromMs`. A span whose `toMs` is its `fromMs` does not
 * hold (any more).
 */
export interface ConnectorInterval {
  readonly stationId: string;
  readonly evseId: number;
  readonly connectorId: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly status: ConnectorStatus;
  /** The station was connected to the back end. */
  readonly online: boolean;
  readonly errorCode: string | null;
  /** What told: a status notification, a transaction, or a connection lost or restored. */
  readonly source: 'status' | 'transaction' | 'connection';
  readonly transactionId: string | null;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
}

/** A vehicle can charge there, or does: online, and available or in use (23 CFR 680.116(b)(1)). Everything else is an outage. */
export function isUsable({ status, online }: Pick<ConnectorInterval, 'status' | 'online'>): boolean {
  return online && (status === 'Available' || status === 'Occupied' || status === 'Reserved');
}

import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Station } from '../../schemas/generated/station.ts';

/** Where a simulation sends what stations tell, in the order in which the back end receives it. */
export interface MessageSink {
  /** The event is one and the same object in every call: take from it what is needed before giving back. */
  event(event: Readonly<ChargingEvent>, receivedMs: number): void;
  /** Bytes that are no event, in the place of one. */
  malformed(stationId: string, bytes: Uint8Array, receivedMs: number): void;
  /** Reference data: a station's version. */
  station(station: Station, sentMs: number): void;
}

/** An event while it is being filled in. */
export type EventDraft = { -readonly [Field in keyof ChargingEvent]: ChargingEvent[Field] };

export function emptyDraft(): EventDraft {
  return {
    eventId: '', type: 'Heartbeat', stationId: '', evseId: 1, connectorId: 1, timestampMs: 0, receivedMs: 0, transactionId: null, seqNo: null, offline: false,
    idToken: null, partner: null, vehicleModel: null, meterWh: null, meterExportWh: null, powerW: null, soc: null, chargingState: null, status: null,
    errorCode: null, triggerReason: null, stopReason: null, edition: 0,
  };
}

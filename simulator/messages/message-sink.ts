import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Station } from '../../schemas/generated/station.ts';

/**
 * A message on its way: an event whose id is not put together yet. Of millions of ids most are only ever needed as bytes, and a text of pieces costs more than all
 * else of an event's head.
 */
export interface SimulatedEvent extends Omit<ChargingEvent, 'eventId'> {
  /** Counts the events of the station. */
  readonly eventNumber: number;
  /** What the id of a message that is told again has behind its number. */
  readonly eventSuffix: '' | '/again';
}

/** Where a simulation sends what stations tell, in the order in which the back end receives it. */
export interface MessageSink {
  /** The event is one and the same object in every call: take from it what is needed before giving back. */
  event(event: SimulatedEvent, receivedMs: number): void;
  /** Bytes that are no event, in the place of one. */
  malformed(stationId: string, bytes: Uint8Array, receivedMs: number): void;
  /** Reference data: a station's version. */
  station(station: Station, sentMs: number): void;
}

/** An event while it is being filled in. */
export type EventDraft = { -readonly [Field in keyof SimulatedEvent]: SimulatedEvent[Field] };

export function emptyDraft(): EventDraft {
  return {
    eventNumber: 0, eventSuffix: '', type: 'Heartbeat', stationId: '', evseId: 1, connectorId: 1, timestampMs: 0, receivedMs: 0, transactionId: null, seqNo: null,
    offline: false, idToken: null, partner: null, vehicleModel: null, meterWh: null, meterExportWh: null, powerW: null, soc: null, chargingState: null, status: null,
    errorCode: null, triggerReason: null, stopReason: null, edition: 0,
  };
}

export function eventIdOf({ stationId, eventNumber, eventSuffix }: SimulatedEvent): string {
  return `${stationId}/${eventNumber}${eventSuffix}`;
}

/** The event as all others know it, a new object. */
export function chargingEventOf(event: SimulatedEvent): ChargingEvent {
  const {
    type, stationId, evseId, connectorId, timestampMs, receivedMs, transactionId, seqNo, offline, idToken, partner, vehicleModel, meterWh, meterExportWh, powerW, soc,
    chargingState, status, errorCode, triggerReason, stopReason, edition,
  } = event;
  return {
    eventId: eventIdOf(event), type, stationId, evseId, connectorId, timestampMs, receivedMs, transactionId, seqNo, offline, idToken, partner, vehicleModel, meterWh,
    meterExportWh, powerW, soc, chargingState, status, errorCode, triggerReason, stopReason, edition,
  };
}

import { VoltstreamError } from '../errors.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import type { Station } from '../schemas/generated/station.ts';
import { statefulStep } from './engine.ts';
import type { Emit, Operator, StreamRecord } from './engine.ts';
import { eventTimeOf, reasonToSetAside } from './session-event.ts';
import type { SessionEvent } from './session-event.ts';

/** Never absurd, so that a lying clock drags no stream time along; `believable` sets such an event aside behind. */
export function streamTimeOf(event: ChargingEvent, logTimestampMs: number): number {
  const found = eventTimeOf(event);
  return found.kind === 'unknown' ? logTimestampMs : found.ms;
}

export interface BelievedEvent extends ChargingEvent {
  /** Only there when the device's time was replaced. */
  readonly clock?: 'received';
}

/** Lets through what can be used, with its time; the rest goes to the error policy. A step with a name, for the dead letters. */
export function believable(name: string): Operator<string, ChargingEvent, string, BelievedEvent> {
  return statefulStep({
    kind: 'believable',
    name,
    stores: {},
    start: (_context, emit: Emit<StreamRecord<string, BelievedEvent>>) => (record: StreamRecord<string, ChargingEvent>) => {
      const value = believed(record.value, record.key);
      emit(value === record.value ? record : { key: record.key, value, timestampMs: record.timestampMs });
    },
  });
}

function believed(event: ChargingEvent | null, key: string | null): BelievedEvent {
  if (event === null) throw new VoltstreamError('EVENT_UNBELIEVABLE', 'the record has no value', { where: `key ${key}` });
  const found = eventTimeOf(event);
  const reason = key === event.stationId ? reasonToSetAside(event, found) : `the key ${key} is not the station ${event.stationId}`;
  if (reason !== null || found.kind === 'unknown') {
    throw new VoltstreamError('EVENT_UNBELIEVABLE', reason ?? 'no time', { where: `event ${event.eventId}` });
  }
  return found.kind === 'device' ? event : { ...event, timestampMs: found.ms, clock: 'received' };
}

/** Field by field: a spread of so many fields costs several times as much, and this is done for each event. */
export function withStation(event: BelievedEvent, found: Station | null): SessionEvent {
  return {
    eventId: event.eventId, type: event.type, stationId: event.stationId, evseId: event.evseId, connectorId: event.connectorId,
    timestampMs: event.timestampMs, receivedMs: event.receivedMs, transactionId: event.transactionId, seqNo: event.seqNo,
    offline: event.offline, idToken: event.idToken, partner: event.partner, vehicleModel: event.vehicleModel, meterWh: event.meterWh,
    meterExportWh: event.meterExportWh, powerW: event.powerW, soc: event.soc, chargingState: event.chargingState, status: event.status,
    errorCode: event.errorCode, triggerReason: event.triggerReason, stopReason: event.stopReason, edition: event.edition, station: found,
    clock: event.clock ?? 'device',
  };
}

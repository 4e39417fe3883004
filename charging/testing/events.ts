import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { SessionEvent } from '../session-event.ts';

/** Ten o'clock on a day without anything special. */
export const ten = Date.UTC(2018, 4, 14, 10);
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;

export const station: Station = {
  stationId: 's1', siteId: 'Site', name: 'Site', operator: 'Operator', address: null, city: 'City', region: null, country: 'GB',
  latitude: null, longitude: null, timeZone: 'Europe/London', access: 'public', openAlways: false, openingHours: null,
  validFromMs: ten - days(400), tariffId: null, registerScope: 'session',
  evses: [{ evseId: 1, connectors: [{ connectorId: 1, standard: null, current: 'AC', powerMaxW: 22_000 }] }],
};

/** A charging event; what is not named is empty. */
export function charging(fields: Partial<ChargingEvent> & Pick<ChargingEvent, 'type' | 'timestampMs'>): ChargingEvent {
  return {
    eventId: `${fields.stationId ?? 's1'}/${fields.transactionId ?? ''}/${fields.type}/${fields.seqNo ?? ''}/${fields.timestampMs}`,
    stationId: 's1', evseId: 1, connectorId: 1, receivedMs: null, transactionId: null, seqNo: null, offline: false, idToken: null,
    partner: null, vehicleModel: null, meterWh: null, meterExportWh: null, powerW: null, soc: null, chargingState: null,
    status: null, errorCode: null, triggerReason: null, stopReason: null, edition: 0, ...fields,
  };
}

export function known(event: ChargingEvent): SessionEvent {
  return { ...event, station, clock: 'device' };
}

export function started(transactionId: string, timestampMs: number, fields: Partial<ChargingEvent> = {}): SessionEvent {
  return known(charging({ type: 'TransactionStarted', transactionId, seqNo: 0, meterWh: 0, timestampMs, ...fields }));
}

export function updated(transactionId: string, seqNo: number, timestampMs: number, meterWh: number, fields: Partial<ChargingEvent> = {}): SessionEvent {
  return known(charging({ type: 'TransactionUpdated', transactionId, seqNo, meterWh, timestampMs, ...fields }));
}

export function ended(transactionId: string, seqNo: number, timestampMs: number, meterWh: number | null, fields: Partial<ChargingEvent> = {}): SessionEvent {
  return known(charging({ type: 'TransactionEnded', transactionId, seqNo, meterWh, timestampMs, ...fields }));
}

export function heartbeat(timestampMs: number, stationId = 's1'): SessionEvent {
  return known(charging({ type: 'Heartbeat', timestampMs, stationId }));
}

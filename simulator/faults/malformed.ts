import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Random } from '../random/random.ts';

/**
 * Bytes that no reader can take for an event, in any of the forms in which such come: cut off, of another protocol, nothing sensible. Printable
 * and without line breaks, so that they are one line of a file; not beginning with a zero byte, as framed records do.
 */
export function malformedBytes(event: Readonly<ChargingEvent>, random: Random): Uint8Array {
  return Buffer.from(texts[random.below(texts.length)]?.(event, random) ?? '');
}

const texts: readonly ((event: Readonly<ChargingEvent>, random: Random) => string)[] = [
  ({ eventId, stationId }) => `{"eventId":"${eventId}","type":"TransactionUpdated","stationId":"${stationId}","timest`,
  ({ eventId, timestampMs }) => `[2,"${eventId}","MeterValues",{"connectorId":1,"timestamp":"${timestampMs}"}]`,
  ({ stationId }) => `{"type":"Heartbeat","stationId":"${stationId}"}`,
  ({ eventId, stationId }) => `{"eventId":"${eventId}","type":"Explosion","stationId":"${stationId}","timestampMs":"yesterday"}`,
  (_, random) => `~${Array.from({ length: 12 }, () => random.word().toString(36)).join('~')}`,
  () => '~',
];

import { eventIdOf } from '../messages/message-sink.ts';
import type { SimulatedEvent } from '../messages/message-sink.ts';
import type { Random } from '../random/random.ts';

/**
 * Bytes that no reader can take for an event, in any of the forms in which such come: cut off, of another protocol, nothing sensible. Printable
 * and without line breaks, so that they are one line of a file; not beginning with a zero byte, as framed records do.
 */
export function malformedBytes(event: SimulatedEvent, random: Random): Uint8Array {
  return Buffer.from(texts[random.below(texts.length)]?.(event, random) ?? '');
}

const texts: readonly ((event: SimulatedEvent, random: Random) => string)[] = [
  (event) => `{"eventId":"${eventIdOf(event)}","type":"TransactionUpdated","stationId":"${event.stationId}","timest`,
  (event) => `[2,"${eventIdOf(event)}","MeterValues",{"connectorId":1,"timestamp":"${event.timestampMs}"}]`,
  ({ stationId }) => `{"type":"Heartbeat","stationId":"${stationId}"}`,
  (event) => `{"eventId":"${eventIdOf(event)}","type":"Explosion","stationId":"${event.stationId}","timestampMs":"yesterday"}`,
  (_, random) => `~${Array.from({ length: 12 }, () => random.word().toString(36)).join('~')}`,
  () => '~',
];

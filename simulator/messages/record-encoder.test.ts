import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroCodec } from '../../schemas/avro-codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { propertyRuns } from '../testing/property-runs.ts';
import { chargingEventOf, emptyDraft } from './message-sink.ts';
import type { SimulatedEvent } from './message-sink.ts';
import { readRecords, RecordEncoder } from './record-encoder.ts';

const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
const orNull = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one);
const time = fc.oneof(fc.nat(2e12), fc.constant(0));
const events: fc.Arbitrary<SimulatedEvent> = fc.record({
  eventNumber: fc.nat(2 ** 31 - 1), eventSuffix: fc.constantFrom('' as const, '/again' as const),
  type: fc.constantFrom('TransactionStarted', 'TransactionUpdated', 'TransactionEnded', 'StatusChanged', 'ConnectionLost', 'ConnectionRestored', 'Heartbeat'),
  stationId: text, evseId: fc.nat(100), connectorId: fc.nat(100), timestampMs: time, receivedMs: orNull(time), transactionId: orNull(text), seqNo: orNull(fc.nat()),
  offline: fc.boolean(), meterWh: orNull(fc.double({ noNaN: true })), powerW: orNull(fc.nat()), soc: orNull(fc.nat(100)), status: orNull(text),
  chargingState: orNull(fc.constantFrom('Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle')),
}).map((fields) => ({ ...emptyDraft(), ...fields }));

describe('events as records', () => {
  it('are what the codec makes of the same events, behind zero and schema id, under the station\'s key', () => {
    const encoder = new RecordEncoder({ event: 0x01_02_03_04, station: 5 });
    const codec = avroCodec(chargingEvent);
    fc.assert(fc.property(fc.array(fc.tuple(events, time), { maxLength: 8 }), (all) => {
      for (const [event, receivedMs] of all) encoder.event(event, receivedMs);
      const { messages, events: bytes } = encoder.take();
      expect(messages).toBe(all.length);
      const read = [...readRecords(bytes)].map(({ key, value, timestampMs }) => [Buffer.from(key).toString(), timestampMs, Buffer.from(value).toString('hex')]);
      expect(read).toEqual(all.map(([event, receivedMs]) => [event.stationId, receivedMs, `0001020304${Buffer.from(codec.encode(chargingEventOf(event))).toString('hex')}`]));
    }), propertyRuns(300));
  });

  it('keep their place among bytes that are no event', () => {
    const encoder = new RecordEncoder({ event: 1, station: 2 });
    const draft = { ...emptyDraft(), stationId: 's-1', eventNumber: 9 };
    encoder.malformed('s-1', Buffer.from('{'), 5);
    encoder.event(draft, 6);
    encoder.malformed('s-2', Buffer.from('~'), 7);
    expect([...readRecords(encoder.take().events)].map(({ key, value, timestampMs }) => [Buffer.from(key).toString(), timestampMs, value[0]])).toEqual([['s-1', 5, 123], ['s-1', 6, 0], ['s-2', 7, 126]]);
    expect(encoder.take()).toEqual({ messages: 0, events: new Uint8Array(0), stations: new Uint8Array(0) });
  });
});

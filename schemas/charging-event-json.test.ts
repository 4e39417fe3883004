import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chargingEventJson, completeChargingEvent, formatChargingEvent, parseChargingEvent } from './charging-event-json.ts';
import { chargingEvent } from './generated/charging-event.ts';
import type { ChargingEvent } from './generated/charging-event.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';

const least = { eventId: 'e-1', type: 'Heartbeat', stationId: 's-1', timestampMs: 1_700_000_000_000 } as const;

/** Events that JSON can hold: finite numbers, no -0, no empty identities. */
const anyEvent = (arbitraryOf(chargingEvent.schema) as fc.Arbitrary<ChargingEvent>).filter(
  (event) =>
    event.eventId !== '' && event.stationId !== '' &&
    Object.values(event).every((value) => typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))),
);

function parse(fields: Record<string, unknown>): ReturnType<typeof parseChargingEvent> {
  return parseChargingEvent(JSON.stringify(fields));
}

describe('charging events as JSON lines', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const line = formatChargingEvent(event);
        expect(line).not.toContain('\n');
        expect(parseChargingEvent(line)).toEqual({ kind: 'event', event, unknownFields: [] });
        expect(chargingEventJson.decode(chargingEventJson.encode(event))).toEqual(event);
      }),
    );
  });

  it('need four fields; the others have the defaults of the Avro schema', () => {
    const event = completeChargingEvent(least);
    expect(parse(least)).toEqual({ kind: 'event', event, unknownFields: [] });
    expect(event).toMatchObject({ evseId: 1, connectorId: 1, offline: false, meterWh: null, chargingState: null });
    expect(Object.keys(event)).toEqual((chargingEvent.schema as { fields: { name: string }[] }).fields.map((field) => field.name));
    expect(formatChargingEvent(event)).toBe('{"eventId":"e-1","type":"Heartbeat","stationId":"s-1","timestampMs":1700000000000}');
  });

  it.each(Object.keys(least))('without %s are refused', (field) => {
    expect(parse({ ...least, [field]: undefined })).toMatchObject({ kind: 'malformed', problem: { field, got: 'nothing' } });
    expect(parse({ ...least, [field]: null })).toMatchObject({ kind: 'malformed', problem: { field, got: 'null' } });
  });

  it('take null for missing', () => {
    expect(parse({ ...least, evseId: null, offline: null, powerW: null })).toEqual(parse(least));
  });

  it.each([
    ['timestampMs', '2026-01-31T12:00:00Z', 'UTC milliseconds as a whole number', '"2026-01-31T12:00:00Z"'],
    ['receivedMs', 0.5, 'UTC milliseconds as a whole number', '0.5'],
    ['evseId', 2 ** 31, 'a whole number of 32 bits', '2147483648'],
    ['seqNo', '7', 'a whole number of 32 bits', '"7"'],
    ['meterWh', '12.5', 'a finite number', '"12.5"'],
    ['offline', 'yes', 'true or false', '"yes"'],
    ['idToken', 5, 'text', '5'],
    ['stationId', '', 'text that is not empty', '""'],
    ['chargingState', 'charging', 'Charging, EVConnected, SuspendedEV, SuspendedEVSE, Idle', '"charging"'],
    ['status', { a: 'x'.repeat(100) }, 'text', `{"a":"${'x'.repeat(54)}...`],
  ] as const)('with a wrong %s say field, wanted and got', (field, value, wanted, got) => {
    expect(parse({ ...least, [field]: value })).toEqual({ kind: 'malformed', problem: { field, wanted, got } });
  });

  it('refuse an infinite number and lines that are no object', () => {
    expect(parseChargingEvent('{"eventId":"e","type":"Heartbeat","stationId":"s","timestampMs":1,"powerW":1e999}')).toMatchObject({ problem: { field: 'powerW' } });
    for (const line of ['', '[]', 'null', '7', '{"eventId":', '"x"']) {
      expect(parseChargingEvent(line)).toMatchObject({ kind: 'malformed', problem: { field: '(line)' } });
    }
  });

  it('name the fields that the schema does not have, and leave them out', () => {
    const line = `{"__proto__":1,"meterwh":5,${JSON.stringify(least).slice(1)}`;
    expect(parseChargingEvent(line)).toEqual({ kind: 'event', event: completeChargingEvent(least), unknownFields: ['__proto__', 'meterwh'] });
  });

  it('never throw, whatever the line', () => {
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(completeChargingEvent(least))), fc.jsonValue());
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fields.map((given) => JSON.stringify({ ...least, ...given }))), (line) => void parseChargingEvent(line)));
  });

  it('refuse to be written with what JSON cannot say', () => {
    expect(() => formatChargingEvent(completeChargingEvent({ ...least, powerW: Number.NaN }))).toThrow(/SERIALISATION_FAILED[^]*field powerW/);
    expect(() => chargingEventJson.decode(Buffer.from('{}'))).toThrow(/DESERIALISATION_FAILED: field eventId[^]*got: nothing/);
  });
});

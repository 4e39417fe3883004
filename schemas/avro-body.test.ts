import { describe, expect, it } from 'vitest';
import { avroBodyWriter } from './avro-body.ts';
import { avroCodec } from './avro-codec.ts';
import { vehicle } from './generated/vehicle.ts';

describe('avroBodyWriter', () => {
  it('writes what a codec writes, and tells when there was no room', () => {
    const value = { model: 'Aiways U5', vehicleClass: null, batteryWh: 63_000, acPowerMaxW: null, dcPowerMaxW: null, chargeCurve: [], validFromMs: 0 };
    const write = avroBodyWriter(vehicle);
    const buffer = Buffer.alloc(100);
    const end = write(value, buffer, 10);
    expect(Buffer.from(avroCodec(vehicle).encode(value))).toEqual(buffer.subarray(10, end));
    expect(write(value, Buffer.alloc(12), 10)).toBe(end);
  });
});

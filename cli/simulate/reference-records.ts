import type { OutboundRecord } from '../../charging/engine.ts';
import { tariffsTopic, vehiclesTopic } from '../../charging/reference/reference-topics.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import { tariff } from '../../schemas/generated/tariff.ts';
import { vehicle } from '../../schemas/generated/vehicle.ts';
import { chargingEventOf, emptyDraft } from '../../simulator/messages/message-sink.ts';
import type { SchemaIds } from '../../simulator/messages/record-encoder.ts';
import type { Profile } from '../../simulator/profile.ts';
import { simulatedTariffs, simulatedVehicles } from '../../simulator/reference/reference-data.ts';

/** What the registry calls the schemas: in front of every record, behind a zero. */
export async function schemaIds(registry: SchemaRegistry): Promise<SchemaIds> {
  const event = await registry.writer(`${eventsTopic}-value`, chargingEvent);
  const place = await registry.writer(`${stationsTopic}-value`, station);
  const idOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return {
    event: idOf(event.encode(chargingEventOf(emptyDraft()))),
    station: idOf(place.encode({
      stationId: '', siteId: null, name: null, operator: null, address: null, city: null, region: null, country: null, latitude: null, longitude: null,
      timeZone: 'UTC', access: 'public', openAlways: false, openingHours: null, validFromMs: 0, evses: [], tariffId: null, registerScope: 'lifetime',
    })),
  };
}

/** Tariffs and vehicles, which are there before the first session. */
export async function referenceRecords(registry: SchemaRegistry, profile: Profile, startMs: number): Promise<readonly OutboundRecord[]> {
  const tariffs = await registry.writer(`${tariffsTopic}-value`, tariff);
  const vehicles = await registry.writer(`${vehiclesTopic}-value`, vehicle);
  return [
    ...simulatedTariffs(profile).map((one) => ({ topic: tariffsTopic, key: Buffer.from(one.tariffId), value: tariffs.encode(one), timestampMs: startMs })),
    ...simulatedVehicles(profile).map((one) => ({ topic: vehiclesTopic, key: Buffer.from(one.model), value: vehicles.encode(one), timestampMs: startMs })),
  ];
}

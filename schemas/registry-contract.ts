import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registered } from './avro-codec.ts';
import { utf8 } from './builtin-codecs.ts';
import { SchemaNotLoaded } from './codec.ts';
import type { RegisteredForm, SchemaRegistry } from './codec.ts';
import { chargingEvent } from './generated/charging-event.ts';
import type { ChargingEvent } from './generated/charging-event.ts';
import { arbitraryOf } from './testing/avro-arbitrary.ts';

/** A place where schemas are kept, which registries can be opened on again and again. */
export interface RegistryPlace {
  /** Another registry on the same place, as another process would have. Opened by the suite. */
  connect(): SchemaRegistry;
  remove(): Promise<void>;
}

interface Reading {
  readonly at: number;
  readonly wh?: number;
}

function reading(...more: readonly object[]): RegisteredForm<Reading> {
  return registered({ type: 'record', name: 'Reading', namespace: 'example', fields: [{ name: 'at', type: 'long' }, ...more] });
}

function idOf(bytes: Uint8Array): number {
  return Buffer.from(bytes).readUInt32BE(1);
}

/** The laws of a schema registry, the same for every implementation. */
export function describeSchemaRegistry(name: string, makePlace: () => Promise<RegistryPlace>): void {
  describe(name, () => {
    const withPlace = async (use: (place: RegistryPlace, registry: SchemaRegistry) => Promise<void>): Promise<void> => {
      const place = await makePlace();
      const registry = place.connect();
      await registry.open();
      try {
        await use(place, registry);
      } finally {
        await registry.close();
        await place.remove();
      }
    };

    it('lets one process read what another has written, after one load', () =>
      withPlace(async (place, registry) => {
        const other = place.connect();
        await other.open();
        const writer = await registry.writer('charging.events-value', chargingEvent);
        const reader = other.reader(chargingEvent);
        const events = fc.sample(arbitraryOf(chargingEvent.schema) as fc.Arbitrary<ChargingEvent>, 20);
        const encoded = events.map((event) => writer.encode(event));
        expect(() => reader.decode(encoded[0] as Uint8Array)).toThrow(SchemaNotLoaded);
        await reader.load(idOf(encoded[0] as Uint8Array));
        expect(encoded.map((bytes) => reader.decode(bytes))).toEqual(events);
        await other.close();
      }));

    it('gives a schema one id, whoever registers it and under whatever subject', () =>
      withPlace(async (place, registry) => {
        const other = place.connect();
        await other.open();
        const ids = [
          idOf((await registry.writer('a-value', reading())).encode({ at: 1 })),
          idOf((await other.writer('a-value', reading())).encode({ at: 1 })),
          idOf((await registry.writer('b-value', reading())).encode({ at: 1 })),
        ];
        expect(new Set(ids).size).toBe(1);
        await other.close();
      }));

    it('resolves an older writer to a newer reader and the other way round', () =>
      withPlace(async (_place, registry) => {
        const newer = reading({ name: 'wh', type: 'double', default: 0 });
        const byOlder = (await registry.writer('r-value', reading())).encode({ at: 1 });
        const byNewer = (await registry.writer('r-value', newer)).encode({ at: 2, wh: 5 });
        expect(idOf(byNewer)).not.toBe(idOf(byOlder));
        const olderReader = registry.reader(reading());
        const newerReader = registry.reader(newer);
        for (const bytes of [byOlder, byNewer]) await Promise.all([olderReader.load(idOf(bytes)), newerReader.load(idOf(bytes))]);
        expect(newerReader.decode(byOlder)).toEqual({ at: 1, wh: 0 });
        expect(olderReader.decode(byNewer)).toEqual({ at: 2 });
      }));

    it('refuses a schema that cannot read what its subject has written, and registers nothing', () =>
      withPlace(async (_place, registry) => {
        await registry.writer('r-value', reading());
        const incompatible = reading({ name: 'wh', type: 'double' });
        await expect(registry.writer('r-value', incompatible)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
        await expect(registry.writer('r-value', incompatible)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
        await registry.writer('other-value', incompatible);
      }));

    it('says SCHEMA_UNKNOWN for an id that it never gave out', () =>
      withPlace(async (_place, registry) => {
        await expect(registry.reader(reading()).load(4_711)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
      }));

    it('writes and reads codec forms as they are, without a schema id', () =>
      withPlace(async (_place, registry) => {
        const bytes = (await registry.writer('charging.events-key', utf8)).encode('station-1');
        expect(Buffer.from(bytes).toString()).toBe('station-1');
        expect(registry.reader(utf8).decode(bytes)).toBe('station-1');
      }));

    it('still knows its schemas after it was opened again', () =>
      withPlace(async (place, registry) => {
        const bytes = (await registry.writer('r-value', reading())).encode({ at: 7 });
        const again = place.connect();
        await again.open();
        const reader = again.reader(reading());
        await reader.load(idOf(bytes));
        expect(reader.decode(bytes)).toEqual({ at: 7 });
        await again.close();
      }));

    it('never gives two schemas one id when many register at once', () =>
      withPlace(async (place, registry) => {
        const registries = [registry, place.connect(), place.connect()];
        for (const other of registries.slice(1)) await other.open();
        const jobs = Array.from({ length: 30 }, async (_, index) => {
          const form = registered<{ x: number }>({ type: 'record', name: `R${index % 10}`, fields: [{ name: 'x', type: 'int' }] });
          const writer = await (registries[index % 3] as SchemaRegistry).writer(`s${index % 10}-value`, form);
          return { name: form.name, id: idOf(writer.encode({ x: 1 })) };
        });
        const given = await Promise.all(jobs);
        expect(new Set(given.map(({ id }) => id)).size).toBe(10);
        expect(new Set(given.map(({ name: schema, id }) => `${schema}=${id}`)).size).toBe(10);
        for (const other of registries.slice(1)) await other.close();
      }));
  });
}

import type { Form } from '../../schemas/codec.ts';
import { outageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import type { OutageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import { station } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import { tariff } from '../../schemas/generated/tariff.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { vehicle } from '../../schemas/generated/vehicle.ts';
import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import { stationsTopic } from '../topology.ts';
import type { Comparing } from './compare.ts';
import type { OutageExclusionFacts, TariffFacts, ToldStation, VehicleFacts } from './reference-row.ts';
import { outageExclusionsTopic, tariffsTopic, vehiclesTopic } from './reference-topics.ts';
import { timeZoneOf } from './time-zone.ts';

export { vehiclesTopic };

/** A kind of reference data: where it lies and how its versions are made. */
export interface ReferenceKind<Facts, T> extends Comparing<Facts, T> {
  readonly topic: string;
  readonly form: Form<T>;
}

/**
 * Stations. One that is no longer there gets a version without charging places rather than a deletion: that version has a time of
 * its own, and what happened there before, or is told late, still finds its city and operator.
 */
export const stationKind: ReferenceKind<ToldStation, Station> = {
  topic: stationsTopic,
  form: station,
  versionOf: (facts, validFromMs, before) => {
    const told = { ...before ?? unknownStation(facts.stationId), ...facts, validFromMs };
    return {
      ...told, timeZone: facts.timeZone ?? before?.timeZone ?? timeZoneOf(told).zone,
      // A station that is spoken of is there, with one place of which nothing is known where none is named.
      evses: told.evses.length === 0 ? [{ evseId: 1, connectors: [] }] : told.evses,
    };
  },
  withdrawnOf: (before, validFromMs) => ({ ...before, validFromMs, evses: [] }),
  isWithdrawn: ({ evses }) => evses.length === 0,
  regionOf: ({ country, region }) => `${country ?? ''}/${region ?? ''}`,
};

function unknownStation(stationId: string): Station {
  return {
    stationId, siteId: stationId, name: null, operator: null, address: null, city: null, region: null, country: null, latitude: null, longitude: null,
    timeZone: 'UTC', access: 'public', openAlways: false, openingHours: null, validFromMs: 0, evses: [], tariffId: null, registerScope: 'lifetime',
  };
}

/** Vehicle models. One that is no longer listed is deleted. */
export const vehicleKind: ReferenceKind<VehicleFacts, Vehicle> = {
  topic: vehiclesTopic,
  form: vehicle,
  versionOf: (facts, validFromMs) => ({ ...facts, validFromMs }),
  withdrawnOf: () => null,
  isWithdrawn: () => false,
  regionOf: () => '',
};

/** Outages that do not count. One that is no longer claimed says so, since the table keeps what was told last. */
export const outageExclusionKind: ReferenceKind<OutageExclusionFacts, OutageExclusion> = {
  topic: outageExclusionsTopic,
  form: outageExclusion,
  versionOf: (facts, validFromMs) => ({ ...facts, withdrawn: false, validFromMs }),
  withdrawnOf: (before, validFromMs) => ({ ...before, withdrawn: true, validFromMs }),
  isWithdrawn: ({ withdrawn }) => withdrawn,
  regionOf: () => '',
};

/** Tariffs. One that is no longer there is deleted: sessions that begin later have no price. */
export const tariffKind: ReferenceKind<TariffFacts, Tariff> = {
  topic: tariffsTopic,
  form: tariff,
  versionOf: (facts, validFromMs) => ({ ...facts, validFromMs }),
  withdrawnOf: () => null,
  isWithdrawn: () => false,
  regionOf: () => '',
};

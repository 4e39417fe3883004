import type { Tariff } from '../../schemas/generated/tariff.ts';
import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import type { Profile } from '../profile.ts';
import { vehicleModels } from '../vehicles/vehicle-models.ts';

/** Prices of the shipped profiles, in the currency's unit, as files of one's own have them (docs/tariffs.md). They hold from ever. */
interface OwnTariff {
  readonly tariffId: string;
  readonly currency: string;
  readonly validFrom: string;
  readonly startFee: number;
  readonly energyPerKwh: number;
  readonly chargingPerMinute: number;
  readonly idlePerMinute: number;
  readonly idleFreeMinutes: number;
  readonly rates?: readonly { readonly from: string; readonly to: string; readonly energyPerKwh: number }[];
}

const EVER = '1970-01-01';
const prices: readonly OwnTariff[] = [
  {
    tariffId: 'home', currency: 'EUR', validFrom: EVER, startFee: 0, energyPerKwh: 0.32, chargingPerMinute: 0, idlePerMinute: 0, idleFreeMinutes: 0,
    rates: [{ from: '22:00', to: '06:00', energyPerKwh: 0.24 }],
  },
  { tariffId: 'work', currency: 'EUR', validFrom: EVER, startFee: 0, energyPerKwh: 0.28, chargingPerMinute: 0, idlePerMinute: 0, idleFreeMinutes: 0 },
  { tariffId: 'street', currency: 'EUR', validFrom: EVER, startFee: 0.35, energyPerKwh: 0.52, chargingPerMinute: 0, idlePerMinute: 0.02, idleFreeMinutes: 180 },
  { tariffId: 'hub', currency: 'EUR', validFrom: EVER, startFee: 0, energyPerKwh: 0.69, chargingPerMinute: 0, idlePerMinute: 0.1, idleFreeMinutes: 10 },
];

const micro = (price: number): number => Math.round(price * 1e6);
const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));

/** The tariffs that a profile's sites name and that have a price here; what it names beyond them is for its author to load. */
function used({ sites }: Profile): readonly OwnTariff[] {
  return prices.filter(({ tariffId }) => sites.some((site) => site.tariffId === tariffId));
}

/** As the topic `tariffs` has them. */
export function simulatedTariffs(profile: Profile): readonly Tariff[] {
  return used(profile).map(({ tariffId, currency, validFrom, startFee, energyPerKwh, chargingPerMinute, idlePerMinute, idleFreeMinutes, rates }) => ({
    tariffId, currency, validFromMs: Date.parse(validFrom), startFeeMicro: micro(startFee), energyPerKwhMicro: micro(energyPerKwh),
    chargingPerMinuteMicro: micro(chargingPerMinute), idlePerMinuteMicro: micro(idlePerMinute), idleFreeMinutes, energyStepWh: 1, timeStepSeconds: 1,
    rates: (rates ?? []).map((rate) => ({
      fromMinute: minuteOf(rate.from), toMinute: minuteOf(rate.to), weekdays: [], energyPerKwhMicro: micro(rate.energyPerKwh), chargingPerMinuteMicro: null, idlePerMinuteMicro: null,
    })),
  }));
}

/**
 * Tariffs by type of site, which begins the names of sites and stations: what a ledger is told for prices to be compared. Null: sites of the type name none.
 * Types of which not all sites have the same are left out, and so are tariffs that have no price here.
 */
export function tariffsByType(profile: Profile): Readonly<Record<string, Tariff | null>> {
  const tariffs = new Map(simulatedTariffs(profile).map((tariff) => [tariff.tariffId, tariff]));
  const byType: Record<string, Tariff | null> = {};
  for (const [type, sites] of Map.groupBy(profile.sites, (site) => site.type)) {
    const ids = new Set(sites.map(({ tariffId }) => tariffId));
    const [id = null] = ids;
    const tariff = id === null ? null : tariffs.get(id);
    if (ids.size === 1 && tariff !== undefined) byType[`${profile.sitePrefix ?? ''}${type}`] = tariff;
  }
  return byType;
}

/** The models of a profile's classes, as the topic `vehicles` has them. */
export function simulatedVehicles({ vehicles }: Profile): readonly Vehicle[] {
  return vehicleModels().filter((model) => vehicles.classes.includes(model.class)).map((model) => ({
    model: model.model, vehicleClass: model.class, batteryWh: model.batteryWh, acPowerMaxW: model.acPowerMaxW, dcPowerMaxW: model.dcPowerMaxW > 0 ? model.dcPowerMaxW : null,
    chargeCurve: model.dcCurve.map(([soc, powerW]) => ({ soc, powerW })), validFromMs: 0,
  }));
}

/** Files that `voltstream reference load` reads: what a folder has beside its stations. */
export function referenceFiles(profile: Profile): Readonly<Record<'tariffs.json' | 'vehicles.json', string>> {
  const lines = (all: readonly object[]): string => `[${all.map((one) => `\n${JSON.stringify(one)}`).join(',')}\n]\n`;
  return { 'tariffs.json': lines(used(profile)), 'vehicles.json': lines(simulatedVehicles(profile)) };
}

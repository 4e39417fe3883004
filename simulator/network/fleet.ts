import type { VehiclesProfile } from '../profile.ts';
import type { Random } from '../random/random.ts';
import { alternatingCurve, directCurve, vehicleModels } from '../vehicles/vehicle-models.ts';
import type { VehicleModel } from '../vehicles/vehicle-models.ts';
import type { ChargeCurve } from '../vehicles/charge-curve.ts';

const HOUR_MS = 3_600_000;
/** How many free vehicles are looked at for one that needs to charge; the emptiest of them comes when none does. */
const CANDIDATES = 6;
const [DRIVING, WAITING, CONNECTED] = [0, 1, 2];
/** Nobody drives to the last drop. */
const LEAST_SOC = 4;

export interface ModelCurves {
  readonly model: VehicleModel;
  readonly alternating: ChargeCurve;
  readonly direct: ChargeCurve | null;
}

let shipped: readonly ModelCurves[] | null = null;

/** The shipped models with their curves, made once. */
export function modelCurves(): readonly ModelCurves[] {
  shipped ??= vehicleModels().map((model) => ({ model, alternating: alternatingCurve(model), direct: directCurve(model) }));
  return shipped;
}

/** Vehicles of a district: between charges they drive, so that their state of charge falls with time. 25 bytes each. */
export class Fleet {
  readonly #models: readonly ModelCurves[];
  readonly #model: Uint16Array;
  readonly #soc: Float32Array;
  readonly #percentPerHour: Float32Array;
  readonly #sinceMs: Float64Array;
  /** What each does: see the constants. */
  readonly #doing: Uint8Array;
  readonly #partner: Uint8Array;
  readonly #profile: VehiclesProfile;

  constructor(count: number, profile: VehiclesProfile, startMs: number, random: Random) {
    this.#profile = profile;
    this.#models = modelCurves().filter(({ model }) => profile.classes.includes(model.class));
    if (this.#models.length === 0) throw new RangeError(`no vehicle model is of a class among ${profile.classes.join(', ')}`);
    this.#model = new Uint16Array(count);
    this.#soc = new Float32Array(count);
    this.#percentPerHour = new Float32Array(count);
    this.#sinceMs = new Float64Array(count).fill(startMs);
    this.#doing = new Uint8Array(count);
    this.#partner = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) {
      const number = random.below(this.#models.length);
      const { model } = this.#models[number] as ModelCurves;
      this.#model[at] = number;
      this.#soc[at] = random.between(15, 90);
      const kmPerHour = random.logNormal(profile.kmPerHour.median, profile.kmPerHour.spread);
      this.#percentPerHour[at] = (kmPerHour * (model.consumptionWhPerKm || 180) * 100) / model.batteryWh;
      this.#partner[at] = random.chance(profile.roamingPart) ? 1 + random.below(5) : 0;
    }
  }

  get size(): number {
    return this.#model.length;
  }

  curvesOf(vehicle: number): ModelCurves {
    return this.#models[this.#model[vehicle] as number] as ModelCurves;
  }

  /** 0: the operator's own customer. */
  partnerOf(vehicle: number): number {
    return this.#partner[vehicle] as number;
  }

  /** Neither at a connector nor waiting for one. */
  isFree(vehicle: number): boolean {
    return this.#doing[vehicle] === DRIVING;
  }

  /** Who comes to a charger now, or -1 when hardly anyone is free. Those with direct current only, when `direct`. */
  arriving(timeMs: number, direct: boolean, temperatureC: number, random: Random): number {
    let best = -1;
    let bestSoc = Number.POSITIVE_INFINITY;
    for (let tries = 0, seen = 0; tries < 8 * CANDIDATES && seen < CANDIDATES; tries += 1) {
      const vehicle = random.below(this.size);
      if (this.#doing[vehicle] !== DRIVING || (direct && this.curvesOf(vehicle).direct === null)) continue;
      seen += 1;
      const soc = this.socNow(vehicle, timeMs, temperatureC);
      if (soc < bestSoc) {
        best = vehicle;
        bestSoc = soc;
      }
      if (soc < this.#profile.chargesBelowSoc) break;
    }
    return best;
  }

  /** What is left after driving since it left its last charger; cold and heat cost up to a third more. */
  socNow(vehicle: number, timeMs: number, temperatureC: number): number {
    const hours = (timeMs - (this.#sinceMs[vehicle] as number)) / HOUR_MS;
    const weather = 1 + Math.min(0.35, Math.abs(temperatureC - 20) * 0.012);
    return Math.max(LEAST_SOC, (this.#soc[vehicle] as number) - hours * (this.#percentPerHour[vehicle] as number) * weather);
  }

  /** It waits for a connector; it still drives there, as far as its battery is concerned. */
  wait(vehicle: number): void {
    this.#doing[vehicle] = WAITING;
  }

  /** It waits no longer. */
  giveUp(vehicle: number): void {
    this.#doing[vehicle] = DRIVING;
  }

  connect(vehicle: number): void {
    if (this.#doing[vehicle] === CONNECTED) throw new Error(`vehicle ${vehicle} is connected already`);
    this.#doing[vehicle] = CONNECTED;
  }

  leave(vehicle: number, soc: number, timeMs: number): void {
    if (this.#doing[vehicle] !== CONNECTED) throw new Error(`vehicle ${vehicle} is not connected`);
    this.#doing[vehicle] = DRIVING;
    this.#soc[vehicle] = soc;
    this.#sinceMs[vehicle] = timeMs;
  }
}

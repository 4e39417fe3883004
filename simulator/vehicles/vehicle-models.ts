import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChargePoint } from './charge-curve.ts';
import { ChargeCurve } from './charge-curve.ts';

export interface VehicleModel {
  readonly model: string;
  readonly class: string;
  readonly batteryWh: number;
  readonly acPowerMaxW: number;
  /** 0: it cannot charge with direct current. */
  readonly dcPowerMaxW: number;
  readonly consumptionWhPerKm: number;
  /** [state of charge in percent, W] from 0 to 100; empty without direct current. */
  readonly dcCurve: readonly (readonly [number, number])[];
}

/** Of what a charger aboard counts, what reaches the battery; losses of a station for direct current are before its meter. */
const ALTERNATING_EFFICIENCY = 0.9;
const DIRECT_EFFICIENCY = 0.95;
/** Where the voltage of a battery charged slowly is at its end and the current falls (constant voltage). */
const TAPER_FROM_SOC = 92;
const TAPER_TO_PART = 0.06;

let shipped: readonly VehicleModel[] | null = null;

/** Vehicles as they are sold, with their curves: see data/LICENCE.md. Read once. */
export function vehicleModels(): readonly VehicleModel[] {
  shipped ??= JSON.parse(readFileSync(join(import.meta.dirname, '..', 'data', 'vehicle-models.json'), 'utf8')) as readonly VehicleModel[];
  return shipped;
}

/** How a model charges at alternating current: all that its charger gives, then the taper. */
export function alternatingCurve({ batteryWh, acPowerMaxW }: VehicleModel): ChargeCurve {
  const points: readonly ChargePoint[] = [
    { soc: 0, powerW: acPowerMaxW }, { soc: TAPER_FROM_SOC, powerW: acPowerMaxW }, { soc: 100, powerW: acPowerMaxW * TAPER_TO_PART },
  ];
  return new ChargeCurve(batteryWh, ALTERNATING_EFFICIENCY, points);
}

/** How a model charges at direct current: the measured curve; null when it cannot. */
export function directCurve({ batteryWh, dcPowerMaxW, dcCurve }: VehicleModel): ChargeCurve | null {
  if (dcPowerMaxW <= 0 || dcCurve.length < 2) return null;
  const points = dcCurve.map(([soc, powerW]): ChargePoint => ({ soc, powerW }));
  const first = points[0] as ChargePoint;
  const last = points.at(-1) as ChargePoint;
  return new ChargeCurve(batteryWh, DIRECT_EFFICIENCY, [
    ...(first.soc > 0 ? [{ soc: 0, powerW: first.powerW }] : []), ...points, ...(last.soc < 100 ? [{ soc: 100, powerW: last.powerW * TAPER_TO_PART }] : []),
  ]);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../testing/property-runs.ts';
import type { ChargePoint } from './charge-curve.ts';
import { ChargeCurve } from './charge-curve.ts';
import { alternatingCurve, directCurve, vehicleModels } from './vehicle-models.ts';

const HOUR_MS = 3_600_000;

interface Battery {
  readonly batteryWh: number;
  readonly efficiency: number;
  readonly points: readonly ChargePoint[];
}

const batteries: fc.Arbitrary<Battery> = fc.record({
  batteryWh: fc.integer({ min: 5_000, max: 120_000 }),
  efficiency: fc.integer({ min: 70, max: 100 }).map((percent) => percent / 100),
  points: fc.tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 }), fc.array(fc.integer({ min: 2_000, max: 250_000 }), { minLength: 8, maxLength: 8 }),
  ).map(([socs, powers]) => [0, ...socs.sort((left, right) => left - right), 100].map((soc, at) => ({ soc, powerW: powers[at] as number }))),
});
const limits = fc.integer({ min: 1_000, max: 300_000 });

/** The curve by the table of its points, as anybody would read it. */
function tablePowerW({ points, batteryWh, efficiency }: Battery, soc: number, limitW: number): number {
  if (soc >= 100) return 0;
  const above = points.findIndex((point) => point.soc > soc);
  const [left, right] = [points[above - 1] as ChargePoint, points[above] as ChargePoint];
  const part = (soc - left.soc) / (right.soc - left.soc);
  const ownW = left.powerW * (1 - part) + right.powerW * part;
  return ownW * efficiency < batteryWh / 100 ? 0 : Math.min(limitW, ownW);
}

/** Euler's method in small steps: the power now, for a moment. */
function euler(battery: Battery, fromSoc: number, lengthMs: number, limitW: number, untilSoc: number, steps: number): { readonly soc: number; readonly energyWh: number } {
  const hours = lengthMs / HOUR_MS / steps;
  let soc = fromSoc;
  let energyWh = 0;
  for (let step = 0; step < steps && soc < untilSoc; step += 1) {
    const powerW = tablePowerW(battery, soc, limitW);
    if (powerW === 0) break;
    const gained = (powerW * hours * battery.efficiency * 100) / battery.batteryWh;
    const part = Math.min(1, (untilSoc - soc) / gained);
    energyWh += powerW * hours * part;
    soc += gained * part;
  }
  return { soc, energyWh };
}

describe('a charge curve', () => {
  it('charges as small steps do, whatever its form, its limit and its end', () => {
    fc.assert(fc.property(batteries, fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 6 * HOUR_MS }), limits, fc.integer({ min: 1, max: 100 }), (battery, soc, lengthMs, limitW, untilSoc) => {
      const curve = new ChargeCurve(battery.batteryWh, battery.efficiency, battery.points);
      const into = { soc, energyWh: 0 };
      curve.charge(into, lengthMs, limitW, untilSoc);
      const naive = euler(battery, soc, lengthMs, limitW, untilSoc, 4_000);
      // One step at the highest power is what Euler's method may be off by, some times over where curves are steep.
      const stepSoc = (Math.min(limitW, 250_000) * (lengthMs / HOUR_MS / 4_000) * 100) / battery.batteryWh;
      expect(Math.abs(into.soc - naive.soc)).toBeLessThan(0.02 + 8 * stepSoc);
      expect(Math.abs(into.energyWh - naive.energyWh)).toBeLessThan(((0.02 + 8 * stepSoc) * battery.batteryWh) / 100 / battery.efficiency);
    }), propertyRuns(300));
  });

  it('counts what the battery gains, divided by the efficiency', () => {
    fc.assert(fc.property(batteries, fc.double({ min: 0, max: 100, noNaN: true }), fc.integer({ min: 0, max: 20 * HOUR_MS }), limits, fc.integer({ min: 0, max: 100 }), (battery, soc, lengthMs, limitW, untilSoc) => {
      const into = { soc, energyWh: 0 };
      const tookMs = new ChargeCurve(battery.batteryWh, battery.efficiency, battery.points).charge(into, lengthMs, limitW, untilSoc);
      expect(Math.abs(into.energyWh * battery.efficiency - ((into.soc - soc) / 100) * battery.batteryWh)).toBeLessThan(1e-6);
      expect(into.soc).toBeGreaterThanOrEqual(soc);
      expect(into.soc).toBeLessThanOrEqual(Math.max(soc, untilSoc));
      expect(tookMs).toBeLessThanOrEqual(lengthMs);
      // Never more than the limit allows in that time.
      expect(into.energyWh).toBeLessThanOrEqual((limitW * tookMs) / HOUR_MS + 1e-6);
    }), propertyRuns(1_000));
  });

  it('gives the same however its time is cut', () => {
    const cuts = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(fc.property(batteries, fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1_000, max: 10 * HOUR_MS }), limits, cuts, (battery, soc, lengthMs, limitW, parts) => {
      const curve = new ChargeCurve(battery.batteryWh, battery.efficiency, battery.points);
      const whole = { soc, energyWh: 0 };
      curve.charge(whole, lengthMs, limitW, 100);
      const total = parts.reduce((sum, part) => sum + part, 0);
      const into = { soc, energyWh: 0 };
      let energyWh = 0;
      for (const part of parts) {
        curve.charge(into, (lengthMs * part) / total, limitW, 100);
        energyWh += into.energyWh;
      }
      // A curve that ends at a cut-off is there a moment earlier or later: a billionth of the battery.
      expect(Math.abs(into.soc - whole.soc)).toBeLessThan(1e-6);
      expect(Math.abs(energyWh - whole.energyWh)).toBeLessThan((1e-6 * battery.batteryWh) / battery.efficiency / 100 + 1e-6);
    }), propertyRuns(1_000));
  });

  it('says how long it took to what it was to reach', () => {
    const curve = new ChargeCurve(50_000, 1, [{ soc: 0, powerW: 50_000 }, { soc: 80, powerW: 50_000 }, { soc: 100, powerW: 10_000 }]);
    const into = { soc: 20, energyWh: 0 };
    expect(curve.charge(into, 10 * HOUR_MS, 100_000, 70)).toBeCloseTo(HOUR_MS / 2, 6);
    expect(into).toEqual({ soc: 70, energyWh: 25_000 });
    into.soc = 80;
    // Power falls by 2 kW a percent: dt = dsoc / power, so ln(50 / 10) of 500 Wh / 2000 W.
    expect(curve.charge(into, 10 * HOUR_MS, 100_000, 100)).toBeCloseTo((Math.log(5) / 4) * HOUR_MS, 3);
    expect(into.soc).toBe(100);
    expect(curve.charge(into, HOUR_MS, 100_000, 100)).toBe(0);
  });

  it.each([
    ['a battery of nothing', 0, 0.9, [{ soc: 0, powerW: 1 }, { soc: 100, powerW: 1 }]], ['an efficiency above 1', 1, 1.1, [{ soc: 0, powerW: 1 }, { soc: 100, powerW: 1 }]],
    ['a curve that ends early', 1, 1, [{ soc: 0, powerW: 1 }, { soc: 90, powerW: 1 }]], ['points that go back', 1, 1, [{ soc: 0, powerW: 1 }, { soc: 50, powerW: 1 }, { soc: 50, powerW: 2 }, { soc: 100, powerW: 1 }]],
  ])('cannot be of %s', (_what, batteryWh, efficiency, points) => {
    expect(() => new ChargeCurve(batteryWh, efficiency, points)).toThrow(RangeError);
  });
});

describe('the shipped models', () => {
  it('all charge to the end at alternating current, in hours that such vehicles take', () => {
    for (const model of vehicleModels()) {
      const into = { soc: 10, energyWh: 0 };
      const hours = alternatingCurve(model).charge(into, 100 * HOUR_MS, 11_000, 100) / HOUR_MS;
      expect(into.soc, model.model).toBeGreaterThan(90);
      expect(hours, model.model).toBeLessThan(45);
      const bestHours = (0.9 * model.batteryWh) / Math.min(11_000, model.acPowerMaxW) / 0.9;
      expect(hours, model.model).toBeGreaterThan(bestHours * 0.85);
    }
  });

  it('take no more at direct current than they are said to, and some minutes to 80 percent', () => {
    const able = vehicleModels().filter((model) => directCurve(model) !== null);
    expect(able.length).toBeGreaterThan(100);
    for (const model of able) {
      const curve = directCurve(model) as ChargeCurve;
      const into = { soc: 10, energyWh: 0 };
      const minutes = curve.charge(into, 100 * HOUR_MS, 400_000, 80) / 60_000;
      expect(minutes, model.model).toBeGreaterThan(10);
      expect(minutes, model.model).toBeLessThan(150);
      for (let soc = 0; soc < 100; soc += 5) expect(curve.powerW(soc, 1e6), model.model).toBeLessThanOrEqual(model.dcPowerMaxW * 1.01);
    }
  });
});

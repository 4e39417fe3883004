import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chargingStateSymbols } from '../../schemas/generated/charging-event.ts';
import { minutes, ten } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { appendPoint, inOrder, readRegisters, readWhole } from './read-registers.ts';
import type { RegisterLimits, RegisterReading, ReportedPoint, Segment } from './read-registers.ts';

const powerMaxW = 22_000;

/** A session as it was: every so often a reading, and what flowed since the one before, in mWh. */
const truths = fc.record({
  scope: fc.constantFrom('lifetime' as const, 'session' as const),
  // Away from where registers begin again.
  baseWh: fc.oneof(...[[200_000, 700_000], [1_100_000, 1_800_000], [5_000_000, 9_000_000], [11_000_000, 40_000_000]]
    .map(([min = 0, max = 0]) => fc.integer({ min, max }))),
  steps: fc.array(
    fc.record({ spentMs: fc.integer({ min: 1_000, max: minutes(60) }), part: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 })) }),
    { minLength: 4, maxLength: 12 },
  ),
  sequenced: fc.boolean(),
}).map(({ scope, baseWh, steps, sequenced }) => {
  const baseMilliWh = scope === 'session' ? 0 : baseWh * 1000;
  const points: ReportedPoint[] = [];
  let timeMs = ten;
  let milliWh = baseMilliWh;
  [{ spentMs: 0, part: 0 }, ...steps].forEach(({ spentMs, part }, at) => {
    timeMs += spentMs;
    milliWh += Math.floor((powerMaxW * spentMs * part) / 100 / 3600);
    const kind = at === 0 ? 'start' : at === steps.length ? 'end' : 'update';
    points.push({ seqNo: sequenced ? at : null, timeMs, milliWh, powerW: null, chargingState: null, kind });
  });
  const limits: RegisterLimits = { scope, powerMaxW };
  return { points, limits, energyMilliWh: milliWh - baseMilliWh, span: { startMs: ten, stopMs: timeMs } };
});
type Truth = typeof truths extends fc.Arbitrary<infer T> ? T : never;

const inner = fc.nat({ max: 1000 });
/** A point of the truth that is neither the first nor the last. */
const at = (truth: Truth, dice: number) => 1 + (dice % (truth.points.length - 2));
const changed = (truth: Truth, index: number, fields: Partial<ReportedPoint>) =>
  truth.points.with(index, { ...truth.points[index] as ReportedPoint, ...fields });
const registerAt = (truth: Truth, index: number) => (truth.points[index] as ReportedPoint).milliWh as number;

/** Anything a station may tell. */
const anyPoint: fc.Arbitrary<ReportedPoint> = fc.record({
  seqNo: fc.option(fc.nat({ max: 12 })),
  timeMs: fc.integer({ min: -30, max: 200 }).map((minute) => ten + minutes(minute)),
  milliWh: fc.option(fc.oneof(
    fc.integer({ min: 0, max: 60_000_000 }), fc.integer({ min: 5_000_000_000, max: 5_060_000_000 }), fc.integer({ min: 99_990_000_000, max: 99_999_999_999 }),
    fc.constantFrom(-1000, 0, 1_000_000_000_000),
  )),
  powerW: fc.option(fc.constantFrom(0, 40, 7_000, 22_000)),
  chargingState: fc.option(fc.constantFrom(...chargingStateSymbols)),
  kind: fc.constantFrom('start', 'update', 'update', 'update', 'update', 'end'),
});
const anyLimits = fc.record({ scope: fc.constantFrom('lifetime', 'session', null), powerMaxW: fc.constantFrom(null, 7_000, 22_000) });

function sumOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, one) => sum + one.energyMilliWh, 0);
}

function expectSound(reading: RegisterReading, startMs: number, untilMs: number | null): void {
  let fromMs = startMs;
  for (const segment of reading.segments) {
    expect(segment.fromMs).toBe(fromMs);
    expect(segment.toMs).toBeGreaterThanOrEqual(fromMs);
    expect(Number.isSafeInteger(segment.energyMilliWh) && segment.energyMilliWh >= 0).toBe(true);
    fromMs = segment.toMs;
  }
  if (untilMs !== null) expect(fromMs).toBe(Math.max(startMs, untilMs));
  expect(sumOf(reading.segments)).toBe(reading.energyMilliWh ?? 0);
}

describe('readRegisters', () => {
  it('gives the truth where nothing is wrong, also with readings missing between', () => {
    fc.assert(fc.property(truths, fc.infiniteStream(fc.boolean()), (truth, drops) => {
      const points = truth.points.map((one) => (one.kind === 'update' && drops.next().value === true ? { ...one, milliWh: null } : one));
      const reading = readRegisters(points, truth.span, truth.limits);
      expectSound(reading, ten, truth.span.stopMs);
      expect(reading).toMatchObject({ energyMilliWh: truth.energyMilliWh, flags: [] });
    }), propertyRuns());
  });

  it('gives the truth when one reading between is absurd, or below zero', () => {
    fc.assert(fc.property(truths, inner, fc.constantFrom(-1, 900_000_000_000), (truth, dice, odd) => {
      const reading = readRegisters(changed(truth, at(truth, dice), { milliWh: odd }), truth.span, truth.limits);
      expectSound(reading, ten, truth.span.stopMs);
      expect(reading).toMatchObject({ energyMilliWh: truth.energyMilliWh, flags: ['register-outlier'] });
    }), propertyRuns());
  });

  it('gives the truth when readings between count from zero, and those around them for ever', () => {
    fc.assert(fc.property(truths.filter((one) => one.limits.scope === 'lifetime'), (truth) => {
      const base = registerAt(truth, 0);
      const points = truth.points.map((one) => (one.kind === 'update' ? { ...one, milliWh: (one.milliWh as number) - base } : one));
      const reading = readRegisters(points, truth.span, truth.limits);
      expectSound(reading, ten, truth.span.stopMs);
      expect(reading).toMatchObject({ energyMilliWh: truth.energyMilliWh, flags: ['register-mixed'] });
      expect(reading.segments).toEqual(readRegisters(truth.points, truth.span, truth.limits).segments);
    }), propertyRuns());
  });

  it('gives the truth when the register rolls over', () => {
    fc.assert(fc.property(truths.filter((one) => one.limits.scope === 'lifetime'), inner, fc.constantFrom(1e10, 1e11, 2 ** 32 * 100), (truth, dice, limit) => {
      const index = at(truth, dice);
      const moved = registerAt(truth, index) - registerAt(truth, index - 1);
      fc.pre(moved > 0 && truth.energyMilliWh < limit / 100);
      const shift = limit - registerAt(truth, index) + Math.floor(moved / 2);
      const points = truth.points.map((one) => ({ ...one, milliWh: ((one.milliWh as number) + shift) % limit }));
      expect(readRegisters(points, truth.span, truth.limits)).toMatchObject({ energyMilliWh: truth.energyMilliWh, flags: ['register-rolled-over'] });
    }), propertyRuns());
  });

  it('gives what was counted before and after a reset that readings bear out', () => {
    fc.assert(fc.property(truths.filter((one) => one.limits.scope === 'lifetime'), inner, fc.integer({ min: 0, max: 100 }), (truth, dice, percent) => {
      const index = 1 + (dice % (truth.points.length - 2));
      const moved = registerAt(truth, index) - registerAt(truth, index - 1);
      const lost = Math.floor((moved * percent) / 100);
      const zero = registerAt(truth, index - 1) + lost;
      const points = truth.points.map((one, place) => (place < index ? one : { ...one, milliWh: (one.milliWh as number) - zero }));
      const reading = readRegisters(points, truth.span, truth.limits);
      expectSound(reading, ten, truth.span.stopMs);
      expect(reading).toMatchObject({ energyMilliWh: truth.energyMilliWh - lost, flags: ['register-reset'] });
    }), propertyRuns());
  });

  it('gives the true energy, or says that it is a part, when one clock lies', () => {
    fc.assert(fc.property(truths.filter((one) => one.points[0]?.seqNo === 0), inner, fc.integer({ min: -1000, max: 1000 }), (truth, dice, minute) => {
      const points = changed(truth, at(truth, dice), { timeMs: ten + minutes(minute) });
      const reading = readRegisters(inOrder(points), truth.span, truth.limits);
      expectSound(reading, ten, truth.span.stopMs);
      // A reading said to be of the moment of the stop makes the last step impossible. Then there is at least what came before it.
      if (reading.energyMilliWh === truth.energyMilliWh) return;
      expect(reading.flags).toEqual(['partial-energy', 'register-outlier']);
      expect(reading.energyMilliWh).toBeLessThan(truth.energyMilliWh);
      expect(at(truth, dice)).toBe(truth.points.length - 2);
    }), propertyRuns());
  });

  it('never believes what cannot be, whatever is told, in any order', () => {
    fc.assert(fc.property(fc.array(anyPoint, { minLength: 1, maxLength: 14 }), anyLimits, fc.option(fc.integer({ min: -5, max: 200 })), (told, limits, stop) => {
      const span = { startMs: ten, stopMs: stop === null ? null : ten + minutes(stop) };
      const points = inOrder(told);
      expect(inOrder(told.toReversed())).toEqual(points);
      const reading = readRegisters(points, span, limits);
      expectSound(reading, ten, span.stopMs);
      if (reading.energyMilliWh === null || limits.powerMaxW === null) return;
      const lengthMs = (reading.segments.at(-1)?.toMs ?? ten) - ten;
      const isKnownTime = points[0]?.kind === 'start' && (span.stopMs === null || span.stopMs >= ten);
      const mostHours = (isKnownTime ? lengthMs + minutes(2) : lengthMs + minutes(2 + 12 * 60)) / 3_600_000;
      expect(reading.energyMilliWh / 1000).toBeLessThanOrEqual(limits.powerMaxW * 1.25 * mostHours);
    }), propertyRuns());
  });
});

describe('appendPoint', () => {
  it('gives what reading all points again gives', () => {
    const told = fc.array(fc.record({
      spentMs: fc.constantFrom(0, 1_000, minutes(1), minutes(5)), moved: fc.option(fc.constantFrom(0, 1, 100_000, 400_000)),
      powerW: fc.option(fc.constantFrom(0, 11_000)), chargingState: fc.option(fc.constantFrom(...chargingStateSymbols)), sequenced: fc.constantFrom(true, true, true, false),
    }), { minLength: 2, maxLength: 30 });
    let appended = 0;
    fc.assert(fc.property(told, fc.boolean(), fc.boolean(), anyLimits, fc.option(anyPoint), (steps, hasStart, ends, limits, odd) => {
      let timeMs = ten;
      let milliWh = 1_000_000_000;
      const points = steps.map((step, index): ReportedPoint => {
        timeMs += step.spentMs;
        milliWh += step.moved ?? 0;
        const kind = index === 0 && hasStart ? 'start' : index === steps.length - 1 && ends ? 'end' : 'update';
        return {
          seqNo: step.sequenced ? index : null, timeMs, milliWh: step.moved === null ? null : milliWh, powerW: step.powerW, chargingState: step.chargingState, kind,
        };
      });
      if (odd !== null) points.push(odd);
      let whole = readWhole(points.slice(0, 1), { startMs: ten, stopMs: null }, limits);
      for (let count = 2; count <= points.length; count += 1) {
        const point = points[count - 1] as ReportedPoint;
        const span = { startMs: ten, stopMs: points.slice(0, count).findLast((one) => one.kind === 'end')?.timeMs ?? null };
        const wanted = readWhole(inOrder(points.slice(0, count)), span, limits);
        const { tail } = whole;
        const found = tail === null ? null : appendPoint(JSON.parse(JSON.stringify(tail)) as typeof tail, point, limits);
        if (found !== null) {
          appended += 1;
          const kept = whole.reading.segments.slice(0, whole.reading.segments.length - found.removed.length);
          expect(whole.reading.segments.slice(kept.length)).toEqual(found.removed);
          expect({ ...whole.reading, segments: [...kept, ...found.added], energyMilliWh: found.energyMilliWh, registerMilliWh: found.registerMilliWh })
            .toEqual(wanted.reading);
          expect(found.tail).toEqual(wanted.tail);
        }
        whole = wanted;
      }
    }), propertyRuns());
    expect(appended).toBeGreaterThan(0);
  });
});

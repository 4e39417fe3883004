import { describe, expect, it } from 'vitest';
import { hours, minutes, ten } from '../testing/events.ts';
import { appendPoint, inOrder, readRegisters, readWhole } from './read-registers.ts';
import type { ReadingTail, RegisterLimits, RegisterReading, ReportedPoint } from './read-registers.ts';

const lifetime: RegisterLimits = { scope: 'lifetime', powerMaxW: 22_000 };
const perSession: RegisterLimits = { scope: 'session', powerMaxW: 22_000 };
const unknown: RegisterLimits = { scope: null, powerMaxW: null };

/** Points five minutes apart with these registers in Wh; the first is the start, the last the end. */
function every5(...registers: readonly (number | null)[]): readonly ReportedPoint[] {
  return registers.map((wh, at) => point(at, at * 5, wh, { kind: at === 0 ? 'start' : at === registers.length - 1 ? 'end' : 'update' }));
}

function point(seqNo: number, minute: number, wh: number | null, fields: Partial<ReportedPoint> = {}): ReportedPoint {
  return {
    seqNo, timeMs: ten + minutes(minute), milliWh: wh === null ? null : Math.round(wh * 1000), powerW: null, chargingState: null, kind: 'update', ...fields,
  };
}

function read(points: readonly ReportedPoint[], limits: RegisterLimits, running = false): RegisterReading {
  const last = points.at(-1) as ReportedPoint;
  return readRegisters(points, { startMs: ten, stopMs: running ? null : last.timeMs }, limits);
}

const whOf = ({ energyMilliWh }: RegisterReading) => (energyMilliWh === null ? null : energyMilliWh / 1000);
/** [minute from, minute to, Wh, charging] of each segment. */
const rows = ({ segments }: RegisterReading) =>
  segments.map((one) => [(one.fromMs - ten) / 60_000, (one.toMs - ten) / 60_000, one.energyMilliWh / 1000, one.charging]);

describe('registers that are sound', () => {
  it('give the energy between each two readings', () => {
    const reading = read(every5(5_000_000, 5_000_600, 5_000_600, 5_001_000.5), lifetime);
    expect(reading).toMatchObject({ energyMilliWh: 1_000_500, registerMilliWh: 1_000_500, flags: [] });
    expect(rows(reading)).toEqual([[0, 5, 600, true], [5, 10, 0, false], [10, 15, 400.5, true]]);
  });

  it('are spread evenly over points without one: missing is not zero', () => {
    const reading = read(every5(100, null, null, 400), lifetime);
    expect(rows(reading)).toEqual([[0, 5, 100, true], [5, 10, 100, true], [10, 15, 100, true]]);
    expect(reading.flags).toEqual([]);
  });

  it('count from zero at the start when they are the session’s and the start has none', () => {
    expect(read(every5(null, 500, 900), perSession)).toMatchObject({ energyMilliWh: 900_000, registerMilliWh: 400_000, flags: [] });
    expect(read(every5(null, 500, 900).slice(1), perSession)).toMatchObject({ energyMilliWh: 900_000, flags: [] });
  });

  it('count from the first reading when they count for ever, and say that it is only a part', () => {
    expect(read(every5(null, 5_000_500, 5_000_900), lifetime)).toMatchObject({ energyMilliWh: 400_000, flags: ['partial-energy'] });
    expect(read(every5(null, 5_000_500, 5_000_900), unknown)).toMatchObject({ energyMilliWh: 400_000, flags: ['partial-energy'] });
    expect(read(every5(5_000_000, 5_000_500, null), lifetime)).toMatchObject({ energyMilliWh: 500_000, flags: ['partial-energy'] });
  });

  it('are not a part where the state says that nothing flowed outside of them', () => {
    const points = every5(null, 5_000_500, 5_000_900).map((one, at) => (at === 0 ? { ...one, chargingState: 'EVConnected' as const } : one));
    expect(read(points, lifetime)).toMatchObject({ energyMilliWh: 400_000, flags: [] });
  });

  it('of a session that was seen first at its end are what it counted, at that moment', () => {
    const reading = read([point(4, 60, 9_000, { kind: 'end', timeMs: ten })], perSession);
    expect(reading).toMatchObject({ energyMilliWh: 9_000_000, registerMilliWh: null, flags: [] });
    expect(rows(reading)).toEqual([[0, 0, 9_000, true]]);
    expect(read([point(4, 60, 9_000, { kind: 'end', timeMs: ten })], lifetime).energyMilliWh).toBe(null);
  });

  it('leave energy unknown without two of them', () => {
    expect(read(every5(100), lifetime)).toMatchObject({ energyMilliWh: null, registerMilliWh: null, flags: [] });
    expect(read(every5(null, null), lifetime)).toMatchObject({ energyMilliWh: null, segments: [{ energyMilliWh: 0 }] });
  });

  it('cover the time from start to stop', () => {
    const reading = readRegisters(every5(0, 500).slice(0, 1), { startMs: ten - minutes(3), stopMs: ten + minutes(7) }, lifetime);
    expect(rows(reading)).toEqual([[-3, 0, 0, false], [0, 7, 0, false]]);
  });
});

describe('charging', () => {
  const charging = (points: readonly ReportedPoint[]) => read(points, lifetime).segments.map((one) => one.charging);

  it('is what the state says until the next one is told, and energy counts all the same', () => {
    const points = every5(0, 100, 200, 300, 400);
    const told = points.with(1, { ...points[1] as ReportedPoint, chargingState: 'SuspendedEV' }).with(3, { ...points[3] as ReportedPoint, chargingState: 'Charging' });
    expect(charging(told)).toEqual([true, false, false, true]);
    expect(whOf(read(told, lifetime))).toBe(400);
  });

  it('is by power where no state is told, at either end, from 50 W', () => {
    const points = every5(0, 100, 100, 100).map((one, at) => ({ ...one, powerW: [0, 7000, 50, 20][at] ?? null }));
    expect(charging(points)).toEqual([true, true, false]);
  });

  it('is by the register where neither is told', () => {
    expect(charging(every5(0, 0, 1, 1))).toEqual([false, true, false]);
  });
});

describe('registers that lie', () => {
  it('reset at a reboot: what was counted since is believed', () => {
    const reading = read(every5(1_000_000, 1_000_600, 1_001_200, 100, 700, 1_300), lifetime);
    expect(reading).toMatchObject({ energyMilliWh: 2_500_000, registerMilliWh: -998_700_000, flags: ['register-reset'] });
    expect(rows(reading).map((row) => row[2])).toEqual([600, 600, 100, 600, 600]);
  });

  it('reset just after the start, which shows the session before', () => {
    expect(read(every5(8_300, 200, 800), lifetime)).toMatchObject({ energyMilliWh: 800_000, flags: ['register-reset'] });
    expect(read(every5(8_300, 800), perSession)).toMatchObject({ energyMilliWh: 800_000, flags: ['register-reset'] });
  });

  it('roll over at a power of ten, and at 31 and 32 bits of mWh', () => {
    for (const limitWh of [1e5, 1e6, 1e8, 1e9, 2 ** 31 / 1000, 2 ** 32 / 1000]) {
      const reading = read(every5(limitWh - 900, limitWh - 300, 300, 900), lifetime);
      expect([limitWh, whOf(reading), reading.flags]).toEqual([limitWh, 1_800, ['register-rolled-over']]);
    }
    expect(read(every5(99_999_500, 300), unknown)).toMatchObject({ energyMilliWh: 800_000, flags: ['register-rolled-over'] });
  });

  it('count from zero at the start between a start and a stop that count for ever', () => {
    const reading = read(every5(4_076_334, 104, 228, 353, 4_076_734), lifetime);
    expect(reading).toMatchObject({ energyMilliWh: 400_000, flags: ['register-mixed'] });
    expect(rows(reading).map((row) => row[2])).toEqual([104, 124, 125, 47]);
    expect(whOf(read(every5(4_076_334, 104, 228, 353, 4_076_734).slice(0, 4), lifetime, true))).toBe(353);
  });

  it('are told in another unit between: the others count', () => {
    const points = every5(4_076_000, 4_076_600, 4_077.2, 4_077.8, 4_078.4, 4_079, 4_079_500, 4_080_000);
    expect(read(points, lifetime)).toMatchObject({ energyMilliWh: 4_000_000, flags: ['register-outlier'] });
    expect(read(points.with(1, { ...points[1] as ReportedPoint, milliWh: 4_076_600 }), lifetime)).toMatchObject({ energyMilliWh: 4_000_000 });
  });

  it('are off once, up or down: the others count', () => {
    for (const odd of [9_000_000, 7, -1, 0]) {
      const reading = read(every5(1_000, 1_500, odd, 2_500, 3_000), { ...lifetime, scope: null });
      expect([odd, whOf(reading), reading.flags]).toEqual([odd, 2_000, ['register-outlier']]);
      expect(rows(reading).map((row) => row[2])).toEqual([500, 500, 500, 500]);
    }
  });

  it('are off at the start, where a placeholder was told instead: the rest is at least that', () => {
    expect(read(every5(0, 909_948, 909_990, 910_031), lifetime)).toMatchObject({ energyMilliWh: 83_000, flags: ['partial-energy', 'register-outlier'] });
  });

  it('are off at the stop: what was drawn until then counts', () => {
    expect(read(every5(1_000, 1_500, 2_000, 9_000_000), lifetime)).toMatchObject({ energyMilliWh: 1_000_000, flags: ['partial-energy', 'register-outlier'] });
    expect(read(every5(1_000, 1_500, 2_000, 0), lifetime)).toMatchObject({ energyMilliWh: 1_000_000, flags: ['partial-energy', 'register-outlier'] });
  });

  it('jump to where nothing leads: energy is unknown', () => {
    const reading = read(every5(0, 100, 200, 5_000_000, 5_000_100, 5_000_200), lifetime);
    expect(reading).toMatchObject({ energyMilliWh: null, flags: ['implausible-energy'] });
    expect(reading.segments.every((one) => one.energyMilliWh === 0)).toBe(true);
    expect(read(every5(0, 1_430_170), unknown)).toMatchObject({ energyMilliWh: null, registerMilliWh: 1_430_170_000, flags: ['implausible-energy'] });
  });

  it('fall to where nothing leads: energy is unknown', () => {
    expect(read(every5(0, -3_000), perSession)).toMatchObject({ energyMilliWh: null, registerMilliWh: -3_000_000, flags: ['negative-energy'] });
    expect(read(every5(5_000_000, 4_999_000), lifetime)).toMatchObject({ energyMilliWh: null, flags: ['negative-energy'] });
    expect(read(every5(5_000_000, 5_000_500, 3_200_000, 3_200_500), lifetime)).toMatchObject({ energyMilliWh: null, flags: ['negative-energy'] });
  });

  it('stand still and catch up: it flowed meanwhile', () => {
    const reading = read(every5(0, 0, 0, 0, 6_000), { ...lifetime, powerMaxW: 22_000 });
    expect(reading).toMatchObject({ energyMilliWh: 6_000_000, flags: [] });
    expect(rows(reading).map((row) => row[2])).toEqual([1_500, 1_500, 1_500, 1_500]);
  });

  it('do not catch up over time in which nothing flowed', () => {
    const points = [
      point(0, 0, 0, { kind: 'start', chargingState: 'Charging' }), point(1, 5, 1_500, { chargingState: 'SuspendedEV' }), point(2, 300, 1_500),
      point(3, 305, 51_500, { kind: 'end' }),
    ];
    expect(read(points, lifetime)).toMatchObject({ energyMilliWh: 1_500_000, flags: ['register-outlier'] });
  });

  it('stand still until the stop while power flows: energy is unknown', () => {
    const points = every5(0, 600, 600, 600, 600, 600).map((one) => ({ ...one, powerW: 11_000 }));
    expect(read(points, lifetime)).toMatchObject({ energyMilliWh: null, flags: ['register-frozen'] });
    expect(read(points.slice(0, 5), lifetime, true)).toMatchObject({ energyMilliWh: 600_000, flags: [] });
    const late = points.map((one, at) => (at < 4 ? { ...one, milliWh: null } : one));
    expect(read(late, lifetime)).toMatchObject({ energyMilliWh: 0, flags: ['partial-energy'] });
    const untold = points.map((one, at) => (at > 1 ? { ...one, milliWh: null } : one));
    expect(read(untold, lifetime)).toMatchObject({ energyMilliWh: 600_000, flags: ['partial-energy'] });
  });

  it('never give more than the connector can in all of the time', () => {
    const points = Array.from({ length: 61 }, (_, at) => point(at, at, at * 1_000, { kind: at === 0 ? 'start' : 'update' }));
    expect(read(points, lifetime)).toMatchObject({ energyMilliWh: null, flags: ['implausible-energy'] });
  });

  it('after the end are not the session’s', () => {
    const points = inOrder([...every5(0, 500, 900), point(3, 11, 904)]);
    expect(readRegisters(points, { startMs: ten, stopMs: ten + minutes(10) }, lifetime)).toMatchObject({ energyMilliWh: 900_000, flags: [] });
  });
});

describe('clocks that lie', () => {
  it('do not change the energy: a time that goes back lies between its neighbours', () => {
    for (const odd of [-hours(1), hours(20), minutes(-3), minutes(6)]) {
      const points = every5(0, 500, 900, 1_400, 1_900);
      const lied = points.with(2, { ...points[2] as ReportedPoint, timeMs: ten + minutes(10) + odd });
      const reading = read(lied, lifetime);
      expect(reading).toMatchObject({ energyMilliWh: 1_900_000, flags: [] });
      expect(rows(reading).slice(1, 3)).toEqual(odd === minutes(-3) ? [[5, 7, 400, true], [7, 15, 500, true]] : [[5, 10, 400, true], [10, 15, 500, true]]);
    }
  });

  it('leave a session of unknown time its energy, at its start', () => {
    const points = inOrder([point(0, 0, 0, { kind: 'start' }), point(1, -31, 9_730, { kind: 'end' })]);
    const reading = readRegisters(points, { startMs: ten, stopMs: ten - minutes(31) }, lifetime);
    expect(reading).toMatchObject({ energyMilliWh: 9_730_000, flags: [] });
    expect(rows(reading)).toEqual([[0, 0, 9_730, true]]);
  });

  it('put points without a sequence number between those with one by their time', () => {
    const free = { ...point(0, 7, 700), seqNo: null };
    const points = [point(2, 10, 1_000), point(1, 5, 500), free, point(3, 6, 1_100)];
    expect(inOrder(points).map((one) => one.milliWh)).toEqual([500_000, 700_000, 1_000_000, 1_100_000]);
    expect(inOrder(points.toReversed())).toEqual(inOrder(points));
  });
});

describe('appendPoint', () => {
  it('gives only what is new, and takes back what was open', () => {
    const span = { startMs: ten, stopMs: null };
    const { tail } = readWhole(every5(0, 500, 900).slice(0, 2), span, lifetime);
    const without = tail === null ? null : appendPoint(tail, point(2, 10, null), lifetime);
    expect(without).toMatchObject({ removed: [], added: [{ fromMs: ten + minutes(5), toMs: ten + minutes(10), energyMilliWh: 0, charging: false }] });
    const after = (without?.tail ?? null) === null ? null : appendPoint(without?.tail as ReadingTail, point(3, 15, 900), lifetime);
    expect(after).toMatchObject({
      energyMilliWh: 900_000, removed: without?.added,
      added: [{ energyMilliWh: 200_000, charging: true }, { energyMilliWh: 200_000, charging: true }],
    });
  });

  it('leaves what is not plain to the reading of all points', () => {
    const { tail } = readWhole(every5(0, 500, 900).slice(0, 2), { startMs: ten, stopMs: null }, lifetime);
    if (tail === null) throw new Error('no tail');
    for (const odd of [point(1, 10, 900), point(2, 4, 900), point(2, 10, 400), point(2, 10, 90_000), point(2, 10, null, { kind: 'end' })]) {
      expect(appendPoint(tail, odd, lifetime)).toBe(null);
    }
  });
});

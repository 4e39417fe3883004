import { describe, expect, it } from 'vitest';
import type { Profile, SiteType, Sharing } from '../profile.ts';
import { readProfile } from '../read-profile.ts';
import type { ObservedRun } from '../testing/observed-run.ts';
import { observe, withFaults } from '../testing/observed-run.ts';
import { batteryPart, temperatureC } from './climate.ts';

const city = withFaults(readProfile('city'));

/** Sites of one type only, changed. */
function only(type: SiteType, change: Partial<Profile['sites'][number]>, rest: Partial<Profile> = {}): Profile {
  return { ...city, ...rest, sites: city.sites.filter((site) => site.type === type).map((site) => ({ ...site, ...change })) };
}

interface Drawn {
  readonly powerW: number;
  readonly startMs: number;
  readonly stopMs: number;
}

/** What those that still want to charge draw at one time at one site: clock-aligned samples. */
function draws({ events, sessions, stations }: ObservedRun): readonly (readonly Drawn[])[] {
  const bySession = new Map(sessions.map((session) => [session.sessionId, session]));
  const siteOf = new Map(stations.map(({ station }) => [station.stationId, station.siteId]));
  const found = new Map<string, Drawn[]>();
  for (const { stationId, transactionId, triggerReason, chargingState, powerW, timestampMs } of events) {
    const session = bySession.get(`${stationId}/${transactionId}`);
    if (session === undefined || powerW === null || triggerReason !== 'MeterValueClock' || chargingState === 'SuspendedEV') continue;
    const key = `${siteOf.get(stationId)}@${timestampMs}`;
    const all = found.get(key) ?? [];
    found.set(key, all);
    all.push({ powerW, startMs: session.startMs, stopMs: session.stopMs });
  }
  return [...found.values()].filter((all) => all.length > 1);
}

describe('a site whose supply is short', () => {
  const run = (sharing: Sharing): ObservedRun =>
    observe(only('workplace', { count: 6, sitePowerMaxW: 30_000, sharing, stay: { medianMinutes: 300, spread: 0.5, leavesWhenFullPart: 0 } }), 2, sharing);

  it.each([['first-come', 'startMs'], ['earliest-departure', 'stopMs']] as const)('gives by %s: who gets nothing has nobody behind who gets something', (sharing, order) => {
    const all = draws(run(sharing));
    const starved = all.filter((some) => some.some(({ powerW }) => powerW === 0));
    expect(starved.length).toBeGreaterThan(20);
    const wrong = all.filter((some) => {
      const first = Math.min(...some.flatMap((one) => (one.powerW === 0 ? [one[order]] : [])));
      return some.some((one) => one[order] > first && one.powerW > 0);
    });
    expect(wrong).toEqual([]);
  });

  it('says of who gets nothing that it is not the vehicle that has enough', () => {
    const { events } = run('first-come');
    const states = new Map<number | null, Set<string | null>>();
    for (const { powerW, chargingState, triggerReason } of events) {
      if (triggerReason === 'MeterValueClock') states.set(powerW === 0 ? 0 : 1, (states.get(powerW === 0 ? 0 : 1) ?? new Set()).add(chargingState));
    }
    expect(states).toEqual(new Map([[1, new Set(['Charging'])], [0, new Set(['SuspendedEV', 'SuspendedEVSE'])]]));
  });

  it('gives equally: nobody gets nothing, and who gets less than another wants no more', () => {
    const all = draws(run('equal'));
    expect(all.filter((some) => some.length > 5).length).toBeGreaterThan(20);
    expect(all.filter((some) => some.some(({ powerW }) => powerW === 0))).toEqual([]);
    // Where all together get less than there is, nobody is held back: each draws at least an equal share, or all that it can take.
    const short = all.filter((some) => some.reduce((sum, { powerW }) => sum + powerW, 0) > 29_000);
    expect(short.length).toBeGreaterThan(20);
    const level = (some: readonly Drawn[]): number => Math.max(...some.map(({ powerW }) => powerW));
    expect(short.filter((some) => level(some) < 30_000 / some.length - 1)).toEqual([]);
  });
});

describe('meter values', () => {
  const everyMs = 300_000;

  it('come at whole multiples of the interval by the clock, all of them', () => {
    const { events, sessions } = observe(only('street', { count: 10 }), 1, 'clock');
    const at = new Map<string, number[]>();
    for (const { stationId, transactionId, triggerReason, timestampMs } of events) {
      if (triggerReason === 'MeterValueClock') at.set(`${stationId}/${transactionId}`, [...at.get(`${stationId}/${transactionId}`) ?? [], timestampMs]);
    }
    const wrong = sessions.filter(({ sessionId, startMs, stopMs }) => {
      const wanted: number[] = [];
      for (let time = startMs - (startMs % everyMs) + everyMs; time < stopMs; time += everyMs) wanted.push(time);
      return JSON.stringify(at.get(sessionId) ?? []) !== JSON.stringify(wanted);
    });
    expect(sessions.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  it('come from each start on where they do not follow the clock', () => {
    const { events, sessions } = observe(only('street', { count: 10 }, { reporting: { ...city.reporting, clockAligned: false } }), 1, 'start');
    const starts = new Map(sessions.map(({ sessionId, startMs }) => [sessionId, startMs]));
    const samples = events.filter(({ triggerReason }) => triggerReason === 'MeterValuePeriodic');
    expect(samples.length).toBeGreaterThan(200);
    expect(samples.filter(({ stationId, transactionId, timestampMs }) => (timestampMs - (starts.get(`${stationId}/${transactionId}`) ?? 1)) % everyMs !== 0)).toEqual([]);
  });

  it('count for ever, or anew in each session, as the profile says', () => {
    const session = observe(only('street', { count: 10 }, { reporting: { ...city.reporting, registers: 'session' } }), 1, 'registers');
    const firsts = session.events.filter(({ type }) => type === 'TransactionStarted');
    expect(firsts.length).toBeGreaterThan(20);
    expect(firsts.filter(({ meterWh }) => meterWh !== 0)).toEqual([]);
    const lifetime = observe(only('street', { count: 10 }), 1, 'registers').events.filter(({ type }) => type === 'TransactionStarted');
    expect(lifetime.filter(({ meterWh }) => !((meterWh ?? 0) >= 1_000_000))).toEqual([]);
  });
});

describe('drivers', () => {
  it('leave when they have what they want, or stay until their time is over', () => {
    const reasons = (leavesWhenFullPart: number): ReadonlySet<string> =>
      new Set(observe(only('hub', { count: 4, stay: { medianMinutes: 90, spread: 0.4, leavesWhenFullPart } }), 1, 'leaving').sessions.map(({ stopReason }) => stopReason));
    expect(reasons(0)).toEqual(new Set(['EVDisconnected']));
    expect(reasons(1)).toEqual(new Set(['EVDisconnected', 'SOCLimitReached']));
    const { sessions, events } = observe(only('hub', { count: 4, stay: { medianMinutes: 90, spread: 0.4, leavesWhenFullPart: 1 } }), 1, 'leaving');
    const fullMs = new Map<string, number>(events.flatMap((event) => (event.triggerReason === 'ChargingStateChanged' ? [[`${event.stationId}/${event.transactionId}`, event.timestampMs] as const] : [])));
    const left = sessions.filter(({ stopReason }) => stopReason === 'SOCLimitReached');
    expect(left.length).toBeGreaterThan(20);
    expect(left.filter(({ sessionId, stopMs }) => !(stopMs - (fullMs.get(sessionId) ?? 0) <= 6 * 60_000))).toEqual([]);
  });
});

describe('the climate', () => {
  it('is warmest in July and in the afternoon', () => {
    const climate = { meanC: 10, yearC: 9, dayC: 5 };
    const at = (iso: string): number => temperatureC(climate, Date.parse(iso));
    expect(at('2025-07-19T15:00:00Z')).toBeGreaterThan(23.5);
    expect(at('2025-01-18T03:00:00Z')).toBeLessThan(-3.5);
    const days = Array.from({ length: 365 * 24 }, (_, hour) => temperatureC(climate, Date.UTC(2025, 0, 1) + hour * 3_600_000));
    expect(days.reduce((sum, celsius) => sum + celsius, 0) / days.length).toBeCloseTo(10, 1);
  });

  it('slows direct current down in the cold, and empties batteries sooner', () => {
    expect([batteryPart(20), batteryPart(18), batteryPart(-10), batteryPart(-40)]).toEqual([1, 1, 0.4, 0.4]);
    expect(batteryPart(45)).toBeCloseTo(0.7);
    const run = (meanC: number): ObservedRun => observe(only('hub', { count: 4, powerMaxW: 100_000 }, { climate: { meanC, yearC: 0, dayC: 0 } }), 1, 'cold');
    const most = ({ events }: ObservedRun): number => Math.max(...events.map(({ powerW }) => powerW ?? 0));
    const [cold, mild] = [run(-10), run(20)];
    expect(most(mild)).toBeGreaterThan(90_000);
    expect(most(cold)).toBeLessThanOrEqual(40_001);
    const mean = ({ sessions }: ObservedRun): number => sessions.reduce((sum, { fromSoc }) => sum + fromSoc, 0) / sessions.length;
    expect(mean(cold)).toBeLessThan(mean(mild) - 0.2);
  });
});

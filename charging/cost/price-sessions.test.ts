import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import { logTopic, Topology } from '../engine.ts';
import { tariffsTopic, vehiclesTopic } from '../reference/reference-topics.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { days, hours, minutes, ten } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { finalRow, liveRow } from '../testing/session-rows.ts';
import type { Cost } from './price-session.ts';
import { priceSession } from './price-session.ts';
import { isFinal, priceSessions } from './price-sessions.ts';
import type { PricedSessionRow } from './priced-session-row.ts';
import { plainTariff, pricedCase } from './testing/arbitraries.ts';

function drive(tariffs: readonly Tariff[] = [], vehicles: readonly Vehicle[] = []) {
  const topology = new Topology('billing');
  const sessions = topology.stream<string, SessionRow>('sessions', { key: utf8, value: json('session') });
  priceSessions(topology, sessions).to(logTopic('priced', { key: utf8, value: json<PricedSessionRow>('priced') }));
  const driver = new TopologyTestDriver(topology);
  for (const one of tariffs) driver.push(tariffsTopic, one.tariffId, one, ten);
  for (const one of vehicles) driver.push(vehiclesTopic, one.model, one, ten);
  const priced = (session: SessionRow | null, nowMs = ten + hours(9)): PricedSessionRow | undefined => {
    driver.push('sessions', 's1', session, nowMs);
    return driver.take<string, PricedSessionRow>('priced')[0]?.value;
  };
  return { driver, priced, costOf: (session: SessionRow, nowMs?: number): Cost | undefined => priced(session, nowMs)?.cost };
}

const cheap: Tariff = { ...plainTariff, tariffId: 'city', energyPerKwhMicro: 300_000, validFromMs: ten - days(30) };
const dear: Tariff = { ...cheap, energyPerKwhMicro: 500_000, validFromMs: ten };
const session = finalRow({ tariffId: 'city' });
const from = (startMs: number): SessionRow => finalRow({ tariffId: 'city', startMs });
const none = { startFeeMinor: null, energyMinor: null, chargingMinor: null, idleMinor: null, totalMinor: null, currency: null, flags: ['no-tariff'] };

describe('the tariff of a session', () => {
  it('is the version that was valid when the session began, to its end', () => {
    const { costOf } = drive([cheap, dear]);
    expect(costOf(from(ten))).toMatchObject({ tariffId: 'city', currency: 'EUR', totalMinor: 500, flags: [] });
    expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: 300 });       // its energy came under the later version
    expect(costOf(from(ten - days(30)))).toMatchObject({ totalMinor: 300 });
  });

  it('may come late: it takes its place, whatever time its record has', () => {
    const { driver, costOf } = drive([dear]);
    expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: null, flags: ['no-tariff'] });
    driver.push(tariffsTopic, 'city', cheap, ten + days(3));
    expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: 300 });
    expect(costOf(from(ten))).toMatchObject({ totalMinor: 500 });
  });

  it('leaves no amounts where none is named, is known, or was valid then', () => {
    const { costOf } = drive([cheap]);
    expect(costOf(finalRow())).toMatchObject({ ...none, tariffId: null });
    expect(costOf(finalRow({ tariffId: 'country' }))).toMatchObject({ ...none, tariffId: 'country' });
    expect(costOf(from(cheap.validFromMs - 1))).toMatchObject({ ...none, tariffId: 'city' });
  });

  it('needs the zone of the site only where it has rates', () => {
    const evening = { fromMinute: 660, toMinute: 720, weekdays: [], energyPerKwhMicro: 100_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: 50_000 };
    const { costOf } = drive([cheap, { ...cheap, tariffId: 'rated', rates: [evening] }]);
    expect(costOf(finalRow({ tariffId: 'city', timeZone: null }))).toMatchObject({ totalMinor: 300, flags: [] });
    expect(costOf(finalRow({ tariffId: 'rated', timeZone: null }))).toMatchObject({ totalMinor: null, flags: ['unknown-time-zone'] });
    // 11:00 in London is ten in UTC: all of it is in the rate; 40 minutes charging, 20 idle.
    expect(costOf(finalRow({ tariffId: 'rated' }))).toMatchObject({ energyMinor: 100, idleMinor: 100, billedEnergyWh: 10_000, billedIdleMs: minutes(20) });
  });
});

describe('the cost of a session', () => {
  it('goes by what it drew when', () => {
    const early = { fromMinute: 660, toMinute: 690, weekdays: [], energyPerKwhMicro: 100_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: null };
    const { costOf } = drive([{ ...cheap, rates: [early] }]);
    const samples = [{ timeMs: ten, milliWh: 5 }, { timeMs: ten + minutes(30), milliWh: 9_000_005 }, { timeMs: ten + minutes(40), milliWh: 10_000_005 }];
    expect(costOf(session)).toMatchObject({ energyMinor: 150 });            // 7.5 kWh of 10 in the first 30 of 40 minutes
    expect(costOf({ ...session, metering: { samples, charging: [] } })).toMatchObject({ energyMinor: 120 });
  });

  it('is not known where its energy is not believed', () => {
    const { costOf } = drive([cheap]);
    const doubted = { ...session, energyWh: null, flags: ['implausible-energy'], metering: { samples: [], charging: null } };
    expect(costOf(doubted)).toMatchObject({ energyMinor: null, totalMinor: null, flags: ['unknown-energy'] });
    expect(costOf({ ...session, stopMs: null })).toMatchObject({ totalMinor: null, flags: ['not-stopped'] });
  });

  it('changes with a revision', () => {
    const { costOf } = drive([cheap]);
    expect(costOf(session)).toMatchObject({ totalMinor: 300 });
    expect(costOf(finalRow({ tariffId: 'city', revision: 1, energyWh: 20_000 }))).toMatchObject({ totalMinor: 600 });
    expect(costOf(finalRow({ tariffId: null, revision: 2 }))).toMatchObject(none);
  });

  it('while it runs, is what it would be if it stopped now', () => {
    const idle = { ...cheap, idlePerMinuteMicro: 100_000 };
    const { priced } = drive([idle]);
    const live = liveRow({ tariffId: 'city' });
    const now = priced(live, ten + minutes(45));
    expect(now).toMatchObject({ cost: { energyMinor: 300, idleMinor: 50, totalMinor: 350, flags: ['not-stopped'] } });
    expect(priced(live, ten + minutes(50))).toMatchObject({ cost: { idleMinor: 100 } });
    expect(priced(live, ten)).toMatchObject({ cost: { idleMinor: 0, energyMinor: 300 } });   // never before its last reading
    expect(isFinal(now as PricedSessionRow)).toBe(false);
    expect(priced(liveRow({ tariffId: 'city', energyWh: null }), ten)).toMatchObject({ cost: { energyMinor: null, flags: ['not-stopped', 'unknown-energy'] } });
  });

  it('is the sum of its parts, never negative, and that of its version and its energy alone, whatever came before', () => {
    const since1970 = pricedCase(1000, 20_000).filter(({ session: { startMs } }) => startMs >= 10);
    fc.assert(fc.property(since1970, fc.integer({ min: 0, max: 3 }), fc.boolean(), ({ session: given, tariff: base }, ago, restart) => {
      // A version valid from the start or a little before, and a dearer one valid just behind it.
      const later = { ...base, startFeeMicro: base.startFeeMicro + 70_000_000, validFromMs: given.startMs + 1 };
      const { driver, priced } = drive([later, { ...base, validFromMs: given.startMs - ago }]);
      if (restart) driver.restart();
      const { startMs, stopMs, timeZone, samples, charging } = given;
      const row = finalRow({ tariffId: base.tariffId, startMs, stopMs, timeZone, metering: { samples, charging } });
      const cost = priced(row)?.cost as Cost;
      expect(cost).toEqual(priceSession(given, base));
      const parts = [cost.startFeeMinor, cost.energyMinor, cost.chargingMinor, cost.idleMinor];
      for (const part of parts) expect(part === null || part >= 0).toBe(true);
      expect(cost.totalMinor).toBe(parts.includes(null) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0));
      const more = { ...row, revision: 1, metering: { ...row.metering, samples: samples.map((sample, index) => ({ ...sample, milliWh: sample.milliWh + index * 1_000_000 })) } };
      expect(priced(more)?.cost).toEqual(priceSession({ ...given, samples: more.metering.samples }, base));
    }), propertyRuns());
  }, 600_000);
});

describe('the vehicle of a session', () => {
  const model: Vehicle = {
    model: 'Zoe', vehicleClass: 'car', batteryWh: 41_000, acPowerMaxW: 22_000, dcPowerMaxW: null, chargeCurve: [], validFromMs: ten - days(30),
  };

  it('is its model as of the start, or null where nobody knows it', () => {
    const { priced } = drive([], [model, { ...model, batteryWh: 52_000, validFromMs: ten }]);
    expect(priced(finalRow({ vehicleModel: 'Zoe' }))?.vehicle).toMatchObject({ vehicleClass: 'car', batteryWh: 52_000 });
    expect(priced(finalRow({ vehicleModel: 'Zoe', startMs: ten - 1 }))?.vehicle).toMatchObject({ batteryWh: 41_000 });
    for (const unknown of [{ vehicleModel: 'Zoe', startMs: ten - days(31) }, { vehicleModel: 'Trabant' }, { vehicleModel: null }]) {
      expect(priced(finalRow(unknown))?.vehicle).toBeNull();
    }
  });
});

it('gives the same after a restart, and drops records without a value', () => {
  const { driver, priced } = drive([cheap, dear]);
  driver.restart();
  expect(priced(from(ten))?.cost).toMatchObject({ totalMinor: 500 });
  expect(priced(null)).toBeUndefined();
  expect(driver.dropped).toBe(1);
});

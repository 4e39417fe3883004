import { expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { logTopic, Topology } from '../engine.ts';
import { days, hours, minutes, ten } from '../testing/events.ts';
import type { Cost } from './price-session.ts';
import { plainTariff } from './testing/arbitraries.ts';
import { tariffsTable, tariffsTopic, withCost } from './with-cost.ts';
import type { Billable } from './with-cost.ts';

type Priced = Billable & { readonly cost: Cost };

function drive(tariffs: readonly Tariff[]) {
  const topology = new Topology('billing');
  topology
    .stream<string, Billable>('sessions', { key: utf8, value: json('session') })
    .pipe(withCost('cost', tariffsTable(topology)))
    .to(logTopic('priced', { key: utf8, value: json<Priced>('priced') }));
  const driver = new TopologyTestDriver(topology);
  for (const one of tariffs) driver.push(tariffsTopic, one.tariffId, one, ten);
  return {
    driver,
    costOf: (session: Billable | null): Cost | undefined => {
      driver.push('sessions', 's1', session, (session?.stopMs ?? ten) + hours(1));
      return driver.take<string, Priced>('priced')[0]?.value.cost;
    },
  };
}

const cheap: Tariff = { ...plainTariff, tariffId: 'city', energyPerKwhMicro: 300_000, validFromMs: ten - days(30) };
const dear: Tariff = { ...cheap, energyPerKwhMicro: 500_000, validFromMs: ten };
const session: Billable = {
  tariffId: 'city', timeZone: 'Europe/London', startMs: ten, stopMs: ten + hours(1), energyWh: 10_000, chargingMs: minutes(40), flags: [],
};
const from = (startMs: number): Billable => ({ ...session, startMs, stopMs: startMs + hours(1) });

it('prices by the version that was valid when the session began, to its end', () => {
  const { costOf } = drive([cheap, dear]);
  expect(costOf(from(ten))).toMatchObject({ tariffId: 'city', currency: 'EUR', totalMinor: 500, flags: [] });
  expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: 300 });       // its energy came under the later version
  expect(costOf(from(ten - days(30)))).toMatchObject({ totalMinor: 300 });
});

it('takes a version that comes late into its place, whatever time its record has', () => {
  const { driver, costOf } = drive([dear]);
  expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: null, flags: ['no-tariff'] });
  driver.push(tariffsTopic, 'city', cheap, ten + days(3));
  expect(costOf(from(ten - 1))).toMatchObject({ totalMinor: 300 });
  expect(costOf(from(ten))).toMatchObject({ totalMinor: 500 });
});

it('has no amounts where no tariff is named, is known, or was valid then', () => {
  const { costOf } = drive([cheap]);
  const none = { startFeeMinor: null, energyMinor: null, chargingMinor: null, idleMinor: null, totalMinor: null, currency: null, flags: ['no-tariff'] };
  expect(costOf({ ...session, tariffId: null })).toMatchObject({ ...none, tariffId: null });
  expect(costOf({ ...session, tariffId: 'country' })).toMatchObject({ ...none, tariffId: 'country' });
  expect(costOf(from(cheap.validFromMs - 1))).toMatchObject({ ...none, tariffId: 'city' });
});

it('prices a session by its sums: charging from the start at a steady power, then idle', () => {
  const evening = { fromMinute: 660, toMinute: 720, weekdays: [], energyPerKwhMicro: 100_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: 50_000 };
  const { costOf } = drive([{ ...cheap, rates: [evening] }]);
  // 11:00 in London is ten in UTC: all of it is in the rate; 40 minutes charging, 20 idle.
  expect(costOf(session)).toMatchObject({ energyMinor: 100, idleMinor: 100, billedEnergyWh: 10_000, billedIdleMs: minutes(20) });
});

it('prices by readings and charging times where they are known', () => {
  const early = { fromMinute: 660, toMinute: 690, weekdays: [], energyPerKwhMicro: 100_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: null };
  const { costOf } = drive([{ ...cheap, rates: [early] }]);
  const samples = [{ timeMs: ten, milliWh: 5 }, { timeMs: ten + minutes(30), milliWh: 9_000_005 }, { timeMs: ten + minutes(40), milliWh: 10_000_005 }];
  expect(costOf(session)).toMatchObject({ energyMinor: 150 });            // 7.5 kWh of 10 in the first 30 of 40 minutes
  expect(costOf({ ...session, metering: { samples, charging: [] } })).toMatchObject({ energyMinor: 120 });
});

it('does not bill energy that the session\'s flags call impossible', () => {
  const { costOf } = drive([cheap]);
  expect(costOf({ ...session, flags: ['implausible-energy'] })).toMatchObject({ energyMinor: null, totalMinor: null, flags: ['unknown-energy'] });
  expect(costOf({ ...session, energyWh: null, chargingMs: null })).toMatchObject({ totalMinor: null, flags: ['unknown-energy'] });
  expect(costOf({ ...session, stopMs: null })).toMatchObject({ totalMinor: null, flags: ['not-stopped'] });
});

it('gives the same after a restart, and drops records without a value', () => {
  const { driver, costOf } = drive([cheap, dear]);
  driver.restart();
  expect(costOf(from(ten))).toMatchObject({ totalMinor: 500 });
  expect(costOf(null)).toBeUndefined();
  expect(driver.dropped).toBe(1);
});

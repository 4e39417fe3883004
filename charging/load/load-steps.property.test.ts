import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { hours, minutes } from '../testing/events.ts';
import { emptyChange, loadTopology, minutesIn, quartersIn, runLoad } from './testing/drive-load.ts';
import type { LoadRun, QuarterOfRow } from './testing/drive-load.ts';
import type { LoadChange } from './load-change.ts';
import type { HourTableRow } from './load-tables.ts';

interface Timed {
  readonly change: LoadChange;
  readonly eventMs: number;
}

/** Around the hours at which clocks in London changed, and a midnight. */
const days = [Date.UTC(2018, 2, 25, 1), Date.UTC(2018, 9, 28, 1), Date.UTC(2018, 6, 1)];

const facts = ['Old', 'New'].map((siteId, at) => ({ siteId, city: null, operator: 'Operator', stationValidFromMs: at }));
const energy = fc.oneof(fc.constant(0), fc.nat(20_000_000), fc.constantFrom(1, 2, 7, 1_000_003));
const lengthMs = fc.oneof(fc.constant(0), fc.nat(minutes(3)), fc.nat(hours(2)), fc.constantFrom(minutes(1), minutes(15), hours(26)));

const timed: fc.Arbitrary<Timed> = fc.record({
  stationId: fc.constantFrom('s1', 's2'), day: fc.constantFrom(...days), offsetMs: fc.oneof(fc.integer({ min: -hours(3), max: hours(3) }), fc.constantFrom(0, minutes(15), -minutes(1))),
  lengthMs, behindMs: fc.oneof(fc.constant(0), fc.nat(hours(1)), fc.constantFrom(hours(30), hours(50))), energyMilliWh: energy, occupied: fc.constantFrom(0 as const, 1 as const),
  charging: fc.constantFrom(0 as const, 1 as const), samples: fc.nat(1), powerW: fc.option(fc.nat(50_000)), sessionsStarted: fc.nat(1), sessionsEnded: fc.nat(1),
  errors: fc.nat(1), place: fc.constantFrom(...facts),
}).map(({ day, offsetMs, lengthMs: spanMs, behindMs, place, ...rest }) => {
  const fromMs = day + offsetMs;
  return { change: { ...emptyChange, ...rest, ...place, eventId: 'e', fromMs, toMs: fromMs + spanMs }, eventMs: fromMs + spanMs + behindMs };
});

/** A change, and perhaps its taking back, which is at the time of another event. */
const withTakenBack = fc.tuple(timed, fc.option(fc.nat(hours(3)))).map(([one, laterMs]): readonly Timed[] => (laterMs === null ? [one] : [one, {
  change: { ...one.change, ...emptyCounts, energyMilliWh: one.change.energyMilliWh === 0 ? 0 : -one.change.energyMilliWh, occupied: one.change.occupied === 1 ? -1 : 0, charging: one.change.charging === 1 ? -1 : 0 },
  eventMs: one.eventMs + laterMs,
}]));
const emptyCounts = { samples: 0, powerW: null, sessionsStarted: 0, sessionsEnded: 0, errors: 0 } as const;
const histories = fc.array(withTakenBack, { minLength: 1, maxLength: 12 }).map((list) => list.flat().map((one, at) => ({ ...one, change: { ...one.change, eventId: `e${at}`, part: at } })));

/** What all changes say of each minute of a station, each alone, by fractions of its own. */
function naiveMinutes(list: readonly Timed[]): Map<string, { occupiedMs: number; chargingMs: number; leastMilliWh: number; mostMilliWh: number }> {
  const found = new Map<string, { occupiedMs: number; chargingMs: number; leastMilliWh: number; mostMilliWh: number }>();
  for (const { change } of list) {
    const { stationId, fromMs, toMs } = change;
    for (let minute = Math.floor(fromMs / 60_000) * 60_000; minute < toMs || minute <= fromMs; minute += 60_000) {
      const heldMs = Math.max(0, Math.min(toMs, minute + 60_000) - Math.max(fromMs, minute));
      const share = toMs === fromMs ? change.energyMilliWh : (change.energyMilliWh * heldMs) / (toMs - fromMs);
      const id = `${stationId}/${minute}`;
      const before = found.get(id) ?? { occupiedMs: 0, chargingMs: 0, leastMilliWh: 0, mostMilliWh: 0 };
      found.set(id, {
        occupiedMs: before.occupiedMs + change.occupied * heldMs, chargingMs: before.chargingMs + change.charging * heldMs,
        leastMilliWh: before.leastMilliWh + share - 1.01, mostMilliWh: before.mostMilliWh + share + 1.01,
      });
    }
  }
  return found;
}

/** What the minutes and quarters of rows come to in longer spans. */
function summedUp(rows: readonly HourTableRow[], sizeMs: number, time: 'hour' | 'day'): readonly Readonly<Record<string, unknown>>[] {
  const starts = [...new Set(rows.map((row) => Number(row.hour) - (Number(row.hour) % sizeMs)))];
  return starts.map((startMs) => {
    const hoursWithin = rows.filter((row) => Number(row.hour) >= startMs && Number(row.hour) < startMs + sizeMs);
    const within = quartersIn(hoursWithin);
    const powers = within.flatMap((row) => (row.peak_power_w === null ? [] : [row.peak_power_w]));
    const newest = hoursWithin.some((row) => row.site_id === 'New') ? 'New' : 'Old';
    const total = (name: keyof QuarterOfRow): number => sum(within.map((row) => row[name]));
    return {
      station_id: 's1', [time]: startMs, site_id: newest, city: '', operator: 'Operator', energy_milli_wh: total('energy_milli_wh'), occupied_ms: total('occupied_ms'),
      charging_ms: total('charging_ms'), peak_minute_milli_wh: Math.max(0, ...within.flatMap((row) => row.minutes_energy_milli_wh)),
      peak_power_w: powers.length === 0 ? null : Math.max(...powers), samples: total('samples'), sessions_started: total('sessions_started'),
      sessions_ended: total('sessions_ended'), errors: total('errors'),
    };
  });
}

/** The sums of a row of an hour, without what they are of. */
function sumsIn(row: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('minutes_') && !name.startsWith('quarters_')));
}

const sum = (values: Iterable<unknown>): number => [...values].reduce((total: number, value) => total + Number(value), 0);

function push(run: LoadRun, list: readonly Timed[], dice: Stream): void {
  for (const { change, eventMs } of list) {
    run.push(change, eventMs);
    const roll = dice.next().value;
    if (roll === 0) run.restart();
    if (roll === 1) run.commit();
  }
}
type Stream = ReturnType<typeof fc.infiniteStream<number>> extends fc.Arbitrary<infer T> ? T : never;

const driveLoad = (): LoadRun => runLoad(new TopologyTestDriver(loadTopology(), { commit: 'manual' }));

describe('loadSteps', () => {
  it('keeps all energy, whatever comes in whichever order: each table and the late records have the sum of all changes', () => {
    fc.assert(fc.property(histories, fc.infiniteStream(fc.nat(9)), (list, dice) => {
      const run = driveLoad();
      push(run, list, dice);
      run.end();
      const milliWh = sum(list.map(({ change }) => change.energyMilliWh));
      const late = sum(run.late().map((row) => Math.round(row.energyWh * 1000)));
      for (const rows of [run.quarters(), run.hours(), run.days()]) expect(sum(rows.map((row) => row.energy_milli_wh)) + late).toBe(milliWh);
      for (const row of run.hours()) {
        expect(sum(minutesIn(row.minutes_energy_milli_wh))).toBe(row.energy_milli_wh);
        expect(sum(minutesIn(row.minutes_occupied_ms))).toBe(row.occupied_ms);
        expect(sum(minutesIn(row.minutes_charging_ms))).toBe(row.charging_ms);
        expect(Math.max(0, ...minutesIn(row.minutes_energy_milli_wh))).toBe(row.peak_minute_milli_wh);
      }
      expect(new Set(run.late().map((row) => `${row.eventId}/${row.number}`)).size).toBe(run.late().length);
    }), propertyRuns(100));
  });

  it('gives each minute what each change has of it, to a mWh and a ms, in any order of arrival, and quarters, hours and days their sums', () => {
    const [day] = days as [number];
    // Near one time change, and before anything closes.
    const near = histories.map((list) => list.filter(({ change }) => Math.abs(change.fromMs - day) < hours(24) && change.toMs - change.fromMs <= hours(3))
      .map((one) => ({ ...one, change: { ...one.change, stationId: 's1' }, eventMs: Math.min(one.eventMs, day + hours(20)) })));
    const shuffled = near.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(fc.property(shuffled, fc.infiniteStream(fc.nat(9)), ([list, arrived], dice) => {
      const [sorted, any] = [driveLoad(), driveLoad()];
      push(sorted, list.toSorted((left, right) => left.eventMs - right.eventMs), dice);
      push(any, arrived, dice);
      for (const run of [sorted, any]) {
        run.end();
        expect(run.late()).toEqual([]);
      }
      const quarters = sorted.quarters();
      for (const [id, { occupiedMs, chargingMs, leastMilliWh, mostMilliWh }] of naiveMinutes(list)) {
        const minute = Number(id.slice(3));
        const row = quarters.find(({ quarter }) => Number(quarter) === minute - (minute % minutes(15)));
        const of = (values: readonly number[] | undefined): number => values?.[(minute % minutes(15)) / minutes(1)] ?? 0;
        expect([of(row?.minutes_occupied_ms), of(row?.minutes_charging_ms)]).toEqual([occupiedMs, chargingMs]);
        expect(of(row?.minutes_energy_milli_wh)).toBeGreaterThan(leastMilliWh);
        expect(of(row?.minutes_energy_milli_wh)).toBeLessThan(mostMilliWh);
      }
      expect(sum(quarters.map((row) => row.samples))).toBe(sum(list.map(({ change }) => change.samples)));
      expect(sum(quarters.map((row) => row.sessions_started))).toBe(sum(list.map(({ change }) => change.sessionsStarted)));
      expect(Math.max(0, ...quarters.map((row) => Number(row.peak_power_w)))).toBe(Math.max(0, ...list.map(({ change }) => change.powerW ?? 0)));
      for (const [rows, sizeMs, time] of [[sorted.hours(), hours(1), 'hour'], [sorted.days(), hours(24), 'day']] as const) {
        expect(rows.map(sumsIn)).toEqual(summedUp(sorted.hours(), sizeMs, time));
      }
      expect([any.hours(), any.days()]).toEqual([sorted.hours(), sorted.days()]);
    }), propertyRuns(100));
  });

  it('is back at nothing when everything is taken back', () => {
    const near = timed.filter(({ change }) => change.toMs - change.fromMs <= hours(3)).map((one) => ({ ...one.change, fromMs: (one.change.fromMs % hours(1)) + (days[0] as number), toMs: (one.change.fromMs % hours(1)) + (days[0] as number) + one.change.toMs - one.change.fromMs }));
    fc.assert(fc.property(fc.array(near, { maxLength: 8 }), fc.infiniteStream(fc.nat(9)), (list, dice) => {
      const run = driveLoad();
      const changes = list.flatMap((change) => [change, { ...change, ...emptyCounts, energyMilliWh: -change.energyMilliWh + 0, occupied: -change.occupied + 0, charging: -change.charging + 0 } as LoadChange]);
      push(run, changes.map((change, part) => ({ change: { ...change, sessionsStarted: 0, part }, eventMs: (days[0] as number) + hours(5) })), dice);
      run.end();
      for (const row of [...run.hours(), ...run.days()]) expect([row.energy_milli_wh, row.occupied_ms, row.charging_ms, row.peak_minute_milli_wh]).toEqual([0, 0, 0, 0]);
      for (const row of run.hours()) expect([row.minutes_energy_milli_wh, row.minutes_occupied_ms, row.minutes_charging_ms]).toEqual([[], [], []]);
    }), propertyRuns(100));
  });
});

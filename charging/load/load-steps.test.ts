import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { days, hours, minutes, ten } from '../testing/events.ts';
import type { LoadChange } from './load-change.ts';
import { emptyChange, loadTopology, runLoad } from './testing/drive-load.ts';
import type { LoadRun } from './testing/drive-load.ts';

const span = (fromMs: number, toMs: number, wattHours: number, more: Partial<LoadChange> = {}): LoadChange =>
  ({ ...emptyChange, fromMs, toMs, energyMilliWh: wattHours * 1000, occupied: 1, charging: 1, ...more });
const at = (timeMs: number, more: Partial<LoadChange> = {}): LoadChange => ({ ...emptyChange, fromMs: timeMs, toMs: timeMs, ...more });
const same = (value: number): number[] => Array.from({ length: 15 }, () => value);
const none = (length: number): number[] => Array.from({ length }, () => 0);

const driveLoad = (): LoadRun => runLoad(new TopologyTestDriver(loadTopology(), { commit: 'manual' }));

describe('loadSteps', () => {
  it('spreads what was drawn between two samples over the minutes, quarters and hours between', () => {
    const run = driveLoad();
    // 1,200 Wh in 20 minutes from ten past: 60 Wh a minute, 5 of them in the first quarter.
    run.push(span(ten + minutes(10), ten + minutes(30), 1200, { samples: 1, powerW: 3600 }), ten + minutes(30));
    run.end();
    expect(run.quarters()).toMatchObject([
      { quarter: ten, energy_milli_wh: 300_000, occupied_ms: minutes(5), peak_power_w: null, samples: 0,
        minutes_energy_milli_wh: [...none(10), 60_000, 60_000, 60_000, 60_000, 60_000], minutes_occupied_ms: [...none(10), 60_000, 60_000, 60_000, 60_000, 60_000] },
      { quarter: ten + minutes(15), energy_milli_wh: 900_000, charging_ms: minutes(15), samples: 0 },
      { quarter: ten + minutes(30), energy_milli_wh: 0, samples: 1, peak_power_w: 3600 },
    ]);
    expect(run.hours()).toMatchObject([{ hour: ten, energy_milli_wh: 1_200_000, occupied_ms: minutes(20), peak_minute_milli_wh: 60_000, samples: 1, peak_power_w: 3600, site_id: 'Site' }]);
    expect(run.days()).toMatchObject([{ day: ten - hours(10), energy_milli_wh: 1_200_000, charging_ms: minutes(20), peak_minute_milli_wh: 60_000 }]);
  });

  it('gives parts of a minute by the millisecond, and fractions of a mWh to whole ones that add up', () => {
    const run = driveLoad();
    run.push(span(ten + 30_000, ten + 120_001, 0, { energyMilliWh: 100 }), ten + 120_001);
    run.end();
    // 30,000, 60,000 and 1 of 90,001 ms: 33.33, then 99.9988 together, then 100.
    expect(run.quarters()[0]).toMatchObject({ minutes_energy_milli_wh: [33, 66, 1, ...none(12)], minutes_occupied_ms: [30_000, 60_000, 1, ...none(12)] });
  });

  it('crosses midnight', () => {
    const midnight = Date.UTC(2018, 4, 15);
    const run = driveLoad();
    run.push(span(midnight - minutes(30), midnight + minutes(60), 900, { sessionsStarted: 1 }), midnight + minutes(60));
    run.end();
    expect(run.days().map((row) => [row.day, row.energy_milli_wh, row.occupied_ms, row.sessions_started])).toEqual([
      [midnight - days(1), 300_000, minutes(30), 1], [midnight, 600_000, minutes(60), 0],
    ]);
    expect(run.hours().map((row) => [row.hour, row.energy_milli_wh])).toEqual([[midnight - hours(1), 300_000], [midnight, 600_000]]);
  });

  it('has the highest minute of the whole station, and the highest power of one connector', () => {
    const run = driveLoad();
    run.push(span(ten, ten + minutes(10), 1000, { powerW: 6000 }), ten + minutes(10));
    run.push(span(ten + minutes(5), ten + minutes(15), 500, { powerW: 3000 }), ten + minutes(10));
    run.end();
    expect(run.hours()).toMatchObject([{ peak_minute_milli_wh: 150_000, peak_power_w: 6000, occupied_ms: minutes(20) }]);
  });

  it('takes back what turns out otherwise: the row that comes next has the new truth', () => {
    const run = driveLoad();
    const first = span(ten, ten + minutes(15), 900);
    run.push(first, ten + minutes(15));
    run.push(at(ten + minutes(16)), ten + minutes(16));
    run.push(at(ten + hours(1)), ten + hours(1));
    expect(run.quarters()).toMatchObject([{ energy_milli_wh: 900_000, minutes_energy_milli_wh: same(60_000), minutes_occupied_ms: same(60_000) }]);
    run.push({ ...first, energyMilliWh: -900_000, occupied: -1, charging: -1 }, ten + minutes(14));
    run.push(span(ten, ten + minutes(5), 800), ten + minutes(14));
    run.push(span(ten + minutes(5), ten + minutes(15), 100, { charging: 0 }), ten + minutes(14));
    run.end();
    expect(run.quarters()).toMatchObject([{
      energy_milli_wh: 900_000, charging_ms: minutes(5), occupied_ms: minutes(15),
      minutes_energy_milli_wh: [...Array.from({ length: 5 }, () => 160_000), ...Array.from({ length: 10 }, () => 10_000)],
    }]);
  });

  it('gives an hour when it ends, and a day once an hour', () => {
    const run = driveLoad();
    for (let second = 0; second < 3600; second += 10) run.push(span(ten + second * 1000, ten + second * 1000 + 10_000, 10), ten + second * 1000 + 10_000);
    run.hours();
    run.days();
    expect([run.given.hours.length, run.given.days.length]).toEqual([1, 1]);
  });

  it('lets a silence be explained by what ends it, and sends to the late records what lies behind', () => {
    const run = driveLoad();
    // Nothing is heard for three days, then the whole of it.
    run.push(at(ten), ten);
    run.push(span(ten, ten + days(3), 7200), ten + days(3));
    expect(run.late()).toEqual([]);
    // The same of another connector, when the station is already there: the first two days have closed but for what is left of the second.
    run.push(span(ten, ten + days(3), 7200, { part: 2, eventId: 'late' }), ten + days(3));
    const late = run.late();
    // 14 hours of the first day, and the second; 100 Wh an hour.
    expect(late).toMatchObject([{ step: 'station-load', eventId: 'late', number: 3 * 8192 - 2, energyWh: 3800 }]);
    expect(JSON.parse(late[0]?.json ?? '')).toMatchObject({ lateFromMs: ten, lateToMs: ten + hours(38), lateMilliWh: 3_800_000, energyMilliWh: 7_200_000 });
    run.end();
    const kept = run.days().reduce((sum, row) => sum + Number(row.energy_milli_wh), 0);
    expect(kept + late.reduce((sum, row) => sum + row.energyWh * 1000, 0)).toBe(14_400_000);
  });

  it('believes no span of more than 60 days: it is late as a whole, as is its taking back', () => {
    const run = driveLoad();
    const absurd = span(ten, ten + days(60) + 1, 1000, { samples: 1, part: 1 });
    run.push(absurd, ten + days(60) + 1);
    run.push({ ...absurd, energyMilliWh: -1_000_000, occupied: -1, charging: -1, samples: 0 }, ten + days(60) + 2);
    expect(run.late().map((row) => [row.energyWh, row.number])).toEqual([[1000, 2 * 8192 - 2], [-1000, 2 * 8192 - 2]]);
    run.end();
    expect(run.quarters()).toMatchObject([{ energy_milli_wh: 0, samples: 1 }]);
  });

  it('makes no row of a station that only says that it is there', () => {
    const run = driveLoad();
    for (let hour = 0; hour < 100; hour += 1) run.push(at(ten + hours(hour)), ten + hours(hour));
    run.end();
    expect([run.hours(), run.days(), run.late()]).toEqual([[], [], []]);
  });
});

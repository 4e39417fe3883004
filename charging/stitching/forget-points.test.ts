import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { GroupedStore } from '../engine.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import { ended, heartbeat, hours, minutes, started, ten, updated } from '../testing/events.ts';
import { sessionTopology } from '../testing/session-topology.ts';
import { pointsMax, withoutLeast, withoutSteady } from './forget-points.ts';
import { sessionCodec } from './session-codec.ts';
import type { SessionRow } from './session-row.ts';
import { pointOf } from './session-state.ts';
import type { SessionPoint, SessionState } from './session-state.ts';

function point(minute: number, wattHours: number, fields: Partial<SessionEvent> = {}): SessionPoint {
  return pointOf(updated('a', minute, ten + minutes(minute), wattHours, fields), minute);
}

/** A session of one value a minute, and what is remembered of it at its end. */
function longSession(values: number, powerAt: (minute: number) => number) {
  const driver = new TopologyTestDriver(sessionTopology(), { commit: 'manual' });
  const push = (event: SessionEvent): void => driver.push('events', event.stationId, event, event.timestampMs);
  let wattHours = 0;
  push(started('a', ten));
  for (let minute = 1; minute <= values; minute += 1) {
    wattHours += powerAt(minute) / 60;
    push(updated('a', minute, ten + minutes(minute), Math.floor(wattHours), { powerW: powerAt(minute) }));
  }
  driver.commit();
  const state = driver.store<GroupedStore<SessionState>>('sessions').get('s1', 'a') as SessionState;
  push(ended('a', values + 1, ten + minutes(values + 1), Math.floor(wattHours)));
  push(heartbeat(ten + minutes(values) + hours(1)));
  driver.commit();
  const [row] = driver.take<string, SessionRow>('rows').map(({ value }) => value);
  const load = driver.take<string, LoadChange>('load').map(({ value }) => value);
  return { points: state.points.length, bytes: sessionCodec.encode(state).length, row, wattHours: Math.floor(wattHours), load };
}

describe('points of a session', () => {
  it('that lie on a line with their neighbours are forgotten when they are an hour old, whatever the register rounds', () => {
    const points = Array.from({ length: 100 }, (_, minute) => point(minute, Math.floor(minute * 12.3), { powerW: 740 }));
    const kept = withoutSteady(points, ten + minutes(99));
    expect([kept[0], kept.at(-1)]).toEqual([points[0], points[99]]);
    expect(kept.filter(({ timeMs }) => timeMs >= ten + minutes(39)).length).toBe(61);
    expect(kept.length).toBeLessThan(65);
  });

  it('stay where something changes: power, state, export, or a state of charge that is the first or the last', () => {
    const bend = [point(0, 0), point(1, 100), point(2, 200), point(3, 210), point(4, 220), point(300, 1000)];
    expect(withoutSteady(bend, ten + minutes(300)).map(({ seqNo }) => seqNo)).toEqual([0, 2, 4, 300]);
    const states = [point(0, 0), point(1, 100, { chargingState: 'Charging' }), point(2, 200, { chargingState: 'Charging' }), point(3, 300), point(300, 30_000)];
    expect(withoutSteady(states, ten + minutes(300)).map(({ seqNo }) => seqNo)).toEqual([0, 1, 2, 3, 300]);
    const charge = [point(0, 0), point(1, 100, { soc: 20 }), point(2, 200, { soc: 21 }), point(3, 300, { soc: 22 }), point(4, 400), point(300, 30_000)];
    expect(withoutSteady(charge, ten + minutes(300)).map(({ seqNo }) => seqNo)).toEqual([0, 1, 3, 300]);
  });

  it('that change least go when there are too many', () => {
    const points = Array.from({ length: pointsMax + 2 }, (_, minute) => point(minute, minute * 10 + (minute % 100 === 50 ? 5 : 0)));
    const kept = withoutLeast(points, ten + minutes(points.length));
    expect(kept.length).toBe(pointsMax / 2);
    expect(points.filter(({ seqNo }) => (seqNo as number) % 100 === 50 && (seqNo as number) < 1_900).every((one) => kept.includes(one))).toBe(true);
  });

  it('are few in a session of days, which keeps its energy to the Wh', () => {
    const { points, bytes, row, wattHours, load } = longSession(5_000, (minute) => (minute < 3_000 ? 7_000 : 1_400));
    expect(points).toBeLessThan(200);
    expect(bytes).toBeLessThan(2_500);
    expect(row).toMatchObject({ energyWh: wattHours, eventCount: 5_002, flags: [] });
    expect(load.reduce((sum, change) => sum + change.energyMilliWh, 0)).toBe(wattHours * 1000);
  });

  it('have their limit where the power changes all the time; the books are kept', () => {
    const { points, row, wattHours, load } = longSession(3_000, (minute) => 500 + ((minute * 7919) % 20_000));
    expect(points).toBeLessThanOrEqual(pointsMax);
    expect(row?.energyWh).toBe(wattHours);
    expect(load.reduce((sum, change) => sum + change.energyMilliWh, 0)).toBe(wattHours * 1000);
    const chargingMs = load.reduce((sum, change) => sum + change.charging * (change.toMs - change.fromMs), 0);
    expect(chargingMs).toBe(row?.chargingMs);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8, windowedKey } from '../../schemas/builtin-codecs.ts';
import { logTopic, Topology } from '../engine.ts';
import type { KeyValueStore } from '../engine.ts';
import { meterDeltas } from './meter-deltas.ts';
import type { LoadChange } from './meter-deltas.ts';
import type { SessionEvent } from '../session-event.ts';
import { addToLoad, changesNothing, emptyLoad, isIdle, stationMinute } from './station-minute.ts';
import type { StationLoad } from './station-minute.ts';
import { charging, days, ended, heartbeat, hours, known, minutes, started, ten, updated } from '../testing/events.ts';

function drive() {
  const topology = new Topology('t');
  const events = topology.stream('events', { key: utf8, value: json<SessionEvent>('event'), timestampOf: (event: SessionEvent) => event.timestampMs });
  const load = events.pipe(meterDeltas('deltas'), stationMinute('minutes', { graceMs: minutes(5) }));
  load.to(logTopic('out', { key: windowedKey(utf8), value: json<StationLoad>('load') }));
  load.side<string, LoadChange>('late').to(logTopic('late', { key: utf8, value: json<LoadChange>('late') }));
  const driver = new TopologyTestDriver(topology);
  return {
    driver,
    push: (...list: readonly SessionEvent[]) => list.forEach((event) => driver.push('events', event.stationId, event, event.timestampMs)),
    take: () => driver.take<{ key: string; startMs: number }, StationLoad>('out').filter(({ value }) => !isIdle(value))
      .map(({ key, value }) => [(key.startMs - ten) / 60_000, value.energyMilliWh / 1000, value.samples, value.sessionsStarted, value.sessionsEnded]),
    late: () => driver.take<string, LoadChange>('late').map(({ value }) => value).filter((change) => !changesNothing(change)),
  };
}

const session = [
  started('a', ten), updated('a', 1, ten + minutes(5), 500.5, { powerW: 6000 }), updated('a', 2, ten + minutes(10), 1000, { powerW: 6100 }),
  ended('a', 3, ten + minutes(12), 1200),
];

describe('stationMinute', () => {
  it('adds up what was delivered in each minute, when the station is past its end plus grace', () => {
    const { push, take } = drive();
    push(...session, heartbeat(ten + minutes(17)));
    expect(take()).toEqual([[0, 0, 1, 1, 0], [5, 500.5, 1, 0, 0], [10, 499.5, 1, 0, 0]]);
    push(heartbeat(ten + hours(1)));
    expect(take()).toEqual([[12, 200, 1, 0, 1]]);
  });

  it('has the peak of the power and the station’s facts', () => {
    const { driver, push } = drive();
    push(started('a', ten), updated('a', 1, ten + 20_000, 10, { powerW: 6000 }), updated('a', 2, ten + 40_000, 20, { powerW: 5000 }), heartbeat(ten + hours(1)));
    expect(driver.take('out')[0]?.value).toMatchObject({ peakPowerW: 6000, siteId: 'Site', city: 'City', operator: 'Operator' });
  });

  it('counts errors, and sends what is late to the late output: windows and late are everything', () => {
    const { push, take, late } = drive();
    push(session[0] as SessionEvent, session[3] as SessionEvent, known(charging({ type: 'StatusChanged', status: 'Faulted', errorCode: 'GroundFailure', timestampMs: ten + hours(1) })));
    expect(take().map((row) => row[1])).toEqual([0, 1200]);
    push(session[1] as SessionEvent);
    const changes = late();
    expect(changes.map((change) => [change.eventId, change.part, change.energyMilliWh])).toEqual([
      [session[1]?.eventId, 0, 500_500], [session[1]?.eventId, 1, -500_500],
    ]);
    push(heartbeat(ten + hours(2)));
    expect(take()).toEqual([[60, 0, 0, 0, 0]]);
  });

  it('gives the same minutes for any arrival order within grace, with duplicates', () => {
    const events = [
      ...session, started('b', ten + minutes(3), { connectorId: 2 }), updated('b', 1, ten + minutes(8), 700, { powerW: 5000 }),
      ended('b', 2, ten + minutes(9), 800), heartbeat(ten + hours(1)),
    ].sort((a, b) => a.timestampMs - b.timestampMs);
    const sorted = drive();
    sorted.push(...events);
    const wanted = sorted.take();
    fc.assert(fc.property(fc.array(fc.nat({ max: minutes(5) - 1 }), { minLength: 8, maxLength: 8 }), fc.nat({ max: 6 }), (delays, twice) => {
      const arriving = events.map((event, index) => ({ event, atMs: event.timestampMs + (event.type === 'Heartbeat' ? minutes(5) : delays[index] ?? 0) }));
      arriving.sort((a, b) => a.atMs - b.atMs);
      const list = arriving.flatMap(({ event }, index) => (index === twice ? [event, event] : [event]));
      const shuffled = drive();
      shuffled.push(...list);
      expect(shuffled.take()).toEqual(wanted);
      expect(shuffled.late()).toEqual([]);
    }), { numRuns: 40 });
  });

  it('forgets transactions: finished ones after 7 days, silent ones after 60', () => {
    const { driver, push } = drive();
    const entries = () => driver.store<KeyValueStore<string, unknown>>('deltas').entries;
    push(...session, started('open', ten + minutes(1)), heartbeat(ten + days(7)));
    expect(entries()).toBe(2);
    push(heartbeat(ten + days(7) + minutes(12)));
    expect(entries()).toBe(1);
    push(heartbeat(ten + days(60) + minutes(1)));
    expect(entries()).toBe(0);
  });

  it('adds up in any order to the same load', () => {
    const change = fc.record({
      energyMilliWh: fc.integer({ min: -1e9, max: 1e9 }), samples: fc.nat(3), powerW: fc.option(fc.nat(50_000)), sessionsStarted: fc.nat(1),
      sessionsEnded: fc.nat(1), errors: fc.nat(1), version: fc.nat(3),
    }).map(({ version, ...rest }): LoadChange => ({
      ...rest, stationId: 's1', eventId: '', part: 0, siteId: `site ${version}`, city: null, operator: null, stationValidFromMs: version,
    }));
    fc.assert(fc.property(fc.array(change), (changes) => {
      expect([...changes].reverse().reduce(addToLoad, emptyLoad)).toEqual(changes.reduce(addToLoad, emptyLoad));
    }));
  });
});

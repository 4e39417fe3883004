import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import { charging, days, ended, heartbeat, hours, known, minutes, started, station, ten, updated } from '../testing/events.ts';
import { sessionTopology } from '../testing/session-topology.ts';
import type { SessionRow } from './session-row.ts';
import type { StitchSessionsOptions } from './stitch-sessions.ts';

function drive(options: StitchSessionsOptions = {}) {
  const driver = new TopologyTestDriver(sessionTopology(options));
  const take = <V>(topic: string): readonly V[] => driver.take<string, V>(topic).map((record) => record.value);
  return {
    push: (...list: readonly SessionEvent[]) => list.forEach((event) => driver.push('events', event.stationId, event, event.timestampMs)),
    known: (one: typeof station) => driver.push('stations', one.stationId, one, one.validFromMs),
    rows: () => take<SessionRow>('rows'),
    live: () => take<SessionRow>('live'),
    load: () => take<LoadChange>('load'),
    late: () => take<SessionEvent>('late'),
  };
}

function available(timestampMs: number, fields: Partial<ChargingEvent> = {}): SessionEvent {
  return known(charging({ type: 'StatusChanged', status: 'Available', timestampMs, ...fields }));
}

/** Something of another kind: only what is said of it differs. */
function told(event: SessionEvent, fields: Partial<SessionEvent>): SessionEvent {
  return { ...event, eventId: `${event.eventId}/told`, ...fields };
}

const later = heartbeat(ten + days(1));

describe('starts and stops that are told twice', () => {
  it('takes a start told again with the same token, time and meter for the same', () => {
    const { push, rows } = drive();
    const start = started('a', ten, { idToken: 'token', seqNo: null });
    push(start, told(start, { seqNo: 7 }), ended('a', 8, ten + hours(1), 500), later);
    expect(rows()).toMatchObject([{ eventCount: 2, duplicates: 1, flags: ['duplicate'] }]);
  });

  it('takes the first of two starts that differ, by number, then by time', () => {
    const { push, rows } = drive();
    push(started('a', ten, { seqNo: 1, meterWh: 50 }), started('a', ten - minutes(2), { seqNo: 3, meterWh: 10 }), started('a', ten - minutes(1), { seqNo: 0 }));
    push(ended('a', 4, ten + hours(1), 500), later);
    expect(rows()).toMatchObject([{ startMs: ten - minutes(1), energyWh: 500, flags: ['repeated-start', 'sequence-gap'] }]);
  });

  it('takes the last of two stops, by number, then by time', () => {
    const { push, rows } = drive();
    push(started('a', ten), ended('a', 3, ten + hours(1), 700), ended('a', 2, ten + minutes(62), 900), ended('a', 1, ten + minutes(61), 800), later);
    expect(rows()).toMatchObject([{ stopMs: ten + hours(1), energyWh: 700, eventCount: 4, flags: ['repeated-stop'] }]);
    push(started('b', ten + days(2), { seqNo: null }), ended('b', 1, ten + days(2) + hours(1), 5, { seqNo: null }));
    push(told(ended('b', 1, ten + days(2) + hours(2), 9), { seqNo: null }), heartbeat(ten + days(3)));
    expect(rows().at(-1)).toMatchObject({ stopMs: ten + days(2) + hours(2), energyWh: 9, flags: ['repeated-stop'] });
  });
});

describe('what was kept offline', () => {
  it('is put where it belongs, and makes a final row right', () => {
    const { push, rows } = drive();
    push(started('a', ten), ended('a', 3, ten + hours(1), 1000), heartbeat(ten + hours(2)));
    expect(rows()).toMatchObject([{ revision: 0, sequenceGaps: 2, socTo: null }]);
    push(updated('a', 2, ten + minutes(40), 1000, { offline: true, soc: 80 }), updated('a', 1, ten + minutes(20), 500, { offline: true, soc: 60 }));
    expect(rows()).toMatchObject([
      { revision: 1, chargingMs: minutes(40) }, { revision: 2, sequenceGaps: 0, socFrom: 60, socTo: 80, chargingMs: minutes(40), flags: ['out-of-order'] },
    ]);
  });
});

describe('a stop that is missing', () => {
  it('is the time at which the connector became available', () => {
    const { push, rows } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(30), 500), available(ten + minutes(42)), heartbeat(ten + minutes(52)));
    expect(rows()).toMatchObject([{ closedBy: 'StatusAvailable', stopMs: ten + minutes(42), energyWh: 500, complete: false, flags: ['missing-stop', 'partial-energy'] }]);
  });

  it('is not told by a connector that was available before its last event, nor by another one', () => {
    const { push, rows } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(30), 500), available(ten + minutes(30)), available(ten + minutes(29)));
    push(available(ten + minutes(40), { connectorId: 2 }), available(ten + minutes(40), { evseId: 2 }), later);
    expect(rows()).toEqual([]);
  });

  it('is not what an Available said that came before a later event in time, in whatever order', () => {
    const { push, rows } = drive();
    push(started('a', ten), available(ten + minutes(5)), updated('a', 1, ten + minutes(8), 500), heartbeat(ten + hours(1)));
    expect(rows()).toEqual([]);
    push(available(ten + hours(2)), heartbeat(ten + hours(3)));
    expect(rows()).toMatchObject([{ closedBy: 'StatusAvailable', stopMs: ten + hours(2) }]);
    push(updated('a', 2, ten + hours(4), 900));
    expect(rows()).toMatchObject([{ revision: 1, closedBy: 'StatusAvailable', stopMs: ten + hours(4), energyWh: 900 }]);
  });

  it('is the earlier of the next start and the Available', () => {
    const { push, rows } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(30), 500), started('b', ten + minutes(40)), available(ten + minutes(35)));
    push(ended('b', 1, ten + minutes(50), 100), later);
    expect(rows()).toMatchObject([{ transactionId: 'a', closedBy: 'StatusAvailable', stopMs: ten + minutes(35) }, { transactionId: 'b', flags: [] }]);
  });

  it('is replaced by the stop itself when that comes later', () => {
    const { push, rows } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(30), 500), available(ten + minutes(42)), heartbeat(ten + hours(1)));
    push(ended('a', 2, ten + minutes(41), 600));
    expect(rows().at(-1)).toMatchObject({ revision: 1, closedBy: 'TransactionEnded', stopMs: ten + minutes(41), energyWh: 600, complete: true, flags: ['out-of-order'] });
  });
});

describe('a stop whose transaction is unknown', () => {
  const open = [started('a', ten, { idToken: 'token' }), updated('a', 1, ten + minutes(30), 500)];

  it.each(['strange', '-1', '0', ''])('is that of the session which is open on its connector (transaction "%s")', (transactionId) => {
    const { push, rows, load } = drive();
    push(...open, ended(transactionId, 9, ten + minutes(40), 600, { stopReason: 'EVDisconnected' }), later);
    expect(rows()).toMatchObject([{
      transactionId: 'a', stopMs: ten + minutes(40), energyWh: 600, stopReason: 'EVDisconnected', closedBy: 'TransactionEnded', sequenceGaps: 0, flags: ['matched-stop'],
    }]);
    const changes = load();
    expect(changes.reduce((sum, change) => sum + change.energyMilliWh, 0)).toBe(600_000);
    expect(changes.reduce((sum, change) => sum + change.sessionsStarted, 0)).toBe(1);
  });

  it('is never a stranger’s: another token, another connector, or before its start', () => {
    const { push, rows } = drive();
    push(...open, ended('x', 9, ten + minutes(40), 600, { idToken: 'other' }), ended('y', 9, ten + minutes(41), 600, { connectorId: 2 }));
    push(ended('z', 9, ten - minutes(1), 600), later);
    expect(rows().map((row) => [row.sessionId, row.complete])).toEqual([['s1/z', false], ['s1/x', false], ['s1/y', false]]);
  });

  it('is no second one when the session has told the same stop itself, before or after it', () => {
    for (const events of [[2, 3], [3, 2]]) {
      const { push, rows } = drive();
      const stops = [...open, ended('a', 2, ten + minutes(40), 600), ended('strange', 2, ten + minutes(40), 600)];
      push(...open, ...events.map((at) => stops[at] as SessionEvent), later);
      expect(rows()).toMatchObject([{ transactionId: 'a', revision: 0, eventCount: 3, energyWh: 600 }]);
      const slow = drive();
      slow.push(...open, stops[events[0] as number] as SessionEvent, heartbeat(ten + hours(2)), stops[events[1] as number] as SessionEvent, later);
      expect(slow.rows().at(-1)).toMatchObject({ transactionId: 'a', energyWh: 600, stopMs: ten + minutes(40) });
    }
  });

  it('is not one that came before its transaction did', () => {
    const { push, rows } = drive();
    push(...open, ended('b', 1, ten + minutes(40), 600), started('b', ten + minutes(35)), later);
    expect(rows()).toMatchObject([{ transactionId: 'a', closedBy: 'NextStart' }, { transactionId: 'b', stopMs: ten + minutes(40), flags: [] }]);
  });

  it('is given back when its own transaction shows, the session’s own stop, or that the session went on', () => {
    const { push, rows } = drive();
    push(...open, ended('b', 1, ten + minutes(40), 600), heartbeat(ten + hours(1)));
    expect(rows()).toMatchObject([{ transactionId: 'a', flags: ['matched-stop'] }]);
    push(started('b', ten + minutes(35)));
    expect(rows()).toMatchObject([
      { transactionId: 'a', revision: 1, stopMs: ten + minutes(30), energyWh: 500 }, { transactionId: 'b', revision: 0, energyWh: 600, complete: true },
      { transactionId: 'a', revision: 2, closedBy: 'NextStart' },
    ]);
    const goesOn = drive();
    goesOn.push(...open, ended('b', 1, ten + minutes(40), 600), heartbeat(ten + hours(1)), updated('a', 2, ten + hours(2), 900));
    expect(goesOn.rows()).toMatchObject([
      { transactionId: 'a', revision: 0, flags: ['matched-stop'] }, { transactionId: 'a', revision: 1, stopMs: ten + hours(2), energyWh: 900 },
      { transactionId: 'b', revision: 0, complete: false },
    ]);
    const other = drive();
    other.push(...open, ended('b', 1, ten + minutes(40), 600), heartbeat(ten + hours(1)), ended('a', 2, ten + minutes(33), 550));
    expect(other.rows()).toMatchObject([
      { transactionId: 'a', revision: 0 }, { transactionId: 'a', revision: 1, stopMs: ten + minutes(33), energyWh: 550 }, { transactionId: 'b', complete: false },
    ]);
  });
});

describe('editions', () => {
  const first = [started('a', ten), updated('a', 1, ten + minutes(30), 500), ended('a', 2, ten + hours(1), 900), heartbeat(ten + hours(2))];

  it('replace what lower ones said of a session, by revision, and its load', () => {
    const { push, rows, load } = drive();
    push(...first);
    push(started('a', ten + minutes(10), { edition: 1 }), ended('a', 1, ten + minutes(50), 300, { edition: 1 }));
    const all = rows();
    expect(all).toMatchObject([
      { revision: 0, energyWh: 900, openedMs: ten },
      { revision: 1, energyWh: 300, openedMs: ten, startMs: ten + minutes(10), stopMs: ten + minutes(50), eventCount: 2, sequenceGaps: 0, flags: ['corrected'] },
    ]);
    const changes = load();
    expect(changes.reduce((sum, change) => sum + change.energyMilliWh, 0)).toBe(300_000);
    expect(changes.reduce((sum, change) => sum + change.occupied * (change.toMs - change.fromMs), 0)).toBe(minutes(40));
  });

  it('may tell of another connector: then its neighbours are those there', () => {
    const { push, rows } = drive();
    const there = { edition: 1, evseId: 2 };
    push(...first, started('b', ten + minutes(10), { evseId: 2 }), ended('b', 1, ten + minutes(20), 5, { evseId: 2 }));
    push(started('a', ten, there), ended('a', 1, ten + hours(1), 900, there), started('c', ten + minutes(30)), ended('c', 1, ten + minutes(40), 5), later);
    expect(rows().map((row) => [row.transactionId, row.revision, row.evseId, row.flags.includes('overlap')])).toEqual([
      ['a', 0, 1, false], ['b', 0, 2, false], ['a', 1, 2, true], ['b', 1, 2, true], ['c', 0, 1, false],
    ]);
  });

  it('that are lower than what is known are duplicates', () => {
    const { push, rows } = drive();
    push(...first, started('a', ten, { edition: 1 }), ended('a', 1, ten + hours(1), 300, { edition: 1 }));
    rows();
    push(updated('a', 5, ten + minutes(20), 100), heartbeat(ten + hours(3)));
    expect(rows()).toEqual([]);
  });
});

describe('unknown stations', () => {
  const stay = [started('a', ten), ended('a', 1, ten + hours(1), 900)].map((event) => ({ ...event, station: null }));

  it('give their sessions a place when they become known, by revision when those are final', () => {
    const { push, known: knownNow, rows } = drive();
    push(...stay, heartbeat(ten + hours(2)));
    expect(rows()).toMatchObject([{ siteId: null, powerMaxW: null, timeZone: null, flags: ['unknown-station'] }]);
    push(heartbeat(ten + days(50)));
    knownNow(station);
    expect(rows()).toMatchObject([{ revision: 1, siteId: 'Site', city: 'City', powerMaxW: 22_000, timeZone: 'Europe/London', flags: [] }]);
  });

  it('give the earliest version to a session before it, and say so; a better one replaces it', () => {
    const { push, known: knownNow, rows } = drive();
    push(...stay, heartbeat(ten + hours(2)));
    rows();
    knownNow({ ...station, validFromMs: ten + days(9), siteId: 'Late' });
    knownNow({ ...station, validFromMs: ten + days(5), siteId: 'Earlier' });
    knownNow({ ...station, validFromMs: ten + days(7), siteId: 'Between' });
    expect(rows()).toMatchObject([{ siteId: 'Late', flags: ['station-known-later'] }, { siteId: 'Earlier', flags: ['station-known-later'] }]);
    knownNow({ ...station, validFromMs: ten - days(5), siteId: 'In force' });
    knownNow({ ...station, validFromMs: ten - days(6), siteId: 'Before' });
    expect(rows()).toMatchObject([{ siteId: 'In force', flags: [] }]);
  });

  it('are waited for sixty days', () => {
    const { push, known: knownNow, rows } = drive({ finishedForMs: days(7), unknownForMs: days(60) });
    push(...stay, heartbeat(ten + days(61)));
    rows();
    knownNow(station);
    expect(rows()).toEqual([]);
  });
});

describe('live rows', () => {
  const received = { receivedMs: ten };

  it('say how a session stands while it runs, five minutes apart, and never after its final row', () => {
    const { push, live, rows } = drive();
    push(started('a', ten, received), updated('a', 1, ten + minutes(4), 100, received), updated('a', 2, ten + minutes(5), 200, received));
    expect(live()).toMatchObject([
      { revision: -1, closedBy: 'None', stopMs: null, energyWh: null, flags: ['missing-energy'] },
      { revision: -1, closedBy: 'None', stopMs: null, energyWh: 200, chargingMs: minutes(5), flags: [] },
    ]);
    push(ended('a', 3, ten + minutes(20), 300, received), heartbeat(ten + hours(1)), updated('a', 4, ten + minutes(19), 290, received));
    expect(live()).toMatchObject([{ closedBy: 'None', stopMs: ten + minutes(20), energyWh: 300 }]);
    expect(rows().map((row) => row.revision)).toEqual([0, 1]);
  });

  it('are not made of history', () => {
    const { push, live } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(30), 100));
    expect(live()).toEqual([]);
  });
});

describe('load', () => {
  it('is one change for an event behind the others: from the point before to this one', () => {
    const { push, load } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(5), 600.5, { powerW: 7000 }));
    load();
    push(updated('a', 2, ten + minutes(10), 1200, { powerW: 7300, errorCode: 'OverVoltage' }));
    expect(load()).toEqual([{
      stationId: 's1', eventId: 's1/a/TransactionUpdated/2/1526292600000', part: 0, fromMs: ten + minutes(5), toMs: ten + minutes(10),
      energyMilliWh: 599_500, occupied: 1, charging: 1, samples: 1, powerW: 7300, sessionsStarted: 0, sessionsEnded: 0, errors: 1,
      siteId: 'Site', city: 'City', operator: 'Operator', stationValidFromMs: station.validFromMs,
    }]);
  });

  it('is taken back where it no longer holds', () => {
    const { push, load } = drive();
    push(started('a', ten), updated('a', 2, ten + minutes(10), 1000));
    load();
    push(updated('a', 1, ten + minutes(4), 800));
    expect(load().map(({ fromMs, toMs, energyMilliWh, occupied, charging: flows }) => [(fromMs - ten) / 60_000, (toMs - ten) / 60_000, energyMilliWh, occupied, flows])).toEqual([
      [4, 4, 0, 0, 0], [0, 10, -1_000_000, -1, -1], [0, 4, 800_000, 1, 1], [4, 10, 200_000, 1, 1],
    ]);
  });

  it('counts an error once, however often its event is told', () => {
    const { push, load } = drive();
    const failing = updated('a', 1, ten + minutes(1), 5, { errorCode: 'OverVoltage' });
    push(started('a', ten), failing, told(failing, {}), told(failing, { eventId: 'again' }));
    expect(load().reduce((sum, change) => sum + change.errors, 0)).toBe(1);
  });

  it('has an empty change for an event that changes nothing', () => {
    const { push, load } = drive();
    push(heartbeat(ten), available(ten + 1), started('late', ten - days(8)));
    expect(load().map((change) => [change.part, change.energyMilliWh, change.occupied, change.samples])).toEqual([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]);
  });
});

describe('when the network is idle', () => {
  it('closes what is due by then, at its own time, and leaves stations where they are', () => {
    const driver = new TopologyTestDriver(sessionTopology({}, 60_000));
    const rows = () => driver.take<string, SessionRow>('rows').map(({ value }) => value);
    const push = (event: SessionEvent) => driver.push('events', event.stationId, event, event.timestampMs);
    push(started('a', ten));
    push(ended('a', 1, ten + minutes(20), 900));
    push(started('b', ten + minutes(21), { stationId: 's2' }));
    driver.advanceWallClock(minutes(5));
    expect(rows()).toEqual([]);
    for (let passed = 0; passed < 12; passed += 1) driver.advanceWallClock(minutes(1));
    expect(rows()).toMatchObject([{ transactionId: 'a', revision: 0, energyWh: 900, flags: [] }]);
    for (let passed = 0; passed < 30; passed += 1) driver.advanceWallClock(days(1));
    push(updated('a', 2, ten + minutes(10), 500));
    expect(rows()).toMatchObject([{ transactionId: 'a', revision: 1, eventCount: 3, flags: [] }]);
  });
});

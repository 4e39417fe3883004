import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import { charging, days, ended, heartbeat, hours, known, minutes, started, station, ten, updated } from '../testing/events.ts';
import { sessionTopology } from '../testing/session-topology.ts';
import type { SessionRow } from './session-row.ts';

function drive() {
  const driver = new TopologyTestDriver(sessionTopology());
  const take = <V>(topic: string): readonly V[] => driver.take<string, V>(topic).map((record) => record.value);
  return {
    push: (...list: readonly SessionEvent[]) => list.forEach((event) => driver.push('events', event.stationId, event, event.timestampMs)),
    known: (one: typeof station) => driver.push('stations', one.stationId, one, one.validFromMs),
    rows: () => take<SessionRow>('rows'),
    load: () => take<LoadChange>('load'),
    late: () => take<SessionEvent>('late'),
  };
}

const none = { transactionId: null, seqNo: null } as const;
const start = (timestampMs: number, fields: Partial<ChargingEvent> = {}) => started('', timestampMs, { ...none, ...fields });
const value = (timestampMs: number, meterWh: number, fields: Partial<ChargingEvent> = {}) => updated('', 0, timestampMs, meterWh, { ...none, ...fields });
const stop = (timestampMs: number, meterWh: number, fields: Partial<ChargingEvent> = {}) => ended('', 0, timestampMs, meterWh, { ...none, ...fields });
const later = heartbeat(ten + days(1));

describe('a session without a transaction id', () => {
  it('goes by its connector, from start to stop, and is named by its first event', () => {
    const { push, rows } = drive();
    push(start(ten), value(ten + minutes(10), 300), stop(ten + minutes(20), 500), later);
    expect(rows()).toMatchObject([{
      sessionId: `s1/1.1/${ten}`, transactionId: null, revision: 0, startMs: ten, stopMs: ten + minutes(20), energyWh: 500, eventCount: 3, complete: true,
      flags: ['no-transaction-id'],
    }]);
  });

  it('ends where nothing is heard of it for fifteen minutes', () => {
    const { push, rows } = drive();
    push(value(ten, 0), value(ten + minutes(15), 300), value(ten + minutes(30) + 1, 300), later);
    expect(rows()).toMatchObject([
      { sessionId: `s1/1.1/${ten}`, stopMs: ten + minutes(15), energyWh: 300, closedBy: 'Inactivity', flags: ['missing-start', 'missing-stop', 'no-transaction-id'] },
      { sessionId: `s1/1.1/${ten + minutes(30) + 1}`, eventCount: 1 },
    ]);
  });

  it('has the stop that comes long after its last sign of life', () => {
    const { push, rows } = drive();
    push(start(ten), stop(ten + hours(8), 500), later);
    expect(rows().at(-1)).toMatchObject({ sessionId: `s1/1.1/${ten}`, revision: 1, closedBy: 'TransactionEnded', stopMs: ten + hours(8), energyWh: 500 });
  });

  it('ends with the next start on its connector, or when that becomes available', () => {
    const { push, rows } = drive();
    push(start(ten), value(ten + minutes(5), 300), start(ten + minutes(12), { idToken: 'next' }), value(ten + minutes(14), 100));
    push(known(charging({ type: 'StatusChanged', status: 'Available', timestampMs: ten + minutes(20) })), later);
    expect(rows()).toMatchObject([
      { sessionId: `s1/1.1/${ten}`, closedBy: 'NextStart', stopMs: ten + minutes(5) },
      { sessionId: `s1/1.1/${ten + minutes(12)}`, closedBy: 'StatusAvailable', stopMs: ten + minutes(20) },
    ]);
  });

  it('is the same for any order within the settle time', () => {
    const sorted = drive();
    const shuffled = drive();
    const events = [start(ten), value(ten + minutes(2), 100), value(ten + minutes(4), 200), stop(ten + minutes(6), 250), start(ten + minutes(7)), stop(ten + minutes(8), 10)];
    sorted.push(...events, later);
    shuffled.push(...[5, 1, 3, 0, 4, 2].map((at) => events[at] as SessionEvent), later);
    expect(shuffled.rows()).toEqual(sorted.rows());
  });

  it('takes what comes late to its place', () => {
    const { push, rows } = drive();
    push(value(ten + minutes(5), 100), stop(ten + minutes(20), 500), heartbeat(ten + hours(2)));
    expect(rows()).toMatchObject([{ revision: 0, startMs: ten + minutes(5) }]);
    push(start(ten), value(ten + minutes(10), 300));
    expect(rows()).toMatchObject([
      { revision: 1, startMs: ten, openedMs: ten + minutes(5), sessionId: `s1/1.1/${ten + minutes(5)}` },
      { revision: 2, eventCount: 4, energyWh: 500, flags: ['no-transaction-id', 'out-of-order'] },
    ]);
    push(value(ten + minutes(10), 300), start(ten), stop(ten + minutes(20), 500));
    expect(rows()).toEqual([]);
  });

  it('counts its load when it counts, and each event has its change', () => {
    const { push, load } = drive();
    push(start(ten), value(ten + minutes(5), 300, { errorCode: 'OverVoltage' }), stop(ten + minutes(10), 500));
    expect(load().map((change) => [change.part, change.errors, change.samples, change.sessionsStarted])).toEqual([
      [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [2, 0, 0, 0],
    ]);
    push(later);
    const rest = load();
    expect(rest.map((change) => change.part)).toEqual(rest.map((_, index) => index));
    expect(rest.reduce((sum, change) => sum + change.energyMilliWh, 0)).toBe(500_000);
  });

  it('goes to the late output when it is older than what is remembered', () => {
    const { push, rows, late } = drive();
    push(later, value(ten - days(8), 5));
    expect([rows().length, late().length]).toEqual([0, 1]);
  });

  it('gets its place when its station becomes known while it waits', () => {
    const { push, known: knownNow, rows } = drive();
    push({ ...start(ten), station: null }, { ...stop(ten + minutes(5), 10), station: null });
    knownNow(station);
    push(later);
    expect(rows()).toMatchObject([{ siteId: 'Site', flags: ['no-transaction-id'] }]);
  });
});

describe('an event without a transaction id', () => {
  it('belongs to the session which its connector has at its time', () => {
    const { push, rows } = drive();
    push(started('a', ten, { idToken: 'token' }), value(ten + minutes(10), 300), value(ten + minutes(11), 9, { connectorId: 2 }), value(ten + minutes(12), 7, { idToken: 'other' }));
    push(ended('a', 1, ten + minutes(20), 500), later);
    expect(rows().map((row) => [row.sessionId, row.eventCount, row.energyWh])).toEqual([
      ['s1/a', 3, 500], [`s1/1.2/${ten + minutes(11)}`, 1, null], [`s1/1.1/${ten + minutes(12)}`, 1, null],
    ]);
  });

  it('is not given to a session that is over', () => {
    const { push, rows } = drive();
    push(started('a', ten), ended('a', 1, ten + minutes(20), 500), value(ten + minutes(21), 0), value(ten + minutes(25), 100), later);
    expect(rows().map((row) => [row.sessionId, row.eventCount])).toEqual([['s1/a', 2], [`s1/1.1/${ten + minutes(21)}`, 2]]);
  });
});

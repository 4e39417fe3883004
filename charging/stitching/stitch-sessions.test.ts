import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { SessionEvent } from '../session-event.ts';
import type { SessionRow } from './session-row.ts';
import type { SessionState } from './session-state.ts';
import type { StitchSessionsOptions } from './stitch-sessions.ts';
import type { KeyProgress, KeyValueStore } from '../engine.ts';
import { charging, days, ended, heartbeat, hours, known, minutes, started, ten, updated } from '../testing/events.ts';
import { sessionTopology } from '../testing/session-topology.ts';

function drive(options: StitchSessionsOptions = {}) {
  const driver = new TopologyTestDriver(sessionTopology(options));
  const take = <V>(topic: string): readonly V[] => driver.take<string, V>(topic).map((record) => record.value);
  return {
    driver,
    push: (...list: readonly SessionEvent[]) => list.forEach((event) => driver.push('events', event.stationId, event, event.timestampMs)),
    take: () => take<SessionRow>('rows'),
    taken: () => take<SessionRow>('rows').map((row) => `${row.transactionId} r${row.revision} ${row.closedBy} ${row.flags.join(' ')}`.trim()),
    late: () => take<SessionEvent>('late').map((event) => event.eventId),
    state: () => driver.store<KeyValueStore<string, SessionState>>('sessions').entries,
  };
}

describe('stitchSessions', () => {
  it('gives a session once, when its station is ten minutes past its stop', () => {
    const { push, take, taken } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(5), 500), ended('a', 2, ten + minutes(20), 900), heartbeat(ten + minutes(30) - 1));
    expect(take()).toEqual([]);
    push(heartbeat(ten + minutes(30)));
    expect(taken()).toEqual(['a r0 TransactionEnded']);
    push(heartbeat(ten + days(1)));
    expect(take()).toEqual([]);
  });

  it('goes by each station’s own time', () => {
    const { push, take } = drive();
    push(started('a', ten), ended('a', 1, ten + minutes(20), 900), heartbeat(ten + days(300), 's2'));
    expect(take()).toEqual([]);
    push(started('b', ten + minutes(1), { stationId: 's2' }));
    expect(take()).toEqual([]);
  });

  it('closes a session without a stop by the next start on its connector, not on another', () => {
    const { push, take, taken } = drive();
    push(started('a', ten), updated('a', 1, ten + minutes(5), 500));
    push(started('x', ten + minutes(30), { connectorId: 2 }), heartbeat(ten + hours(1)));
    expect(take()).toEqual([]);
    push(started('b', ten + hours(1)), heartbeat(ten + hours(1) + minutes(10)));
    const [row] = take();
    expect(row).toMatchObject({ transactionId: 'a', closedBy: 'NextStart', stopMs: ten + minutes(5), energyWh: 500, complete: false, flags: ['missing-stop'] });
    expect(taken()).toEqual([]);
  });

  it('does not know when a session ended of which there is nothing but the start', () => {
    const { push, take } = drive();
    push(started('a', ten), started('b', ten + hours(1)), heartbeat(ten + hours(2)));
    expect(take()).toMatchObject([{ transactionId: 'a', stopMs: null, energyWh: null, flags: ['missing-energy', 'missing-stop'] }]);
  });

  it('closes a session of which nothing more is heard', () => {
    const { push, taken } = drive({ inactiveMs: days(60) });
    push(started('a', ten), updated('a', 1, ten + days(45), 500), heartbeat(ten + days(45 + 60) + minutes(10) - 1));
    expect(taken()).toEqual([]);
    push(heartbeat(ten + days(45 + 60) + minutes(10)));
    expect(taken()).toEqual(['a r0 Inactivity missing-stop']);
  });

  it('takes a stop that comes after the next start as a new revision, and flags both as overlapping', () => {
    const { push, take } = drive();
    push(started('a', ten), started('b', ten + hours(1)), ended('b', 1, ten + hours(2), 100), heartbeat(ten + hours(3)));
    expect(take().map((row) => [row.transactionId, row.revision, row.flags])).toEqual([
      ['a', 0, ['missing-energy', 'missing-stop']], ['b', 0, []],
    ]);
    push(ended('a', 1, ten + hours(4), 700));
    expect(take()).toMatchObject([
      { transactionId: 'a', revision: 1, stopMs: ten + hours(4), energyWh: 700, closedBy: 'TransactionEnded', flags: ['overlap'] },
      { transactionId: 'b', revision: 1, energyWh: 100, flags: ['overlap'] },
    ]);
  });

  it('does not take sessions that touch for overlapping, nor for next starts of each other', () => {
    const { push, taken } = drive();
    push(started('a', ten), ended('a', 1, ten + hours(1), 100), started('z', ten + hours(1)), ended('z', 1, ten + hours(1), 0));
    push(started('b', ten + hours(1)), ended('b', 1, ten + hours(2), 100), heartbeat(ten + hours(3)));
    expect(taken()).toEqual(['a r0 TransactionEnded', 'z r0 TransactionEnded zero-length', 'b r0 TransactionEnded']);
  });

  it('makes an incomplete session of a stop without a start, and mends it when the start comes', () => {
    const { push, take } = drive();
    push(ended('a', 1, ten, 9730), heartbeat(ten + minutes(10)));
    expect(take()).toMatchObject([{ revision: 0, complete: false, startMs: ten, energyWh: 9730, flags: ['missing-start', 'zero-length'] }]);
    push(started('a', ten - minutes(31)));
    expect(take()).toMatchObject([{ revision: 1, complete: true, startMs: ten - minutes(31), stopMs: ten, energyWh: 9730, flags: ['out-of-order'] }]);
  });

  it('keeps a stop before its start, with the flag', () => {
    const { push, take } = drive();
    push(ended('a', 1, ten - minutes(31), 9730), started('a', ten), heartbeat(ten + hours(1)));
    expect(take().at(-1)).toMatchObject({ revision: 1, startMs: ten, stopMs: ten - minutes(31), energyWh: 9730, flags: ['stop-before-start'] });
  });

  it('gives a new revision for late evidence, none for what says nothing new', () => {
    const { push, take } = drive();
    push(started('a', ten), ended('a', 2, ten + minutes(20), 900), heartbeat(ten + hours(2)));
    expect(take()).toMatchObject([{ revision: 0, sequenceGaps: 1 }]);
    push(updated('a', 1, ten + minutes(5), 400, { powerW: 9000 }));
    expect(take()).toMatchObject([{ revision: 1, peakPowerW: 9000, sequenceGaps: 0, flags: ['out-of-order'] }]);
    push({ ...updated('a', 1, ten + minutes(5), 400), eventId: 'again' });
    expect(take()).toEqual([]);
  });

  it('remembers a finished session for its horizon, then sends what comes to the late output', () => {
    const { push, take, late, state } = drive({ finishedForMs: days(7) });
    push(started('a', ten), ended('a', 1, ten + minutes(20), 900), heartbeat(ten + minutes(30) + days(7) - 1));
    expect([take().length, state()]).toEqual([1, 1]);
    push(heartbeat(ten + hours(13) + days(7)));
    expect(state()).toBe(0);
    const again = updated('a', 2, ten + minutes(5), 100);
    push(again);
    expect([take(), late(), state()]).toEqual([[], [again.eventId], 0]);
  });

  it('waits longer for the stop of a session that was closed without one', () => {
    const { push, take, late } = drive({ finishedForMs: days(7), inactiveMs: days(60) });
    push(started('a', ten), started('b', ten + hours(1)), ended('b', 1, ten + hours(2), 5), heartbeat(ten + days(20)));
    take();
    push(ended('a', 1, ten + days(20), 700));
    expect(take()[0]).toMatchObject({ transactionId: 'a', revision: 1, startMs: ten, stopMs: ten + days(20), energyWh: 700 });
    expect(late()).toEqual([]);
  });

  it('passes over events of no transaction', () => {
    const { push, take, state } = drive();
    push(known(charging({ type: 'StatusChanged', timestampMs: ten, status: 'Available' })), heartbeat(ten + days(1)));
    expect([state(), take()]).toEqual([0, []]);
  });

  it('gives the same rows when it is restarted after every event', () => {
    const events = [
      started('a', ten), updated('a', 1, ten + minutes(5), 500), started('b', ten + hours(1)), ended('a', 2, ten + hours(2), 800),
      ended('b', 1, ten + hours(3), 100), heartbeat(ten + days(1)), updated('b', 2, ten + hours(2), 50), heartbeat(ten + days(90)),
    ];
    const plain = drive();
    plain.push(...events);
    const restarted = drive();
    for (const event of events) {
      restarted.push(event);
      restarted.driver.restart();
    }
    expect(restarted.take()).toEqual(plain.take());
    expect(restarted.driver.store<KeyValueStore<string, KeyProgress>>('sessions.stations').get('s1'))
      .toEqual(plain.driver.store<KeyValueStore<string, KeyProgress>>('sessions.stations').get('s1'));
    expect(plain.state()).toBe(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { SessionEvent } from '../session-event.ts';
import { ended, heartbeat, hours, minutes, started, ten, updated } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { sessionTopology } from '../testing/session-topology.ts';
import type { SessionRow } from './session-row.ts';

const received = { receivedMs: ten };

function drive(commit: 'each' | 'manual') {
  const driver = new TopologyTestDriver(sessionTopology(), { commit });
  const live: SessionRow[] = [];
  const take = (): void => {
    driver.commit();
    live.push(...driver.take<string, SessionRow>('live').map(({ value }) => value));
  };
  return { live, take, driver, push: (...events: readonly SessionEvent[]) => events.forEach((event) => driver.push('events', event.stationId, event, event.timestampMs)) };
}

describe('live rows', () => {
  it('of one commit are the last of each session', () => {
    const { push, take, live } = drive('manual');
    push(started('a', ten, received), started('b', ten, { ...received, evseId: 2 }));
    take();
    for (const quarter of [1, 2, 3]) push(updated('a', quarter, ten + minutes(15 * quarter), 100 * quarter, received));
    take();
    expect(live.map(({ transactionId, energyWh }) => [transactionId, energyWh])).toEqual([['a', null], ['b', null], ['a', 300]]);
    push(updated('a', 4, ten + hours(1), 400, received));
    take();
    expect(live.slice(3)).toMatchObject([{ transactionId: 'a', energyWh: 400 }]);
  });

  it('say what the session was when its row was asked for, though a nearer event has come since', () => {
    const { push, take, live } = drive('manual');
    push(started('a', ten, received), updated('a', 1, ten + minutes(5), 100, received), updated('a', 2, ten + minutes(6), 200, received));
    take();
    expect(live).toMatchObject([{ energyWh: 100, stopMs: null }]);
  });

  it('stand before the final row, also of a session that began and ended within one commit', () => {
    const { push, take, live, driver } = drive('manual');
    push(started('a', ten, received), ended('a', 1, ten + minutes(20), 300, received), heartbeat(ten + hours(2)));
    take();
    expect(live).toMatchObject([{ revision: -1, stopMs: null }, { revision: -1, stopMs: ten + minutes(20) }]);
    expect(driver.take<string, SessionRow>('rows').map(({ value }) => value)).toMatchObject([{ revision: 0 }]);
  });

  it('are at any pace of commits a part of those of commits after each event, with the same last one of each session', () => {
    const event = fc.record({
      transaction: fc.constantFrom('a', 'b', 'c'), kind: fc.constantFrom('started', 'updated', 'updated', 'updated', 'ended', 'heartbeat'),
      atMinute: fc.integer({ min: 0, max: 300 }), seqNo: fc.integer({ min: 0, max: 9 }), commit: fc.boolean(),
    });
    fc.assert(fc.property(fc.array(event, { maxLength: 25 }), (events) => {
      const [each, some] = [drive('each'), drive('manual')];
      for (const { transaction, kind, atMinute, seqNo, commit } of events) {
        const [atMs, fields] = [ten + minutes(atMinute), { ...received, evseId: transaction === 'a' ? 1 : 2 }];
        const told = kind === 'started' ? started(transaction, atMs, fields) : kind === 'heartbeat' ? heartbeat(atMs)
          : (kind === 'ended' ? ended : updated)(transaction, seqNo, atMs, atMinute * 10, fields);
        each.push(told);
        some.push(told);
        each.take();
        if (commit) some.take();
      }
      some.take();
      const ofSession = (rows: readonly SessionRow[], sessionId: string): string[] => rows.filter((row) => row.sessionId === sessionId).map((row) => JSON.stringify(row));
      for (const sessionId of new Set(each.live.map((row) => row.sessionId))) {
        const [all, fewer] = [ofSession(each.live, sessionId), ofSession(some.live, sessionId)];
        expect(fewer.at(-1)).toBe(all.at(-1));
        let at = 0;
        for (const row of all) if (row === fewer[at]) at += 1;
        expect(at).toBe(fewer.length);
      }
      expect(new Set(some.live.map((row) => row.sessionId))).toEqual(new Set(each.live.map((row) => row.sessionId)));
    }), propertyRuns(150));
  }, 900_000);
});

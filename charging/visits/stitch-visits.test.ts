import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { clickhouse, logTopic, Topology } from '../engine.ts';
import type { TimeKeyStore } from '../engine.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { hours, minutes, ten } from '../testing/events.ts';
import { finalRow, liveRow } from '../testing/session-rows.ts';
import type { StitchVisitsOptions } from './stitch-visits.ts';
import { lateAttempt, visitSteps } from './visit-steps.ts';
import { visitsTable, visitTableRow } from './visit-table.ts';
import type { VisitTableRow } from './visit-table.ts';

function drive(options: StitchVisitsOptions = {}) {
  const topology = new Topology('visiting');
  const sessions = topology.stream<string, SessionRow>('sessions', { key: utf8, value: json('session') });
  const { visits, alone, late } = visitSteps(sessions, options);
  visits.to(clickhouse(visitsTable('db'), visitTableRow));
  alone.to(clickhouse(visitsTable('db'), visitTableRow, 'alone'));
  late.to(logTopic('late', { key: utf8, value: json('late') }));
  const driver = new TopologyTestDriver(topology, { partitions: 2 });
  const push = (row: SessionRow, timestampMs = (row.stopMs ?? row.startMs) + minutes(10)): readonly VisitTableRow[] => {
    driver.push('sessions', row.stationId, row, timestampMs);
    return [...driver.take<string, VisitTableRow>('charging_visits'), ...driver.take<string, VisitTableRow>('alone')].map(({ value }) => value);
  };
  return { driver, push, late: () => driver.take<string, object>('late').map(({ value }) => value) };
}

/** An attempt at a station of the site, so many minutes after ten; without energy unless told. */
function attempt(sessionId: string, fromMinute: number, toMinute: number | null, fields: Partial<SessionRow> = {}): SessionRow {
  return finalRow({
    sessionId, stationId: `station of ${sessionId}`, idToken: 'anna', startMs: ten + minutes(fromMinute), stopMs: toMinute === null ? null : ten + minutes(toMinute),
    energyWh: 0, ...fields,
  });
}

describe('a visit', () => {
  it('is a failed attempt and the retry at another station of the site within ten minutes', () => {
    const { push } = drive();
    expect(push(attempt('a', 0, 2))).toMatchObject([{ visit_id: 'a', attempts: 1, successes: 0, successful: false, site_id: 'Site', id_token: 'anna' }]);
    expect(push(attempt('b', 12, 60, { energyWh: 20_000.5 }))).toMatchObject([{
      visit_id: 'a', station_id: 'station of a', attempts: 2, successes: 1, successful: true, first_attempt_successful: false, energy_wh: 20_000.5,
      session_ids: ['a', 'b'], start_time: ten, stop_time: ten + hours(1), utc_offset_seconds: 3600, merged_into: null,
    }]);
    expect(push(attempt('c', 71, 80))).toMatchObject([{ visit_id: 'c', attempts: 1 }]);          // eleven minutes later
  });

  it('goes on while any of its attempts does, and counts from the start of one without a stop', () => {
    const { push } = drive();
    push(attempt('hangs', 0, 60));
    expect(push(attempt('beside', 5, 6))).toMatchObject([{ visit_id: 'hangs', attempts: 2 }]);
    expect(push(attempt('after', 70, null))).toMatchObject([{ visit_id: 'hangs', attempts: 3, stop_time: ten + hours(1) }]);
    expect(push(attempt('again', 80, 81))).toMatchObject([{ attempts: 4 }]);
    expect(push(attempt('later', 92, 93))).toMatchObject([{ visit_id: 'later', attempts: 1 }]);
  });

  it('is of one token at one site', () => {
    const { push } = drive();
    push(attempt('a', 0, 1));
    expect(push(attempt('b', 2, 3, { idToken: 'ben' }))).toMatchObject([{ visit_id: 'b', attempts: 1 }]);
    expect(push(attempt('c', 2, 3, { siteId: 'Elsewhere' }))).toMatchObject([{ visit_id: 'c', attempts: 1 }]);
  });

  it('is one session where nobody knows who or where', () => {
    const { push } = drive();
    for (const unknown of [{ idToken: null }, { siteId: null }, { idToken: '' }]) {
      expect(push(attempt('a', 0, 1, { ...unknown, energyWh: 5_000 }))).toMatchObject([{ visit_id: 'a', attempts: 1, successful: true }]);
      expect(push(attempt('b', 2, 3, unknown))).toMatchObject([{ visit_id: 'b', attempts: 1, successful: false }]);
    }
  });

  it('knows nothing of sessions that go on', () => {
    const { push } = drive();
    expect(push(liveRow({ idToken: 'anna' }), ten)).toEqual([]);
  });
});

describe('later evidence', () => {
  it('merges two visits by an attempt between them', () => {
    const { push } = drive();
    push(attempt('a', 0, 2));
    push(attempt('c', 20, 40));
    expect(push(attempt('b', 10, 12))).toMatchObject([
      { visit_id: 'a', attempts: 3, session_ids: ['a', 'b', 'c'] }, { visit_id: 'c', attempts: 0, session_ids: [], merged_into: 'a' },
    ]);
  });

  it('splits a visit by a revision that moves an attempt', () => {
    const { push } = drive();
    for (const row of [attempt('a', 0, 2), attempt('b', 10, 12), attempt('c', 20, 40)]) push(row);
    expect(push(attempt('b', 100, 112, { revision: 1 }))).toMatchObject([
      { visit_id: 'a', session_ids: ['a'] }, { visit_id: 'c', session_ids: ['c'], merged_into: null }, { visit_id: 'b', session_ids: ['b'] },
    ]);
  });

  it('names a visit anew when an earlier attempt comes', () => {
    const { push } = drive();
    push(attempt('b', 10, 12));
    expect(push(attempt('a', 0, 2))).toMatchObject([{ visit_id: 'a', attempts: 2 }, { visit_id: 'b', attempts: 0, merged_into: 'a' }]);
  });

  it('changes sums, and gives nothing when it says nothing new', () => {
    const { push } = drive();
    push(attempt('a', 0, 2));
    expect(push(attempt('a', 0, 2, { revision: 1, flags: ['missing-start'] }))).toEqual([]);
    expect(push(attempt('a', 0, 2, { revision: 2, energyWh: 101 }))).toMatchObject([{ visit_id: 'a', energy_wh: 101, successes: 1 }]);
    expect(push(attempt('a', 0, 2, { revision: 3, energyWh: 100 }))).toMatchObject([{ visit_id: 'a', successes: 0 }]);
  });

  it('moves a session to the site and the token that become known, and takes it back where it was', () => {
    const { push, driver } = drive();
    push(attempt('a', 0, 2));
    push(attempt('b', 5, 9, { siteId: null, city: null }));
    driver.restart();
    const moved = push(attempt('b', 5, 9, { revision: 1 }));
    expect(moved).toMatchObject([{ visit_id: 'a', attempts: 2, site_id: 'Site' }, { visit_id: 'b', attempts: 0, site_id: '', id_token: 'anna', merged_into: null }]);
    const toBen = push(attempt('a', 0, 2, { revision: 1, idToken: 'ben' }));
    expect(toBen).toMatchObject([
      { visit_id: 'b', attempts: 1, id_token: 'anna' }, { visit_id: 'a', attempts: 0, id_token: 'anna' }, { visit_id: 'a', attempts: 1, id_token: 'ben' },
    ]);
    expect(push(attempt('a', 0, 2, { revision: 2, idToken: null }))).toMatchObject([{ visit_id: 'a', attempts: 0, id_token: 'ben' }, { visit_id: 'a', attempts: 1, id_token: '' }]);
  });
});

describe('what is remembered', () => {
  it('ends seven days of its station behind', () => {
    const { push, late, driver } = drive();
    const here = { stationId: 'here' };
    push(attempt('a', 0, 2, here));
    push(attempt('b', 24 * 60 * 7 + 1, 24 * 60 * 7 + 1, { ...here, idToken: 'ben' }));
    expect(push(attempt('a2', 5, 6, here))).toMatchObject([{ visit_id: 'a', attempts: 2 }]);     // seven days and a minute less a moment
    push(attempt('c', 24 * 60 * 7 + 6, 24 * 60 * 7 + 6, { ...here, idToken: 'ben' }));
    expect(push(attempt('a3', 4, 5, here))).toEqual([]);
    expect(late()).toMatchObject([{ sessionId: 'a3', idToken: 'anna', attempt: { stationId: 'here' } }]);
    expect(driver.dropped).toBe(1);
    expect(push(attempt('d', 4, 5, { stationId: 'silent' }))).toMatchObject([{ visit_id: 'd', attempts: 1 }]);
    expect(lateAttempt({ idToken: 'anna', sessionId: 'x', attempt: null })).toMatchObject({ step: 'visits', eventId: 'x', stationId: '' });
  });

  it('is no more than so many attempts of one visit', () => {
    const { push } = drive({ attemptsMax: 3 });
    for (const [index, name] of ['a', 'b', 'c'].entries()) push(attempt(name, index, index));
    expect(push(attempt('d', 4, 5))).toMatchObject([{ visit_id: 'd', attempts: 1 }]);
    expect(push(attempt('e', 6, 7))).toMatchObject([{ visit_id: 'd', attempts: 2 }]);
    expect(push(attempt('b', 1, 3, { revision: 1, energyWh: 500 }))).toMatchObject([{ visit_id: 'a', attempts: 3, successes: 1 }]);
  });

  it('is gone when nothing can change it any more', () => {
    const { push, driver } = drive();
    for (let day = 0; day < 30; day++) push(attempt(`session ${day}`, day * 1440, day * 1440 + 5, { stationId: 's1', idToken: `token ${day}` }));
    const entriesOf = (name: string, partition: number): number => driver.store<TimeKeyStore<string, unknown>>(name, partition).entries;
    const entries = ['visits', 'visits.ends', 'visit-attempts'].map((name) => entriesOf(name, 0) + entriesOf(name, 1));
    expect(entries.every((count) => count > 0 && count <= 8)).toBe(true);
  });
});

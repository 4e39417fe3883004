import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { clickhouse, logTopic, Topology } from '../engine.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { finalRow } from '../testing/session-rows.ts';
import { naiveVisits } from './testing/naive-visits.ts';
import type { NaiveAttempt } from './testing/naive-visits.ts';
import { stitchVisits } from './stitch-visits.ts';
import type { AttemptChange, VisitAttempt } from './visit-attempt.ts';
import { visitSteps } from './visit-steps.ts';
import { visitsTable, visitTableRow } from './visit-table.ts';
import type { VisitTableRow } from './visit-table.ts';
import type { Visit } from './visit.ts';

const retryWithinMs = 10;

interface Told {
  readonly session: number;
  readonly startMs: number;
  readonly lengthMs: number | null;
  readonly energyWh: number | null;
  readonly siteId: string | null;
  readonly idToken: string | null;
  readonly next: 'go on' | 'commit' | 'restart';
}

/** What is told of a few sessions, again and again, each time something else. */
function tellings(startMsMax: number): fc.Arbitrary<readonly Told[]> {
  return fc.array(fc.record({
    session: fc.integer({ min: 0, max: 9 }),
    startMs: fc.integer({ min: 0, max: startMsMax }),
    lengthMs: fc.option(fc.integer({ min: 0, max: 25 }), { nil: null, freq: 5 }),
    energyWh: fc.constantFrom(null, 0, 100, 100.5, 7_000.001),
    siteId: fc.constantFrom('A', 'A', 'A', 'A', 'B', null),
    idToken: fc.constantFrom('anna', 'anna', 'anna', 'ben', null, ''),
    next: fc.constantFrom('go on', 'go on', 'go on', 'commit', 'restart'),
  }), { minLength: 1, maxLength: 30 });
}

const stationOf = (session: number): string => `s${session % 4}`;

/** The newest row of each business key that says that there is a visit. */
function standing(rows: readonly VisitTableRow[]): readonly VisitTableRow[] {
  const newest = new Map(rows.map((row) => [`${row.site_id as string}/${row.id_token as string}/${row.opened_time as number}/${row.visit_id as string}`, row]));
  return [...newest.values()].filter(({ attempts }) => attempts !== 0);
}

const inOrder = (visits: readonly { readonly visit_id?: unknown }[]): unknown[] =>
  visits.map((visit) => JSON.stringify(visit, Object.keys(visit).sort())).sort();

describe('visits', () => {
  it('are those of the last rows of all sessions, in whatever order rows came and whatever they said before', () => {
    fc.assert(fc.property(tellings(120), (told) => {
      const topology = new Topology('visiting');
      const { visits, alone } = visitSteps(topology.stream<string, SessionRow>('sessions', { key: utf8, value: json('session') }), { retryWithinMs });
      visits.to(clickhouse(visitsTable('db'), visitTableRow));
      alone.to(clickhouse(visitsTable('db'), visitTableRow, 'alone'));
      const driver = new TopologyTestDriver(topology, { partitions: 2, commit: 'manual' });
      const last = new Map<number, { readonly row: SessionRow; readonly revision: number }>();
      const rows: VisitTableRow[] = [];
      const take = (): void => {
        driver.commit();
        for (const sink of ['charging_visits', 'alone']) rows.push(...driver.take<string, VisitTableRow>(sink).map(({ value }) => value));
      };
      for (const [index, { session, startMs, lengthMs, energyWh, siteId, idToken, next }] of told.entries()) {
        const revision = (last.get(session)?.revision ?? -1) + 1;
        const stopMs = lengthMs === null ? null : startMs + lengthMs;
        const row = finalRow({ sessionId: `x${session}`, stationId: stationOf(session), revision, openedMs: session, startMs, stopMs, energyWh, siteId, idToken, city: `city ${session}` });
        last.set(session, { row, revision });
        driver.push('sessions', row.stationId, row, 1_000 + index);
        if (next !== 'go on') take();
        if (next === 'restart') driver.restart();
      }
      take();
      const model = naiveVisits([...last.values()].map(({ row }) => attemptOfRow(row)), retryWithinMs);
      expect(inOrder(standing(rows))).toEqual(inOrder(model.map((visit) => visitTableRow(visit))));
      // Where a visit went is told by its last row, or by that of the visit that it went into.
      for (const { merged_into: heir } of rows) expect(heir === null || told.some(({ session }) => heir === `x${session}`)).toBe(true);
    }), propertyRuns(150));
  }, 900_000);

  it('are those of the attempts that are remembered: until all of a visit is a horizon behind every station of its site', () => {
    const horizonMs = 60;
    fc.assert(fc.property(tellings(400), (told) => {
      const topology = new Topology('visiting');
      const changes = topology.stream<string, AttemptChange>('attempts', { key: utf8, value: json('attempt') });
      const visits = changes.pipe(stitchVisits('visits', { retryWithinMs, horizonMs, waitForMs: 150, attemptsMax: 1_000 }));
      visits.to(logTopic('rows', { key: utf8, value: json<Visit>('visit') }));
      visits.side<string, AttemptChange>('late').to(logTopic('late', { key: utf8, value: json<AttemptChange>('late') }));
      const driver = new TopologyTestDriver(topology);
      const table = new Map<string, Visit>();
      const wanted = new Map<string, Visit>();
      let remembered: readonly NaiveAttempt[] = [];
      const timeOf = new Map<string, number>();
      const reached = new Map<string, number>();
      for (const { session, startMs, lengthMs, energyWh, siteId, idToken, next } of told) {
        const [site, token, sessionId] = [siteId ?? 'A', idToken ?? 'anna', `x${session}`];
        const stopMs = lengthMs === null ? null : startMs + lengthMs;
        const gone = next === 'commit';
        const attempt: VisitAttempt = { sessionId, stationId: stationOf(session), openedMs: session, startMs, stopMs, energyWh, city: null, operator: null, timeZone: null };
        driver.push('attempts', site, { idToken: token, sessionId, attempt: gone ? null : attempt }, 1_000);
        for (const { value } of driver.take<string, Visit>('rows')) table.set(`${value.siteId}/${value.idToken}/${value.visitId}`, value);
        const late = driver.take('late').length;

        const isIt = (each: NaiveAttempt): boolean => each.siteId === site && each.idToken === token && each.sessionId === sessionId;
        const endMs = stopMs ?? startMs;
        const isLate = !gone && endMs <= (timeOf.get(`${site} ${attempt.stationId}`) ?? -Infinity) - horizonMs;
        expect(late).toBe(isLate ? 1 : 0);
        if (isLate) continue;
        const before = naiveVisits(remembered, retryWithinMs);
        remembered = [...remembered.filter((each) => !isIt(each)), ...(gone ? [] : [{ ...attempt, siteId: site, idToken: token }])];
        if (!gone) {
          const station = `${site} ${attempt.stationId}`;
          timeOf.set(station, Math.max(timeOf.get(station) ?? -Infinity, endMs));
          const times = [...timeOf].filter(([each]) => each.startsWith(site)).map(([, timeMs]) => timeMs);
          const awaited = times.filter((timeMs) => timeMs > Math.max(...times) - 150);
          reached.set(site, Math.max(reached.get(site) ?? -Infinity, Math.min(...awaited)));
        }
        const after = naiveVisits(remembered, retryWithinMs);
        for (const visit of before) wanted.delete(`${visit.siteId}/${visit.idToken}/${visit.visitId}`);
        for (const visit of after) wanted.set(`${visit.siteId}/${visit.idToken}/${visit.visitId}`, visit);
        const forgotten = after.filter(({ siteId: its, idToken: his, sessionIds }) => {
          const members = remembered.filter((each) => each.siteId === its && each.idToken === his && sessionIds.includes(each.sessionId));
          const ends = members.map((each) => ({ ...each, endMs: each.stopMs ?? each.startMs })).sort((a, b) => b.endMs - a.endMs || (a.sessionId < b.sessionId ? 1 : -1));
          const [newest] = ends;
          return newest !== undefined && newest.endMs <= Math.min(timeOf.get(`${its} ${newest.stationId}`) ?? -Infinity, reached.get(its ?? '') ?? -Infinity) - horizonMs;
        });
        remembered = remembered.filter((each) => !forgotten.some(({ siteId: its, idToken: his, sessionIds }) =>
          each.siteId === its && each.idToken === his && sessionIds.includes(each.sessionId)));
        expect(inOrder([...table.values()].filter(({ attempts }) => attempts > 0) as never)).toEqual(inOrder([...wanted.values()] as never));
        if (next === 'restart') driver.restart();
      }
    }), propertyRuns(150));
  }, 900_000);

  it('are the same at whatever paces stations come, each in the order of its time', () => {
    const attempts = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 60 }), lengthMs: fc.integer({ min: 0, max: 15 }), idToken: fc.constantFrom('anna', 'anna', 'ben') }), { maxLength: 12 });
    const paces = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 36, maxLength: 36 });
    fc.assert(fc.property(fc.tuple(attempts, attempts, attempts), paces, paces, (stations, ...bothPaces) => {
      const changes = stations.map((list, station) => {
        let endMs = 0;
        return [{ afterMs: 0, lengthMs: 0, idToken: 'first' }, ...list].map(({ afterMs, lengthMs, idToken }, index): AttemptChange => {
          endMs += afterMs;
          const [sessionId, startMs] = [`${station}/${index}`, endMs - lengthMs];
          const place = { city: null, operator: null, timeZone: null };
          return { idToken, sessionId, attempt: { sessionId, stationId: `s${station}`, openedMs: startMs, startMs, stopMs: endMs, energyWh: 0, ...place } };
        });
      });
      const [one, other] = bothPaces.map((pace) => {
        const queues = changes.map(([, ...rest]) => [...rest]);
        const told = [...changes.map(([first]) => first as AttemptChange), ...pace.flatMap((station) => queues[station]?.shift() ?? [])];
        return standingAfter([...told, ...queues.flat()]);
      });
      expect(one).toEqual(other);
    }), propertyRuns(150));
  }, 900_000);
});

/** Visits of one site that stand when all has been told, retries within 10 ms, remembered for that and the longest attempt. */
function standingAfter(told: readonly AttemptChange[]): readonly Visit[] {
  const topology = new Topology('pacing');
  const changes = topology.stream<string, AttemptChange>('attempts', { key: utf8, value: json('attempt') });
  changes.pipe(stitchVisits('visits', { retryWithinMs, horizonMs: 26, waitForMs: 10_000, attemptsMax: 1_000 })).to(logTopic('rows', { key: utf8, value: json<Visit>('visit') }));
  const driver = new TopologyTestDriver(topology, { commit: 'manual' });
  for (const change of told) driver.push('attempts', 'site', change, 1_000);
  driver.commit();
  const table = new Map(driver.take<string, Visit>('rows').map(({ value }) => [`${value.idToken}/${value.visitId}`, value]));
  return [...table.values()].filter(({ attempts }) => attempts > 0).sort((a, b) => (a.visitId < b.visitId ? -1 : 1));
}

function attemptOfRow(row: SessionRow): NaiveAttempt {
  const { sessionId, stationId, openedMs, startMs, stopMs, energyWh, city, operator, timeZone } = row;
  return { sessionId, stationId, openedMs, startMs, stopMs, energyWh, city, operator, timeZone, siteId: row.siteId || null, idToken: row.idToken || null };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import { heartbeat, minutes, station, ten } from '../testing/events.ts';
import { eventsOf, longAfter, stayFrom, toldWrongly, untruth } from '../testing/histories.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { sessionTopology } from '../testing/session-topology.ts';
import type { SessionRow } from './session-row.ts';
import { thinFirstAt } from './session-state.ts';

function drive() {
  const driver = new TopologyTestDriver(sessionTopology(), { commit: 'manual' });
  const take = <V>(topic: string): readonly V[] => {
    driver.commit();
    return driver.take<string, V>(topic).map(({ value }) => value);
  };
  return {
    push: (event: SessionEvent) => driver.push('events', event.stationId, event, event.timestampMs),
    known: (one: Station) => driver.push('stations', one.stationId, one, one.validFromMs),
    restart: () => {
      driver.commit();
      driver.restart();
    },
    take,
    rows: () => take<SessionRow>('rows'),
    live: () => take<SessionRow>('live'),
    load: () => take<LoadChange>('load'),
  };
}

/** What is known of each session in the end; how often it was corrected meanwhile is left out. */
function lastRows(rows: readonly SessionRow[]): readonly SessionRow[] {
  const last = new Map(rows.map((row) => [row.sessionId, row]));
  return [...last.values()].map((row) => ({ ...row, revision: 0 })).sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

function withoutWays(rows: readonly SessionRow[]): readonly SessionRow[] {
  return rows.map((row) => ({ ...row, metering: { ...row.metering, samples: row.metering.samples.slice(-1) } }));
}

function sums(changes: readonly LoadChange[]) {
  const sum = (of: (change: LoadChange) => number): number => changes.reduce((total, change) => total + of(change), 0);
  return {
    milliWh: sum((change) => change.energyMilliWh),
    occupiedMs: sum((change) => change.occupied * (change.toMs - change.fromMs)),
    chargingMs: sum((change) => change.charging * (change.toMs - change.fromMs)),
    started: sum((change) => change.sessionsStarted),
    ended: sum((change) => change.sessionsEnded),
  };
}

function sumsOf(rows: readonly SessionRow[]) {
  const sum = (of: (row: SessionRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    milliWh: sum((row) => Math.round((row.energyWh ?? 0) * 1000)),
    occupiedMs: sum((row) => Math.max(0, (row.stopMs ?? row.startMs) - row.startMs)),
    chargingMs: sum((row) => row.chargingMs ?? 0),
    started: rows.length,
    ended: rows.filter((row) => row.stopMs !== null).length,
  };
}

const delay = fc.integer({ min: 0, max: minutes(10) - 1 });
const arrivalsFrom = (gapFromMinutes: number) => fc.array(stayFrom(gapFromMinutes), { maxLength: 8 }).chain((stays) => {
  const events = eventsOf(stays);
  return fc.record({ events: fc.constant(events), delays: fc.array(delay, { minLength: events.length, maxLength: events.length }) });
});

const arrivals = arrivalsFrom(-30);

function arriving(events: readonly SessionEvent[], delays: readonly number[]): readonly SessionEvent[] {
  const placed = events.map((event, index) => ({ event, atMs: event.timestampMs + (delays[index] as number) }));
  return placed.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event);
}

/** Anything that may be told, in any order; and when the station becomes known, if it is not. */
const wild = fc.record({
  arrival: arrivals, untruths: fc.array(untruth, { maxLength: 6 }), knownAt: fc.nat(60), knownFromMs: fc.constantFrom(0, ten + minutes(60), ten + minutes(200)), settles: fc.boolean(),
}).map(({ arrival: { events, delays }, untruths, ...rest }) => ({ events: toldWrongly(arriving(events, delays), untruths), ...rest }));

describe('stitchSessions', () => {
  it('gives the same sessions and the same sums of load for any order of arrival within the settle time', () => {
    fc.assert(fc.property(arrivalsFrom(1), ({ events, delays }) => {
      const [sorted, shuffled] = [drive(), drive()];
      for (const event of [...events, longAfter]) sorted.push(event);
      for (const event of [...arriving(events, delays), longAfter]) shuffled.push(event);
      // Points that lie on a line are forgotten at some time or other; then the way to the same energy may differ by a step of the register.
      const compared = events.length < thinFirstAt ? (rows: readonly SessionRow[]) => rows : withoutWays;
      expect(compared(lastRows(shuffled.rows()))).toEqual(compared(lastRows(sorted.rows())));
      expect(sums(shuffled.load())).toEqual(sums(sorted.load()));
    }), propertyRuns());
  });

  it('gives the same when it is restarted after every event', () => {
    fc.assert(fc.property(arrivals, ({ events, delays }) => {
      const [plain, restarted] = [drive(), drive()];
      for (const event of [...arriving(events, delays), longAfter]) {
        plain.push(event);
        restarted.push(event);
        restarted.restart();
      }
      for (const topic of ['rows', 'load', 'live', 'late']) expect(restarted.take(topic)).toEqual(plain.take(topic));
    }), propertyRuns(50));
  });

  it('gives in load to the mWh and to the ms what the last rows of sessions say', () => {
    fc.assert(fc.property(arrivals, ({ events, delays }) => {
      const run = drive();
      for (const event of [...arriving(events, delays), longAfter]) run.push(event);
      const rows = lastRows(run.rows());
      expect(sums(run.load())).toEqual(sumsOf(rows));
      for (const row of rows) expectPossible(row);
    }), propertyRuns());
  });

  it('gives at least one change of load for every event', () => {
    fc.assert(fc.property(arrivals, ({ events, delays }) => {
      const run = drive();
      for (const event of arriving(events, delays)) {
        run.push(event);
        const changes = run.load();
        expect(changes.map((change) => change.part)).toEqual(changes.map((_, index) => index));
        expect(changes.length).toBeGreaterThan(0);
        expect(changes.every((change) => change.eventId === event.eventId)).toBe(true);
      }
    }), propertyRuns(100));
  });

  it('keeps its books and gives nothing impossible, whatever is told', () => {
    fc.assert(fc.property(wild, ({ events, knownAt, knownFromMs, settles }) => {
      const [plain, restarted] = [drive(), drive()];
      for (const [index, event] of [...events, longAfter].entries()) {
        for (const run of [plain, restarted]) {
          if (index === knownAt) run.known({ ...station, validFromMs: knownFromMs });
          run.push(event);
          if (settles && index % 7 === 3) run.push(heartbeat(event.timestampMs + minutes(60)));
        }
        restarted.restart();
      }
      const rows = plain.rows();
      const changes = plain.load();
      const live = plain.live();
      expect(restarted.rows()).toEqual(rows);
      expect(restarted.load()).toEqual(changes);
      expect(restarted.live()).toEqual(live);
      for (const row of [...rows, ...live]) expectPossible(row);
      const last = lastRows(rows);
      expect(sums(changes)).toEqual(sumsOf(last));
      for (const [, revisions] of Map.groupBy(rows, (row) => row.sessionId)) {
        expect(revisions.map((row) => row.revision)).toEqual(revisions.map((_, index) => index));
        expect(new Set(revisions.map((row) => row.openedMs)).size).toBe(1);
      }
    }), propertyRuns(50));
  });
});

function expectPossible(row: SessionRow): void {
  for (const value of [row.energyWh, row.chargingMs, row.idleMs, row.peakPowerW, row.meanPowerW, row.exportWh]) {
    if (value !== null) expect(value).toBeGreaterThanOrEqual(0);
  }
  if (row.stopMs !== null && row.chargingMs !== null) expect(row.chargingMs).toBeLessThanOrEqual(Math.max(0, row.stopMs - row.startMs));
  for (const [index, sample] of row.metering.samples.entries()) {
    expect(sample.milliWh).toBeGreaterThanOrEqual(row.metering.samples[index - 1]?.milliWh ?? 0);
  }
}

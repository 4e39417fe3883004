import { describe, expect, it } from 'vitest';
import { parseChargingEvent } from '../../schemas/charging-event-json.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { FaultKind, Profile } from '../profile.ts';
import { faultKinds, yearlyFaults } from '../profile.ts';
import { Random } from '../random/random.ts';
import { readProfile } from '../read-profile.ts';
import type { ObservedRun } from '../testing/observed-run.ts';
import { observe, smaller, withFaults } from '../testing/observed-run.ts';
import { chiSquare, chiSquareCritical } from '../testing/statistics.ts';
import { malformedBytes } from './malformed.ts';
import { MessageFaults } from './message-faults.ts';

const dirty = readProfile('dirty-data');
const small = smaller(dirty, 10);
const kinds = Object.keys(faultKinds) as readonly FaultKind[];

/** A run in which only this goes wrong, and often. */
function only(kind: FaultKind): ObservedRun {
  return observe(withFaults(small, { [kind]: yearlyFaults.has(kind) ? 300 : 0.15 }), 1.5, `only ${kind}`);
}

const copies = ({ events }: ObservedRun, eventId: string | null): readonly ChargingEvent[] => events.filter((event) => event.eventId === eventId);
const of = (run: ObservedRun, kind: FaultKind): ObservedRun['faults'] => run.faults.filter((fault) => fault.kind === kind).slice(0, 60);

/** Sessions that a fault has touched: as many as there are faults of it. */
function marked(run: ObservedRun, kind: FaultKind): ObservedRun['sessions'] {
  const sessions = run.sessions.filter(({ faults }) => faults.includes(kind));
  expect(sessions.length).toBe(run.faults.filter((fault) => fault.kind === kind).length);
  return sessions;
}

/** What each kind leaves behind, by its text in `faultKinds`. */
const traces: Readonly<Record<FaultKind, (run: ObservedRun) => boolean>> = {
  'failed-start': (run) => run.sessions.some(({ faults, stopReason, energyWh }) => faults.includes('failed-start') && stopReason === 'EVConnectTimeout' && energyWh === 0) && hasRetries(run),
  'lost-start': (run) => marked(run, 'lost-start').every((session) => types(run, session.sessionId)[0] !== 'TransactionStarted' && session.received === session.messages - 1),
  'lost-stop': (run) => marked(run, 'lost-stop').every((session) => types(run, session.sessionId).at(-1) !== 'TransactionEnded' && session.received === session.messages - 1),
  'lost-sample': (run) => of(run, 'lost-sample').every(({ eventId, receivedMs }) => copies(run, eventId).length === 0 && receivedMs === null),
  'lost-status': (run) => of(run, 'lost-status').every(({ eventId }) => copies(run, eventId).length === 0),
  duplicate: (run) => of(run, 'duplicate').every(({ eventId, receivedMs }) => {
    const [one, other] = copies(run, eventId);
    return one !== undefined && other !== undefined && other.receivedMs === receivedMs && JSON.stringify({ ...one, receivedMs }) === JSON.stringify(other);
  }),
  'resent-number': (run) => of(run, 'resent-number').every(({ eventId }) => {
    const [one] = copies(run, eventId);
    const [again] = copies(run, `${eventId}/again`);
    return one !== undefined && again !== undefined && one.seqNo === again.seqNo && one.timestampMs === again.timestampMs && one.transactionId === again.transactionId;
  }),
  'out-of-order': (run) => of(run, 'out-of-order').every(({ eventId }) => {
    const [event] = copies(run, eventId);
    return event !== undefined && (event.receivedMs ?? 0) - event.timestampMs >= 60_000;
  }),
  'offline-replay': (run) => run.events.some(({ offline }) => offline) && run.events.some(({ type }) => type === 'ConnectionLost')
    && run.events.filter(({ offline }) => offline).every(({ receivedMs, timestampMs }) => (receivedMs ?? 0) >= timestampMs),
  'clock-1970': (run) => of(run, 'clock-1970').every(({ eventId }) => (copies(run, eventId)[0]?.timestampMs ?? 1e12) < 86_400_000),
  'clock-ahead': (run) => of(run, 'clock-ahead').every(({ eventId, atMs }) => (copies(run, eventId)[0]?.timestampMs ?? 0) - atMs >= 86_400_000),
  'meter-reset': (run) => of(run, 'meter-reset').every(({ sessionId }) => lowest(run, sessionId) === 0),
  'meter-roll-over': (run) => of(run, 'meter-roll-over').every(({ sessionId }) => lowest(run, sessionId) < 100_000 && highest(run, sessionId) > 99_000_000),
  'meter-missing': (run) => of(run, 'meter-missing').every(({ eventId }) => copies(run, eventId)[0]?.meterWh === null),
  'connector-fault': (run) => run.events.some(({ status }) => status === 'Faulted') && run.events.every(({ status, errorCode }) => (status === 'Faulted') === (errorCode !== null))
    && run.statuses.some(({ status }) => status === 'Faulted'),
  'power-outage': (run) => run.sessions.some(({ stopReason }) => stopReason === 'PowerLoss') && run.events.some(({ status }) => status === 'Unavailable'),
  malformed: (run) => run.malformed.length === run.faults.filter(({ kind }) => kind === 'malformed').length && of(run, 'malformed').every(({ eventId }) => copies(run, eventId).length === 1),
  'unknown-station': (run) => of(run, 'unknown-station').every(({ stationId }) => !run.stations.some(({ station }) => station.stationId === stationId)),
  'late-station': (run) => of(run, 'late-station').every(({ stationId }) => run.stations.some(({ station, sentMs }) => station.stationId === stationId && sentMs === run.startMs + 86_400_000)),
  'changed-station': (run) => of(run, 'changed-station').every(({ stationId, atMs }) => run.stations.some(({ station, sentMs }) =>
    station.stationId === stationId && sentMs === atMs && station.validFromMs === atMs && isOther(run, station, sentMs))),
};

function types(run: ObservedRun, sessionId: string): readonly string[] {
  return run.events.filter(({ stationId, transactionId }) => `${stationId}/${transactionId}` === sessionId).sort((left, right) => left.timestampMs - right.timestampMs).map(({ type }) => type);
}

/** A version of a station says something else than the one before it. */
function isOther(run: ObservedRun, station: Station, sentMs: number): boolean {
  const before = run.stations.filter((one) => one.station.stationId === station.stationId && one.sentMs < sentMs).at(-1)?.station;
  return before !== undefined && before.operator !== station.operator && before.tariffId !== station.tariffId;
}

const meters = (run: ObservedRun, sessionId: string | null): readonly number[] =>
  run.events.flatMap(({ stationId, transactionId, meterWh }) => (`${stationId}/${transactionId}` === sessionId && meterWh !== null ? [meterWh] : []));
const lowest = (run: ObservedRun, sessionId: string | null): number => Math.min(...meters(run, sessionId));
const highest = (run: ObservedRun, sessionId: string | null): number => Math.max(...meters(run, sessionId));

/** After a failed start the same vehicle is at a connector of the site again within minutes. */
function hasRetries({ sessions }: ObservedRun): boolean {
  const failed = sessions.filter(({ faults }) => faults.includes('failed-start'));
  return failed.some((one) => sessions.some(({ vehicle, siteId, startMs }) => vehicle === one.vehicle && siteId === one.siteId && startMs > one.stopMs && startMs < one.stopMs + 300_000));
}

describe('faults', () => {
  it.each(kinds)('%s happens alone, is written down and leaves what its text says', (kind) => {
    const run = only(kind);
    // Without power there is no connection either: what a station then has to say it keeps.
    expect(new Set(run.faults.map((fault) => fault.kind))).toEqual(new Set(kind === 'power-outage' ? [kind, 'offline-replay'] : [kind]));
    expect(traces[kind](run)).toBe(true);
    if (!['malformed', 'clock-1970', 'clock-ahead'].includes(kind)) {
      // Of all else the truth is what it was.
      for (const session of run.sessions) expect(session.readings.at(-1)).toEqual([session.stopMs, session.energyWh]);
    }
  });

  it('all happen in profile dirty-data, to about one message in ten', () => {
    const { faults, events, malformed } = observe(dirty, 2, 'all');
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(kinds));
    const touched = faults.filter(({ eventId }) => eventId !== null).length;
    expect(touched / (events.length + malformed.length)).toBeGreaterThan(0.05);
    expect(touched / (events.length + malformed.length)).toBeLessThan(0.2);
  });

  it('touch a message once at most', () => {
    const ids = observe(dirty, 1, 'once').faults.flatMap(({ eventId }) => (eventId === null ? [] : [eventId]));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('of a message come at their rates', () => {
    const rates = { ...withFaults(small, { duplicate: 0.03, 'out-of-order': 0.01, 'clock-1970': 0.005, 'lost-status': 0.9 }).faults } as Profile['faults'];
    const faults = new MessageFaults(rates, new Random('rates'));
    const counts = new Map<FaultKind | null, number>();
    for (let at = 0; at < 200_000; at += 1) {
      const kind = faults.throwFor('sample');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    const names = ['duplicate', 'out-of-order', 'clock-1970', null] as const;
    expect(chiSquare(names.map((name) => counts.get(name) ?? 0), [6_000, 2_000, 1_000, 191_000])).toBeLessThan(chiSquareCritical(3));
    expect(Array.from({ length: 100 }, () => faults.throwFor('heartbeat')).some((kind) => kind === 'lost-status')).toBe(false);
  });

  it('that make bytes make such as nobody can take for an event, on one line', () => {
    const event = { ...(observe(withFaults(small), 0.1).events[0] as ChargingEvent), eventNumber: 7, eventSuffix: '' as const };
    const random = new Random('bytes');
    const texts = Array.from({ length: 300 }, () => Buffer.from(malformedBytes(event, random)).toString());
    for (const text of texts) {
      expect(parseChargingEvent(text).kind).not.toBe('event');
      expect(text).not.toMatch(/[\n\r\0]/);
      expect(text.length).toBeGreaterThan(0);
    }
    expect(new Set(texts.map((text) => text.slice(0, 12))).size).toBeGreaterThan(5);
  });
});

import { describe, expect, it } from 'vitest';
import type { FaultKind, Profile, SitesProfile } from '../profile.ts';
import { readProfile } from '../read-profile.ts';
import { observe, smaller, withFaults } from '../testing/observed-run.ts';
import { chiSquare, chiSquareCritical, chiSquareLower, kolmogorovSmirnov, kolmogorovSmirnovCritical, normalCumulative } from '../testing/statistics.ts';
import { connectorCount } from './network.ts';

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365.2425;
const city = readProfile('city');
const street = city.sites.find(({ type }) => type === 'street') as SitesProfile;
const logNormal = (median: number, spread: number) => (value: number): number => normalCumulative(Math.log(value / median) / spread);

/** Streets of Berlin from a Monday of the summer on, without faults, where nobody leaves before the time. */
function streets(site: Partial<SitesProfile>, vehicles = 6_000): Profile {
  return withFaults({
    ...city, startsAt: '2025-06-01T22:00:00Z', vehicles: { ...city.vehicles, count: vehicles },
    sites: [{
      ...street, count: 30, places: [{ ...(street.places[0] as SitesProfile['places'][number]), timeZone: 'Europe/Berlin' }], queue: { max: 0, patienceMinutes: 0 },
      stay: { medianMinutes: 40, spread: 0.5, leavesWhenFullPart: 0 }, arrivals: { ...street.arrivals, perConnectorDay: 1.5 }, ...site,
    }],
  });
}

/** How many of all are away from the mean, in standard deviations of a Poisson number. */
const deviations = (count: number, mean: number): number => Math.abs(count - mean) / Math.sqrt(mean);

describe('a run', () => {
  it('has sessions in the hours and weekdays, of the lengths and with the delays that were asked for', () => {
    const profile = streets({});
    const [site] = profile.sites as readonly [SitesProfile];
    const weeks = 4;
    const { sessions, events, figures, startMs, endMs } = observe(profile, weeks * 7, 'hours');
    const { byHour, byWeekday, perConnectorDay } = site.arrivals;
    const [hours, weekdays] = [byHour, byWeekday].map((weights) => weights.reduce((sum, weight) => sum + weight, 0)) as [number, number];
    const counts = Array.from({ length: 168 }, () => 0);
    for (const session of sessions) {
      const hour = Math.floor((session.startMs - startMs) / 3_600_000) % 168;
      counts[hour] = (counts[hour] as number) + 1;
    }
    const expected = counts.map((_, hour) =>
      (weeks * connectorCount(profile.sites) * perConnectorDay * (byHour[hour % 24] as number) * 7 * (byWeekday[Math.floor(hour / 24)] as number)) / hours / weekdays);
    expect(chiSquare(counts, expected)).toBeLessThan(chiSquareCritical(168));
    expect(chiSquare(counts, expected)).toBeGreaterThan(chiSquareLower(168));
    expect(figures.arrivals - figures.turnedAway - sessions.length).toBeLessThan(4);

    const stays = sessions.flatMap((one) => (one.startMs < endMs - DAY_MS ? [(one.stopMs - one.startMs) / 60_000] : []));
    expect(kolmogorovSmirnov(stays, logNormal(40, 0.5))).toBeLessThan(kolmogorovSmirnovCritical(stays.length));

    const { median, spread } = profile.reporting.delayMilliseconds;
    const delays = events.flatMap(({ type, receivedMs, timestampMs }) => (type === 'Heartbeat' || receivedMs === null ? [] : [receivedMs - timestampMs]));
    expect(delays.length).toBeGreaterThan(10_000);
    expect(kolmogorovSmirnov(delays, logNormal(median, spread))).toBeLessThan(kolmogorovSmirnovCritical(delays.length));
  });

  it('turns away who finds all taken: as many as Erlang has found', () => {
    const even = { perConnectorDay: 40, byHour: Array.from({ length: 24 }, () => 1), byWeekday: [1, 1, 1, 1, 1, 1, 1] };
    const small = { stations: 1, connectorsPerStation: 3, arrivals: even };
    // Each connector has 40 arrivals a day of 40 minutes by the median; some seconds go by before one is authorised.
    const minutes = 40 * Math.exp(0.5 ** 2 / 2) + 8.5 / 60;
    const load = (3 * 40 * minutes) / 1_440;
    let blocked = 1;
    for (let connectors = 1; connectors <= 3; connectors += 1) blocked = (load * blocked) / (connectors + load * blocked);
    const lost = observe(streets(small), 14, 'lost').figures;
    expect(deviations(lost.turnedAway, lost.arrivals * blocked)).toBeLessThan(4.5);
    expect(deviations(lost.arrivals, 30 * 3 * 40 * 14)).toBeLessThan(4);
    // Who does not wait at all is turned away as well; a queue as long as it takes turns nobody away.
    const impatient = observe(streets({ ...small, queue: { max: 1_000, patienceMinutes: 0.000_01 } }), 14, 'lost').figures;
    expect(deviations(impatient.turnedAway, impatient.arrivals * blocked)).toBeLessThan(4.5);
    const patient = observe(streets({ ...small, arrivals: { ...even, perConnectorDay: 24 }, queue: { max: 1_000, patienceMinutes: 1e9 } }, 20_000), 7, 'patient');
    expect(patient.figures.turnedAway).toBe(0);
    expect(patient.figures.arrivals - patient.sessions.length).toBeLessThan(0.01 * patient.figures.arrivals);
  });

  it('has faults at the rates that were asked for', () => {
    const days = 10;
    const rates: Partial<Record<FaultKind, number>> = {
      'lost-start': 0.03, 'lost-stop': 0.05, 'lost-sample': 0.01, 'lost-status': 0.02, duplicate: 0.02, malformed: 0.004, 'failed-start': 0.1,
      'changed-station': 40, 'connector-fault': 12, 'offline-replay': 0, 'unknown-station': 0.1,
    };
    const profile = withFaults(smaller(city, 40), rates);
    const { sessions, faults, events, statuses, stations } = observe(profile, days, 'rates');
    const count = (kind: FaultKind): number => faults.filter((fault) => fault.kind === kind).length;
    const connectors = connectorCount(profile.sites);
    const allStations = new Set([...events.map(({ stationId }) => stationId), ...stations.map(({ station }) => station.stationId)]).size;
    const samples = sessions.reduce((sum, { messages }) => sum + messages - 2, 0);
    // Each message has its number at its station; two of each station at the end are beyond all faults.
    const last = new Map<string, number>();
    for (const { stationId, eventId } of events) last.set(stationId, Math.max(last.get(stationId) ?? 0, Number(eventId.split('/')[1])));
    const messages = [...last.values()].reduce((sum, number) => sum + number - 2, 0) - count('lost-start') - count('lost-stop');
    const of = (kind: FaultKind, all: number): number => (rates[kind] as number) * all;
    const found = (Object.entries({
      'lost-start': of('lost-start', sessions.length), 'lost-stop': of('lost-stop', sessions.length), 'lost-sample': of('lost-sample', samples), 'lost-status': of('lost-status', statuses.length + connectors / 2),
      duplicate: of('duplicate', messages), malformed: of('malformed', messages), 'failed-start': of('failed-start', sessions.length), 'unknown-station': of('unknown-station', allStations),
      'changed-station': (of('changed-station', allStations * 0.9) * days) / YEAR_DAYS, 'connector-fault': (of('connector-fault', connectors) * days) / YEAR_DAYS,
    }) as [FaultKind, number][]).map(([kind, mean]) => [kind, count(kind), mean, deviations(count(kind), mean)] as const);
    expect(found.filter(([, , mean, away]) => !(mean > 20) || away > 4.5)).toEqual([]);
  });
});

import { LocalTime } from '../network/local-time.ts';
import { connectorCount } from '../network/network.ts';
import type { Profile, SitesProfile } from '../profile.ts';
import { faultKinds } from '../profile.ts';

/** A session of a real network: what is needed of it to make others like it. */
export interface FittedSession {
  readonly stationId: string;
  readonly connectorId: number;
  readonly startMs: number;
  readonly stopMs: number;
  readonly energyWh: number;
  readonly outlet: { readonly current: 'AC' | 'DC'; readonly powerMaxW: number; readonly standard: string | null };
}

/** Where the sessions were. */
export interface FittedNetwork {
  readonly name: string;
  readonly description: string;
  readonly operator: string;
  readonly city: string;
  readonly country: string;
  readonly timeZone: string;
}

/** What a fit has taken, and what it has left. */
export interface Fit {
  readonly profile: Profile;
  readonly taken: number;
  /** Without both times and an energy, shorter than a minute, longer than a fortnight, or of more energy than any battery. */
  readonly left: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const LONGEST_MS = 14 * DAY_MS;
const BATTERY_WH_MAX = 120_000;
/** Stays with their energy that a profile keeps of each kind of outlet: enough that its distributions are those of the log to a hundredth. */
export const visitsMax = 1_000;
/** Stations of a made-up site: many, so that hardly anybody finds all taken, as nobody did of whom the log knows. */
const STATIONS_OF_A_SITE = 20;

/**
 * Learns from sessions, by kind of outlet (current and power): how many begin in each hour of the day and on each day of the week by the clock of the place,
 * and how long they last with what energy, as pairs. Throws RangeError when there is none to learn from.
 */
export function fitProfile(sessions: Iterable<FittedSession>, network: FittedNetwork): Fit {
  const kinds = new Map<string, FittedSession[]>();
  let left = 0;
  let taken = 0;
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const session of sessions) {
    if (!isUsable(session)) {
      left += 1;
      continue;
    }
    taken += 1;
    fromMs = Math.min(fromMs, session.startMs);
    toMs = Math.max(toMs, session.startMs);
    const { current, powerMaxW } = session.outlet;
    const name = `${current} ${powerMaxW}`;
    const kind = kinds.get(name) ?? [];
    kinds.set(name, kind);
    kind.push(session);
  }
  if (taken === 0) throw new RangeError('there is no session to learn from');
  const local = new LocalTime(network.timeZone);
  const days = Math.max(1, (toMs - fromMs) / DAY_MS);
  const sites = [...kinds].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, all]) => sitesOf(all, days, local, network));
  const connectors = connectorCount(sites);
  return { profile: profileOf(network, sites, connectors, fromMs), taken, left };
}

function isUsable({ startMs, stopMs, energyWh }: FittedSession): boolean {
  const lengthMs = stopMs - startMs;
  return lengthMs >= MINUTE_MS && lengthMs <= LONGEST_MS && energyWh >= 0 && energyWh <= BATTERY_WH_MAX;
}

function sitesOf(all: readonly FittedSession[], days: number, local: LocalTime, network: FittedNetwork): SitesProfile {
  const { outlet } = all[0] as FittedSession;
  const connectors = new Set(all.map(({ stationId, connectorId }) => `${stationId}/${connectorId}`)).size;
  const stations = new Set(all.map(({ stationId }) => stationId)).size;
  const connectorsPerStation = Math.max(1, Math.round(connectors / stations));
  const perSite = Math.min(STATIONS_OF_A_SITE, stations);
  const count = Math.max(1, Math.round(connectors / connectorsPerStation / perSite));
  const byHour = Array.from({ length: 24 }, () => 0);
  const byWeekday = Array.from({ length: 7 }, () => 0);
  for (const { startMs } of all) {
    byHour[local.hour(startMs)] = (byHour[local.hour(startMs)] as number) + 1;
    byWeekday[local.weekday(startMs)] = (byWeekday[local.weekday(startMs)] as number) + 1;
  }
  const visits = pairsOf(all);
  return {
    type: outlet.current === 'DC' ? 'hub' : 'street', count, stations: perSite, connectorsPerStation, current: outlet.current, powerMaxW: outlet.powerMaxW,
    standard: outlet.standard ?? (outlet.current === 'DC' ? 'IEC_62196_T2_COMBO' : 'IEC_62196_T2'), sitePowerMaxW: null, sharing: 'equal',
    operator: network.operator, access: 'public', open24Hours: true,
    places: [{ city: network.city, country: network.country, timeZone: network.timeZone, latitude: 0, longitude: 0 }],
    arrivals: { perConnectorDay: all.length / days / (count * perSite * connectorsPerStation), byHour, byWeekday },
    stay: { medianMinutes: Math.max(1, visits[visits.length >> 1]?.[0] ?? 1), spread: 0, leavesWhenFullPart: 0, visits },
    queue: { max: 0, patienceMinutes: 0 }, tariffId: null,
  };
}

/** Stays in minutes with their energy in Wh, by length: all, or evenly chosen ones, so that neither distribution is bent. */
function pairsOf(all: readonly FittedSession[]): readonly (readonly [number, number])[] {
  const sorted = [...all].sort((left, right) => left.stopMs - left.startMs - (right.stopMs - right.startMs) || left.energyWh - right.energyWh);
  const size = Math.min(visitsMax, sorted.length);
  return Array.from({ length: size }, (_, at) => {
    const { startMs, stopMs, energyWh } = sorted[Math.floor(((at + 0.5) * sorted.length) / size)] as FittedSession;
    return [Math.round(((stopMs - startMs) / MINUTE_MS) * 10) / 10, Math.round(energyWh)] as const;
  });
}

function profileOf({ name, description }: FittedNetwork, sites: readonly SitesProfile[], connectors: number, fromMs: number): Profile {
  return {
    name, description, startsAt: new Date(fromMs - (fromMs % DAY_MS)).toISOString(), days: 28,
    // What a vehicle wants is in the log; how it drives between does not matter, as long as there are enough of them.
    vehicles: { count: Math.max(200, connectors * 20), classes: ['car'], kmPerHour: { median: 1.6, spread: 0.6 }, chargesBelowSoc: 70, roamingPart: 0 },
    sites,
    reporting: { sampleEverySeconds: 300, clockAligned: false, heartbeatEveryMinutes: 60, delayMilliseconds: { median: 400, spread: 0.8 }, registers: 'lifetime' },
    climate: { meanC: 10, yearC: 9, dayC: 5 },
    faults: Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0])) as Profile['faults'],
  };
}

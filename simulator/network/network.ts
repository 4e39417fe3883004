import type { Station } from '../../schemas/generated/station.ts';
import type { FaultKind, PlaceProfile, Profile, SitesProfile } from '../profile.ts';
import { Random } from '../random/random.ts';
import type { ChargeCurve } from '../vehicles/charge-curve.ts';
import { Arrivals } from './arrivals.ts';
import { localTime } from './local-time.ts';

/** Connectors of one district at most: small enough that several workers share a network evenly. */
export const DISTRICT_CONNECTORS = 2_000;

export interface SiteState {
  readonly siteId: string;
  readonly profile: SitesProfile;
  readonly place: PlaceProfile;
  readonly latitude: number;
  readonly longitude: number;
  /** One for all sites of a kind in a zone. */
  readonly arrivals: Arrivals;
  stations: readonly StationState[];
  connectors: readonly ConnectorState[];
  /** Vehicles that wait, with the time at which they give up, in order of arrival. */
  readonly queue: { readonly vehicle: number; readonly givesUpMs: number }[];
  /** Connectors that draw power, in order of arrival, where the site's supply is to be shared; else empty. */
  readonly charging: ConnectorState[];
  darkUntilMs: number;
}

export interface StationState {
  readonly stationId: string;
  readonly site: SiteState;
  readonly isKnown: boolean;
  /** When its reference data is sent; infinite: never. */
  readonly toldMs: number;
  connectors: readonly ConnectorState[];
  /** How often its reference data has changed. */
  changes: number;
  /** Events made so far: part of their ids. */
  events: number;
  transactions: number;
  /** Its connection is away until then. */
  offlineUntilMs: number;
}

/** A connector, and the session that it has, if any. One object, reused: a network has a million of them. */
export interface ConnectorState {
  readonly site: SiteState;
  readonly station: StationState;
  readonly number: number;
  readonly evseId: number;
  readonly connectorId: number;
  /** All that it ever delivered, fraction included; what is told of it is in whole Wh. */
  registerWh: number;
  status: string;
  statusSinceMs: number;
  /** Kinds of faults, as bits, that have touched what was told of its status since then. */
  statusFaults: number;
  vehicle: number;
  /** Raised when a session begins or ends: what the agenda has for an earlier one no longer holds. */
  stamp: number;
  /** Raised with each look ahead, as `stamp` is. */
  look: number;
  session: SessionState | null;
}

export interface SessionState {
  readonly transactionId: string;
  readonly idToken: string;
  readonly partner: string | null;
  readonly curve: ChargeCurve;
  readonly startMs: number;
  /** As told: whole Wh of the connector's register. */
  readonly startWh: number;
  readonly leavesMs: number;
  readonly leavesWhenFull: boolean;
  readonly fromSoc: number;
  readonly targetSoc: number;
  readonly limitW: number;
  seqNo: number;
  /** As of `atMs`. */
  soc: number;
  atMs: number;
  /** What it may draw now. */
  capW: number;
  nextSampleMs: number;
  /** Where it will be, if nothing changes until then. */
  aheadMs: number;
  aheadSoc: number;
  aheadWh: number;
  isFull: boolean;
  /** What was told, or meant to be, packed. */
  readonly readings: number[];
  /** Kinds of faults, as bits. */
  faults: number;
  /** Messages that a fault has touched, by their place among the readings. */
  readonly touched: (readonly [number, FaultKind])[];
  messages: number;
  received: number;
  /** What is told in the place of the register, less the register: after a reset or a roll-over, or where it counts the session. */
  registerShiftWh: number;
  /** When the register begins again at 0, or infinite. */
  resetsMs: number;
  readonly losesStart: boolean;
  readonly losesStop: boolean;
}

export interface District {
  readonly number: number;
  readonly sites: readonly SiteState[];
  readonly connectors: readonly ConnectorState[];
  readonly stations: readonly StationState[];
}

/** All connectors of a network's sites. */
export function connectorCount(sites: readonly SitesProfile[]): number {
  return sites.reduce((sum, { count, stations, connectorsPerStation }) => sum + count * stations * connectorsPerStation, 0);
}

/** Into how many districts a network falls apart. It depends on the profile only, so that any number of workers gives the same. */
export function districtCount(profile: Profile): number {
  return Math.max(1, Math.ceil(connectorCount(profile.sites) / DISTRICT_CONNECTORS));
}

/** The sites of a district: every n-th of each kind. Nothing is made for each site that can be shared by all of a kind: a network has hundreds of thousands. */
export function buildDistrict(profile: Profile, seed: string, number: number, startMs: number): District {
  const districts = districtCount(profile);
  const random = new Random(`${seed}/network/${number}`);
  const connectors: ConnectorState[] = [];
  const sites: SiteState[] = [];
  for (const kind of profile.sites) {
    const byZone = new Map<string, Arrivals>();
    for (let at = number; at < kind.count; at += districts) {
      const place = random.oneOf(kind.places);
      const arrivals = byZone.get(place.timeZone) ?? new Arrivals(kind.arrivals, kind.stations * kind.connectorsPerStation, localTime(place.timeZone));
      byZone.set(place.timeZone, arrivals);
      const site: SiteState = {
        siteId: inOnePiece(`${profile.sitePrefix ?? ''}${kind.type}-${String(at).padStart(5, '0')}`), profile: kind, place, arrivals,
        latitude: place.latitude + random.between(-0.05, 0.05), longitude: place.longitude + random.between(-0.08, 0.08),
        stations: [], connectors: [], queue: [], charging: [], darkUntilMs: 0,
      };
      sites.push(site);
      site.stations = Array.from({ length: kind.stations }, (_, index) => buildStation(profile, site, index + 1, random, connectors, startMs));
      site.connectors = kind.stations === 1 ? (site.stations[0] as StationState).connectors : site.stations.flatMap((station) => station.connectors);
    }
  }
  return { number, sites, connectors, stations: sites.flatMap((site) => site.stations) };
}

function buildStation({ faults }: Profile, site: SiteState, place: number, random: Random, all: ConnectorState[], startMs: number): StationState {
  const isKnown = !random.chance(faults['unknown-station']);
  const station: StationState = {
    stationId: inOnePiece(`${site.siteId}-${String(place).padStart(2, '0')}`), site, isKnown,
    toldMs: !isKnown ? Number.POSITIVE_INFINITY : random.chance(faults['late-station']) ? startMs + 86_400_000 : startMs,
    connectors: [], changes: 0, events: 0, transactions: 0, offlineUntilMs: 0,
  };
  station.connectors = Array.from({ length: site.profile.connectorsPerStation }, (_, index): ConnectorState => {
    const connector: ConnectorState = {
      site, station, number: all.length, evseId: index + 1, connectorId: 1, registerWh: random.below(8_000_000) + 1_000_000,
      status: 'Available', statusSinceMs: startMs, statusFaults: 0, vehicle: -1, stamp: 0, look: 0, session: null,
    };
    all.push(connector);
    return connector;
  });
  return station;
}

/** The same text as one piece of bytes: one put together from pieces keeps all of these, at several times its size. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}

/** What reference data says of a station as it is built. Made anew each time: kept for all, it would be the most of a network's memory. */
export function stationRecord({ reporting }: Profile, { stationId, site }: StationState, validFromMs: number): Station {
  const { siteId, profile: kind, place, latitude, longitude } = site;
  return {
    stationId, siteId, name: `${place.city} ${siteId}`, operator: kind.operator, address: null, city: place.city, region: null, country: place.country,
    latitude: Number(latitude.toFixed(6)), longitude: Number(longitude.toFixed(6)), timeZone: place.timeZone, access: kind.access,
    openAlways: kind.open24Hours, openingHours: null, tariffId: kind.tariffId, registerScope: reporting.registers, validFromMs,
    evses: Array.from({ length: kind.connectorsPerStation }, (_, index) => ({
      evseId: index + 1, connectors: [{ connectorId: 1, standard: kind.standard, current: kind.current, powerMaxW: kind.powerMaxW }],
    })),
  };
}

/**
 * What is simulated, as a file: the network, its users, how stations report, and what goes wrong at which rate. Every number that a reader would
 * want to change is here; the shipped profiles are in `profiles/`.
 */
export interface Profile {
  readonly name: string;
  readonly description: string;
  /** When it begins: an ISO time with its offset, or Z. */
  readonly startsAt: string;
  /** How long it lasts when nobody says otherwise. */
  readonly days: number;
  readonly vehicles: VehiclesProfile;
  readonly sites: readonly SitesProfile[];
  /** Put before the ids of all sites, and so of stations and messages: networks in one log are told apart by it. */
  readonly sitePrefix?: string;
  readonly reporting: ReportingProfile;
  readonly climate: ClimateProfile;
  readonly faults: FaultRates;
}

/** What a site prefix may be. */
export const sitePrefixPattern = /^[\w.-]{1,32}$/;

export interface VehiclesProfile {
  readonly count: number;
  /** Classes of the shipped models that take part: car, motorbike, ... */
  readonly classes: readonly string[];
  /** What a vehicle drives in an hour that it is not at a charger, median and spread of the logarithm over vehicles. */
  readonly kmPerHour: { readonly median: number; readonly spread: number };
  /** A driver looks for a charger below this state of charge, in percent. */
  readonly chargesBelowSoc: number;
  /** Part of the drivers that belong to a roaming partner. */
  readonly roamingPart: number;
}

export type SiteType = 'home' | 'workplace' | 'street' | 'hub' | 'depot';
/** How the power of a site is shared when not all can have what they want. */
export type Sharing = 'equal' | 'first-come' | 'earliest-departure';

export interface SitesProfile {
  readonly type: SiteType;
  readonly count: number;
  readonly stations: number;
  readonly connectorsPerStation: number;
  readonly current: 'AC' | 'DC';
  readonly powerMaxW: number;
  readonly standard: string;
  /** What the site's own supply gives; null: enough for all. */
  readonly sitePowerMaxW: number | null;
  readonly sharing: Sharing;
  readonly operator: string;
  readonly access: 'public' | 'private' | 'restricted';
  readonly open24Hours: boolean;
  readonly places: readonly PlaceProfile[];
  readonly arrivals: ArrivalsProfile;
  /** How long a vehicle stays connected: median minutes, spread of the logarithm. It leaves earlier only where `leavesWhenFull` says so. */
  readonly stay: StayProfile;
  /** Vehicles that wait when all connectors are taken, and for how long at most; who finds the queue full is turned away. */
  readonly queue: { readonly max: number; readonly patienceMinutes: number };
  readonly tariffId: string | null;
}

export interface StayProfile {
  readonly medianMinutes: number;
  readonly spread: number;
  readonly leavesWhenFullPart: number;
  /** In place of median and spread: stays in minutes, each with the Wh that are charged in it, one as likely as the other. As `--fit` writes them. */
  readonly visits?: readonly (readonly [number, number])[];
}

export interface PlaceProfile {
  readonly city: string;
  readonly country: string;
  readonly timeZone: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface ArrivalsProfile {
  /** Mean number a day and connector. */
  readonly perConnectorDay: number;
  /** Weights of the hours of the site's clock, 24 of them. */
  readonly byHour: readonly number[];
  /** Weights of the days, Monday first; their mean counts as 1. */
  readonly byWeekday: readonly number[];
}

export interface ReportingProfile {
  readonly sampleEverySeconds: number;
  /** At whole multiples of the interval by the clock, else counted from each start. */
  readonly clockAligned: boolean;
  readonly heartbeatEveryMinutes: number;
  /** Delay between an event and its reception: median and spread of the logarithm. */
  readonly delayMilliseconds: { readonly median: number; readonly spread: number };
  readonly registers: 'lifetime' | 'session';
}

export interface ClimateProfile {
  readonly meanC: number;
  /** Warmest minus mean over the year, and over the day. */
  readonly yearC: number;
  readonly dayC: number;
}

/** What goes wrong, and how often. All are 0 in a profile that does not name them. */
export const faultKinds = {
  'failed-start': 'part of the attempts that fail; the driver tries again up to three times, which makes a visit',
  'lost-start': 'part of the sessions whose start is never received',
  'lost-stop': 'part of the sessions whose stop is never received',
  'lost-sample': 'part of the meter values that are never received',
  'lost-status': 'part of the statuses that are never received',
  duplicate: 'part of the messages that arrive twice, under one event id',
  'resent-number': 'part of the transaction messages that arrive again under another event id, with their sequence number',
  'out-of-order': 'part of the messages that arrive minutes later than those behind them',
  'offline-replay': 'stretches of one to ten hours without a connection, of each station a year; its messages arrive afterwards, marked offline',
  'clock-1970': 'part of the messages whose time is shortly after 1 January 1970',
  'clock-ahead': 'part of the messages whose time is days ahead',
  'meter-reset': 'part of the sessions in which the register begins again at 0',
  'meter-roll-over': 'part of the sessions in which the register passes its highest value',
  'meter-missing': 'part of the meter values without a register',
  'connector-fault': 'faults of each connector a year; repaired after hours',
  'power-outage': 'outages of each site a year: all sessions end, stations are silent for minutes to hours',
  malformed: 'part of the messages that come a second time as bytes that are no event',
  'unknown-station': 'part of the stations that no reference data names',
  'late-station': 'part of the stations whose reference data comes a day late',
  'changed-station': 'changes of a station’s reference data a year: to another operator and tariff, and back',
} as const;

export type FaultKind = keyof typeof faultKinds;
export type FaultRates = Readonly<Record<FaultKind, number>>;
/** Those that are counts a year, all others are parts from 0 to 1. */
export const yearlyFaults: ReadonlySet<FaultKind> = new Set(['offline-replay', 'connector-fault', 'power-outage', 'changed-station']);

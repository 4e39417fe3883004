import { withFault } from '../faults/fault-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { MessageSink } from '../messages/message-sink.ts';
import type { FaultKind, Profile } from '../profile.ts';
import { Random } from '../random/random.ts';
import { Agenda } from './agenda.ts';
import { temperatureC } from './climate.ts';
import { Fleet } from './fleet.ts';
import { happenings } from './happenings.ts';
import type { ConnectorState, District, SiteState, StationState } from './network.ts';
import { buildDistrict, districtCount, stationRecord } from './network.ts';
import { Sessions } from './sessions.ts';
import { Teller } from './teller.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365.2425 * 24 * HOUR_MS;
/** A driver whose start fails tries so often at most, the first attempt included. */
const ATTEMPTS = 3;
const faultCodes = ['ConnectorLockFailure', 'GroundFailure', 'HighTemperature', 'OverCurrentFailure', 'PowerMeterFailure'] as const;

/** What a run has come to. */
export interface DistrictFigures {
  readonly messages: number;
  readonly sessions: number;
  readonly arrivals: number;
  readonly turnedAway: number;
}

/** One district, from its start on: an event-driven simulation, wholly given by profile, seed and number. */
export class DistrictRun {
  readonly #profile: Profile;
  readonly #district: District;
  readonly #agenda = new Agenda();
  readonly #random: Random;
  readonly #faultRandom: Random;
  readonly #fleet: Fleet;
  readonly #teller: Teller;
  readonly #sessions: Sessions;
  readonly #ledger: Ledger;
  readonly #sink: MessageSink;
  readonly #attempts = new Map<number, number>();
  readonly #startMs: number;
  readonly #endMs: number;
  #begun = false;
  #arrivals = 0;
  #turnedAway = 0;

  /** Builds the network; nothing is told before `run`. What would happen once a year after `endMs` is not even planned. */
  constructor(profile: Profile, seed: string, number: number, startMs: number, sink: MessageSink, ledger: Ledger, endMs = Number.POSITIVE_INFINITY) {
    const own = `${seed}/district/${number}`;
    this.#profile = profile;
    this.#sink = sink;
    this.#ledger = ledger;
    this.#random = new Random(own);
    this.#faultRandom = new Random(`${own}/faults`);
    this.#district = buildDistrict(profile, seed, number, startMs);
    const districts = districtCount(profile);
    const vehicles = Math.max(1, Math.floor(profile.vehicles.count / districts) + (number < profile.vehicles.count % districts ? 1 : 0));
    this.#fleet = new Fleet(vehicles, profile.vehicles, startMs, new Random(`${own}/fleet`));
    this.#teller = new Teller(profile, own, sink, ledger, (receivedMs, delayed) => this.#agenda.add(receivedMs, happenings.message, delayed));
    this.#sessions = new Sessions(profile, this.#agenda, this.#fleet, this.#teller, ledger, this.#random);
    this.#startMs = startMs;
    this.#endMs = endMs;
  }

  get figures(): DistrictFigures {
    return { messages: this.#teller.sent, sessions: this.#sessions.ended, arrivals: this.#arrivals, turnedAway: this.#turnedAway };
  }

  /** Lets everything before a time happen. */
  run(untilMs: number): void {
    if (!this.#begun) this.#begin(this.#startMs);
    const agenda = this.#agenda;
    while (agenda.next(untilMs)) this.#happen(agenda.kind, agenda.subject, agenda.stamp, agenda.timeMs);
  }

  /** Ends all sessions, as when the drivers leave, and lets arrive what is on its way: nothing is open in the ledger afterwards. */
  finish(timeMs: number): void {
    for (const connector of this.#district.connectors) {
      if (connector.session !== null) this.#sessions.end(connector, timeMs, 'EVDisconnected', 'Available');
    }
    for (const station of this.#district.stations) if (station.offlineUntilMs > timeMs) this.#online(station, timeMs);
    const agenda = this.#agenda;
    let lastMs = timeMs;
    while (agenda.next(Number.POSITIVE_INFINITY)) {
      if (agenda.kind !== happenings.message) continue;
      this.#teller.arrive(agenda.subject);
      lastMs = agenda.timeMs;
    }
    // Each station is heard of when all is over: who waits for what comes late has waited long enough; and once more: what follows of that is told.
    for (const hours of [2, 4]) for (const station of this.#district.stations) this.#teller.word(station, 'Heartbeat', lastMs + hours * HOUR_MS);
  }

  #begin(startMs: number): void {
    this.#begun = true;
    const { sites, stations, connectors } = this.#district;
    const agenda = this.#agenda;
    const { faults, reporting } = this.#profile;
    for (const [at, station] of stations.entries()) {
      if (station.toldMs === startMs) this.#tellStation(station, startMs);
      else if (station.isKnown) agenda.add(station.toldMs, happenings.told, at);
      if (!station.isKnown || station.toldMs > startMs) this.#happened(station.isKnown ? 'late-station' : 'unknown-station', startMs, station);
      agenda.add(startMs + this.#random.between(0, reporting.heartbeatEveryMinutes * MINUTE_MS), happenings.heartbeat, at);
      this.#yearly(faults['offline-replay'], startMs, happenings.offline, at);
      this.#yearly(faults['changed-station'], startMs, happenings.changed, at);
    }
    for (const [at, site] of sites.entries()) {
      this.#nextArrival(at, site, startMs);
      this.#yearly(faults['power-outage'], startMs, happenings.outage, at);
    }
    for (const connector of connectors) this.#yearly(faults['connector-fault'], startMs, happenings.fault, connector.number);
  }

  #happen(kind: number, subject: number, stamp: number, timeMs: number): void {
    const { sites, stations, connectors } = this.#district;
    switch (kind) {
      case happenings.sample:
      case happenings.start:
      case happenings.leave:
      case happenings.full:
        this.#ofSession(kind, connectors[subject] as ConnectorState, stamp, timeMs);
        return;
      case happenings.message:
        this.#teller.arrive(subject);
        return;
      case happenings.arrival:
        this.#arrive(subject, sites[subject] as SiteState, timeMs);
        return;
      case happenings.retry:
        this.#find(sites[subject] as SiteState, stamp, timeMs);
        return;
      case happenings.heartbeat:
        this.#heartbeat(subject, stations[subject] as StationState, timeMs);
        return;
      case happenings.offline:
        this.#offline(subject, stations[subject] as StationState, timeMs);
        return;
      case happenings.online:
        if ((stations[subject] as StationState).offlineUntilMs <= timeMs) this.#online(stations[subject] as StationState, timeMs);
        return;
      case happenings.told:
        this.#tellStation(stations[subject] as StationState, timeMs);
        return;
      case happenings.changed:
        this.#change(subject, stations[subject] as StationState, timeMs);
        return;
      case happenings.fault:
        this.#fault(connectors[subject] as ConnectorState, timeMs);
        return;
      case happenings.repair:
        this.#repair(connectors[subject] as ConnectorState, timeMs);
        return;
      case happenings.outage:
        this.#outage(subject, sites[subject] as SiteState, timeMs);
        return;
      default:
        this.#restore(sites[subject] as SiteState, timeMs);
    }
  }

  #ofSession(kind: number, connector: ConnectorState, stamp: number, timeMs: number): void {
    if (connector.session === null) return;
    if (kind === happenings.full) {
      if (stamp === connector.look && !connector.session.isFull) this.#sessions.full(connector, timeMs);
      return;
    }
    if (stamp !== connector.stamp) return;
    if (kind === happenings.sample) this.#sessions.sample(connector, timeMs);
    else if (kind === happenings.start) this.#sessions.start(connector, timeMs);
    else this.#leave(connector, timeMs);
  }

  #nextArrival(at: number, site: SiteState, afterMs: number): void {
    const nextMs = Math.ceil(site.arrivals.nextMs(afterMs, this.#random));
    if (Number.isFinite(nextMs)) this.#agenda.add(nextMs, happenings.arrival, at);
  }

  #arrive(at: number, site: SiteState, timeMs: number): void {
    this.#arrivals += 1;
    this.#nextArrival(at, site, timeMs);
    const vehicle = this.#fleet.arriving(timeMs, site.profile.current === 'DC', this.#celsius(timeMs), this.#random);
    if (vehicle < 0) this.#turnedAway += 1;
    else this.#find(site, vehicle, timeMs);
  }

  /** A vehicle looks for a free connector of the site, and waits for one where it may. */
  #find(site: SiteState, vehicle: number, timeMs: number): void {
    // Between two attempts it may have been seen elsewhere.
    if (!this.#fleet.isFree(vehicle)) return;
    const free = site.darkUntilMs > timeMs ? null : this.#free(site);
    if (free !== null) {
      this.#plugIn(free, vehicle, timeMs);
      return;
    }
    this.#loseTheImpatient(site, timeMs);
    const { max, patienceMinutes } = site.profile.queue;
    if (site.queue.length >= max || site.darkUntilMs > timeMs) {
      this.#turnedAway += 1;
      return;
    }
    this.#fleet.wait(vehicle);
    site.queue.push({ vehicle, givesUpMs: timeMs + this.#random.exponential(patienceMinutes * MINUTE_MS) });
  }

  /** Those whose patience is over by a time are no longer there; all, where the site has no power. */
  #loseTheImpatient({ queue }: SiteState, untilMs: number): void {
    for (let at = queue.length - 1; at >= 0; at -= 1) {
      const { vehicle, givesUpMs } = queue[at] as SiteState['queue'][number];
      if (givesUpMs >= untilMs) continue;
      queue.splice(at, 1);
      this.#fleet.giveUp(vehicle);
      this.#turnedAway += 1;
    }
  }

  /** One of the free connectors of a site, each as likely; null: all are taken. */
  #free({ connectors }: SiteState): ConnectorState | null {
    let count = 0;
    for (const one of connectors) if (one.session === null && one.status === 'Available') count += 1;
    if (count === 0) return null;
    let left = this.#random.below(count);
    for (const one of connectors) {
      if (one.session !== null || one.status !== 'Available') continue;
      if (left === 0) return one;
      left -= 1;
    }
    return null;
  }

  #plugIn(connector: ConnectorState, vehicle: number, timeMs: number): void {
    const attempts = this.#attempts.get(vehicle) ?? 0;
    const fails = attempts < ATTEMPTS - 1 && this.#faultRandom.chance(this.#profile.faults['failed-start']);
    if (fails) this.#attempts.set(vehicle, attempts + 1);
    else this.#attempts.delete(vehicle);
    this.#sessions.begin(connector, { vehicle, celsius: this.#celsius(timeMs), fails }, timeMs);
    if (fails) this.#happened('failed-start', timeMs, connector.station);
  }

  #leave(connector: ConnectorState, timeMs: number): void {
    const { site } = connector;
    const hasFailed = this.#attempts.has(connector.vehicle);
    const isFull = connector.session?.isFull === true;
    const reason = hasFailed ? 'EVConnectTimeout' : isFull && connector.session?.leavesWhenFull === true ? 'SOCLimitReached' : 'EVDisconnected';
    const vehicle = this.#sessions.end(connector, timeMs, reason, 'Available');
    if (hasFailed) this.#agenda.add(timeMs + 20_000 + this.#random.below(100_000), happenings.retry, this.#district.sites.indexOf(site), vehicle);
    this.#next(connector, timeMs);
  }

  /** The connector is free: whoever waits longest takes it. */
  #next(connector: ConnectorState, timeMs: number): void {
    const { site } = connector;
    this.#loseTheImpatient(site, timeMs);
    const first = site.queue[0];
    if (first === undefined || connector.status !== 'Available') return;
    site.queue.shift();
    this.#plugIn(connector, first.vehicle, timeMs + 1);
  }

  #heartbeat(at: number, station: StationState, timeMs: number): void {
    this.#agenda.add(timeMs + this.#profile.reporting.heartbeatEveryMinutes * MINUTE_MS, happenings.heartbeat, at);
    // A station without a connection keeps none of these for later.
    if (station.offlineUntilMs > timeMs) return;
    this.#teller.begin(station, 'Heartbeat', Math.round(timeMs));
    this.#teller.tell(station, null, null, 'heartbeat');
  }

  #offline(at: number, station: StationState, timeMs: number): void {
    this.#yearly(this.#profile.faults['offline-replay'], timeMs, happenings.offline, at);
    if (station.offlineUntilMs > timeMs) return;
    this.#happened('offline-replay', timeMs, station);
    this.#disconnect(at, station, timeMs, Math.round(timeMs + this.#faultRandom.between(1, 10) * HOUR_MS));
  }

  #disconnect(at: number, station: StationState, timeMs: number, untilMs: number): void {
    this.#teller.word(station, 'ConnectionLost', timeMs);
    station.offlineUntilMs = untilMs;
    for (const connector of station.connectors) connector.statusFaults = withFault(connector.statusFaults, 'offline-replay');
    this.#agenda.add(untilMs, happenings.online, at);
  }

  #online(station: StationState, timeMs: number): void {
    station.offlineUntilMs = timeMs;
    this.#teller.word(station, 'ConnectionRestored', timeMs);
    this.#teller.catchUp(station, timeMs);
    for (const connector of station.connectors) connector.statusFaults = withFault(connector.statusFaults, 'offline-replay');
  }

  /** Reference data as the network was built. */
  #tellStation(station: StationState, sentMs: number): void {
    this.#sink.station(stationRecord(this.#profile, station, this.#startMs), sentMs);
  }

  #change(at: number, station: StationState, timeMs: number): void {
    this.#yearly(this.#profile.faults['changed-station'], timeMs, happenings.changed, at);
    if (!station.isKnown || timeMs < station.toldMs) return;
    this.#happened('changed-station', timeMs, station);
    station.changes += 1;
    const { operator, tariffId } = station.site.profile;
    const other = this.#profile.sites.find((site) => site.tariffId !== tariffId)?.tariffId ?? null;
    // It is handed over to another operator, with other prices, and with the next change back.
    const changed = station.changes % 2 === 1 ? { operator: `${operator} II`, tariffId: other } : {};
    this.#sink.station({ ...stationRecord(this.#profile, station, Math.round(timeMs)), ...changed }, timeMs);
  }

  #fault(connector: ConnectorState, timeMs: number): void {
    this.#yearly(this.#profile.faults['connector-fault'], timeMs, happenings.fault, connector.number);
    if (connector.status === 'Faulted' || connector.status === 'Unavailable') return;
    this.#happened('connector-fault', timeMs, connector.station);
    const atMs = Math.round(timeMs);
    const code = this.#faultRandom.oneOf(faultCodes);
    if (connector.session === null) this.#sessions.status(connector, 'Faulted', atMs, null, code);
    else this.#sessions.end(connector, atMs, 'Other', 'Faulted', code);
    this.#agenda.add(atMs + Math.round(this.#faultRandom.exponential(8 * HOUR_MS)), happenings.repair, connector.number);
  }

  #repair(connector: ConnectorState, timeMs: number): void {
    if (connector.status !== 'Faulted') return;
    this.#sessions.status(connector, 'Available', timeMs, null);
    this.#next(connector, timeMs);
  }

  /** The site has no power: all sessions end, and its stations can tell it only afterwards. */
  #outage(at: number, site: SiteState, timeMs: number): void {
    this.#yearly(this.#profile.faults['power-outage'], timeMs, happenings.outage, at);
    const atMs = Math.round(timeMs);
    if (site.darkUntilMs > atMs) return;
    site.darkUntilMs = atMs + Math.round(this.#faultRandom.between(5, 240) * MINUTE_MS);
    this.#loseTheImpatient(site, Number.POSITIVE_INFINITY);
    for (const station of site.stations) {
      this.#happened('power-outage', atMs, station);
      if (station.offlineUntilMs < site.darkUntilMs) this.#disconnect(this.#district.stations.indexOf(station), station, atMs, site.darkUntilMs);
      for (const connector of station.connectors) if (connector.session !== null) this.#sessions.end(connector, atMs + 1, 'PowerLoss', 'Unavailable');
    }
    this.#agenda.add(site.darkUntilMs + 1, happenings.restored, at);
  }

  #restore(site: SiteState, timeMs: number): void {
    for (const connector of site.connectors) {
      if (connector.status !== 'Unavailable') continue;
      this.#sessions.status(connector, 'Available', timeMs, null);
      this.#next(connector, timeMs);
    }
  }

  /** The next of what happens so often a year. */
  #yearly(rate: number, afterMs: number, happening: number, subject: number): void {
    if (rate <= 0) return;
    const atMs = afterMs + this.#faultRandom.exponential(YEAR_MS / rate);
    if (atMs < this.#endMs) this.#agenda.add(atMs, happening, subject);
  }

  #happened(kind: FaultKind, atMs: number, station: StationState): void {
    this.#ledger.fault({ kind, atMs: Math.round(atMs), stationId: station.stationId, eventId: null, sessionId: null, receivedMs: null });
  }

  #celsius(timeMs: number): number {
    return temperatureC(this.#profile.climate, timeMs);
  }
}

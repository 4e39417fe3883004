import { faultsOf, withFault } from '../faults/fault-set.ts';
import { packedReading, SESSION_MS_MAX } from '../ledger/ledger.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { EventDraft } from '../messages/message-sink.ts';
import type { FaultKind, Profile } from '../profile.ts';
import type { Random } from '../random/random.ts';
import type { Agenda } from './agenda.ts';
import { batteryPart } from './climate.ts';
import type { Fleet } from './fleet.ts';
import { happenings } from './happenings.ts';
import type { ConnectorState, SessionState, SiteState } from './network.ts';
import { lookAhead, powerNowW, settle, share } from './power.ts';
import type { Teller } from './teller.ts';

const MINUTE_MS = 60_000;
/** Registers of eight digits in Wh begin again here. */
const ROLL_OVER_WH = 100_000_000;

const toMillionth = (value: number): number => Math.round(value * 1e6) / 1e6;

/** What can be said of a session before it begins. */
export interface SessionPlan {
  readonly vehicle: number;
  readonly celsius: number;
  /** Fails at once; the driver tries again. */
  readonly fails: boolean;
}

/** Sessions of a district: each begins, is sampled, gets full, ends. */
export class Sessions {
  readonly #profile: Profile;
  readonly #agenda: Agenda;
  readonly #fleet: Fleet;
  readonly #teller: Teller;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #everyMs: number;
  ended = 0;

  constructor(profile: Profile, agenda: Agenda, fleet: Fleet, teller: Teller, ledger: Ledger, random: Random) {
    this.#profile = profile;
    this.#agenda = agenda;
    this.#fleet = fleet;
    this.#teller = teller;
    this.#ledger = ledger;
    this.#random = random;
    this.#everyMs = profile.reporting.sampleEverySeconds * 1_000;
  }

  begin(connector: ConnectorState, plan: SessionPlan, timeMs: number): void {
    const { station, site } = connector;
    if (connector.session !== null || connector.status !== 'Available') throw new Error(`connector ${station.stationId}/${connector.evseId} is taken`);
    this.#fleet.connect(plan.vehicle);
    connector.vehicle = plan.vehicle;
    connector.stamp += 1;
    station.transactions += 1;
    this.status(connector, 'Occupied', timeMs, null);
    // Authorised some seconds after it was plugged in.
    const startMs = timeMs + 1_000 + this.#random.below(15_000);
    const session = this.#planned(connector, plan, startMs);
    connector.session = session;
    this.#agenda.add(startMs, happenings.start, connector.number, connector.stamp);
    if (!plan.fails && site.profile.sitePowerMaxW !== null) site.charging.push(connector);
    this.#agenda.add(session.leavesMs, happenings.leave, connector.number, connector.stamp);
  }

  /** The transaction begins: its first message, and energy flows. */
  start(connector: ConnectorState, timeMs: number): void {
    const session = connector.session as SessionState;
    const draft = this.#event(connector, session, 'TransactionStarted', timeMs);
    draft.partner = session.partner;
    draft.vehicleModel = this.#fleet.curvesOf(connector.vehicle).model.model;
    draft.chargingState = session.isFull ? 'EVConnected' : 'Charging';
    draft.triggerReason = 'Authorized';
    this.#teller.tell(connector.station, connector, session, 'transaction', session.losesStart ? 'lost-start' : null);
    if (session.isFull) return;
    session.nextSampleMs = this.#nextSampleMs(timeMs);
    this.#agenda.add(session.nextSampleMs, happenings.sample, connector.number, connector.stamp);
    this.#reshare(connector.site, timeMs, connector);
  }

  sample(connector: ConnectorState, timeMs: number): void {
    const session = connector.session as SessionState;
    settle(connector, session, timeMs);
    const powerW = powerNowW(session);
    if (powerW === 0 && !session.isFull && session.curve.powerW(session.soc, session.limitW) === 0) this.full(connector, timeMs);
    const draft = this.#event(connector, session, 'TransactionUpdated', timeMs);
    draft.powerW = Math.round(powerW);
    if (connector.site.profile.current === 'DC') draft.soc = Math.round(session.soc);
    draft.chargingState = session.isFull ? 'SuspendedEV' : powerW === 0 ? 'SuspendedEVSE' : 'Charging';
    draft.triggerReason = this.#profile.reporting.clockAligned ? 'MeterValueClock' : 'MeterValuePeriodic';
    this.#teller.tell(connector.station, connector, session, 'sample');
    session.nextSampleMs = this.#nextSampleMs(timeMs);
    this.#agenda.add(session.nextSampleMs, happenings.sample, connector.number, connector.stamp);
    this.#ahead(connector, session);
  }

  /** It has all that it wants. */
  full(connector: ConnectorState, timeMs: number): void {
    const session = connector.session as SessionState;
    settle(connector, session, timeMs);
    session.isFull = true;
    const draft = this.#event(connector, session, 'TransactionUpdated', timeMs);
    draft.powerW = 0;
    draft.chargingState = 'SuspendedEV';
    draft.triggerReason = 'ChargingStateChanged';
    this.#teller.tell(connector.station, connector, session, 'sample');
    this.#release(connector, timeMs);
    if (session.leavesWhenFull) {
      const leavesMs = timeMs + Math.round(this.#random.between(0.5, 6) * MINUTE_MS);
      if (leavesMs < session.leavesMs) this.#agenda.add(leavesMs, happenings.leave, connector.number, connector.stamp);
    }
  }

  /** Ends the session, with `status` at the connector afterwards. Gives the vehicle. */
  end(connector: ConnectorState, timeMs: number, stopReason: string, status: 'Available' | 'Unavailable' | 'Faulted', errorCode: string | null = null): number {
    const session = connector.session as SessionState;
    const { vehicle } = connector;
    const hasStarted = timeMs >= session.startMs;
    if (hasStarted) {
      settle(connector, session, timeMs);
      const draft = this.#event(connector, session, 'TransactionEnded', timeMs);
      draft.stopReason = stopReason;
      draft.chargingState = 'Idle';
      draft.triggerReason = stopReason === 'EVDisconnected' ? 'EVDeparted' : 'AbnormalCondition';
      this.#teller.tell(connector.station, connector, session, 'transaction', session.losesStop ? 'lost-stop' : null);
    }
    connector.session = null;
    connector.vehicle = -1;
    connector.stamp += 1;
    // Nor does the next session at this connector become full by what was foreseen of this one.
    connector.look += 1;
    this.#release(connector, timeMs);
    this.#fleet.leave(vehicle, session.soc, timeMs);
    this.status(connector, status, timeMs, session, errorCode);
    if (hasStarted) {
      this.#write(connector, session, vehicle, timeMs, stopReason);
      this.ended += 1;
    }
    return vehicle;
  }

  /** A connector's new status, told and written down. */
  status(connector: ConnectorState, status: string, timeMs: number, session: SessionState | null, errorCode: string | null = null): void {
    const { station, evseId, connectorId, statusFaults, statusSinceMs: fromMs, status: before } = connector;
    connector.status = status;
    connector.statusSinceMs = timeMs;
    connector.statusFaults = 0;
    const draft = this.#teller.begin(station, 'StatusChanged', timeMs);
    draft.evseId = evseId;
    draft.connectorId = connectorId;
    draft.status = status;
    draft.errorCode = errorCode;
    const fault = this.#teller.tell(station, connector, null, 'status');
    if (session !== null && fault === 'lost-status') session.faults = withFault(session.faults, 'lost-status');
    if (timeMs === fromMs) return;
    const faults = faultsOf(statusFaults | connector.statusFaults);
    this.#ledger.status({ stationId: station.stationId, evseId, connectorId, status: before, fromMs, toMs: timeMs, faults });
  }

  #planned(connector: ConnectorState, { vehicle, celsius, fails }: SessionPlan, startMs: number): SessionState {
    const { profile } = connector.site;
    const random = this.#random;
    const { faults } = this.#profile;
    const { alternating, direct } = this.#fleet.curvesOf(vehicle);
    const isDirect = profile.current === 'DC' && direct !== null;
    const visit = profile.stay.visits === undefined ? null : random.oneOf(profile.stay.visits);
    const minutes = visit?.[0] ?? Math.max(2, random.logNormal(profile.stay.medianMinutes, profile.stay.spread));
    const stayMs = fails ? 15_000 + random.below(45_000) : Math.min(SESSION_MS_MAX, minutes * MINUTE_MS);
    const curve = isDirect ? direct : alternating;
    const arrivalSoc = this.#fleet.socNow(vehicle, startMs, celsius);
    const wantsSoc = visit === null ? null : (visit[1] * curve.efficiency * 100) / curve.batteryWh;
    // Who is known to have charged so much came as empty as that takes.
    const soc = wantsSoc === null ? arrivalSoc : Math.max(0, Math.min(arrivalSoc, 100 - wantsSoc));
    const lot = random.part();
    const losesStart = lot < faults['lost-start'];
    const losesStop = !losesStart && lot < faults['lost-start'] + faults['lost-stop'];
    const odd = losesStart || losesStop || fails ? 1 : random.part();
    const resets = odd < faults['meter-reset'];
    const rollsOver = !resets && odd < faults['meter-reset'] + faults['meter-roll-over'];
    const startWh = Math.floor(connector.registerWh);
    const partner = this.#fleet.partnerOf(vehicle);
    const scope = this.#profile.reporting.registers;
    return {
      transactionId: `${connector.evseId}-${connector.station.transactions}`,
      idToken: `token-${vehicle.toString(36)}`, partner: partner === 0 ? null : `partner-${partner}`,
      curve, startMs, startWh,
      leavesMs: Math.round(startMs + stayMs), leavesWhenFull: random.chance(profile.stay.leavesWhenFullPart),
      targetSoc: wantsSoc !== null ? Math.min(100, soc + wantsSoc) : isDirect ? Math.min(100, Math.max(60, 82 + 9 * random.normal())) : 100,
      limitW: profile.powerMaxW * (isDirect ? batteryPart(celsius) : 1), seqNo: 0,
      fromSoc: soc, soc, atMs: startMs, capW: profile.powerMaxW * (isDirect ? batteryPart(celsius) : 1),
      nextSampleMs: startMs, aheadMs: -1, aheadSoc: 0, aheadWh: 0, isFull: fails, readings: [], faults: fails ? withFault(0, 'failed-start') : 0, touched: [],
      messages: 0, received: 0, losesStart, losesStop,
      // The register passes its highest value some kWh into the session.
      registerShiftWh: rollsOver ? ROLL_OVER_WH - 1 - random.below(6_000) - startWh : scope === 'session' ? -startWh : 0,
      resetsMs: resets ? startMs + Math.round(stayMs * random.between(0.2, 0.8)) : Number.POSITIVE_INFINITY,
    };
  }

  #nextSampleMs(timeMs: number): number {
    const everyMs = this.#everyMs;
    return this.#profile.reporting.clockAligned ? timeMs - (timeMs % everyMs) + everyMs : timeMs + everyMs;
  }

  /** Begins a message of a transaction: what all of these have. */
  #event(connector: ConnectorState, session: SessionState, type: 'TransactionStarted' | 'TransactionUpdated' | 'TransactionEnded', timeMs: number): EventDraft {
    const { station, evseId, connectorId } = connector;
    const draft = this.#teller.begin(station, type, timeMs);
    draft.evseId = evseId;
    draft.connectorId = connectorId;
    draft.transactionId = session.transactionId;
    draft.seqNo = session.seqNo;
    session.seqNo += 1;
    const registerWh = Math.floor(connector.registerWh);
    session.readings.push(packedReading(timeMs - session.startMs, registerWh - session.startWh));
    draft.meterWh = this.#shown(connector, session, registerWh, timeMs);
    draft.idToken = session.idToken;
    return draft;
  }

  /** What the register shows: it may have begun again at 0 since the reading before, or have passed its highest value. */
  #shown(connector: ConnectorState, session: SessionState, registerWh: number, timeMs: number): number {
    if (timeMs >= session.resetsMs) {
      session.resetsMs = Number.POSITIVE_INFINITY;
      session.registerShiftWh = -registerWh;
      this.#happened(connector, session, 'meter-reset', timeMs);
    }
    if (registerWh + session.registerShiftWh >= ROLL_OVER_WH) {
      session.registerShiftWh -= ROLL_OVER_WH;
      this.#happened(connector, session, 'meter-roll-over', timeMs);
    }
    return registerWh + session.registerShiftWh;
  }

  /** A fault of the session itself. */
  #happened(connector: ConnectorState, session: SessionState, kind: FaultKind, atMs: number): void {
    const { stationId } = connector.station;
    session.faults = withFault(session.faults, kind);
    session.touched.push([session.seqNo - 1, kind]);
    this.#ledger.fault({ kind, atMs, stationId, eventId: null, receivedMs: null, sessionId: `${stationId}/${session.transactionId}` });
  }

  #write(connector: ConnectorState, session: SessionState, vehicle: number, stopMs: number, stopReason: string): void {
    const { station, site, evseId, connectorId } = connector;
    this.#ledger.session({
      sessionId: `${station.stationId}/${session.transactionId}`, transactionId: session.transactionId, stationId: station.stationId, siteId: site.siteId,
      evseId, connectorId, idToken: session.idToken, vehicle, model: this.#fleet.curvesOf(vehicle).model.model, fromSoc: toMillionth(session.fromSoc),
      toSoc: toMillionth(session.soc), startMs: session.startMs, stopMs,
      energyWh: Math.floor(connector.registerWh) - session.startWh, stopReason, readings: session.readings, faults: faultsOf(session.faults), touched: session.touched,
      messages: session.messages, received: session.received,
    });
  }

  /** Settles and shares the power of a site anew, and looks ahead for all that charge there; without a limit only for one. */
  #reshare(site: SiteState, timeMs: number, one: ConnectorState | null): void {
    if (site.profile.sitePowerMaxW === null) {
      if (one !== null) this.#ahead(one, one.session as SessionState);
      return;
    }
    for (const connector of site.charging) settle(connector, connector.session as SessionState, timeMs);
    share(site);
    for (const connector of site.charging) {
      const session = connector.session as SessionState;
      if (session.startMs <= timeMs) this.#ahead(connector, session);
    }
  }

  /** It draws no more power: what it had goes to the others. */
  #release(connector: ConnectorState, timeMs: number): void {
    const { charging } = connector.site;
    const at = charging.indexOf(connector);
    if (at < 0) return;
    charging.splice(at, 1);
    this.#reshare(connector.site, timeMs, null);
  }

  #ahead(connector: ConnectorState, session: SessionState): void {
    const fullMs = lookAhead(connector, session);
    if (fullMs !== null) this.#agenda.add(fullMs, happenings.full, connector.number, connector.look);
  }
}

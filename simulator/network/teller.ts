import { MessageFaults } from '../faults/message-faults.ts';
import type { MessageClass } from '../faults/message-faults.ts';
import { malformedBytes } from '../faults/malformed.ts';
import { withFault } from '../faults/fault-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { emptyDraft, eventIdOf } from '../messages/message-sink.ts';
import type { EventDraft, MessageSink } from '../messages/message-sink.ts';
import type { FaultKind, Profile } from '../profile.ts';
import { Random } from '../random/random.ts';
import type { ConnectorState, SessionState, StationState } from './network.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Between two messages of a station that tells what it has kept. */
const CATCH_UP_MS = 20;

/** A message that arrives later than those behind it. */
interface Delayed {
  readonly event: EventDraft;
  readonly receivedMs: number;
}

/**
 * From what happens to what is told: fills in events, and does to them what the profile's faults say. What happens to a message is written
 * into the ledger, and into its session.
 */
export class Teller {
  readonly #sink: MessageSink;
  readonly #ledger: Ledger;
  readonly #faults: MessageFaults;
  readonly #random: Random;
  readonly #delay: Profile['reporting']['delayMilliseconds'];
  readonly #hold: (receivedMs: number, delayed: number) => void;
  /** Messages on their way, by number; those that have arrived leave a gap that is used again. */
  readonly #delayed: (Delayed | null)[] = [];
  readonly #gaps: number[] = [];
  readonly #kept = new Map<StationState, EventDraft[]>();
  readonly draft = emptyDraft();
  sent = 0;

  /** `hold` must call `arrive` with the number when its time has come. */
  constructor(profile: Profile, seed: string, sink: MessageSink, ledger: Ledger, hold: (receivedMs: number, delayed: number) => void) {
    this.#sink = sink;
    this.#ledger = ledger;
    this.#random = new Random(`${seed}/telling`);
    this.#faults = new MessageFaults(profile.faults, new Random(`${seed}/message-faults`));
    this.#delay = profile.reporting.delayMilliseconds;
    this.#hold = hold;
  }

  /** An empty event of a station, to be filled in and told. */
  begin(station: StationState, type: EventDraft['type'], timeMs: number): EventDraft {
    const { draft } = this;
    station.events += 1;
    draft.eventNumber = station.events;
    draft.eventSuffix = '';
    draft.type = type;
    draft.stationId = station.stationId;
    draft.evseId = 1;
    draft.connectorId = 1;
    draft.timestampMs = timeMs;
    draft.offline = false;
    draft.transactionId = draft.idToken = draft.partner = draft.vehicleModel = null;
    draft.seqNo = draft.meterWh = draft.powerW = draft.soc = null;
    draft.chargingState = draft.status = draft.errorCode = draft.triggerReason = draft.stopReason = null;
    return draft;
  }

  /**
   * Tells the draft, or loses it, and gives what has happened to it. `must` is that by its session's lot; else what the station keeps for later is
   * spared by all else, so that one fault at most happens to a message.
   */
  tell(station: StationState, connector: ConnectorState | null, session: SessionState | null, what: MessageClass, must: FaultKind | null = null): FaultKind | null {
    const { draft } = this;
    const isKept = station.offlineUntilMs > draft.timestampMs;
    const fault = must ?? (isKept ? 'offline-replay' : this.#faults.throwFor(what));
    if (fault !== null) this.#touch(fault, connector, session);
    if (session !== null) session.messages += 1;
    if (fault === 'lost-start' || fault === 'lost-stop' || fault === 'lost-sample' || fault === 'lost-status') {
      this.#happened(fault, session, null);
      return fault;
    }
    if (session !== null) session.received += 1;
    if (isKept) {
      this.#keep(station, session);
      return fault;
    }
    const receivedMs = Math.round(draft.timestampMs + this.#random.logNormal(this.#delay.median, this.#delay.spread));
    draft.receivedMs = receivedMs;
    if (fault === null) this.#send(draft, receivedMs);
    else this.#happened(fault, session, this.#damaged(fault, receivedMs));
    return fault;
  }

  /** What was held back arrives. */
  arrive(number: number): void {
    const { event, receivedMs } = this.#delayed[number] as Delayed;
    this.#delayed[number] = null;
    this.#gaps.push(number);
    this.#send(event, receivedMs);
  }

  /** A station is connected again: it tells all that it has kept, in order. Gives when it is done. */
  catchUp(station: StationState, timeMs: number): number {
    const kept = this.#kept.get(station) ?? [];
    this.#kept.delete(station);
    let receivedMs = timeMs;
    for (const event of kept) {
      receivedMs += CATCH_UP_MS;
      event.receivedMs = receivedMs;
      this.#holdBack(event, receivedMs);
    }
    return receivedMs;
  }

  /** A word on a station to which nothing happens: the back end's own on its connection, or its last. */
  word(station: StationState, type: 'ConnectionLost' | 'ConnectionRestored' | 'Heartbeat', timeMs: number): void {
    const draft = this.begin(station, type, timeMs);
    draft.receivedMs = timeMs;
    this.#send(draft, timeMs);
  }

  #touch(fault: FaultKind, connector: ConnectorState | null, session: SessionState | null): void {
    if (session !== null) {
      session.faults = withFault(session.faults, fault);
      session.touched.push([session.messages, fault]);
    } else if (connector !== null) {
      connector.statusFaults = withFault(connector.statusFaults, fault);
    }
  }

  #happened(kind: FaultKind, session: SessionState | null, receivedMs: number | null): void {
    const { draft } = this;
    this.#ledger.fault({
      kind, atMs: draft.timestampMs, stationId: draft.stationId, eventId: eventIdOf(draft),
      sessionId: session === null ? null : `${draft.stationId}/${session.transactionId}`, receivedMs,
    });
  }

  #keep(station: StationState, session: SessionState | null): void {
    const kept = this.#kept.get(station) ?? [];
    this.#kept.set(station, kept);
    kept.push({ ...this.draft, offline: true });
    this.#happened('offline-replay', session, null);
  }

  /** Sends what the fault makes of the draft; gives when the last of it is received. */
  #damaged(fault: FaultKind, receivedMs: number): number {
    const { draft } = this;
    const random = this.#random;
    switch (fault) {
      case 'duplicate':
        this.#send(draft, receivedMs);
        return this.#again({ ...draft }, receivedMs + random.exponential(2 * MINUTE_MS));
      case 'resent-number':
        this.#send(draft, receivedMs);
        return this.#again({ ...draft, eventSuffix: '/again' }, receivedMs + random.exponential(20 * MINUTE_MS));
      case 'out-of-order':
        return this.#again({ ...draft }, receivedMs + random.between(MINUTE_MS, 8 * MINUTE_MS));
      case 'clock-1970':
        this.#send({ ...draft, timestampMs: random.below(DAY_MS) }, receivedMs);
        return receivedMs;
      case 'clock-ahead':
        this.#send({ ...draft, timestampMs: draft.timestampMs + Math.round(random.between(DAY_MS, 400 * DAY_MS)) }, receivedMs);
        return receivedMs;
      case 'meter-missing':
        draft.meterWh = null;
        break;
      case 'malformed':
        this.#sink.malformed(draft.stationId, malformedBytes(draft, random), receivedMs);
        this.sent += 1;
        break;
      default:
        break;
    }
    this.#send(draft, receivedMs);
    return receivedMs;
  }

  #again(event: EventDraft, atMs: number): number {
    const receivedMs = Math.round(atMs);
    event.receivedMs = receivedMs;
    this.#holdBack(event, receivedMs);
    return receivedMs;
  }

  #holdBack(event: EventDraft, receivedMs: number): void {
    const number = this.#gaps.pop() ?? this.#delayed.length;
    this.#delayed[number] = { event, receivedMs };
    this.#hold(receivedMs, number);
  }

  #send(event: EventDraft, receivedMs: number): void {
    this.sent += 1;
    this.#sink.event(event, receivedMs);
  }
}

import { groupedStore, statefulStep } from '../engine.ts';
import type { Emit, GroupedStore, Operator, StatefulContext, StreamRecord } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import type { ConnectorInterval } from './connector-interval.ts';
import type { ConnectorNow } from './connector-now.ts';
import { endedKind, lostKind, nowhere, pointOf, restoredKind, samePlace, startedKind, stationStatusKind, statusKind, transactionOf, updatedKind } from './connector-point.ts';
import type { ConnectorPlace, ConnectorPoint } from './connector-point.ts';
import type { ConnectorReading, StatusSpan } from './connector-reading.ts';
import { ConnectorTimeline } from './connector-timeline.ts';
import type { TimelineLimits } from './connector-timeline.ts';
import { connectorTimeline } from './timeline-codec.ts';

export interface ConnectorStatusOptions {
  /** How far behind the newest that was told of a connector something may come and still be put in its place. Default 24 hours. */
  readonly rememberMs?: number;
  /** The same as a number of statuses, starts, ends and changes of the connection, for connectors that flicker. Default 128. */
  readonly pointsMax?: number;
}

function storesOf(name: string) {
  /** By station and connector; the station as a whole under the empty name. */
  return { timelines: groupedStore({ name, value: connectorTimeline }) };
}

type Context = StatefulContext<ReturnType<typeof storesOf>>;

const stationMember = '';

/**
 * Makes intervals of one status for each connector out of what a station's events tell: statuses, transactions, and the
 * connection of the station. Gives intervals when they have ended, and again when that was not all, as absolute rows (see
 * `ConnectorInterval`); and on the output `now`, once a commit, where connectors stand that stood otherwise at the commit before
 * (`ConnectorNow`), which is their last interval. A row is given only when it says something new.
 *
 * - A status holds until something else is told. Names of OCPP 1.6 and OCPI are understood; unknown ones give `Unknown`.
 * - A transaction's start says Occupied. So does an update, where neither its start nor an earlier update is known.
 * - A transaction's end says Available, unless a status had said of this stay that the connector is occupied: OCPP sends another
 *   one when the cable is taken out. With the stop reason EVDisconnected it has been taken out.
 * - ConnectionLost makes all connectors of the station `Unknown` and not online; what is told afterwards of that time is put in, still not
 *   online. ConnectionRestored brings back what was told last; so does, for its connector, a live message a minute or more after the loss.
 * - A status of EVSE or connector 0 is one of the whole station: Faulted and Unavailable hold for all connectors until it tells another.
 *
 * The order of arrival makes no difference within `rememberMs` and `pointsMax` of a connector; what is older goes to the output
 * `late`. Events that tell nothing of a connector's status (heartbeats, nearly all updates) cost one look-up at most. A
 * StatusChanged without a status is handed to the step's error policy.
 */
export function connectorStatus(name: string, options: ConnectorStatusOptions = {}): Operator<string, SessionEvent, string, ConnectorInterval> {
  const limits = { rememberMs: options.rememberMs ?? 86_400_000, pointsMax: options.pointsMax ?? 128 };
  return statefulStep({
    kind: 'connectorStatus',
    name,
    stores: storesOf(name),
    ports: ['now', 'late'],
    detail: `remembers ${limits.rememberMs} ms, ${limits.pointsMax} points of a connector, time by connector`,
    start: (context, emit: Emit<StreamRecord<string, ConnectorInterval>>) => {
      const reader = new StatusReader(context, limits, emit);
      context.onCommit(() => reader.giveNow());
      return (record: StreamRecord<string, SessionEvent>) => reader.process(record);
    },
  });
}

/** A connector that may stand otherwise than at the last commit. */
interface Touched {
  readonly key: string;
  readonly stationId: string;
  readonly member: string;
  /** How it stood at the last commit. */
  readonly before: Readonly<ConnectorReading>;
  /** Of the last event that told of it. */
  timestampMs: number;
}

/** A record's way through the state; it remembers nothing itself, but for the names of connectors, and which ones this commit has to tell of. */
class StatusReader {
  readonly #context: Context;
  readonly #limits: TimelineLimits;
  readonly #timelines: GroupedStore<ConnectorTimeline>;
  readonly #emit: Emit<StreamRecord<string, ConnectorInterval>>;
  readonly #names: string[][] = [];
  readonly #touched = new Map<string, Map<string, Touched>>();
  #stationOfPlace: SessionEvent['station'] = null;
  #place: ConnectorPlace = nowhere;

  constructor(context: Context, limits: TimelineLimits, emit: Emit<StreamRecord<string, ConnectorInterval>>) {
    this.#context = context;
    this.#limits = limits;
    this.#timelines = context.stores.timelines;
    this.#emit = emit;
  }

  process(record: StreamRecord<string, SessionEvent>): void {
    const { value: event } = record;
    switch (event.type) {
      case 'TransactionUpdated':
        return this.#update(record);
      case 'TransactionStarted':
        return this.#tellConnector(record, startedKind);
      case 'TransactionEnded':
        return this.#tellConnector(record, endedKind);
      case 'StatusChanged':
        if (event.status === null || event.status === '') throw new Error(`${event.type} ${event.eventId} has no status`);
        return isStation(event) ? this.#tellStation(record, stationStatusKind) : this.#tellConnector(record, statusKind);
      case 'ConnectionLost':
        return this.#tellStation(record, lostKind);
      case 'ConnectionRestored':
        return this.#tellStation(record, restoredKind);
      case 'Heartbeat':
        return;
    }
  }

  /** Nearly always the transaction is known to be under way, and that is all. */
  #update(record: StreamRecord<string, SessionEvent>): void {
    const { value: event, timestampMs } = record;
    if (isStation(event)) return;
    const timeline = this.#timelines.get(event.stationId, this.#nameOf(event));
    if (timeline?.isUnderWay(transactionOf(event), timestampMs, event.edition) === true) return;
    // What came before the horizon says nothing about the time after it; it is not late, since an update is seldom needed.
    if (timeline === undefined || timestampMs > timeline.baseMs) this.#tellConnector(record, updatedKind);
  }

  #tellConnector(record: StreamRecord<string, SessionEvent>, kind: number): void {
    const { value: event, timestampMs } = record;
    if (isStation(event)) return;
    const member = this.#nameOf(event);
    const timeline = this.#timelines.get(event.stationId, member)
      ?? this.#timelines.get(event.stationId, stationMember)?.seed() ?? new ConnectorTimeline();
    const outcome = this.#take(record, member, timeline, pointOf(event, kind, timestampMs, this.#placeOf(event)), event.evseId, event.connectorId);
    if (outcome === 'late') this.#setAside(record);
  }

  #tellStation(record: StreamRecord<string, SessionEvent>, kind: number): void {
    const { value: event, timestampMs } = record;
    const { stationId } = event;
    const point = pointOf(event, kind, timestampMs, this.#placeOf(event));
    const station = this.#timelines.get(stationId, stationMember) ?? new ConnectorTimeline();
    const outcome = station.take(point, this.#limits);
    if (outcome === 'late') return this.#setAside(record);
    if (outcome === 'known') return;
    this.#timelines.put(stationId, stationMember, station);
    for (const [member, timeline] of this.#timelines.members(stationId)) {
      if (member === stationMember) continue;
      this.#take(record, member, timeline, point, ...numbersOf(member));
    }
  }

  #take(
    record: StreamRecord<string, SessionEvent>, member: string, timeline: ConnectorTimeline, point: ConnectorPoint, evseId: number, connectorId: number,
  ): 'late' | 'known' | 'taken' {
    const { timestampMs, key, value: { stationId } } = record;
    this.#touch(record, member, timeline);
    const outcome = timeline.take(point, this.#limits);
    if (outcome === 'late' || outcome === 'known') return outcome;
    this.#timelines.put(stationId, member, timeline);
    for (const span of outcome) this.#emit({ key, value: intervalOf(stationId, evseId, connectorId, span), timestampMs });
    return 'taken';
  }

  #touch({ key, value: { stationId }, timestampMs }: StreamRecord<string, SessionEvent>, member: string, timeline: ConnectorTimeline): void {
    let ofStation = this.#touched.get(stationId);
    if (ofStation === undefined) this.#touched.set(stationId, ofStation = new Map());
    const touched = ofStation.get(member);
    if (touched === undefined) ofStation.set(member, { key, stationId, member, before: timeline.tip.copy(), timestampMs });
    else touched.timestampMs = timestampMs;
  }

  /** Gives where connectors stand that stood otherwise at the last commit. */
  giveNow(): void {
    for (const ofStation of this.#touched.values()) {
      for (const { key, stationId, member, before, timestampMs } of ofStation.values()) {
        const tip = this.#timelines.get(stationId, member)?.tip;
        if (tip === undefined || tip.status === null || standsLike(tip, before)) continue;
        const [evseId, connectorId] = numbersOf(member);
        this.#context.output('now', { key, value: nowOf(stationId, evseId, connectorId, tip, tip.status), timestampMs });
      }
    }
    this.#touched.clear();
  }

  #setAside(record: StreamRecord<string, SessionEvent>): void {
    this.#context.dropped('late');
    this.#context.output('late', record);
  }

  /** The same text for the same connector numbers, without making it each time. */
  #nameOf({ evseId, connectorId }: SessionEvent): string {
    if (evseId > 64 || connectorId > 64) return `${evseId}.${connectorId}`;
    return ((this.#names[evseId] ??= [])[connectorId] ??= `${evseId}.${connectorId}`);
  }

  /** One object for one version of a station, as long as its events come together. */
  #placeOf({ station }: SessionEvent): ConnectorPlace {
    if (station === null) return nowhere;
    if (station !== this.#stationOfPlace) {
      this.#stationOfPlace = station;
      this.#place = { siteId: station.siteId, city: station.city, operator: station.operator };
    }
    return this.#place;
  }
}

/** Number 0 stands for the whole in OCPP: nothing of a connector can be told by it. */
function isStation({ evseId, connectorId }: SessionEvent): boolean {
  return evseId < 1 || connectorId < 1;
}

/** The numbers in a connector's name. */
function numbersOf(member: string): readonly [evseId: number, connectorId: number] {
  const dot = member.indexOf('.');
  return [Number(member.slice(0, dot)), Number(member.slice(dot + 1))];
}

/** Whether the same is to be said of them. */
function standsLike(a: Readonly<ConnectorReading>, b: Readonly<ConnectorReading>): boolean {
  return a.fromMs === b.fromMs && a.status === b.status && a.online === b.online && a.errorCode === b.errorCode && a.source === b.source
    && a.open === b.open && a.transactionId === b.transactionId && a.firstMs === b.firstMs && samePlace(a.place, b.place);
}

function intervalOf(stationId: string, evseId: number, connectorId: number, span: StatusSpan): ConnectorInterval {
  return {
    stationId, evseId, connectorId, fromMs: span.fromMs, toMs: span.toMs, status: span.status, online: span.online, errorCode: span.errorCode,
    source: span.source, transactionId: span.transactionId === '' ? null : span.transactionId,
    siteId: span.place.siteId, city: span.place.city, operator: span.place.operator,
  };
}

function nowOf(stationId: string, evseId: number, connectorId: number, tip: Readonly<ConnectorReading>, status: ConnectorNow['status']): ConnectorNow {
  return {
    stationId, evseId, connectorId, firstMs: tip.firstMs, sinceMs: tip.fromMs, status, online: tip.online, errorCode: tip.errorCode, source: tip.source,
    transactionId: tip.open === '' ? null : tip.open, stayTransactionId: tip.transactionId === '' ? null : tip.transactionId, siteId: tip.place.siteId, city: tip.place.city, operator: tip.place.operator,
  };
}

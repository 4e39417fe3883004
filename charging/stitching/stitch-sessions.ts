import type { Station } from '../../schemas/generated/station.ts';
import { statefulStep } from '../engine.ts';
import type { Emit, GroupedStore, Operator, StatefulContext, StreamRecord, StreamReference } from '../engine.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import { withAvailable } from './connector-state.ts';
import type { ConnectorState } from './connector-state.ts';
import { StationTimers } from './station-timers.ts';
import { appendPoint } from './read-registers.ts';
import { connectorOf, forgetId, SessionBook } from './session-book.ts';
import { LiveRows } from './live-rows.ts';
import { LoadOutput } from './session-load.ts';
import { append, isRepeated, isStart, isStop, mark, pointOf, startEdition, startOf, takeIn, unread } from './session-state.ts';
import type { SessionState } from './session-state.ts';
import { limitsOf, readingOf } from './session-reading.ts';
import { rowOf } from './session-row-of.ts';
import type { SessionRow } from './session-row.ts';
import { factsOf, tellsMore } from './station-facts.ts';
import { limitsFrom, stitchStores } from './stitch-stores.ts';
import type { StitchLimits, StitchSessionsOptions, StitchStores } from './stitch-stores.ts';
import { WithoutId } from './without-id.ts';

export type { StitchSessionsOptions } from './stitch-stores.ts';

/** How long a connector's having been available is remembered for sessions that are told of later. */
const availableKeptMs = 86_400_000;

/**
 * Stitches a station's events into charging sessions, one row a session, keyed by station: by transaction id, else by connector and
 * inactivity. The rules, with their flags and tests, are in docs/decisions/0024-rules-of-stitching.md.
 *
 * Time is each station's own progress: the highest event time that the step has seen of it. A session's first final row (revision
 * 0) comes `settleMs` after its stop; or, when none is told, after its connector became available, or after the next start there; or
 * after nothing was heard of it for `inactiveMs`. Evidence that comes later replaces the row as a whole with revision + 1; a row that
 * would say the same is not sent again. `finishedForMs` after its end (rounded up by a 14th) a session's state is dropped; without a stop,
 * `inactiveMs` later still, because the stop of a session that was taken for over may come yet. Any order of arrival within `settleMs` gives the same rows.
 *
 * Output `live`: sessions as they stand while they run (`closedBy` None), `liveEveryMs` apart at least, when the event says that it was received
 * (history was not); of rows that follow each other within a commit the last one. Output `load`: what each event changes in what is known of the station's load; at least one change an event. Output `late`:
 * transaction events whose session is not known (any more) and that are older than `finishedForMs` behind their station, or of an edition above 0.
 *
 * When the sources are idle, what is due by then is closed.
 *
 * `stationChanges` are the changes of the table of stations: a session whose station becomes known, or known better, gets its place.
 */
export function stitchSessions(
  name: string, stationChanges: StreamReference<string, Station | null> | null, options: StitchSessionsOptions = {},
): Operator<string, SessionEvent, string, SessionRow> {
  const limits = limitsFrom(options);
  return statefulStep({
    kind: 'stitchSessions',
    name,
    stores: stitchStores(name, limits),
    others: stationChanges === null ? [] : [stationChanges],
    ports: ['live', 'load', 'late'],
    advancesTime: false,
    detail: `settle ${limits.settleMs} ms, inactive ${limits.inactiveMs} ms (without id ${limits.withoutIdInactiveMs} ms), finished sessions kept ${limits.finishedForMs} ms, time by station`,
    start: (context, emit: Emit<StreamRecord<string, SessionRow>>) => {
      const stitcher = new SessionStitcher(context, limits, emit);
      context.onIdle((timeMs) => stitcher.idle(timeMs));
      context.onCommit(() => stitcher.committing());
      return (record: StreamRecord<string, SessionEvent>) => stitcher.process(record);
    },
  });
}

/** A record's way through the state; from commit to commit it remembers live rows that are held back. */
class SessionStitcher {
  readonly #context: StatefulContext<StitchStores>;
  readonly #limits: StitchLimits;
  readonly #sessions: GroupedStore<SessionState>;
  readonly #connectors: GroupedStore<ConnectorState>;
  readonly #timers: StationTimers;
  readonly #load: LoadOutput;
  readonly #book: SessionBook;
  readonly #withoutId: WithoutId;
  readonly #liveRows: LiveRows;

  constructor(context: StatefulContext<StitchStores>, limits: StitchLimits, emit: Emit<StreamRecord<string, SessionRow>>) {
    this.#context = context;
    this.#limits = limits;
    this.#sessions = context.stores.sessions;
    this.#connectors = context.stores.connectors;
    this.#timers = new StationTimers(context.stores.stations, (stationId, id, timeMs) => this.#wake(stationId, id, timeMs));
    this.#load = new LoadOutput((record: StreamRecord<string, LoadChange>) => context.output('load', record));
    this.#book = new SessionBook(context, limits, this.#timers, this.#load, emit);
    this.#liveRows = new LiveRows((state, timestampMs) => context.output('live', { key: state.stationId, value: rowOf(state), timestampMs }));
    this.#withoutId = new WithoutId(context, limits, this.#book, this.#timers, this.#load);
  }

  process(record: StreamRecord<string, SessionEvent>): void {
    if (this.#context.input !== 0) return this.#stationChanged(record as unknown as StreamRecord<string, Station | null>);
    const { value: event } = record;
    const { type, transactionId } = event;
    this.#load.begin(event);
    const stationMs = this.#timers.moveOn(event.stationId, event.timestampMs);
    if (type === 'TransactionUpdated' || type === 'TransactionStarted' || type === 'TransactionEnded') {
      if (transactionId === null || transactionId === '' || transactionId === '-1' || transactionId === '0') {
        this.#liveRows.giveOfStation(event.stationId);
        this.#load.event(event);
        if (!this.#withoutId.process(event, stationMs)) this.#late(record);
        return undefined;
      }
      return this.#withId(record, transactionId, stationMs);
    }
    if (type === 'StatusChanged' && event.status === 'Available') this.#available(event, stationMs);
    return this.#load.event(event);
  }

  /**
   * The network has been silent: what is due by now is closed at its time. Stations stay where they are, so that what was kept offline
   * meanwhile is no later for it; and nothing is forgotten.
   */
  idle(timeMs: number): void {
    this.#timers.idle(timeMs, forgetId, this.#limits.finishedForMs, (stationId) => {
      const cause = { stationId, eventId: `idle/${stationId}/${timeMs}`, siteId: null, city: null, operator: null, stationValidFromMs: -1 };
      this.#load.beginWith(cause, this.#timers.timeOf(stationId));
    });
  }

  committing(): void {
    this.#liveRows.giveAll();
  }

  #wake(stationId: string, id: string, timeMs: number): void {
    this.#liveRows.giveOfStation(stationId);
    if (id === forgetId) this.#book.forget(stationId, timeMs);
    else if (id.startsWith('s')) this.#book.wake(stationId, id.slice(1), timeMs);
    else this.#withoutId.wake(stationId, id.slice(1), timeMs);
  }

  #withId(record: StreamRecord<string, SessionEvent>, transactionId: string, stationMs: number): void {
    const { value: event } = record;
    const state = this.#book.find(event.stationId, transactionId);
    if (state !== undefined) {
      if (this.#appended(state, event, stationMs)) return;
      this.#liveRows.giveOfStation(event.stationId);
      return this.#takenIn(state, event, stationMs);
    }
    this.#liveRows.giveOfStation(event.stationId);
    // What a correction replaces and is not known (any more) cannot be taken back: it would count twice.
    if (event.edition > 0 || event.timestampMs < stationMs - this.#limits.finishedForMs) {
      this.#load.event(event);
      this.#late(record);
      return;
    }
    const opened = this.#book.open(event, transactionId);
    this.#take(opened, event, stationMs);
    this.#load.opened(event);
    this.#book.changed(opened, this.#book.beforeOpening(event.timestampMs), stationMs);
    this.#live(opened, event);
  }

  #late(record: StreamRecord<string, SessionEvent>): void {
    this.#context.dropped('late');
    this.#context.output('late', record);
  }

  /** The usual case: an event behind all others of a session that runs, in constant time. False: it is another case. */
  #appended(state: SessionState, event: SessionEvent, stationMs: number): boolean {
    const { seqNo, timestampMs, station } = event;
    if (!state.open || state.stopMs !== null || state.availableMs !== null || isStart(event) || event.edition !== state.edition) return false;
    if (state.revision >= 0 || state.matchedKey !== null) return false;
    if (station !== null && state.facts?.validFromMs !== station.validFromMs && takesPlace(state, station)) return false;
    const { seen } = state;
    if (seqNo !== null && seen.length > 0 && seqNo <= (seen.at(-1) as number)) return false;
    if (timestampMs < state.lastMs || (timestampMs === state.lastMs && (seqNo === null || state.points.at(-1)?.seqNo === null))) return false;
    if (state.tail === undefined) readingOf(state);
    if (state.tail === null || state.tail === undefined) return false;
    const point = pointOf(event, seqNo);
    const appended = appendPoint(state.tail, point, limitsOf(state));
    if (appended === null) return false;
    const ended = point.kind === 'end';
    if (ended || !this.#asksForRow(state, event)) this.#liveRows.giveOf(state);
    const before = ended ? this.#book.beforeStop(state) : null;
    append(state, event, point);
    if (event.edition === 0 && timestampMs + this.#limits.settleMs < stationMs) state.marks |= mark.outOfOrder;
    state.tail = appended.tail;
    state.segments = null;
    this.#load.appended(event, appended, ended);
    if (state.points.length >= state.thinAt) this.#book.forgetPoints(state);
    if (before === null) this.#sessions.put(event.stationId, state.key, state);
    else this.#book.changed(state, before, stationMs);
    this.#live(state, event);
    return true;
  }

  /** Any other event of a known session. */
  #takenIn(state: SessionState, event: SessionEvent, stationMs: number): void {
    const book = this.#book;
    const { edition } = event;
    if (edition < state.edition || (edition === state.edition && isRepeated(state, event, event.seqNo))) {
      state.duplicates += 1;
      this.#context.dropped('duplicate');
      this.#sessions.put(event.stationId, state.key, state);
      this.#load.repeated(event);
      return;
    }
    const moves = edition > state.edition && (event.evseId !== state.evseId || event.connectorId !== state.connectorId);
    const before = moves ? book.beforeLeaving(state) : book.before(state);
    const lends = state.mergedInto !== null;
    // Its own stop, or something behind it, shows that a stop which was taken for it was none of its own.
    const borrows = state.matchedKey !== null && (isStop(event) || edition > state.edition || event.timestampMs > (state.stopMs ?? Infinity));
    const other = lends || borrows ? book.unmatch(state) : null;
    if (other !== null && lends) book.changed(other[0], other[1], stationMs);
    if (edition > state.edition) startEdition(state, event);
    this.#take(state, event, stationMs);
    this.#load.taken(event);
    book.changed(state, before, stationMs);
    if (other !== null && !lends) book.changed(other[0], other[1], stationMs);
    if (state.open) book.forgetPoints(state);
    this.#live(state, event);
  }

  #take(state: SessionState, event: SessionEvent, stationMs: number): void {
    takeIn(state, event, event.seqNo);
    if (event.edition === 0 && event.timestampMs + this.#limits.settleMs < stationMs) state.marks |= mark.outOfOrder;
  }

  #live(state: SessionState, event: SessionEvent): void {
    if (!state.open || state.revision >= 0 || state.mergedInto !== null || !this.#asksForRow(state, event)) return;
    state.liveMs = event.timestampMs;
    this.#liveRows.hold(state, event.timestampMs);
  }

  #asksForRow({ liveMs }: SessionState, { receivedMs, timestampMs }: SessionEvent): boolean {
    return receivedMs !== null && (liveMs < 0 || timestampMs - liveMs >= this.#limits.liveEveryMs);
  }

  /** The connector is free: what was open there is over. */
  #available(event: SessionEvent, stationMs: number): void {
    const { stationId, timestampMs } = event;
    const name = connectorOf(event);
    const connector = this.#book.connector(stationId, name);
    const availableMs = withAvailable(connector.availableMs, timestampMs, stationMs - availableKeptMs);
    if (availableMs === connector.availableMs) return;
    this.#liveRows.giveOfStation(stationId);
    this.#connectors.put(stationId, name, { ...connector, availableMs });
    for (const { key, stopMs } of connector.entries) {
      if (stopMs !== null) continue;
      const state = this.#book.find(stationId, key);
      if (state === undefined || timestampMs <= state.lastMs || timestampMs >= (state.availableMs ?? Infinity)) continue;
      const before = this.#book.before(state);
      state.availableMs = timestampMs;
      if (!state.open) state.segments = null;
      this.#book.settle(state, before, stationMs);
    }
  }

  /** A version of a station has come: its sessions get their place, if it tells more of them than what was known. */
  #stationChanged({ key: stationId, value: station }: StreamRecord<string, Station | null>): void {
    const stationMs = this.#timers.timeOf(stationId);
    if (station === null || stationMs < 0) return;
    this.#liveRows.giveOfStation(stationId);
    const { siteId, city, operator, validFromMs } = station;
    const eventId = `stations/${stationId}/${validFromMs}`;
    this.#load.beginWith({ stationId, eventId, siteId, city, operator, stationValidFromMs: validFromMs }, stationMs);
    const sessions = Array.from(this.#sessions.members(stationId), ([, state]) => state);
    for (const state of sessions) {
      if (!takesPlace(state, station)) continue;
      const before = this.#book.before(state);
      state.facts = factsOf(station, state.evseId, state.connectorId);
      unread(state);
      this.#book.settle(state, before, stationMs);
    }
    const connectors = Array.from(this.#connectors.members(stationId));
    for (const [name, connector] of connectors) {
      if (connector.waiting.every((event) => event.station !== null)) continue;
      const waiting = connector.waiting.map((event) => (event.station === null ? { ...event, station } : event));
      this.#connectors.put(stationId, name, { ...connector, waiting });
    }
  }
}

function takesPlace(state: SessionState, station: Station): boolean {
  return state.facts === null || tellsMore(station.validFromMs, state.facts.validFromMs, startOf(state));
}

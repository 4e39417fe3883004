import type { Emit, GroupedStore, StatefulContext, StreamRecord } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import { effectsOf, emptyConnector, firstAvailableAfter, nextStartAfter, withEntry, withoutEntry } from './connector-state.ts';
import type { ConnectorEntry, ConnectorState } from './connector-state.ts';
import { DropQueue } from './drop-queue.ts';
import { pointsMax, withoutLeast, withoutSteady } from './forget-points.ts';
import type { RegisterReading } from './read-registers.ts';
import { givenAtOpening, givenOf } from './session-load.ts';
import type { GivenLoad, LoadOutput } from './session-load.ts';
import { borrowStop, giveBackStop, isLoneStop, mark, newSession, startOf, thinFirstAt, unread } from './session-state.ts';
import type { SessionState } from './session-state.ts';
import { chargingMsOf, closesAt, closureOf, dropMsOf, isFinal, isOver, readingOf } from './session-reading.ts';
import { rowOf, sameRow } from './session-row-of.ts';
import type { SessionRow } from './session-row.ts';
import type { StationTimers } from './station-timers.ts';
import type { StitchLimits, StitchStores } from './stitch-stores.ts';

/** How long after its end a session is looked at as a neighbour of others on its connector, beyond any settle time. */
const neighboursKeptMs = 86_400_000;

/** The id of the timer by which a station forgets; it comes this often within `finishedForMs`. */
export const forgetId = 'f';
const forgetGrains = 14;

/** How a session stood before a change. */
export interface Before {
  /** Null: what is new has been given already. */
  readonly given: GivenLoad | null;
  /** Its last row, when that was a final one. */
  readonly row: SessionRow | null;
  readonly startMs: number | null;
  readonly stopMs: number | null;
}

/**
 * The sessions of the stations with what follows when one of them changes: rows, load, timers and what it means for its neighbours. A
 * change is made between `before` and `changed`.
 */
export class SessionBook {
  readonly #limits: StitchLimits;
  readonly #sessions: GroupedStore<SessionState>;
  readonly #connectors: GroupedStore<ConnectorState>;
  readonly #timers: StationTimers;
  readonly #load: LoadOutput;
  readonly #emit: Emit<StreamRecord<string, SessionRow>>;
  /** By station; follows from its sessions. */
  readonly #drops = new Map<string, DropQueue>();

  constructor(
    context: StatefulContext<StitchStores>, limits: StitchLimits, timers: StationTimers, load: LoadOutput, emit: Emit<StreamRecord<string, SessionRow>>,
  ) {
    this.#limits = limits;
    this.#sessions = context.stores.sessions;
    this.#connectors = context.stores.connectors;
    this.#timers = timers;
    this.#load = load;
    this.#emit = emit;
  }

  find(stationId: string, key: string): SessionState | undefined {
    return this.#sessions.get(stationId, key);
  }

  /** A session of an event that belongs to none; not kept until it is `changed`. */
  open(event: SessionEvent, transactionId: string | null): SessionState {
    const key = transactionId ?? `${event.evseId}.${event.connectorId}/${event.timestampMs}`;
    return newSession(event, key, transactionId, transactionId === null ? this.#limits.withoutIdInactiveMs : this.#limits.inactiveMs);
  }

  connector(stationId: string, connector: string): ConnectorState {
    return this.#connectors.get(stationId, connector) ?? emptyConnector;
  }

  putConnector(stationId: string, connector: string, state: ConnectorState): void {
    if (state.entries.length === 0 && state.availableMs.length === 0 && state.waiting.length === 0) this.#connectors.delete(stationId, connector);
    else this.#connectors.put(stationId, connector, state);
  }

  /** A session that has given nothing yet, or (`startMs`) that it started. */
  beforeOpening(startMs: number | null): Before {
    return { given: startMs === null ? givenOf(undefined) : givenAtOpening(startMs), row: null, startMs: null, stopMs: null };
  }

  /** How a session stands. */
  before(state: SessionState): Before {
    return { given: givenOf(state), row: isFinal(state) ? rowOf(state) : null, ...neighbourOf(state) };
  }

  /** The same, where the session is to be told of another connector: its neighbours here forget it. */
  beforeLeaving(state: SessionState): Before {
    const before = this.before(state);
    this.#leaveConnector(state);
    return { given: before.given, row: before.row, startMs: null, stopMs: null };
  }

  /** The same, where the load that an event behind all others brings about is given with it. */
  beforeStop(state: SessionState): Before {
    return { given: null, row: null, startMs: startOf(state), stopMs: null };
  }

  /** What follows of a change: the neighbours are told, and the session's row and load are given. */
  changed(state: SessionState, before: Before, nowMs: number): void {
    const { startMs, stopMs } = neighbourOf(state);
    const moved = startMs !== before.startMs || stopMs !== before.stopMs;
    const others = moved ? this.#tellNeighbours(state, { key: state.key, startMs, stopMs }, before.startMs, nowMs) : [];
    if (state.stopMs === null && !moved) this.#lookAvailable(state, this.connector(state.stationId, connectorOf(state)));
    // A stop alone may be taken for that of one of them, which must stand by then.
    const isLone = isLoneStop(state);
    if (!isLone) this.settle(state, before, nowMs);
    for (const [other, otherBefore] of others) this.settle(other, otherBefore, nowMs);
    if (isLone) this.settle(state, before, nowMs);
  }

  /** Gives what is to be given of a changed session. */
  settle(state: SessionState, before: Before, nowMs: number, woken = false): void {
    this.#sessions.put(state.stationId, state.key, state);
    if (isFinal(state)) this.#revise(state, before.row);
    else if (state.mergedInto === null) this.#closeWhenDue(state, nowMs, woken);
    if (isOver(state)) this.#dropAt(state);
    if (before.given !== null) this.#load.changed(before.given, givenOf(state));
    // Finished sessions are many, and are hardly asked again.
    if (isFinal(state)) state.segments = null;
  }

  /** A session's timer is due. */
  wake(stationId: string, key: string, nowMs: number): void {
    const state = this.#sessions.get(stationId, key);
    if (state === undefined) return;
    state.dueMs = Infinity;
    this.#sessions.put(stationId, key, state);
    if (isOver(state)) return;
    // A stop that was told gives nothing new when it has settled, unless it is taken for another session's.
    const before = state.stopMs === null || isLoneStop(state) ? this.before(state) : this.beforeStop(state);
    this.settle(state, before, nowMs, true);
  }

  /** Forgets the station's finished sessions for which nothing is waited for any more. */
  forget(stationId: string, nowMs: number): void {
    const queue = this.#dropsOf(stationId);
    const gone = new Set<string>();
    for (; queue.firstMs < Infinity; queue.removeFirst()) {
      const { firstMs, firstKey } = queue;
      // Not what it stands here with: it is gone, goes on, or stands here once more.
      if (gone.has(firstKey) || this.#dropMsNow(stationId, firstKey) !== firstMs) continue;
      if (firstMs > nowMs) break;
      gone.add(firstKey);
    }
    this.#drop(stationId, gone);
    if (queue.firstMs < Infinity) this.#forgetAt(stationId, queue.firstMs);
  }

  /** Made of what is kept, when it is asked for first. */
  #dropsOf(stationId: string): DropQueue {
    let queue = this.#drops.get(stationId);
    if (queue !== undefined) return queue;
    queue = new DropQueue();
    const found: (readonly [dropMs: number, key: string])[] = [];
    this.#sessions.each(stationId, (key, state, restsUntilMs) => {
      if (state === undefined) found.push([restsUntilMs, key]);
      else if (isOver(state)) found.push([dropMsOf(state, this.#limits), key]);
    });
    for (const [dropMs, key] of found.sort(([a], [b]) => a - b)) queue.add(dropMs, key);
    this.#drops.set(stationId, queue);
    return queue;
  }

  /** When a session is to be dropped as it stands; undefined: it is not over, or gone. */
  #dropMsNow(stationId: string, key: string): number | undefined {
    const restsUntilMs = this.#sessions.noteOf(stationId, key);
    if (restsUntilMs !== undefined) return restsUntilMs;
    const state = this.#sessions.get(stationId, key);
    return state === undefined || !isOver(state) ? undefined : dropMsOf(state, this.#limits);
  }

  #dropAt(state: SessionState): void {
    const dropMs = dropMsOf(state, this.#limits);
    this.#drops.get(state.stationId)?.add(dropMs, state.key);
    this.#forgetAt(state.stationId, dropMs);
  }

  /** One timer for all of a station: its timers are written as one cell, whenever the station is heard of. */
  #forgetAt(stationId: string, dropMs: number): void {
    const grainMs = Math.max(1, Math.floor(this.#limits.finishedForMs / forgetGrains));
    const dueMs = Math.ceil(dropMs / grainMs) * grainMs;
    if (dueMs < this.#timers.dueOf(stationId, forgetId)) this.#timers.schedule(stationId, dueMs, forgetId);
  }

  /** Sets a session's timer, unless it has an earlier one. */
  #schedule(state: SessionState, dueMs: number): void {
    if (dueMs >= state.dueMs) return;
    state.dueMs = dueMs;
    this.#sessions.put(state.stationId, state.key, state);
    this.#timers.schedule(state.stationId, dueMs, `s${state.key}`);
  }

  /**
   * Undoes that a stop was taken for another session's. Gives the session, beside `state`, that is to be looked at when `state` has
   * taken in what brought this about.
   */
  unmatch(state: SessionState): readonly [SessionState, Before] | null {
    const isLender = state.mergedInto !== null;
    const other = this.find(state.stationId, (isLender ? state.mergedInto : state.matchedKey) as string);
    const lender = isLender ? state : other;
    const borrower = isLender ? other : state;
    const before = other === undefined ? null : this.before(other);
    if (borrower !== undefined && borrower.matchedKey === lender?.key) giveBackStop(borrower, lender);
    state.mergedInto = null;
    state.matchedKey = null;
    return other === undefined || before === null ? null : [other, before];
  }

  /**
   * Forgets points that say nothing any more. What was given of them stays, in finer pieces; only where they are so many that some
   * which say something must go, the load is given anew.
   */
  forgetPoints(state: SessionState): void {
    const { points, lastMs } = state;
    if (points.length < state.thinAt) return;
    const before = givenOf(state);
    const old = readingOf(state);
    state.points = withoutSteady(points, lastMs);
    let now = readingOf(state);
    if (!isSameReading(old, now)) {
      state.points = points;
      now = old;
    }
    if (state.points.length >= pointsMax) {
      state.points = withoutLeast(state.points, lastMs);
      now = readingOf(state);
      if (!isSameReading(old, now)) this.#load.changed(before, givenOf(state));
    }
    state.thinAt = Math.max(thinFirstAt, state.points.length + 48, Math.min(pointsMax, 2 * state.points.length));
    // Read again from what is left, as it would be after a restart.
    unread(state);
  }

  #closeWhenDue(state: SessionState, nowMs: number, woken: boolean): void {
    const dueMs = closesAt(state) + this.#limits.settleMs;
    if (dueMs > nowMs) return this.#schedule(state, dueMs);
    // Of a correction that has just begun the stop is still to come, however long ago it was: no row in between.
    if (!woken && state.revision >= 0 && state.stopMs === null) return this.#schedule(state, nowMs + Math.max(1, this.#limits.settleMs));
    if (state.revision < 0 && isLoneStop(state) && this.#matchStop(state, nowMs)) return undefined;
    state.closedBy = state.stopMs !== null ? 'TransactionEnded' : closureOf(state)?.by ?? 'Inactivity';
    state.open = false;
    state.revision += 1;
    state.segments = null;
    this.#send(state, rowOf(state));
    return undefined;
  }

  #revise(state: SessionState, row: SessionRow | null): void {
    const now = rowOf(state);
    if (row !== null && sameRow(row, now)) return;
    state.revision += 1;
    this.#send(state, { ...now, revision: state.revision });
  }

  #send(state: SessionState, value: SessionRow): void {
    this.#emit({ key: state.stationId, value, timestampMs: Math.max(state.lastMs, value.stopMs ?? 0) });
  }

  /** Takes a stop of which nothing else was told for that of a session on its connector: the same told again, or the one it waits for. */
  #matchStop(stop: SessionState, nowMs: number): boolean {
    const { stationId, stopMs } = stop;
    const { entries } = this.connector(stationId, connectorOf(stop));
    let open: SessionState | undefined;
    for (const { key, startMs, stopMs: itsStopMs } of entries) {
      if (startMs === null || key === stop.key || startMs > (stopMs as number) || (itsStopMs !== null && itsStopMs !== stopMs)) continue;
      const session = this.find(stationId, key);
      if (session === undefined) continue;
      if (isSameStop(session, stop)) return this.#mergeSame(session, stop);
      if (mayEndAt(session, stopMs as number, stop.idToken)) open = session;
    }
    if (open === undefined) return false;
    const before = this.before(open);
    borrowStop(open, stop);
    this.changed(open, before, nowMs);
    return true;
  }

  #mergeSame(session: SessionState, stop: SessionState): true {
    stop.mergedInto = session.key;
    session.duplicates += 1;
    this.#sessions.put(session.stationId, session.key, session);
    return true;
  }

  #drop(stationId: string, keys: ReadonlySet<string>): void {
    if (keys.size === 0) return;
    for (const key of keys) this.#sessions.delete(stationId, key);
    // Most have left their connector long ago.
    const left: (readonly [name: string, connector: ConnectorState])[] = [];
    this.#connectors.each(stationId, (name, connector) => {
      if (connector?.entries.some(({ key }) => keys.has(key))) left.push([name, connector]);
    });
    for (const [name, connector] of left) {
      this.putConnector(stationId, name, { ...connector, entries: connector.entries.filter(({ key }) => !keys.has(key)) });
    }
  }

  #leaveConnector(state: SessionState): void {
    const { stationId, key } = state;
    const name = connectorOf(state);
    const connector = this.#connectors.get(stationId, name);
    if (connector === undefined) return;
    const entries = withoutEntry(connector.entries, key);
    if (entries.length < connector.entries.length) this.putConnector(stationId, name, { ...connector, entries });
  }

  /** Enters a session at its connector; gives the other sessions that this changes, with how they stood. */
  #tellNeighbours(state: SessionState, entry: ConnectorEntry, oldStartMs: number | null, nowMs: number): readonly (readonly [SessionState, Before])[] {
    const { stationId } = state;
    const name = connectorOf(state);
    const connector = this.connector(stationId, name);
    const entries = withEntry(connector.entries, entry, nowMs - neighboursKeptMs, nowMs - this.#limits.finishedForMs);
    this.#connectors.put(stationId, name, { ...connector, entries });
    this.#lookAvailable(state, connector);
    const others: (readonly [SessionState, Before])[] = [];
    for (const effect of effectsOf(entries, entry)) {
      const other = effect.key === state.key ? state : this.find(stationId, effect.key);
      if (other === undefined) continue;
      const nextStartMs = other.stopMs === null ? lowest(effect.nextStartMs, other.nextStartMs) : other.nextStartMs;
      const marks = effect.overlap ? other.marks | mark.overlap : other.marks;
      if (nextStartMs === other.nextStartMs && marks === other.marks) continue;
      if (other !== state) others.push([other, this.before(other)]);
      other.nextStartMs = nextStartMs;
      other.marks = marks;
      if (isFinal(other)) other.segments = null;
    }
    if (oldStartMs !== null && oldStartMs !== entry.startMs) this.#forgetStart(entries, state, oldStartMs, others);
    return others;
  }

  /** A start that was inferred has moved: for whom it was the next one, it may be none any more. */
  #forgetStart(entries: readonly ConnectorEntry[], state: SessionState, oldStartMs: number, others: (readonly [SessionState, Before])[]): void {
    for (const entry of entries) {
      const other = entry.stopMs === null && entry.key !== state.key ? this.find(state.stationId, entry.key) : undefined;
      if (other === undefined || other.nextStartMs !== oldStartMs) continue;
      if (!others.some(([one]) => one === other)) others.push([other, this.before(other)]);
      other.nextStartMs = nextStartAfter(entries, entry);
      if (isFinal(other)) other.segments = null;
    }
  }

  #lookAvailable(state: SessionState, connector: ConnectorState): void {
    if (state.stopMs !== null) return;
    const availableMs = firstAvailableAfter(connector.availableMs, state.lastMs);
    if (availableMs === state.availableMs) return;
    state.availableMs = availableMs;
    state.segments = null;
  }
}

const connectorNames = new Map<number, string>();
/** More connectors than this have no name of their own ready. */
const connectorNamesMax = 1_024;

/** The name of a connector at its station; mostly the very same text for the same connector, so that it is hashed once. */
export function connectorOf({ evseId, connectorId }: { readonly evseId: number; readonly connectorId: number }): string {
  const number = evseId * 1_024 + connectorId;
  if (!(connectorId >= 0 && connectorId < 1_024)) return `${evseId}.${connectorId}`;
  let name = connectorNames.get(number);
  if (name === undefined) {
    name = `${evseId}.${connectorId}`;
    if (connectorNames.size < connectorNamesMax) connectorNames.set(number, name);
  }
  return name;
}

/** The same energy and charging time, however it is cut. */
function isSameReading(a: RegisterReading, b: RegisterReading): boolean {
  return a.energyMilliWh === b.energyMilliWh && a.registerMilliWh === b.registerMilliWh && a.flags.join() === b.flags.join() &&
    chargingMsOf(a.segments) === chargingMsOf(b.segments);
}

/** What neighbours see of a session. */
function neighbourOf(state: SessionState): { readonly startMs: number | null; readonly stopMs: number | null } {
  return { startMs: isLoneStop(state) ? null : startOf(state), stopMs: state.stopMs };
}

/** Whether a stop that names another transaction, or none, may be the one that a session waits for: never a stranger's. */
export function mayEndAt(state: SessionState, stopMs: number, idToken: string | null): boolean {
  if (state.stopMs !== null || state.mergedInto !== null || state.lastMs > stopMs || startOf(state) >= stopMs) return false;
  if (idToken !== null && state.idToken !== null && idToken !== state.idToken) return false;
  return (state.nextStartMs ?? Infinity) >= stopMs && (state.availableMs ?? Infinity) >= stopMs;
}

/** Whether a stop under another id says what the session's own one does. */
function isSameStop(session: SessionState, stop: SessionState): boolean {
  if (session.stopMs !== stop.stopMs || session.stopRank === -2 || session.mergedInto !== null) return false;
  if (stop.idToken !== null && session.idToken !== null && stop.idToken !== session.idToken) return false;
  const meterOf = (state: SessionState): number | null | undefined => state.points.find((point) => point.kind === 'end')?.milliWh;
  return meterOf(session) === meterOf(stop);
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}


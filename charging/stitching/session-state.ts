import type { SessionEvent } from '../session-event.ts';
import { inOrder } from './read-registers.ts';
import type { ReadingTail, ReportedPoint, Segment } from './read-registers.ts';
import { addNumber, hasNumber } from './sequence-numbers.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';
import type { SessionClosedBy } from './session-row.ts';
import { factsOf, tellsMore } from './station-facts.ts';
import type { StationFacts } from './station-facts.ts';

/** What one event told of a session. */
export interface SessionPoint extends ReportedPoint {
  /** The export register in whole mWh. */
  readonly exportMilliWh: number | null;
  /** State of charge in percent. */
  readonly soc: number | null;
}

/** What was odd in how a session was told, as bits of `SessionState.marks`. */
export const mark = { clockReplaced: 1, outOfOrder: 2, overlap: 4, startRepeated: 8, stopRepeated: 16 } as const;

/**
 * All that is known of a session: identity, facts, and what was reported, in order. What is believed follows from it (see
 * session-reading.ts). The result of taking in events does not depend on the order in which they come: every field is a lowest, a
 * highest, a first or last by place, a sum or a set. Changed in place by the step that owns it.
 */
export interface SessionState {
  /** Transaction id, or `evse.connector/openedMs` without one; behind the station's id it is the session's. */
  readonly key: string;
  readonly transactionId: string | null;
  readonly stationId: string;
  readonly evseId: number;
  readonly connectorId: number;
  /** A session of which nothing is heard for so long is over. */
  readonly inactiveMs: number;
  /** Time of the earliest event; fixed when the first final row is given. */
  openedMs: number;
  /** The highest edition of what was told; all of lower ones is forgotten. */
  edition: number;
  /** As reported; the earliest by sequence number, then by time. */
  startMs: number | null;
  startSeqNo: number | null;
  /** As reported; the last by `stopRank`, then by time. */
  stopMs: number | null;
  /** Sequence number; -1: it has none; -2: a stop that named another transaction, or none, and is taken for this session's. */
  stopRank: number;
  stopReason: string | null;
  /** The session (by key) whose only event, a stop, is taken for this session's. */
  matchedKey: string | null;
  /** The session whose stop this one is taken for; then it gives nothing itself. */
  mergedInto: string | null;
  /** Of any event. */
  firstMs: number;
  lastMs: number;
  points: SessionPoint[];
  /** Points are looked through for superfluous ones when there are so many. */
  thinAt: number;
  peakPowerW: number | null;
  /** Each with the time of the event that named it; the start's counts before all others. */
  idToken: string | null;
  idTokenMs: number;
  partner: string | null;
  partnerMs: number;
  vehicleModel: string | null;
  vehicleModelMs: number;
  /** Of the station's version as of the start; null: the station is unknown. */
  facts: StationFacts | null;
  seen: SequenceNumbers;
  events: number;
  duplicates: number;
  /** The earliest start of another session on the connector after this one's. */
  nextStartMs: number | null;
  /** The earliest time later than the last event at which the connector was said to be available. */
  availableMs: number | null;
  marks: number;
  /** Of the last final row; -1: none yet. */
  revision: number;
  /** It waits for its next final row: it runs, or a higher edition began after a final row. */
  open: boolean;
  /** How it was closed when its first final row was given; better evidence replaces it. */
  closedBy: SessionClosedBy;
  /** Time of the event of the last live row; -1: none yet. */
  liveMs: number;
  /** When its timer is due; Infinity: it has none. */
  dueMs: number;
  /** Where reading goes on; null: all points must be read; undefined: not known since the state came from the store. Not kept. */
  tail: ReadingTail | null | undefined;
  /** What is believed, when it was asked for since the last change. Not kept. */
  segments: readonly Segment[] | null;
}

/** The first look for superfluous points comes when there are so many. */
export const thinFirstAt = 48;

export function newSession(event: SessionEvent, key: string, transactionId: string | null, inactiveMs: number): SessionState {
  return {
    key, transactionId, inactiveMs, stationId: event.stationId, evseId: event.evseId, connectorId: event.connectorId, openedMs: event.timestampMs,
    edition: event.edition, startMs: null, startSeqNo: null, stopMs: null, stopRank: -3, stopReason: null, matchedKey: null,
    mergedInto: null, firstMs: event.timestampMs, lastMs: event.timestampMs, points: [], thinAt: thinFirstAt, peakPowerW: null,
    idToken: null, idTokenMs: Infinity, partner: null, partnerMs: Infinity, vehicleModel: null, vehicleModelMs: Infinity, facts: null,
    seen: [], events: 0, duplicates: 0, nextStartMs: null, availableMs: null, marks: 0, revision: -1, open: true, closedBy: 'None',
    liveMs: -1, dueMs: Infinity, tail: null, segments: null,
  };
}

/** Forgets all that was told of a session, but for what it is, what was given of it, and what came behind it on its connector. */
export function startEdition(state: SessionState, event: SessionEvent): void {
  const fresh = newSession(event, state.key, state.transactionId, state.inactiveMs);
  const { openedMs, revision, closedBy, liveMs, dueMs, facts, duplicates, nextStartMs, availableMs } = state;
  const sameConnector = state.evseId === event.evseId && state.connectorId === event.connectorId;
  Object.assign(state, fresh, {
    openedMs, revision, closedBy, liveMs, dueMs, duplicates, facts: sameConnector ? facts : null,
    nextStartMs: sameConnector && nextStartMs !== null && nextStartMs > event.timestampMs ? nextStartMs : null,
    availableMs: sameConnector && availableMs !== null && availableMs > event.timestampMs ? availableMs : null,
  });
}

export function isStart(event: SessionEvent): boolean {
  return event.type === 'TransactionStarted';
}

export function isStop(event: SessionEvent): boolean {
  return event.type === 'TransactionEnded';
}

/** The start as reported, else the time of the first event. */
export function startOf(state: SessionState): number {
  return state.startMs ?? state.firstMs;
}

/** True for a session of which nothing but its stop was told. */
export function isLoneStop(state: SessionState): boolean {
  if (state.startMs !== null || state.stopMs === null) return false;
  for (const point of state.points) if (point.kind !== 'end') return false;
  return true;
}

/**
 * Takes in one event that is not repeated. `seqNo` is the event's, or null when it counts another sequence than the session's.
 */
export function takeIn(state: SessionState, event: SessionEvent, seqNo: number | null): void {
  const timeMs = event.timestampMs;
  if (seqNo !== null) addNumber(state.seen, seqNo);
  state.events += 1;
  if (timeMs < state.firstMs) state.firstMs = timeMs;
  if (timeMs > state.lastMs) state.lastMs = timeMs;
  if (state.revision < 0 && state.firstMs < state.openedMs) state.openedMs = state.firstMs;
  if (state.availableMs !== null && state.availableMs <= state.lastMs) state.availableMs = null;
  takeFacts(state, event);
  const point = pointOf(event, seqNo);
  if (isStart(event)) takeStart(state, point);
  else if (isStop(event)) takeStop(state, point, event.stopReason, false);
  else putPoint(state, point);
  takePlace(state, event);
  // Also where no point has come in: the times of first and last may have moved.
  unread(state);
}

/**
 * The usual case: an event that comes behind all others of a session that runs. The caller has checked that it does; the point
 * that it gives is the last one.
 */
export function append(state: SessionState, event: SessionEvent, point: SessionPoint): void {
  if (point.seqNo !== null) addNumber(state.seen, point.seqNo);
  state.events += 1;
  state.lastMs = event.timestampMs;
  takeFacts(state, event);
  if (point.kind === 'end') setStop(state, point, event.stopReason, false);
  state.points.push(point);
}

export function pointOf(event: SessionEvent, seqNo: number | null): SessionPoint {
  const { meterWh, meterExportWh } = event;
  return {
    seqNo, timeMs: event.timestampMs, milliWh: meterWh === null ? null : Math.round(meterWh * 1000) + 0, powerW: event.powerW,
    chargingState: event.chargingState, kind: isStart(event) ? 'start' : isStop(event) ? 'end' : 'update',
    exportMilliWh: meterExportWh === null ? null : Math.round(meterExportWh * 1000) + 0, soc: event.soc,
  };
}

/** Takes the stop of another session, of which nothing else was told, for this one's. */
export function borrowStop(state: SessionState, from: SessionState): void {
  const stop = from.points.find((point) => point.kind === 'end') as SessionPoint;
  state.matchedKey = from.key;
  from.mergedInto = state.key;
  state.events += from.events;
  if (stop.timeMs > state.lastMs) state.lastMs = stop.timeMs;
  takeStop(state, { ...stop, seqNo: null }, from.stopReason, true);
}

/** Gives back a stop that was taken for this session's. */
export function giveBackStop(state: SessionState, from: SessionState | undefined): void {
  state.points = state.points.filter((point) => point.kind !== 'end');
  state.stopMs = null;
  state.stopRank = -3;
  state.stopReason = null;
  state.matchedKey = null;
  state.lastMs = state.points.reduce((last, point) => Math.max(last, point.timeMs), state.firstMs);
  unread(state);
  if (from === undefined) return;
  state.events -= from.events;
  from.mergedInto = null;
  from.segments = null;
}

/** What was read of the points no longer holds. */
export function unread(state: SessionState): void {
  state.tail = undefined;
  state.segments = null;
}

/** Whether an event says what was said before: its number was seen, or a start, a stop or an unnumbered value is told again. */
export function isRepeated(state: SessionState, event: SessionEvent, seqNo: number | null): boolean {
  if (seqNo !== null && hasNumber(state.seen, seqNo)) return true;
  const started = isStart(event);
  if (!started && !isStop(event) && seqNo !== null) return false;
  for (let at = state.points.length - 1; at >= 0; at -= 1) {
    const point = state.points[at] as SessionPoint;
    if (point.timeMs !== event.timestampMs || !saysTheSame(point, event)) continue;
    if (point.kind === 'start' && (!started || !sameToken(state, event))) continue;
    // A stop of its own replaces one that was taken for it, even when it says the same.
    if (point.kind === 'end' && state.stopRank === -2) continue;
    // The same again under another number: as good as seen, and no gap.
    if (seqNo !== null) addNumber(state.seen, seqNo);
    return true;
  }
  return false;
}

function saysTheSame(point: SessionPoint, event: SessionEvent): boolean {
  const other = pointOf(event, null);
  if (point.kind !== other.kind || point.milliWh !== other.milliWh) return false;
  if (point.kind !== 'update') return true;
  return point.powerW === other.powerW && point.chargingState === other.chargingState && point.soc === other.soc && point.exportMilliWh === other.exportMilliWh;
}

function sameToken(state: SessionState, event: SessionEvent): boolean {
  return event.idToken === null || state.idToken === null || event.idToken === state.idToken;
}

function takeStart(state: SessionState, point: SessionPoint): void {
  if (state.startMs !== null) {
    state.marks |= mark.startRepeated;
    const before = state.points.find((one) => one.kind === 'start');
    if (before !== undefined && !startsBefore(point, before)) return;
    state.points = state.points.filter((one) => one !== before);
  }
  state.startMs = point.timeMs;
  state.startSeqNo = point.seqNo;
  putPoint(state, point);
}

function startsBefore(one: SessionPoint, than: SessionPoint): boolean {
  const bySeqNo = one.seqNo === than.seqNo ? 0 : (one.seqNo ?? Infinity) - (than.seqNo ?? Infinity);
  return (bySeqNo || one.timeMs - than.timeMs || (one.milliWh ?? Infinity) - (than.milliWh ?? Infinity)) < 0;
}

function takeStop(state: SessionState, point: SessionPoint, reason: string | null, borrowed: boolean): void {
  if (state.stopMs !== null) {
    const before = state.points.find((one) => one.kind === 'end');
    const own = !borrowed && state.stopRank !== -2;
    if (own) state.marks |= mark.stopRepeated;
    if (before !== undefined && !stopsAfter(point, borrowed, before, state.stopRank)) return;
    state.points = state.points.filter((one) => one !== before);
  }
  setStop(state, point, reason, borrowed);
  putPoint(state, point);
}

function setStop(state: SessionState, point: SessionPoint, reason: string | null, borrowed: boolean): void {
  state.stopMs = point.timeMs;
  state.stopRank = rankOf(point, borrowed);
  state.stopReason = reason;
}

function rankOf(point: SessionPoint, borrowed: boolean): number {
  return borrowed ? -2 : point.seqNo ?? -1;
}

function stopsAfter(one: SessionPoint, borrowed: boolean, than: SessionPoint, thanRank: number): boolean {
  return (rankOf(one, borrowed) - thanRank || one.timeMs - than.timeMs || (one.milliWh ?? -Infinity) - (than.milliWh ?? -Infinity)) > 0;
}

function putPoint(state: SessionState, point: SessionPoint): void {
  state.points.push(point);
  if (state.points.length > 1) state.points = inOrder(state.points) as SessionPoint[];
  unread(state);
}

function takeFacts(state: SessionState, event: SessionEvent): void {
  if (event.powerW !== null && (state.peakPowerW === null || event.powerW > state.peakPowerW)) state.peakPowerW = event.powerW;
  if (event.clock === 'received') state.marks |= mark.clockReplaced;
  const rankMs = isStart(event) ? -1 : event.timestampMs;
  const { idToken, partner, vehicleModel } = event;
  if (idToken !== null && comesFirst(rankMs, idToken, state.idTokenMs, state.idToken)) {
    state.idToken = idToken;
    state.idTokenMs = rankMs;
  }
  if (partner !== null && comesFirst(rankMs, partner, state.partnerMs, state.partner)) {
    state.partner = partner;
    state.partnerMs = rankMs;
  }
  if (vehicleModel !== null && comesFirst(rankMs, vehicleModel, state.vehicleModelMs, state.vehicleModel)) {
    state.vehicleModel = vehicleModel;
    state.vehicleModelMs = rankMs;
  }
}

function comesFirst(rankMs: number, value: string, thanMs: number, than: string | null): boolean {
  return rankMs < thanMs || (rankMs === thanMs && (than === null || value < than));
}

function takePlace(state: SessionState, event: SessionEvent): void {
  const { station } = event;
  if (station === null) return;
  const { facts } = state;
  if (facts !== null && (facts.validFromMs === station.validFromMs || !tellsMore(station.validFromMs, facts.validFromMs, startOf(state)))) return;
  state.facts = factsOf(station, state.evseId, state.connectorId);
  unread(state);
}

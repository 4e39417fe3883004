import type { StatefulContext } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import type { ConnectorEntry } from './connector-state.ts';
import type { StationTimers } from './station-timers.ts';
import { connectorOf, mayEndAt } from './session-book.ts';
import type { SessionBook } from './session-book.ts';
import type { LoadOutput } from './session-load.ts';
import { isRepeated, isStart, isStop, mark, startOf, takeIn } from './session-state.ts';
import type { SessionState } from './session-state.ts';
import type { StitchLimits, StitchStores } from './stitch-stores.ts';

/** More events of one connector than this do not wait at once; the first ones go on early. */
const waitingMax = 1_000;

/**
 * Transaction events that name no transaction: each belongs to the session that its connector had at its time. So they wait for the
 * settle time, that those before them may come first, and count in the order of their times.
 */
export class WithoutId {
  readonly #context: StatefulContext<StitchStores>;
  readonly #limits: StitchLimits;
  readonly #book: SessionBook;
  readonly #timers: StationTimers;
  readonly #load: LoadOutput;

  constructor(context: StatefulContext<StitchStores>, limits: StitchLimits, book: SessionBook, timers: StationTimers, load: LoadOutput) {
    this.#context = context;
    this.#limits = limits;
    this.#book = book;
    this.#timers = timers;
    this.#load = load;
  }

  /** Takes in an event, or lets it wait. False: it is too late for a session of its own, and belongs to none that is known. */
  process(event: SessionEvent, stationMs: number): boolean {
    const { stationId, timestampMs } = event;
    const { settleMs } = this.#limits;
    if (timestampMs + settleMs <= stationMs) return this.#count(event, stationMs);
    const name = connectorOf(event);
    const connector = this.#book.connector(stationId, name);
    const waiting = [...connector.waiting];
    let at = waiting.length;
    while (at > 0 && comesBefore(event, waiting[at - 1] as SessionEvent)) at -= 1;
    waiting.splice(at, 0, event);
    const early = waiting.length > waitingMax ? waiting.shift() : undefined;
    this.#book.putConnector(stationId, name, { ...connector, waiting });
    if (at === 0 || early !== undefined) this.#timers.schedule(stationId, (waiting[0] as SessionEvent).timestampMs + settleMs, `c${name}`);
    if (early !== undefined) this.#count(early, stationMs);
    return true;
  }

  /** The first of what waits at a connector is due. */
  wake(stationId: string, name: string, nowMs: number): void {
    const { settleMs } = this.#limits;
    const connector = this.#book.connector(stationId, name);
    const due = connector.waiting.filter((event) => event.timestampMs + settleMs <= nowMs);
    const waiting = connector.waiting.slice(due.length);
    this.#book.putConnector(stationId, name, { ...connector, waiting });
    if (waiting.length > 0) this.#timers.schedule(stationId, (waiting[0] as SessionEvent).timestampMs + settleMs, `c${name}`);
    for (const event of due) this.#count(event, nowMs);
  }

  #count(event: SessionEvent, nowMs: number): boolean {
    const opened = this.#book.open(event, null);
    const state = this.#belongsTo(event) ?? this.#book.find(event.stationId, opened.key);
    if (state === undefined && event.timestampMs < nowMs - this.#limits.finishedForMs) return false;
    const session = state ?? opened;
    const seqNo = session.transactionId === null ? event.seqNo : null;
    if (state !== undefined && isRepeated(state, event, seqNo)) {
      state.duplicates += 1;
      this.#context.dropped('duplicate');
      this.#context.stores.sessions.put(event.stationId, state.key, state);
      return true;
    }
    const before = state === undefined ? this.#book.beforeOpening(null) : this.#book.before(session);
    takeIn(session, event, seqNo);
    if (event.timestampMs + this.#limits.settleMs < nowMs) session.marks |= mark.outOfOrder;
    this.#load.waited(event);
    this.#book.changed(session, before, nowMs);
    return true;
  }

  /** The session on the connector that an event belongs to: the latest one that may have it. */
  #belongsTo(event: SessionEvent): SessionState | undefined {
    const { stationId } = event;
    const { entries } = this.#book.connector(stationId, connectorOf(event));
    for (let at = entries.length - 1; at >= 0; at -= 1) {
      const { key, startMs, stopMs } = entries[at] as ConnectorEntry;
      // Whatever it is, nothing behind its stop belongs to a session; so most that rest need not be woken.
      if (stopMs !== null && event.timestampMs > Math.max(stopMs, startMs ?? stopMs)) continue;
      const state = this.#book.find(stationId, key);
      if (state !== undefined && this.#mayHave(state, event)) return state;
    }
    return undefined;
  }

  #mayHave(state: SessionState, event: SessionEvent): boolean {
    if (state.mergedInto !== null) return false;
    const own = state.transactionId === null;
    // A stop that ends none of these may end one with an id, as a stop of an unknown transaction does (see SessionBook).
    if (isStop(event)) return own && (mayEndAt(state, event.timestampMs, event.idToken) || (state.stopMs === event.timestampMs && isRepeated({ ...state, seen: [] }, event, null)));
    if (isStart(event)) return own && (this.#isJustBefore(state, event) || isRepeated({ ...state, seen: [] }, event, null));
    return this.#mayGoOn(state, event);
  }

  #mayGoOn(state: SessionState, event: SessionEvent): boolean {
    const { timestampMs, idToken } = event;
    if (idToken !== null && state.idToken !== null && idToken !== state.idToken) return false;
    if (state.transactionId === null) {
      if (this.#isJustBefore(state, event)) return true;
      if (timestampMs - state.lastMs > this.#limits.withoutIdInactiveMs) return false;
    }
    if (timestampMs < startOf(state) || timestampMs > (state.stopMs ?? Infinity)) return false;
    return timestampMs < (state.nextStartMs ?? Infinity) && timestampMs <= (state.availableMs ?? Infinity);
  }

  /** What comes less than the gap before a session whose start was not told is its beginning. */
  #isJustBefore(state: SessionState, event: SessionEvent): boolean {
    const beforeMs = state.firstMs - event.timestampMs;
    return state.transactionId === null && state.startMs === null && beforeMs >= 0 && beforeMs <= this.#limits.withoutIdInactiveMs;
  }
}

/** By time; at equal times what ends before what goes on before what starts; at last by sequence number and id. */
function comesBefore(event: SessionEvent, other: SessionEvent): boolean {
  const distance = event.timestampMs - other.timestampMs || rankOf(event) - rankOf(other) || (event.seqNo ?? -1) - (other.seqNo ?? -1);
  return distance === 0 ? event.eventId < other.eventId : distance < 0;
}

function rankOf(event: SessionEvent): number {
  if (isStop(event)) return 0;
  return isStart(event) ? 2 : 1;
}

import { json } from '../../schemas/builtin-codecs.ts';
import { effectsOf, withEntry, withoutEntry } from './connector-state.ts';
import type { ConnectorState } from './connector-state.ts';
import { groupedStore, statefulStep } from '../engine.ts';
import type { Emit, GroupedStore, Operator, StatefulContext, StreamRecord } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import { foldEvent, rowOf } from './session-state.ts';
import type { SessionRow, SessionState } from './session-state.ts';
import { StationTimers, stationProgressStore } from './station-timers.ts';

export interface StitchSessionsOptions {
  /** From the stop to the first final row: what is a little out of order arrives meanwhile. Default 10 minutes. */
  readonly settleMs?: number;
  /** A session of which nothing more is heard is closed after this long. Default 60 days: a real one lasted 45. */
  readonly inactiveMs?: number;
  /** How long evidence for a finished session is waited for; then its state is dropped. Default 7 days. */
  readonly finishedForMs?: number;
}

interface Limits {
  readonly settleMs: number;
  readonly inactiveMs: number;
  readonly finishedForMs: number;
}

/** How long after its stop a session is looked at as a neighbour of others on its connector, beyond any settle time. */
const neighboursKeptMs = 86_400_000;

function storesOf(name: string) {
  return {
    /** By station and transaction. */
    sessions: groupedStore({ name, value: json<SessionState>('session-state.v1') }),
    /** By station and connector. */
    connectors: groupedStore({ name: `${name}.connectors`, value: json<ConnectorState>('connector-state.v1') }),
    stations: stationProgressStore(`${name}.stations`),
  };
}

type Context = StatefulContext<ReturnType<typeof storesOf>>;
type Row = StreamRecord<string, SessionRow>;

/**
 * Stitches a station's events into charging sessions by transaction id, one row a session, keyed by station.
 *
 * Time is each station's own progress: the highest event time that the step has seen of it. A session's first row (revision
 * 0) comes `settleMs` after its stop; or, when there is none, after the next start on the connector; or after `inactiveMs`
 * without an event. Evidence that comes later replaces the row as a whole with revision + 1; a row that would say the same is
 * not sent again. `finishedForMs` after its stop a session's state is dropped; without a
 * stop, `inactiveMs` later still, because the stop of a session that was taken for over may come yet.
 *
 * What is wrong with a session is in its flags (`sessionFlags`), never in its numbers: a register that went backwards gives no
 * energy, a repeated sequence number counts once, a missing start is inferred from the first event. Any order of arrival
 * within `settleMs` gives the same rows.
 *
 * Events older than `finishedForMs` behind their station, of a transaction that is not known (any more), go to the output
 * `late`: they would make a second, poorer session of one that was forgotten. Transaction events without a transaction id
 * are handed to the step's error policy. Other events only move the station's time on.
 */
export function stitchSessions(
  name: string,
  options: StitchSessionsOptions = {},
): Operator<string, SessionEvent, string, SessionRow> {
  const limits = {
    settleMs: options.settleMs ?? 600_000,
    inactiveMs: options.inactiveMs ?? 60 * 86_400_000,
    finishedForMs: options.finishedForMs ?? 7 * 86_400_000,
  };
  return statefulStep({
    kind: 'stitchSessions',
    name,
    stores: storesOf(name),
    ports: ['late'],
    detail: `settle ${limits.settleMs} ms, inactive ${limits.inactiveMs} ms, finished sessions kept ${limits.finishedForMs} ms, time by station`,
    start: (context, emit: Emit<Row>) => {
      const stitcher = new SessionStitcher(context, limits, emit);
      return (record: StreamRecord<string, SessionEvent>) => stitcher.process(record);
    },
  });
}

/** A record's way through the state; it remembers nothing itself. */
class SessionStitcher {
  readonly #context: Context;
  readonly #limits: Limits;
  readonly #sessions: GroupedStore<SessionState>;
  readonly #connectors: GroupedStore<ConnectorState>;
  readonly #timers: StationTimers;
  readonly #emit: Emit<Row>;

  constructor(context: Context, limits: Limits, emit: Emit<Row>) {
    this.#context = context;
    this.#limits = limits;
    this.#sessions = context.stores.sessions;
    this.#connectors = context.stores.connectors;
    this.#timers = new StationTimers(context.stores.stations, (stationId, transactionId, timeMs) => this.#wake(stationId, transactionId, timeMs));
    this.#emit = emit;
  }

  process(record: StreamRecord<string, SessionEvent>): void {
    const { value: event, timestampMs } = record;
    const stationMs = this.#timers.moveOn(event.stationId, timestampMs);
    if (!isTransactionEvent(event)) return;
    const { transactionId } = event;
    if (transactionId === null || transactionId === '') throw new Error(`${event.type} ${event.eventId} has no transactionId`);
    const before = this.#sessions.get(event.stationId, transactionId);
    if (before === undefined && timestampMs < stationMs - this.#limits.finishedForMs) {
      this.#context.dropped('late');
      this.#context.output('late', record);
      return;
    }
    const folded = foldEvent(before, event, timestampMs + this.#limits.settleMs < stationMs);
    if (before !== undefined && folded.duplicates > before.duplicates) this.#context.dropped('duplicate');
    this.#update(before, folded, stationMs);
    if (before === undefined || before.startMs !== folded.startMs || before.stopMs !== folded.stopMs) {
      this.#tellNeighbours(folded, stationMs);
    }
  }

  #wake(stationId: string, transactionId: string, timeMs: number): void {
    const state = this.#sessions.get(stationId, transactionId);
    if (state === undefined) return;
    const due = this.#dueOf(state);
    if (due.ms > timeMs) {
      this.#timers.schedule(stationId, due.ms, transactionId);
    } else if (state.revision < 0) {
      this.#close(state, due.closedBy);
      if (due.dropMs <= timeMs) this.#drop(state);
      else this.#timers.schedule(stationId, due.dropMs, transactionId);
    } else {
      this.#drop(state);
    }
  }

  /** When something is to happen to a session next: its first row, or, after that, the end of its state. */
  #dueOf(state: SessionState): { readonly ms: number; readonly dropMs: number; readonly closedBy: SessionState['closedBy'] } {
    const { settleMs, inactiveMs, finishedForMs } = this.#limits;
    const inactiveAtMs = state.lastMs + inactiveMs;
    let closeMs = inactiveAtMs;
    let closedBy: SessionState['closedBy'] = 'Inactivity';
    if (state.stopMs !== null) {
      closeMs = Math.max(state.stopMs, state.startMs ?? state.stopMs) + settleMs;
      closedBy = 'TransactionEnded';
    } else if (state.nextStartMs !== null && state.nextStartMs + settleMs <= inactiveAtMs) {
      closeMs = state.nextStartMs + settleMs;
      closedBy = 'NextStart';
    }
    // A session that was closed without its stop may still be under way: its stop is waited for as long as it could last.
    const dropMs = (state.stopMs === null ? inactiveAtMs : Math.max(closeMs, state.lastMs)) + finishedForMs;
    return { ms: state.revision < 0 ? closeMs : dropMs, dropMs, closedBy };
  }

  #close(state: SessionState, closedBy: SessionState['closedBy']): void {
    this.#emitRow({ ...state, closedBy, revision: 0 });
  }

  #drop(state: SessionState): void {
    const { stationId } = state;
    this.#sessions.delete(stationId, state.transactionId);
    const connector = connectorOf(state);
    const entries = this.#connectors.get(stationId, connector);
    if (entries === undefined) return;
    const left = withoutEntry(entries, state.transactionId);
    if (left.length === 0) this.#connectors.delete(stationId, connector);
    else if (left.length < entries.length) this.#connectors.put(stationId, connector, left);
  }

  /** Stores a changed session; a finished one is sent again when its row says something else now. */
  #update(before: SessionState | undefined, state: SessionState, timeMs: number): void {
    if (before !== undefined && before.revision >= 0) {
      if (sameRow(rowOf(before), rowOf(state))) this.#sessions.put(state.stationId, state.transactionId, state);
      else this.#emitRow({ ...state, revision: state.revision + 1 });
      return;
    }
    this.#sessions.put(state.stationId, state.transactionId, state);
    const due = this.#dueOf(state);
    if (due.ms <= timeMs) {
      this.#close(state, due.closedBy);
      this.#timers.schedule(state.stationId, Math.max(due.dropMs, timeMs + 1), state.transactionId);
    } else if (before === undefined || due.ms < this.#dueOf(before).ms) {
      this.#timers.schedule(state.stationId, due.ms, state.transactionId);
    }
  }

  #tellNeighbours(state: SessionState, timeMs: number): void {
    const { stationId } = state;
    const connector = connectorOf(state);
    const entry = { transactionId: state.transactionId, startMs: state.startMs, stopMs: state.stopMs };
    const known = this.#connectors.get(stationId, connector) ?? [];
    const entries = withEntry(known, entry, timeMs - neighboursKeptMs, timeMs - this.#limits.finishedForMs);
    this.#connectors.put(stationId, connector, entries);
    for (const effect of effectsOf(entries, entry)) {
      const before = this.#sessions.get(stationId, effect.transactionId);
      if (before === undefined) continue;
      // Where a session has its own stop, the next start says nothing.
      const closes = effect.nextStartMs !== null && before.stopMs === null;
      const nextStartMs = closes ? Math.min(effect.nextStartMs ?? Infinity, before.nextStartMs ?? Infinity) : before.nextStartMs;
      const overlap = before.overlap || effect.overlap;
      if (nextStartMs !== before.nextStartMs || overlap !== before.overlap) {
        this.#update(before, { ...before, nextStartMs, overlap }, timeMs);
      }
    }
  }

  #emitRow(state: SessionState): void {
    this.#sessions.put(state.stationId, state.transactionId, state);
    const value = rowOf(state);
    this.#emit({ key: state.stationId, value, timestampMs: Math.max(state.lastMs, value.stopMs ?? 0) });
  }
}

function isTransactionEvent(event: SessionEvent): boolean {
  return event.type === 'TransactionStarted' || event.type === 'TransactionUpdated' || event.type === 'TransactionEnded';
}

function connectorOf(state: SessionState): string {
  return `${state.evseId}.${state.connectorId}`;
}

/** Being sent twice is counted, but no reason for a new revision. */
function sameRow(a: SessionRow, b: SessionRow): boolean {
  const said = (row: SessionRow) => JSON.stringify({ ...row, duplicates: 0, flags: row.flags.filter((flag) => flag !== 'duplicate') });
  return said(a) === said(b);
}

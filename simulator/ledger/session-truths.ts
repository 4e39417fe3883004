import type { BookSession, LedgerBook } from './ledger-book.ts';
import { knowableOf } from './knowable.ts';
import type { Knowable } from './knowable.ts';

/** A true session with what must be in the tables of it. */
export interface SessionTruth {
  readonly session: BookSession;
  readonly known: Knowable;
  /** When the next session began on its connector; null: none did. */
  readonly nextStartMs: number | null;
}

/** Sessions of a station, in order of start, each beside its neighbours on the connector. */
export function truthsOf(book: LedgerBook, stationId: string): readonly SessionTruth[] {
  const byConnector = new Map<string, BookSession[]>();
  for (const session of book.sessionsOf(stationId)) {
    const name = `${session.evseId}.${session.connectorId}`;
    const sessions = byConnector.get(name) ?? [];
    byConnector.set(name, sessions);
    sessions.push(session);
  }
  const truths: SessionTruth[] = [];
  for (const sessions of byConnector.values()) {
    for (const [at, session] of sessions.entries()) {
      const before = sessions[at - 1];
      const next = sessions[at + 1];
      const nextStartMs = next?.startMs ?? null;
      const isBesideDoubtful = [before, session, next].some((one) => one?.faults.some((kind) => kind === 'lost-stop' || kind.startsWith('clock')) === true);
      truths.push({ session, nextStartMs, known: knowableOf(book, session, { nextStartMs, isBesideDoubtful, isBeforeUnended: before?.faults.includes('lost-stop') === true }) });
    }
  }
  return truths.sort((left, right) => left.session.startMs - right.session.startMs);
}

/** What reference data says of a station in the end. */
export function isStationKnown(book: LedgerBook, stationId: string): boolean {
  if (book.faultsOf(stationId, 'unknown-station') > 0) return false;
  return book.faultsOf(stationId, 'late-station') === 0 || book.facts.startMs + 86_400_000 < book.facts.endMs;
}

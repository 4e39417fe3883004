import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { isExact } from './knowable.ts';
import { byBytes } from './ledger-book.ts';
import type { BookSession, LedgerBook } from './ledger-book.ts';
import { isStationKnown } from './session-truths.ts';
import type { SessionTruth } from './session-truths.ts';

/** A row of charging_visits. */
export interface VisitAnswer {
  readonly id: string;
  readonly site: string;
  readonly token: string;
  readonly start: number;
  readonly stop: number | null;
  readonly attempts: number;
  readonly successes: number;
  readonly wh: number;
  readonly sessions: readonly string[];
}

export function visitsSql(database: string): string {
  return `SELECT visit_id AS id, site_id AS site, id_token AS token, toUnixTimestamp64Milli(start_time) AS start, toUnixTimestamp64Milli(stop_time) AS stop, attempts, successes,
    energy_wh AS wh, session_ids AS sessions
  FROM ${database}.charging_visits FINAL WHERE attempts > 0 ORDER BY site_id`;
}

/** Attempts by one token at one site, each at most so long after all before it, are one visit. */
const RETRY_WITHIN_MS = 600_000;
/** An attempt succeeded with more than this. */
const SUCCESS_WH = 100;

/** Collects what sessions make, station by station; then compares the visits. */
export class VisitJudge {
  readonly #book: LedgerBook;
  readonly #findings = new Findings('charging_visits');
  readonly #groups = new Map<string, { readonly sessions: BookSession[]; isKnown: boolean }>();

  constructor(book: LedgerBook) {
    this.#book = book;
  }

  /** `isFinal`: its row is there. */
  add({ session, known }: SessionTruth, isFinal: boolean): void {
    const isPlaceKnown = isStationKnown(this.#book, session.stationId);
    // Without a site, a session is a visit of its own.
    const key = isPlaceKnown ? `${session.siteId}/${session.idToken}` : `/${session.sessionId}`;
    const group = this.#groups.get(key) ?? { sessions: [], isKnown: true };
    this.#groups.set(key, group);
    if (isFinal) group.sessions.push(session);
    if (!isFinal || !isExact(known.start) || !isExact(known.stop) || !isExact(known.energy)) group.isKnown = false;
    // Of a session whose energy is told in part, the row has the part.
    if (known.energy.from !== session.energyWh || known.stop.from !== session.stopMs || known.start.from !== session.startMs) group.isKnown = false;
  }

  async compare(rows: AsyncIterable<VisitAnswer>): Promise<void> {
    const visitOf = new Map<string, VisitAnswer>();
    for await (const row of rows) {
      for (const id of row.sessions) {
        if (visitOf.has(id)) this.#findings.duplicated(`${id} is in the visits ${visitOf.get(id)?.id ?? ''} and ${row.id}`);
        visitOf.set(id, row);
      }
      if (row.sessions.length !== row.attempts) this.#findings.wrong(`${row.id}: ${row.attempts} attempts, with ${row.sessions.length} sessions`);
    }
    for (const { sessions, isKnown } of this.#groups.values()) {
      for (const { sessionId } of sessions) if (!visitOf.has(sessionId)) this.#findings.lost(`${sessionId} is in no visit`);
      if (isKnown) for (const visit of visitsOf(sessions)) this.#compare(visit, visitOf.get((visit[0] as BookSession).sessionId));
      else this.#findings.notKnowable += 1;
    }
  }

  get result(): TableFindings {
    return this.#findings.result;
  }

  #compare(visit: readonly BookSession[], row: VisitAnswer | undefined): void {
    if (row === undefined) return;
    this.#findings.compared += 1;
    const complaints: string[] = [];
    const same = (what: string, got: unknown, wanted: unknown): void => {
      if (got !== wanted) complaints.push(`${what} ${String(got)}, not ${String(wanted)}`);
    };
    const ids = (list: readonly string[]): string => [...list].sort(byBytes).join(' ');
    same('sessions', ids(row.sessions), ids(visit.map(({ sessionId }) => sessionId)));
    same('start', row.start, (visit[0] as BookSession).startMs);
    same('stop', row.stop, Math.max(...visit.map(({ stopMs }) => stopMs)));
    same('successes', row.successes, visit.filter(({ energyWh }) => energyWh > SUCCESS_WH).length);
    same('energy', row.wh, visit.reduce((sum, { energyWh }) => sum + energyWh, 0));
    if (complaints.length > 0) this.#findings.wrong(`${row.id}: ${complaints.join('; ')}`);
  }
}

function visitsOf(sessions: readonly BookSession[]): readonly (readonly BookSession[])[] {
  const visits: BookSession[][] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const session of [...sessions].sort((left, right) => left.startMs - right.startMs || byBytes(left.sessionId, right.sessionId))) {
    if (session.startMs > endMs + RETRY_WITHIN_MS) visits.push([]);
    (visits.at(-1) as BookSession[]).push(session);
    endMs = Math.max(session.startMs > endMs + RETRY_WITHIN_MS ? Number.NEGATIVE_INFINITY : endMs, session.stopMs);
  }
  return visits;
}

import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { energyAs, isExact, isKnown, knownText } from './knowable.ts';
import type { Known } from './knowable.ts';
import type { LedgerBook } from './ledger-book.ts';
import { isStationKnown, truthsOf } from './session-truths.ts';
import type { SessionTruth } from './session-truths.ts';

/** A row of charging_sessions. */
export interface SessionAnswer {
  readonly station: string;
  readonly id: string;
  readonly evse: number;
  readonly connector: number;
  readonly token: string | null;
  readonly site: string;
  readonly start: number;
  readonly stop: number | null;
  readonly wh: number | null;
  readonly closed: string;
  readonly reason: string | null;
  readonly flags: readonly string[];
  readonly events: number;
  readonly gaps: number;
}

export function sessionsSql(database: string): string {
  return `SELECT station_id AS station, session_id AS id, evse_id AS evse, connector_id AS connector, id_token AS token, site_id AS site,
    toUnixTimestamp64Milli(start_time) AS start, toUnixTimestamp64Milli(stop_time) AS stop, energy_wh AS wh, closed_by AS closed, stop_reason AS reason, flags,
    event_count AS events, sequence_gaps AS gaps
  FROM ${database}.charging_sessions FINAL ORDER BY station_id`;
}

/** Sessions under way, of which no final row is there. */
export function openSessionsSql(database: string): string {
  return `SELECT session_id AS id FROM ${database}.live_sessions FINAL WHERE open`;
}

/** Compares sessions, station by station in the order of their names. */
export class SessionJudge {
  readonly #book: LedgerBook;
  readonly #findings = new Findings('charging_sessions');
  readonly #open: ReadonlySet<string>;
  /** Of those whose row is as it must be, and final. */
  readonly found = new Set<string>();

  constructor(book: LedgerBook, open: ReadonlySet<string>) {
    this.#book = book;
    this.#open = open;
  }

  station(stationId: string, rows: readonly SessionAnswer[]): void {
    const truths = truthsOf(this.#book, stationId);
    const byId = new Map(truths.map((truth) => [truth.session.sessionId, truth]));
    const seen = new Set<string>();
    for (const row of rows) {
      const truth = byId.get(row.id);
      if (seen.has(row.id)) this.#findings.duplicated(`${row.id} has another row`);
      else if (truth === undefined) this.#findings.duplicated(`${row.id} never was`);
      else this.#compare(truth, row);
      seen.add(row.id);
    }
    for (const { session, known } of truths) {
      if (seen.has(session.sessionId)) continue;
      if (known.mayBeAbsent && (known.arriving.length === 0 || this.#open.has(session.sessionId) || known.isStopTold)) this.#findings.notKnowable += 1;
      else this.#findings.lost(`${session.sessionId}${faultsText(session.faults)}`);
    }
  }

  get result(): TableFindings {
    return this.#findings.result;
  }

  #compare({ session, known }: SessionTruth, row: SessionAnswer): void {
    this.#findings.compared += 1;
    this.found.add(row.id);
    const complaints: string[] = [];
    const same = (what: string, got: unknown, wanted: unknown): void => {
      if (got !== wanted) complaints.push(`${what} ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
    };
    const within = (what: string, got: number | null, wanted: Known): void => {
      if (!isKnown(got, wanted)) complaints.push(`${what} ${got}, not ${knownText(wanted)}`);
    };
    const isPlaceKnown = isStationKnown(this.#book, session.stationId);
    within('start', row.start, known.start);
    within('stop', row.stop, known.stop);
    within('energy', row.wh, energyAs(this.#book, session, known, row.flags));
    same('evse', row.evse, session.evseId);
    same('connector', row.connector, session.connectorId);
    same('token', row.token, session.idToken);
    same('site', row.site, isPlaceKnown ? session.siteId : '');
    same('events', row.events, known.eventCount);
    same('sequence gaps', row.gaps, known.sequenceGaps);
    if (known.isStopTold) same('closed by', row.closed, 'TransactionEnded');
    else if (row.closed === 'TransactionEnded') complaints.push('closed by a stop that never came');
    if (known.isStopTold) same('stop reason', row.reason, session.stopReason);
    for (const flags of known.flags) if (!flags.some((flag) => row.flags.includes(flag))) complaints.push(`no flag ${flags.join(' or ')} among ${JSON.stringify(row.flags)}`);
    const may = new Set([...known.may, ...known.flags.flat()]);
    if (!isPlaceKnown) may.add('unknown-station');
    if (!isPlaceKnown && !row.flags.includes('unknown-station')) complaints.push(`no flag unknown-station among ${JSON.stringify(row.flags)}`);
    const odd = row.flags.filter((flag) => !may.has(flag));
    if (odd.length > 0) complaints.push(`flag ${odd.join(', ')} without a reason`);
    if (!isExact(known.start) || !isExact(known.stop) || !isExact(known.energy)) this.#findings.notKnowable += 1;
    if (complaints.length > 0) this.#findings.wrong(`${row.id}${faultsText(session.faults)}: ${complaints.join('; ')}`);
  }
}

export function faultsText(faults: readonly string[]): string {
  return faults.length === 0 ? '' : ` (${faults.join(', ')})`;
}

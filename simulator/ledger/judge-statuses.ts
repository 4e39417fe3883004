import type { FaultKind } from '../profile.ts';
import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { receptionMs } from './knowable.ts';
import type { LedgerBook } from './ledger-book.ts';
import type { LedgerStatus } from './ledger.ts';

/** A row of connector_status. */
export interface StatusAnswer {
  readonly station: string;
  readonly evse: number;
  readonly connector: number;
  readonly from: number;
  readonly to: number;
  readonly status: string;
}

export function statusesSql(database: string): string {
  return `SELECT station_id AS station, evse_id AS evse, connector_id AS connector, toUnixTimestamp64Milli(from_time) AS from, toUnixTimestamp64Milli(to_time) AS to, status
  FROM ${database}.connector_status FINAL WHERE from_time < to_time ORDER BY station_id`;
}

/** What leaves begin or end of a status unknown; after anything else it arrives, at some time, as it was. */
const hiding: ReadonlySet<FaultKind> = new Set(['lost-status', 'offline-replay']);

/** Compares intervals of connectors' statuses where nothing was hidden. */
export class StatusJudge {
  readonly #book: LedgerBook;
  readonly #findings = new Findings('connector_status');

  constructor(book: LedgerBook) {
    this.#book = book;
  }

  station(stationId: string, rows: readonly StatusAnswer[]): void {
    const doubtful = this.#doubtful(stationId);
    const left = new Map<string, StatusAnswer>();
    for (const row of rows) {
      const key = `${row.evse}.${row.connector}@${row.from}`;
      if (left.has(key)) this.#findings.duplicated(`${stationId}/${key} has another row`);
      left.set(key, row);
    }
    const known: LedgerStatus[] = [];
    const all = this.#book.statusesOf(stationId);
    for (const [at, status] of all.entries()) {
      const key = `${status.evseId}.${status.connectorId}@${status.fromMs}`;
      const before = all[at - 1];
      // Where the one before was not told, the same may be told twice, and nobody knows when it began the second time.
      const isRepeated = before !== undefined && before.evseId === status.evseId && before.connectorId === status.connectorId && before.faults.includes('lost-status');
      const isHidden = isRepeated || status.faults.some((kind) => hiding.has(kind)) || status.fromMs === this.#book.facts.startMs
        || (doubtful.get(`${status.evseId}.${status.connectorId}`) ?? []).some((atMs) => status.fromMs <= atMs + receptionMs && status.toMs >= atMs);
      if (isHidden) {
        this.#findings.notKnowable += 1;
        continue;
      }
      known.push(status);
      this.#findings.compared += 1;
      const row = left.get(key);
      left.delete(key);
      if (row === undefined) this.#findings.lost(textOf(status));
      else if (row.to !== status.toMs || row.status !== status.status) this.#findings.wrong(`${textOf(status)} is ${row.status} until ${timeOf(row.to)}`);
    }
    for (const [key, row] of left) {
      const within = known.find(({ evseId, connectorId, fromMs, toMs }) => evseId === row.evse && connectorId === row.connector && row.from < toMs && row.to > fromMs);
      if (within !== undefined) this.#findings.duplicated(`${stationId}/${key} ${row.status} until ${timeOf(row.to)} beside ${textOf(within)}`);
    }
  }

  get result(): TableFindings {
    return this.#findings.result;
  }

  /** Transactions tell a status, too: those that begin or end at a false time do so at a time that is not known. */
  #doubtful(stationId: string): ReadonlyMap<string, number[]> {
    const times = new Map<string, number[]>();
    for (const session of this.#book.sessionsOf(stationId)) {
      for (const [at, kind] of session.touched) {
        if (!kind.startsWith('clock')) continue;
        const key = `${session.evseId}.${session.connectorId}`;
        times.set(key, [...times.get(key) ?? [], this.#book.timeMs(session, at)]);
      }
    }
    return times;
  }
}

function textOf({ stationId, evseId, connectorId, status, fromMs, toMs }: LedgerStatus): string {
  return `${stationId}/${evseId}.${connectorId} ${status} from ${timeOf(fromMs)} to ${timeOf(toMs)}`;
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

import type { FaultKind } from '../profile.ts';
import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import type { LedgerBook } from './ledger-book.ts';

/** What charging_events has of a station: rows, different event ids, those sent again under another id, the highest number of one, those kept offline. */
export interface EventAnswer {
  readonly station: string;
  readonly rows: number;
  readonly ids: number;
  readonly again: number;
  readonly highest: number;
  readonly offline: number;
}

export interface LetterAnswer {
  readonly key: string | null;
  readonly time: number;
  readonly reason: string;
  readonly rows: number;
}

export interface VersionAnswer {
  readonly station: string;
  readonly validFrom: number;
}

/** An event id is the station's, and a number that counts its events. */
export function eventsSql(database: string): string {
  return `SELECT station_id AS station, count() AS rows, uniqExact(event_id) AS ids, uniqExactIf(event_id, endsWith(event_id, '/again')) AS again,
    max(toUInt32OrZero(splitByChar('/', event_id)[2])) AS highest, uniqExactIf(event_id, offline) AS offline
  FROM ${database}.charging_events GROUP BY station_id ORDER BY station_id`;
}

/** Letters of input: those of the archive are of the same bytes. */
export function lettersSql(database: string): string {
  return `SELECT key, toUnixTimestamp64Milli(record_time) AS time, any(reason) AS reason, toUInt32(count()) AS rows FROM ${database}.dead_letters FINAL GROUP BY key, time ORDER BY key, time`;
}

export function versionsSql(database: string): string {
  return `SELECT DISTINCT station_id AS station, toUnixTimestamp64Milli(valid_from) AS validFrom FROM ${database}.station_versions ORDER BY station_id`;
}

const losses: readonly FaultKind[] = ['lost-start', 'lost-stop', 'lost-sample', 'lost-status'];

/** Every message that was received is there as often as it was, and no other. */
export function judgeEvents(book: LedgerBook, rows: readonly EventAnswer[]): TableFindings {
  const findings = new Findings('charging_events');
  const byStation = new Map(rows.map((row) => [row.station, row]));
  const kept = keptOf(book);
  for (const stationId of book.stations) {
    const row = byStation.get(stationId);
    if (row === undefined) {
      findings.lost(`all events of ${stationId}`);
      continue;
    }
    findings.compared += row.rows;
    const again = book.faultsOf(stationId, 'resent-number');
    const lost = losses.reduce((sum, kind) => sum + book.faultsOf(stationId, kind), 0);
    const ids = row.highest - lost + again;
    const copies = row.rows - row.ids - book.faultsOf(stationId, 'duplicate');
    if (row.ids < ids) findings.lost(`${ids - row.ids} of ${ids} events of ${stationId}`, ids - row.ids);
    if (row.ids > ids) findings.duplicated(`${row.ids - ids} events of ${stationId} that were never received`, row.ids - ids);
    if (copies > 0) findings.duplicated(`${copies} events of ${stationId}`, copies);
    if (copies < 0) findings.lost(`copies of ${-copies} events of ${stationId}`, -copies);
    if (row.again !== again) findings.wrong(`${stationId}: ${row.again} events sent again under another id, not ${again}`);
    if (row.offline !== (kept.get(stationId) ?? 0)) findings.wrong(`${stationId}: ${row.offline} events kept offline, not ${kept.get(stationId) ?? 0}`);
  }
  return findings.result;
}

function keptOf(book: LedgerBook): ReadonlyMap<string, number> {
  const kept = new Map<string, number>();
  for (const { kind, eventId, stationId } of book.faults) if (kind === 'offline-replay' && eventId !== null) kept.set(stationId, (kept.get(stationId) ?? 0) + 1);
  return kept;
}

/** Every malformed message is a dead letter, once; nothing else is. */
export function judgeLetters(book: LedgerBook, rows: readonly LetterAnswer[]): TableFindings {
  const findings = new Findings('dead_letters');
  const wanted = new Map<string, number>();
  for (const { kind, stationId, receivedMs } of book.faults) {
    if (kind === 'malformed') wanted.set(`${stationId} ${receivedMs ?? 0}`, (wanted.get(`${stationId} ${receivedMs ?? 0}`) ?? 0) + 1);
  }
  for (const row of rows) {
    const name = `${row.key ?? ''} ${row.time}`;
    const count = wanted.get(name) ?? 0;
    wanted.delete(name);
    findings.compared += count;
    if (row.rows > count) findings.duplicated(`${row.rows - count} letters of ${name} (${row.reason})`, row.rows - count);
    if (row.rows < count) findings.lost(`${count - row.rows} letters of ${name}`, count - row.rows);
  }
  for (const [name, count] of wanted) findings.lost(`the letter of ${name}`, count);
  return findings.result;
}

/** Each version of a station that was told. */
export function judgeVersions(book: LedgerBook, rows: readonly VersionAnswer[]): TableFindings {
  const findings = new Findings('station_versions');
  const found = new Set(rows.map(({ station, validFrom }) => `${station} ${validFrom}`));
  for (const { kind, stationId, atMs } of book.faults) {
    if (kind !== 'changed-station') continue;
    findings.compared += 1;
    if (!found.has(`${stationId} ${atMs}`)) findings.lost(`${stationId} as of ${new Date(atMs).toISOString()}`);
  }
  return findings.result;
}

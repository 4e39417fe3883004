import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import type { BookSession, LedgerBook } from './ledger-book.ts';
import { truthsOf } from './session-truths.ts';

/** What late_records has: `time` of what the record is about, in UTC milliseconds. */
export interface LateAnswer {
  readonly station: string;
  readonly step: string;
  readonly event: string;
  readonly time: number;
  readonly milliWh: number;
}

export function lateSql(database: string): string {
  return `SELECT station_id AS station, step, event_id AS event, toUnixTimestamp64Milli(record_time) AS time, toInt64(round(energy_wh * 1000)) AS milliWh
  FROM ${database}.late_records FINAL ORDER BY station_id`;
}

const dayMs = 86_400_000;

/**
 * Nothing that a simulation sends is later than what waits for it, but one thing: that a session has ended, where neither its stop nor the free connector was
 * told (`lost-stop` and `lost-status` of one moment) and the next session begins when the hours of that day are closed, a day after its end. It shows only then,
 * is dated back to the last that was heard of the session, and has no energy. Gives energy by station beside the findings.
 */
export function judgeLate(book: LedgerBook, rows: readonly LateAnswer[]): readonly [TableFindings, ReadonlyMap<string, number>] {
  const findings = new Findings('late_records');
  const milliWh = new Map<string, number>();
  const ended = new Set<BookSession>();
  for (const row of rows) {
    findings.compared += 1;
    milliWh.set(row.station, (milliWh.get(row.station) ?? 0) + row.milliWh);
    const session = row.step === 'station-load' && row.milliWh === 0 ? endedUnseen(book, row) : undefined;
    if (session === undefined || ended.has(session)) findings.wrong(`${row.event} is late for ${row.step}`);
    else ended.add(session);
  }
  return [findings.result, milliWh];
}

/** The session within which a time is, and whose end nobody could know before the hours of that time were closed. */
function endedUnseen(book: LedgerBook, { station, time }: LateAnswer): BookSession | undefined {
  const closedMs = time - (time % dayMs) + 2 * dayMs;
  return truthsOf(book, station).find(({ session, nextStartMs }) => session.faults.includes('lost-stop') && session.startMs <= time && time <= session.stopMs
    && nextStartMs !== null && nextStartMs >= closedMs && isFreeUnseen(book, session))?.session;
}

function isFreeUnseen(book: LedgerBook, { stationId, evseId, connectorId, stopMs }: BookSession): boolean {
  return book.statusesOf(stationId).some((status) => status.evseId === evseId && status.connectorId === connectorId && status.fromMs === stopMs && status.faults.includes('lost-status'));
}

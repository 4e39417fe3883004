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
  for (const [stationId, late] of Map.groupBy(rows, ({ station }) => station)) {
    const unseen = endedUnseen(book, stationId);
    for (const row of late) {
      findings.compared += 1;
      const at = row.step === 'station-load' && row.milliWh === 0 ? unseen.findIndex((end) => end.fromMs <= row.time && row.time <= end.toMs && closesMs(row.time) <= end.shownMs) : -1;
      if (at === -1) findings.wrong(`${row.event} is late for ${row.step}`);
      else unseen.splice(at, 1);
    }
    milliWh.set(stationId, late.reduce((sum, row) => sum + row.milliWh, 0));
  }
  return [findings.result, milliWh];
}

/** When hours of the UTC day of a time take nothing more. */
function closesMs(timeMs: number): number {
  return timeMs - (timeMs % dayMs) + 2 * dayMs;
}

/** From when to when a session was whose end nobody was told, and when the next one shows it. */
interface UnseenEnd {
  readonly fromMs: number;
  readonly toMs: number;
  readonly shownMs: number;
}

function endedUnseen(book: LedgerBook, stationId: string): UnseenEnd[] {
  return truthsOf(book, stationId).flatMap(({ session, nextStartMs }) => session.faults.includes('lost-stop') && nextStartMs !== null && isFreeUnseen(book, session)
    ? [{ fromMs: session.startMs, toMs: session.stopMs, shownMs: nextStartMs }] : []);
}

function isFreeUnseen(book: LedgerBook, { stationId, evseId, connectorId, stopMs }: BookSession): boolean {
  return book.statusesOf(stationId).some((status) => status.evseId === evseId && status.connectorId === connectorId && status.fromMs === stopMs && status.faults.includes('lost-status'));
}

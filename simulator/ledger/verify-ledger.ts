import type { TableFindings } from './findings.ts';
import { DayJudge, daysSql } from './judge-days.ts';
import type { DayAnswer } from './judge-days.ts';
import { HourJudge, hoursSql } from './judge-hours.ts';
import type { HourAnswer } from './judge-hours.ts';
import { judgeLate, lateSql } from './judge-late.ts';
import type { LateAnswer } from './judge-late.ts';
import { eventsSql, judgeEvents, judgeLetters, judgeVersions, lettersSql, versionsSql } from './judge-messages.ts';
import type { EventAnswer, LetterAnswer, VersionAnswer } from './judge-messages.ts';
import { PriceJudge, pricesSql } from './judge-prices.ts';
import type { PriceAnswer } from './judge-prices.ts';
import { openSessionsSql, SessionJudge, sessionsSql } from './judge-sessions.ts';
import type { SessionAnswer } from './judge-sessions.ts';
import { StatusJudge, statusesSql } from './judge-statuses.ts';
import type { StatusAnswer } from './judge-statuses.ts';
import { VisitJudge, visitsSql } from './judge-visits.ts';
import type { VisitAnswer } from './judge-visits.ts';
import { byBytes } from './ledger-book.ts';
import type { LedgerBook } from './ledger-book.ts';
import { truthsOf } from './session-truths.ts';

/** The answer to one SELECT, row by row. */
export type AskRows = <Row>(sql: string) => AsyncIterable<Row>;

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly sessions: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly wrong: number;
  readonly tables: readonly TableFindings[];
  /** Faults that were injected, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

/**
 * Compares the tables with what is true. Each is read once, in the order of stations, and only one station's rows are held at a time; visits go across
 * stations and are held as they come.
 */
export async function verifyLedger(book: LedgerBook, database: string, ask: AskRows): Promise<LedgerVerdict> {
  const open = new Set((await all<{ readonly id: string }>(ask(openSessionsSql(database)))).map(({ id }) => id));
  const sessions = new SessionJudge(book, open);
  const visits = new VisitJudge(book);
  const milliWh = new Map<string, number | null>();
  await byStation<SessionAnswer>(book, ask(sessionsSql(database)), (stationId, rows) => {
    sessions.station(stationId, rows);
    milliWh.set(stationId, rows.reduce((sum, { wh }) => sum + Math.round((wh ?? 0) * 1_000), 0));
    for (const truth of truthsOf(book, stationId)) {
      const isFinal = sessions.found.has(truth.session.sessionId);
      visits.add(truth, isFinal);
      if (!isFinal) milliWh.set(stationId, null);
    }
  });
  const [late, lateMilliWh] = judgeLate(book, await all<LateAnswer>(ask(lateSql(database))));
  const hours = new HourJudge(book);
  await byStation<HourAnswer>(book, ask(hoursSql(database)), (stationId, rows) => hours.station(stationId, rows, milliWh.get(stationId) ?? null, lateMilliWh.get(stationId) ?? 0));
  const days = new DayJudge(book);
  await byStation<DayAnswer>(book, ask(daysSql(database)), (stationId, rows) => days.station(stationId, rows, hours.milliWh.get(stationId) ?? 0));
  const statuses = new StatusJudge(book);
  await byStation<StatusAnswer>(book, ask(statusesSql(database)), (stationId, rows) => statuses.station(stationId, rows));
  await visits.compare(ask<VisitAnswer>(visitsSql(database)));
  const tables = [
    sessions.result, ...await judgePrices(book, database, ask), ...hours.results, ...days.results, statuses.result, visits.result, judgeEvents(book, await all<EventAnswer>(ask(eventsSql(database)))),
    judgeVersions(book, await all<VersionAnswer>(ask(versionsSql(database)))), judgeLetters(book, await all<LetterAnswer>(ask(lettersSql(database)))), late,
  ];
  const sum = (name: 'lost' | 'duplicated' | 'wrong'): number => tables.reduce((total, table) => total + table[name], 0);
  const faults: Record<string, number> = {};
  for (const { kind } of book.faults) faults[kind] = (faults[kind] ?? 0) + 1;
  const [lost, duplicated, wrong] = [sum('lost'), sum('duplicated'), sum('wrong')];
  return { ok: lost + duplicated + wrong === 0, sessions: book.sessionCount, lost, duplicated, wrong, tables, faults };
}

/** Where the simulation has fed tariffs before anything else. */
async function judgePrices(book: LedgerBook, database: string, ask: AskRows): Promise<readonly TableFindings[]> {
  const { tariffs } = book.facts;
  if (tariffs === undefined) return [];
  const prices = new PriceJudge(book, tariffs);
  await byStation<PriceAnswer>(book, ask(pricesSql(database)), (stationId, rows) => prices.station(stationId, rows));
  return [prices.result];
}

async function all<Row>(rows: AsyncIterable<Row>): Promise<readonly Row[]> {
  const found: Row[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** Hands over the rows of each station, also of those that have none, and of those that never were. */
async function byStation<Row extends { readonly station: string }>(
  book: LedgerBook, rows: AsyncIterable<Row>, take: (stationId: string, rows: readonly Row[]) => void,
): Promise<void> {
  const stations = book.stations;
  let next = 0;
  let current: Row[] = [];
  const hand = (): void => {
    const stationId = current[0]?.station;
    if (stationId === undefined) return;
    for (; next < stations.length && byBytes(stations[next] as string, stationId) < 0; next += 1) take(stations[next] as string, []);
    if (stations[next] === stationId) next += 1;
    take(stationId, current);
    current = [];
  };
  for await (const row of rows) {
    if (current.length > 0 && current[0]?.station !== row.station) hand();
    current.push(row);
  }
  hand();
  for (; next < stations.length; next += 1) take(stations[next] as string, []);
}

/** A line for each table, then examples of what is amiss. */
export function verdictText({ ok, sessions, lost, duplicated, wrong, tables, faults }: LedgerVerdict): string {
  const number = (value: number): string => value.toLocaleString('en-US').padStart(12);
  const lines = [
    `${''.padEnd(46)}${'compared'.padStart(12)}${'lost'.padStart(12)}${'duplicated'.padStart(12)}${'wrong'.padStart(12)}${'not knowable'.padStart(14)}`,
    ...tables.map((one) => `${one.table.padEnd(46)}${number(one.compared)}${number(one.lost)}${number(one.duplicated)}${number(one.wrong)}  ${number(one.notKnowable)}`),
    ...tables.flatMap(({ table, examples }) => examples.map((example) => `  ${table}: ${example}`)),
    `${Object.values(faults).reduce((sum, count) => sum + count, 0).toLocaleString('en-US')} faults were injected: ${Object.entries(faults).map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`,
    `${ok ? 'As the ledger says' : 'NOT as the ledger says'}: ${sessions.toLocaleString('en-US')} sessions; ${lost} lost, ${duplicated} duplicated, ${wrong} wrong`,
  ];
  return lines.join('\n');
}

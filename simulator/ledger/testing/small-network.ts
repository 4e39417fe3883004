import type { FaultKind } from '../../profile.ts';
import type { DayAnswer } from '../judge-days.ts';
import type { HourAnswer } from '../judge-hours.ts';
import type { LateAnswer } from '../judge-late.ts';
import type { EventAnswer, LetterAnswer, VersionAnswer } from '../judge-messages.ts';
import type { SessionAnswer } from '../judge-sessions.ts';
import type { StatusAnswer } from '../judge-statuses.ts';
import type { VisitAnswer } from '../judge-visits.ts';
import { LedgerBook } from '../ledger-book.ts';
import type { LedgerSession } from '../ledger.ts';
import type { AskRows } from '../verify-ledger.ts';

const midnightMs = Date.UTC(2025, 0, 1);

/** A time of the first day, such as `07:30`. */
export function at(clock: string): number {
  return Date.parse(`2025-01-01T${clock}Z`);
}

/** What the tables hold, by name; `late_records` and `live_sessions` are empty. */
export interface Answers {
  readonly charging_sessions: readonly SessionAnswer[];
  readonly station_hours: readonly HourAnswer[];
  readonly station_days: readonly DayAnswer[];
  readonly connector_status: readonly StatusAnswer[];
  readonly charging_visits: readonly VisitAnswer[];
  readonly charging_events: readonly EventAnswer[];
  readonly dead_letters: readonly LetterAnswer[];
  readonly station_versions: readonly VersionAnswer[];
  readonly late_records: readonly LateAnswer[];
  readonly live_sessions: readonly { readonly id: string }[];
}

/** Energy flows at 200 Wh a minute in all sessions, as long as their readings say. */
function session(number: number, minutes: readonly (readonly [string, number])[], touched: readonly (readonly [number, FaultKind])[]): LedgerSession {
  const readings = minutes.map(([clock, wh]) => [at(clock), wh] as const);
  const [first, last] = [readings[0] as readonly [number, number], readings.at(-1) as readonly [number, number]];
  return {
    sessionId: `s-1/1-${number}`, transactionId: `1-${number}`, stationId: 's-1', siteId: 's', evseId: 1, connectorId: 1, idToken: `token-${number}`, vehicle: number, model: 'Any', fromSoc: 20,
    toSoc: 40, startMs: first[0], stopMs: last[0], energyWh: last[1], stopReason: 'EVDisconnected', readings, faults: touched.map(([, kind]) => kind), touched,
    messages: readings.length, received: readings.length - touched.filter(([, kind]) => kind.startsWith('lost')).length,
  };
}

/** One station and four sessions: a sound one, one without its stop, one with a false clock, one whose register began again. */
export function smallBook(): LedgerBook {
  const book = new LedgerBook({ startMs: midnightMs, endMs: midnightMs + 86_400_000, registers: 'lifetime' });
  book.add(session(1, [['01:00', 0], ['01:20', 4_000], ['01:50', 10_000]], []));
  book.add(session(2, [['03:00', 0], ['03:30', 6_000], ['04:00', 12_000]], [[2, 'lost-stop']]));
  book.add(session(3, [['05:00', 0], ['05:15', 3_000], ['05:30', 6_000]], [[1, 'clock-1970']]));
  book.add(session(4, [['07:00', 0], ['07:10', 2_000], ['07:20', 4_000], ['07:30', 6_000]], [[2, 'meter-reset']]));
  const place = { stationId: 's-1', evseId: 1, connectorId: 1 };
  book.addStatus({ ...place, status: 'Available', fromMs: midnightMs, toMs: at('00:59:50'), faults: [] });
  book.addStatus({ ...place, status: 'Occupied', fromMs: at('00:59:50'), toMs: at('01:50'), faults: [] });
  book.addStatus({ ...place, status: 'Available', fromMs: at('01:50'), toMs: at('02:59:50'), faults: ['duplicate'] });
  book.addStatus({ ...place, status: 'Occupied', fromMs: at('02:59:50'), toMs: at('04:00'), faults: ['lost-status'] });
  const fault = { stationId: 's-1', atMs: at('01:20'), eventId: 's-1/4', sessionId: null, receivedMs: at('01:20:01') };
  book.addFault({ ...fault, kind: 'duplicate' });
  book.addFault({ ...fault, kind: 'malformed', eventId: 's-1/5' });
  book.addFault({ ...fault, kind: 'lost-stop', eventId: 's-1/12', sessionId: 's-1/1-2', receivedMs: null });
  book.addFault({ ...fault, kind: 'resent-number', eventId: 's-1/6' });
  book.addFault({ ...fault, kind: 'changed-station', atMs: at('06:00'), eventId: null, receivedMs: null });
  book.sort();
  return book;
}

function row(number: number, start: string, stop: string, wh: number, flags: readonly string[], events: number): SessionAnswer {
  return {
    station: 's-1', id: `s-1/1-${number}`, evse: 1, connector: 1, token: `token-${number}`, site: 's', start: at(start), stop: at(stop), wh,
    closed: flags.includes('missing-stop') ? 'StatusAvailable' : 'TransactionEnded', reason: flags.includes('missing-stop') ? null : 'EVDisconnected', flags, events, gaps: 0,
  };
}

function hour(clock: string, minutes: number, occupiedMinutes: number, started: number, ended: number): HourAnswer {
  return {
    station: 's-1', hour: at(clock), milliWh: minutes * 200_000, occupied: occupiedMinutes * 60_000, started, ended,
    minutes: Array.from({ length: 60 }, (_, minute) => (minute < minutes ? 200_000 : 0)),
  };
}

function visit(number: number, start: string, stop: string, wh: number): VisitAnswer {
  return { id: `s-1/1-${number}`, site: 's', token: `token-${number}`, start: at(start), stop: at(stop), attempts: 1, successes: 1, wh, sessions: [`s-1/1-${number}`] };
}

/** What the tables hold when all is as it should be. */
export const rightAnswers: Answers = {
  charging_sessions: [
    row(1, '01:00', '01:50', 10_000, [], 3), row(2, '03:00', '04:00', 6_000, ['missing-stop', 'partial-energy'], 2), row(3, '05:00', '05:30', 6_000, ['clock-replaced'], 3),
    row(4, '07:00', '07:30', 4_000, ['register-reset'], 4),
  ],
  station_hours: [hour('01:00', 50, 50, 1, 1), hour('03:00', 30, 60, 1, 0), hour('04:00', 0, 0, 0, 1), hour('05:00', 30, 30, 1, 1), hour('07:00', 20, 30, 1, 1)],
  station_days: [{ station: 's-1', day: midnightMs, milliWh: 26_000_000, occupied: 170 * 60_000, started: 4, ended: 4, peak: 200_000 }],
  connector_status: [
    { station: 's-1', evse: 1, connector: 1, from: at('00:59:50'), to: at('01:50'), status: 'Occupied' },
    { station: 's-1', evse: 1, connector: 1, from: at('01:50'), to: at('02:59:50'), status: 'Available' },
  ],
  charging_visits: [visit(1, '01:00', '01:50', 10_000), visit(2, '03:00', '04:00', 6_000), visit(3, '05:00', '05:30', 6_000), visit(4, '07:00', '07:30', 4_000)],
  charging_events: [{ station: 's-1', rows: 21, ids: 20, again: 1, highest: 20, offline: 0 }],
  dead_letters: [{ key: 's-1', time: at('01:20:01'), reason: 'DESERIALISATION_FAILED', rows: 1 }],
  station_versions: [{ station: 's-1', validFrom: at('06:00') }],
  late_records: [],
  live_sessions: [],
};

/** Answers statements by the table that they name. */
export function askFor(answers: Answers): AskRows {
  return async function* ask<Row>(sql: string): AsyncGenerator<Row> {
    const found = Object.entries(answers).find(([table]) => sql.includes(`.${table} `));
    if (found === undefined) throw new Error(`nobody knows the table of: ${sql}`);
    yield* found[1] as readonly Row[];
  };
}

import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { isExact, receptionMs } from './knowable.ts';
import type { LedgerBook } from './ledger-book.ts';
import { truthsOf } from './session-truths.ts';
import type { SessionTruth } from './session-truths.ts';

/** A row of station_hours; minutes as they stand there: 60 values, or one that all have, or none for zero. */
export interface HourAnswer {
  readonly station: string;
  readonly hour: number;
  readonly milliWh: number;
  readonly occupied: number;
  readonly started: number;
  readonly ended: number;
  readonly minutes: readonly number[];
}

export function hoursSql(database: string): string {
  return `SELECT station_id AS station, toUnixTimestamp(hour) * 1000 AS hour, energy_milli_wh AS milliWh, occupied_ms AS occupied, sessions_started AS started,
    sessions_ended AS ended, minutes_energy_milli_wh AS minutes
  FROM ${database}.station_hours FINAL ORDER BY station_id`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What an hour of a station must have; what is not known of it is left out of the comparison. */
export class TrueHour {
  readonly minutesMilliWh = new Float64Array(60);
  /** Pieces of courses that meet here: each is in whole mWh, so that sums may differ by as many. */
  pieces = 0;
  occupiedMs = 0;
  started = 0;
  ended = 0;
  isEnergyKnown = true;
  isTimeKnown = true;
  isStartedKnown = true;
  isEndedKnown = true;
}

/** Compares energy and occupation by hour and minute: linear between the readings that arrive. */
export class HourJudge {
  readonly #book: LedgerBook;
  readonly #hours = new Findings('station_hours');
  readonly #minutes = new Findings('station_minutes');
  readonly #books = new Findings('energy of hours and late records = of sessions');
  /** What the rows of a station have together. */
  readonly milliWh = new Map<string, number>();

  constructor(book: LedgerBook) {
    this.#book = book;
  }

  /** `sessionsMilliWh`: what the rows of its sessions have together; null: some of them run. `lateMilliWh`: of its late records. */
  station(stationId: string, rows: readonly HourAnswer[], sessionsMilliWh: number | null, lateMilliWh: number): void {
    const wanted = hoursOf(this.#book, truthsOf(this.#book, stationId));
    const seen = new Set<number>();
    let sumMilliWh = 0;
    for (const row of rows) {
      sumMilliWh += row.milliWh;
      if (seen.has(row.hour)) this.#hours.duplicated(`${nameOf(stationId, row.hour)} has another row`);
      seen.add(row.hour);
      this.#compare(stationId, row, wanted.get(row.hour) ?? new TrueHour());
    }
    for (const [hour, one] of wanted) if (!seen.has(hour) && one.isEnergyKnown && one.minutesMilliWh.some((milliWh) => milliWh >= 1)) this.#hours.lost(nameOf(stationId, hour));
    this.milliWh.set(stationId, sumMilliWh);
    if (sessionsMilliWh === null) {
      this.#books.notKnowable += 1;
      return;
    }
    this.#books.compared += 1;
    if (sumMilliWh + lateMilliWh !== sessionsMilliWh) this.#books.wrong(`${stationId}: ${sumMilliWh} mWh in hours and ${lateMilliWh} late, its sessions have ${sessionsMilliWh}`);
  }

  get results(): readonly TableFindings[] {
    return [this.#hours.result, this.#minutes.result, this.#books.result];
  }

  #compare(stationId: string, row: HourAnswer, wanted: TrueHour): void {
    const complaints: string[] = [];
    if (!wanted.isEnergyKnown) this.#hours.notKnowable += 1;
    else this.#hours.compared += 1;
    const wantedMilliWh = wanted.minutesMilliWh.reduce((sum, milliWh) => sum + milliWh, 0);
    if (wanted.isEnergyKnown && Math.abs(row.milliWh - wantedMilliWh) > 1 + wanted.pieces) complaints.push(`energy ${row.milliWh} mWh, not ${Math.round(wantedMilliWh)}`);
    if (wanted.isTimeKnown && row.occupied !== wanted.occupiedMs) complaints.push(`occupied ${row.occupied} ms, not ${wanted.occupiedMs}`);
    if (wanted.isStartedKnown && row.started !== wanted.started) complaints.push(`${row.started} sessions started, not ${wanted.started}`);
    if (wanted.isEndedKnown && row.ended !== wanted.ended) complaints.push(`${row.ended} sessions ended, not ${wanted.ended}`);
    if (complaints.length > 0) this.#hours.wrong(`${nameOf(stationId, row.hour)}: ${complaints.join('; ')}`);
    if (!wanted.isEnergyKnown) return;
    this.#minutes.compared += 60;
    for (const [at, milliWh] of wanted.minutesMilliWh.entries()) {
      const found = row.minutes.length === 60 ? row.minutes[at] as number : row.minutes[0] ?? 0;
      if (Math.abs(found - milliWh) > 1 + wanted.pieces) this.#minutes.wrong(`${nameOf(stationId, row.hour + at * MINUTE_MS)}: energy ${found} mWh, not ${Math.round(milliWh)}`);
    }
  }
}

function nameOf(stationId: string, timeMs: number): string {
  return `${stationId} ${new Date(timeMs).toISOString().slice(0, 16)}`;
}

export function hoursOf(book: LedgerBook, truths: readonly SessionTruth[]): ReadonlyMap<number, TrueHour> {
  const hours = new Map<number, TrueHour>();
  const hourOf = (timeMs: number): TrueHour => {
    const startMs = timeMs - (timeMs % HOUR_MS);
    const hour = hours.get(startMs) ?? new TrueHour();
    hours.set(startMs, hour);
    return hour;
  };
  for (const truth of truths) {
    if (truth.known.arriving.length > 0) addTimes(book, truth, hourOf);
    if (truth.known.isCourseKnown) addCourse(book, truth, hourOf);
  }
  return hours;
}

/** Start, stop and the time between, where these are known; else where they may be, nothing is. */
function addTimes(book: LedgerBook, { session, known, nextStartMs }: SessionTruth, hourOf: (timeMs: number) => TrueHour): void {
  const { start, stop, arriving } = known;
  const isSure = isExact(start) && isExact(stop) && !known.mayBeAbsent;
  const mark = (fromMs: number, toMs: number, set: (hour: TrueHour) => void): void => {
    for (let timeMs = fromMs - (fromMs % HOUR_MS); timeMs <= toMs; timeMs += HOUR_MS) set(hourOf(timeMs));
  };
  if (isSure) {
    hourOf(start.from).started += 1;
    hourOf(stop.from).ended += 1;
    for (let fromMs = start.from; fromMs < stop.from;) {
      const toMs = Math.min(stop.from, fromMs - (fromMs % HOUR_MS) + HOUR_MS);
      hourOf(fromMs).occupiedMs += toMs - fromMs;
      fromMs = toMs;
    }
  } else {
    const endMs = Math.max(session.stopMs + receptionMs, Math.min(stop.to, nextStartMs ?? book.facts.endMs + 86_400_000));
    const fromMs = Math.min(session.startMs, book.timeMs(session, arriving[0] as number));
    mark(fromMs, endMs, (hour) => {
      hour.isTimeKnown = hour.isStartedKnown = hour.isEndedKnown = false;
    });
  }
  const vague = known.isCourseKnown || known.energy.isNull ? known.vague : [[session.startMs, session.stopMs + receptionMs] as const];
  for (const [fromMs, toMs] of vague) {
    mark(fromMs, toMs, (hour) => {
      hour.isEnergyKnown = false;
    });
  }
}

function addCourse(book: LedgerBook, { session, known: { read } }: SessionTruth, hourOf: (timeMs: number) => TrueHour): void {
  for (let at = 1; at < read.length; at += 1) {
    const fromMs = book.timeMs(session, read[at - 1] as number);
    const toMs = book.timeMs(session, read[at] as number);
    const milliWh = 1_000 * (book.energyWh(session, read[at] as number) - book.energyWh(session, read[at - 1] as number));
    if (milliWh === 0) continue;
    if (toMs === fromMs) {
      const hour = hourOf(toMs);
      hour.minutesMilliWh[Math.floor((toMs % HOUR_MS) / MINUTE_MS)] = (hour.minutesMilliWh[Math.floor((toMs % HOUR_MS) / MINUTE_MS)] as number) + milliWh;
    }
    let pieceOf: TrueHour | null = null;
    for (let timeMs = fromMs; timeMs < toMs;) {
      const endMs = Math.min(toMs, timeMs - (timeMs % MINUTE_MS) + MINUTE_MS);
      const hour = hourOf(timeMs);
      const minute = Math.floor((timeMs % HOUR_MS) / MINUTE_MS);
      hour.minutesMilliWh[minute] = (hour.minutesMilliWh[minute] as number) + (milliWh * (endMs - timeMs)) / (toMs - fromMs);
      if (hour !== pieceOf) hour.pieces += 1;
      pieceOf = hour;
      timeMs = endMs;
    }
  }
}

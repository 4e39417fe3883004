import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { hoursOf } from './judge-hours.ts';
import type { TrueHour } from './judge-hours.ts';
import type { LedgerBook } from './ledger-book.ts';
import { truthsOf } from './session-truths.ts';

/** A row of station_days; `peak` is its fullest minute. */
export interface DayAnswer {
  readonly station: string;
  readonly day: number;
  readonly milliWh: number;
  readonly occupied: number;
  readonly started: number;
  readonly ended: number;
  readonly peak: number;
}

export function daysSql(database: string): string {
  return `SELECT station_id AS station, toUnixTimestamp(toDateTime(day, 'UTC')) * 1000 AS day, energy_milli_wh AS milliWh, occupied_ms AS occupied, sessions_started AS started,
    sessions_ended AS ended, peak_minute_milli_wh AS peak
  FROM ${database}.station_days FINAL ORDER BY station_id`;
}

const DAY_MS = 86_400_000;

/** Compares days in UTC with the hours that are true, and their energy with that of the rows of hours. */
export class DayJudge {
  readonly #book: LedgerBook;
  readonly #days = new Findings('station_days');
  readonly #books = new Findings('energy of days = of hours');

  constructor(book: LedgerBook) {
    this.#book = book;
  }

  /** `hoursMilliWh`: of its rows of hours. */
  station(stationId: string, rows: readonly DayAnswer[], hoursMilliWh: number): void {
    const wanted = new Map<number, TrueHour[]>();
    for (const [hour, one] of hoursOf(this.#book, truthsOf(this.#book, stationId))) {
      const day = hour - (hour % DAY_MS);
      const hours = wanted.get(day) ?? [];
      wanted.set(day, hours);
      hours.push(one);
    }
    const seen = new Set<number>();
    for (const row of rows) {
      if (seen.has(row.day)) this.#days.duplicated(`${nameOf(stationId, row.day)} has another row`);
      seen.add(row.day);
      this.#compare(stationId, row, wanted.get(row.day) ?? []);
    }
    for (const [day, hours] of wanted) {
      if (!seen.has(day) && hours.some(({ isEnergyKnown, minutesMilliWh }) => isEnergyKnown && minutesMilliWh.some((milliWh) => milliWh >= 1))) this.#days.lost(nameOf(stationId, day));
    }
    const sumMilliWh = rows.reduce((sum, { milliWh }) => sum + milliWh, 0);
    this.#books.compared += 1;
    if (sumMilliWh !== hoursMilliWh) this.#books.wrong(`${stationId}: ${sumMilliWh} mWh in days, ${hoursMilliWh} in hours`);
  }

  get results(): readonly TableFindings[] {
    return [this.#days.result, this.#books.result];
  }

  #compare(stationId: string, row: DayAnswer, hours: readonly TrueHour[]): void {
    const sum = (of: (hour: TrueHour) => number): number => hours.reduce((total, hour) => total + of(hour), 0);
    const complaints: string[] = [];
    if (hours.every(({ isEnergyKnown }) => isEnergyKnown)) {
      this.#days.compared += 1;
      const pieces = sum((hour) => hour.pieces);
      const wantedMilliWh = sum(({ minutesMilliWh }) => minutesMilliWh.reduce((total, milliWh) => total + milliWh, 0));
      if (Math.abs(row.milliWh - wantedMilliWh) > 1 + pieces) complaints.push(`energy ${row.milliWh} mWh, not ${Math.round(wantedMilliWh)}`);
      const peak = Math.max(0, ...hours.map(({ minutesMilliWh }) => Math.max(...minutesMilliWh)));
      if (Math.abs(row.peak - peak) > 1 + pieces) complaints.push(`fullest minute ${row.peak} mWh, not ${Math.round(peak)}`);
    } else this.#days.notKnowable += 1;
    const occupiedMs = sum((hour) => hour.occupiedMs);
    if (hours.every(({ isTimeKnown }) => isTimeKnown) && row.occupied !== occupiedMs) complaints.push(`occupied ${row.occupied} ms, not ${occupiedMs}`);
    const [started, ended] = [sum((hour) => hour.started), sum((hour) => hour.ended)];
    if (hours.every(({ isStartedKnown }) => isStartedKnown) && row.started !== started) complaints.push(`${row.started} sessions started, not ${started}`);
    if (hours.every(({ isEndedKnown }) => isEndedKnown) && row.ended !== ended) complaints.push(`${row.ended} sessions ended, not ${ended}`);
    if (complaints.length > 0) this.#days.wrong(`${nameOf(stationId, row.day)}: ${complaints.join('; ')}`);
  }
}

function nameOf(stationId: string, dayMs: number): string {
  return `${stationId} ${new Date(dayMs).toISOString().slice(0, 10)}`;
}

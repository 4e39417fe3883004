import type { Question } from './questions.ts';

/** A part of the network and of the time; what is left out is not limited. */
export interface PartOfNetwork {
  readonly city?: string;
  readonly operator?: string;
  readonly site?: string;
  /** First and last day on which a session began, by the clock at its site; YYYY-MM-DD. */
  readonly fromDay?: string;
  readonly toDay?: string;
}

/**
 * The question's SQL, asked of a part only. The views stay as they are: ClickHouse filters what they read (setting
 * `additional_table_filters`), sessions behind FINAL, stations as they are now, connectors. Times limit sessions only.
 */
export function questionSql(question: Question, database: string, part: PartOfNetwork = {}): string {
  const place = placeConditions(part);
  const began = [...place, ...timeConditions(part, question.subject === 'attempts' ? startedDay : 'local_day')];
  // Sums of months know neither days nor, but for one, places: empty, they give way to the sessions themselves.
  const noSums = began.length > 0 ? ['0'] : [];
  const conditions = question.subject === 'attempts'
    ? { charging_sessions: began, charging_visits: began, session_months: noSums, visit_months: noSums }
    : { session_facts: began, session_months: began.length > place.length ? noSums : place, session_hours: noSums, session_flag_months: noSums, sessions_now: place, stations_now: place, connectors_now: place, connector_intervals: place };
  const filters = Object.entries(conditions).filter(([, all]) => all.length > 0).map(([table, all]) => `${quoted(`${database}.${table}`)}: ${quoted(all.join(' AND '))}`);
  const sql = question.sql(database);
  return filters.length === 0 ? sql : `${sql} SETTINGS additional_table_filters = {${filters.join(', ')}}`;
}

/** Whether the part changes the answer: of records that were set aside neither place nor day are known. */
export function dependsOnPart({ subject }: Question, part: PartOfNetwork): boolean {
  if (subject === 'records') return false;
  return subject === 'stations' || subject === 'connectors' ? placeConditions(part).length > 0 : Object.values(part).some((limit) => limit !== undefined);
}

function placeConditions({ city, operator, site }: PartOfNetwork): readonly string[] {
  return [['city', city], ['operator', operator], ['site_id', site]]
    .flatMap(([column, value]) => (value === undefined ? [] : [`${column} = ${quoted(value)}`]));
}

/** What `local_day` is, where only the table's own columns are there. */
const startedDay = 'toDate32(addSeconds(start_time, utc_offset_seconds))';

function timeConditions({ fromDay, toDay }: PartOfNetwork, day: string): readonly string[] {
  return [
    ...(fromDay === undefined ? [] : [`${day} >= ${quoted(fromDay)}`]),
    ...(toDay === undefined ? [] : [`${day} <= ${quoted(toDay)}`]),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`;
}

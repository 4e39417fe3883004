import type { Question, Subject } from './questions.ts';

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
  const limits = Object.entries(limitsOf(question.subject, part)).filter(([, conditions]) => conditions.length > 0);
  const filters = limits.map(([table, conditions]) => `${quoted(`${database}.${table}`)}: ${quoted(conditions.join(' AND '))}`);
  const sql = question.sql(database);
  return filters.length === 0 ? sql : `${sql} SETTINGS additional_table_filters = {${filters.join(', ')}}`;
}

type Limits = Readonly<Record<string, readonly string[]>>;

/** Conditions on what the questions of a subject read. */
function limitsOf(subject: Subject, part: PartOfNetwork): Limits {
  const place = placeConditions(part);
  switch (subject) {
    case 'sessions':
      return sessionLimits(part, place);
    case 'sessions and stations':
      return { ...sessionLimits(part, place), stations_now: place };
    case 'stations':
      return { stations_now: place };
    case 'connectors':
      return { connectors_now: place, sessions_now: place, stations_now: place };
    case 'attempts': {
      const began = [...place, ...timeConditions(part, startedDay)];
      const noSums = began.length > 0 ? ['0'] : [];
      return { charging_sessions: began, charging_visits: began, session_months: noSums, visit_months: noSums };
    }
    case 'records':
      return {};
  }
}

/** Sums of months know neither days nor, but for one, places: empty, they give way to the sessions themselves. */
function sessionLimits(part: PartOfNetwork, place: readonly string[]): Limits {
  const days = timeConditions(part, 'local_day');
  const began = [...place, ...days];
  const noSums = began.length > 0 ? ['0'] : [];
  return { session_facts: began, session_months: days.length > 0 ? noSums : place, session_hours: noSums, session_flag_months: noSums };
}

/** Whether the part changes the answer: of records that were set aside neither place nor day are known. */
export function dependsOnPart({ subject }: Question, part: PartOfNetwork): boolean {
  return Object.values(limitsOf(subject, part)).some((conditions) => conditions.length > 0);
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

import { block, count, day, duration, energy, kiloWattHours, painter, table } from './report/text.ts';
import type { Count, Painter } from './report/text.ts';

/**
 * What a person sees when the shipped data has been processed: one query a block, and the text made of the answers. Numbers
 * come as ClickHouse's JSON gives them, 64-bit integers as strings.
 */

export interface SummaryAnswers {
  readonly totals: readonly {
    readonly sessions: Count; readonly stations: Count; readonly sites: Count; readonly energy_wh: number | null;
    readonly first_day: string; readonly last_day: string; readonly median_wh: number | null; readonly median_minutes: number | null;
  }[];
  readonly sites: readonly { readonly site: string; readonly sessions: Count; readonly energy_wh: number | null }[];
  readonly closedBy: readonly { readonly closed_by: string | null; readonly sessions: Count }[];
  readonly flags: readonly { readonly flag: string; readonly sessions: Count }[];
  /** What the tables of load have, each by itself; the same but for what waits to be given. */
  readonly load: readonly { readonly unit: string; readonly rows: Count; readonly energy_wh: number | null }[];
  readonly late: readonly { readonly step: string; readonly records: Count; readonly energy_wh: number | null }[];
  readonly deadLetters: readonly { readonly reason: string; readonly records: Count }[];
  readonly events: readonly { readonly events: Count }[];
}

export type SummaryQueries = { readonly [Name in keyof SummaryAnswers]: string };

/** Units of time by which the load of stations is kept. */
const loadUnits = [['hour', 'station_hours'], ['day', 'station_days']] as const;

/** Sites in the list of the busiest. */
const sitesShown = 8;

export function summaryQueries(database: string): SummaryQueries {
  const sessions = `${database}.charging_sessions FINAL`;
  return {
    totals: `SELECT count() AS sessions, uniqExact(station_id) AS stations, uniqExactIf(site_id, site_id != '') AS sites,
  sum(energy_wh) AS energy_wh, toString(toDate(min(start_time))) AS first_day, toString(toDate(max(start_time))) AS last_day,
  quantileExactIf(0.5)(assumeNotNull(energy_wh), energy_wh > 0) AS median_wh,
  quantileExactIf(0.5)(dateDiff('second', start_time, assumeNotNull(stop_time)), stop_time > start_time) / 60 AS median_minutes
FROM ${sessions} SETTINGS prefer_column_name_to_alias = 1`,
    sites: `SELECT if(site_id = '', '(no site)', site_id) AS site, count() AS sessions, sum(energy_wh) AS energy_wh
FROM ${sessions} GROUP BY site ORDER BY sessions DESC, site LIMIT ${sitesShown}`,
    closedBy: `SELECT closed_by, count() AS sessions FROM ${sessions} GROUP BY closed_by ORDER BY sessions DESC, closed_by`,
    flags: `SELECT flag, count() AS sessions FROM ${sessions} ARRAY JOIN flags AS flag GROUP BY flag ORDER BY sessions DESC, flag`,
    load: loadUnits.map(([unit, table]) => `SELECT '${unit}' AS unit, count() AS rows, sum(energy_milli_wh) / 1000 AS energy_wh FROM ${database}.${table} FINAL`)
      .join('\nUNION ALL\n'),
    late: `SELECT step, count() AS records, sum(energy_wh) AS energy_wh FROM ${database}.late_records FINAL GROUP BY step ORDER BY step`,
    deadLetters: `SELECT reason, count() AS records FROM ${database}.dead_letters FINAL GROUP BY reason ORDER BY records DESC, reason`,
    events: `SELECT count() AS events FROM ${database}.charging_events`,
  };
}

/** Asks one query after another: an embedded ClickHouse answers one at a time. */
export async function askSummary(
  query: <Row>(sql: string) => Promise<readonly Row[]>,
  database: string,
): Promise<SummaryAnswers> {
  const queries = summaryQueries(database);
  const ask = <Name extends keyof SummaryAnswers>(name: Name) => query<SummaryAnswers[Name][number]>(queries[name]);
  return {
    totals: await ask('totals'), sites: await ask('sites'), closedBy: await ask('closedBy'), flags: await ask('flags'),
    load: await ask('load'), late: await ask('late'), deadLetters: await ask('deadLetters'), events: await ask('events'),
  };
}

export interface SummaryRun {
  /** Events that this run has processed, and how long it took; none when all was done before. */
  readonly processedEvents: number;
  readonly elapsedMs: number;
  /** Escape sequences for bold and dim text: only on a terminal. */
  readonly colour: boolean;
}

export function summaryText(answers: SummaryAnswers, run: SummaryRun): string {
  const paint = painter(run.colour);
  const totals = answers.totals[0];
  if (totals === undefined || Number(totals.sessions) === 0) return 'There are no sessions yet.';
  const lines = [
    paint.bold(`${count(totals.sessions)} charging sessions, ${energy(totals.energy_wh)}`),
    `${count(totals.stations)} stations at ${count(totals.sites)} sites, ${day(totals.first_day)} to ${day(totals.last_day)}; ` +
      `half of the sessions take more than ${kiloWattHours(totals.median_wh)} and last more than ${duration(totals.median_minutes)}`,
    '',
    ...sitesBlock(answers, paint),
    '',
    ...block('Closed by', answers.closedBy.map((row) => [closedByWords[row.closed_by ?? ''] ?? row.closed_by ?? 'still open', row.sessions]), paint),
    '',
    ...block('Flags', answers.flags.map((row) => [row.flag, row.sessions]), paint),
    '',
    ...asideBlock(answers, paint),
    '',
    speedLine(answers, run),
  ];
  return lines.join('\n');
}

const closedByWords: Readonly<Record<string, string>> = {
  TransactionEnded: 'its own stop', NextStart: 'the next start on the connector', StatusAvailable: 'the connector becoming available',
  Inactivity: 'nothing heard any more', None: 'still open',
};

function sitesBlock(answers: SummaryAnswers, paint: Painter): readonly string[] {
  return table('Busiest sites', answers.sites, paint, ({ site }) => site, [
    { title: 'sessions', text: ({ sessions }) => count(sessions) }, { title: 'energy', text: (row) => energy(row.energy_wh), width: 10 },
  ], ({ sessions }) => sessions);
}

const unitWords = { hour: 'hours', day: 'days' } as const;

function asideBlock(answers: SummaryAnswers, paint: Painter): readonly string[] {
  const lateWh = answers.late.reduce((sum, row) => sum + (row.energy_wh ?? 0), 0);
  const lateRecords = answers.late.reduce((sum, row) => sum + Number(row.records), 0);
  const books = [
    ['in sessions', answers.totals[0]?.energy_wh ?? 0],
    ...loadUnits.map(([unit]) => {
      const load = answers.load.find((row) => row.unit === unit);
      return [`in ${count(load?.rows ?? 0)} ${unitWords[unit]}, and late`, (load?.energy_wh ?? 0) + lateWh] as const;
    }),
    [`of it in ${count(lateRecords)} late records`, lateWh],
  ] as const;
  const width = Math.max(32, ...books.map(([name]) => name.length));
  return [
    paint.bold('Energy, kept by session and by time'),
    ...books.map(([name, wattHours]) => `  ${name.padEnd(width)}  ${count(Math.round(wattHours)).padStart(13)} Wh`),
    '',
    ...block('Set aside', [
      ...answers.deadLetters.map((row) => [`dead letters: ${row.reason}`, row.records] as const),
      ['late records', lateRecords],
    ], paint),
  ];
}

function speedLine(answers: SummaryAnswers, run: SummaryRun): string {
  const events = count(answers.events[0]?.events ?? 0);
  if (run.processedEvents === 0) return `${events} events are in the table; there was nothing new to do.`;
  const perSecond = Math.round((run.processedEvents * 1000) / Math.max(1, run.elapsedMs));
  return `${events} events are in the table; ${count(run.processedEvents)} were processed in ${(run.elapsedMs / 1000).toFixed(1)} s, ${count(perSecond)} a second.`;
}

import { minorUnitDigits } from '../cost/currencies.ts';
import { sections } from '../views/questions.ts';
import type { Section } from '../views/questions.ts';
import type { AnswerRow, Answers } from './answers.ts';
import { count, day, duration, energy, kiloWattHours, month, painter, percent, table, weekdays } from './text.ts';
import type { Column, Painter } from './text.ts';

/** Rows of lists of stations, sessions and prices that are shown; `voltstream query` and `export` give all of them. */
const rowsShown = 8;

/** The answers as text, section by section; a section of which nothing is known says so or is left out. */
export function reportText(answers: Answers, colour: boolean): string {
  const paint = painter(colour);
  const parts = (Object.keys(sections) as Section[]).map((section) => writers[section](new Reader(answers), paint)).filter((lines) => lines.length > 0);
  return parts.map((lines) => lines.join('\n')).join('\n\n');
}

/** Answers by name; a question that was not asked has no rows. */
class Reader {
  readonly #answers: Answers;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  rows(name: string): readonly AnswerRow[] {
    return this.#answers.get(name) ?? [];
  }

  row(name: string): AnswerRow | undefined {
    return this.rows(name)[0];
  }

  asked(name: string): boolean {
    return this.#answers.has(name);
  }
}

const number = (row: AnswerRow, column: string): number => Number(row[column] ?? 0);
const known = (row: AnswerRow, column: string): number | null => (row[column] === null || row[column] === undefined ? null : Number(row[column]));
const text = (row: AnswerRow, column: string, otherwise = ''): string => {
  const value = row[column];
  return value === null || value === undefined || value === '' ? otherwise : String(value as string | number);
};

const sessionsColumn: Column<AnswerRow> = { title: 'sessions', text: (row) => count(number(row, 'sessions')) };
const energyColumn: Column<AnswerRow> = { title: 'energy', text: (row) => energy(number(row, 'energy_wh')), width: 10 };
const usedColumn: Column<AnswerRow> = { title: 'occupied', text: (row) => percent(known(row, 'utilisation')) };
const revenueColumn: Column<AnswerRow> = { title: 'revenue', text: (row) => money(number(row, 'revenue_minor'), text(row, 'currency')), width: 12 };
const perKwhColumn: Column<AnswerRow> = { title: 'per kWh', text: (row) => perKwh(known(row, 'cost_per_kwh_minor'), text(row, 'currency')), width: 12 };

type Writer = (answers: Reader, paint: Painter) => readonly string[];

/** Several tables of one section, an empty line between. */
function together(...tables: readonly (readonly string[])[]): readonly string[] {
  return tables.filter((lines) => lines.length > 0).flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

const writers: Readonly<Record<Section, Writer>> = {
  network: networkLines,
  status: statusLines,
  today: todayLines,
  sessions: sessionLines,
  hours: (answers, paint) => spread(answers, paint, 'sessions_by_hour_of_day', sections.hours, (row) => text(row, 'hour').padStart(2, '0')),
  weekdays: (answers, paint) => spread(answers, paint, 'sessions_by_weekday', sections.weekdays, (row) => weekdays[number(row, 'weekday') - 1] ?? ''),
  months: (answers, paint) => spread(answers, paint, 'sessions_by_month', sections.months, (row) => month(text(row, 'month'))),
  stations: stationLines,
  utilisation: utilisationLines,
  revenue: revenueLines,
  chargers: chargerLines,
  shares: shareLines,
  recent: recentLines,
  quality: qualityLines,
};

function networkLines(answers: Reader, paint: Painter): readonly string[] {
  const row = answers.row('network_totals');
  if (row === undefined) return [];
  const stations = `${count(number(row, 'stations_known'))} stations with ${count(number(row, 'places_known'))} charging places are known`;
  if (number(row, 'sessions') === 0) return [paint.bold(sections.network), `  ${stations}; there are no sessions`];
  const successful = number(row, 'successful_sessions') / number(row, 'sessions');
  return [
    paint.bold(sections.network),
    `  ${count(number(row, 'sessions'))} sessions, ${energy(number(row, 'energy_wh'))}, ${day(text(row, 'first_day'))} to ${day(text(row, 'last_day'))}`,
    `  ${stations}; ${count(number(row, 'stations_used'))} were used${number(row, 'sites_used') === 0 ? '' : `, at ${count(number(row, 'sites_used'))} sites`}`,
    `  ${percent(successful)} of the sessions delivered energy`,
  ];
}

function statusLines(answers: Reader, paint: Painter): readonly string[] {
  const now = answers.row('occupancy_now');
  if (now === undefined || number(now, 'connectors') === 0) return [];
  const states = ['available', 'occupied', 'reserved', 'unavailable', 'faulted', 'unknown', 'offline'].filter((state) => number(now, state) > 0);
  const uptime = answers.rows('network_uptime').slice(-rowsShown);
  return together(
    [
      paint.bold(sections.status),
      `  ${count(number(now, 'connectors'))} connectors: ${states.map((state) => `${count(number(now, state))} ${state}`).join(', ')}`,
      `  ${percent(known(now, 'operational_rate'))} can be used, ${percent(known(now, 'occupied_share'))} are in use`,
    ],
    uptime.length === 0 ? [] : table('Uptime', uptime, paint, (row) => month(text(row, 'month')), [
      { title: 'ports', text: (row) => count(number(row, 'ports')) },
      { title: 'of the month', text: (row) => percent(number(row, 'uptime_percent') / 100), width: 12 },
      { title: 'of 12 months', text: (row) => percent(number(row, 'year_uptime_percent') / 100), width: 12 },
    ]),
  );
}

function todayLines(answers: Reader, paint: Painter): readonly string[] {
  if (!answers.asked('sessions_today')) return [];
  const rows = answers.rows('sessions_today');
  const open = answers.rows('sessions_now').length;
  const underWay = open === 0 ? [] : [`  ${count(open)} ${open === 1 ? 'session is' : 'sessions are'} under way`];
  if (rows.length === 0) return [paint.bold(sections.today), '  no session has begun and ended today', ...underWay];
  const ended = table(sections.today, rows, paint, (row) => text(row, 'currency', 'no price'), [sessionsColumn, energyColumn, revenueColumn]);
  return [...ended, ...underWay];
}

function sessionLines(answers: Reader, paint: Painter): readonly string[] {
  const row = answers.row('session_averages');
  if (row === undefined || number(row, 'sessions') === 0) return [];
  const minutes = (column: string): string => duration(number(row, column) / 60_000);
  const lines = [`  a vehicle stays ${minutes('mean_stay_ms')} and takes ${kiloWattHours(known(row, 'mean_energy_wh'))}`];
  if (known(row, 'mean_charging_ms') !== null) {
    lines.push(`  it charges for ${minutes('mean_charging_ms')}${known(row, 'mean_idle_ms') === null ? '' : ` and stands for ${minutes('mean_idle_ms')} without`}`);
  }
  const share = (column: string) => (rates: AnswerRow): string => percent(known(rates, column));
  const success = answers.rows('success_rates').slice(-rowsShown);
  return together([paint.bold('An average session'), ...lines], success.length === 0 ? [] : table('Success', success, paint, (rates) => month(text(rates, 'month')), [
    { title: 'attempts', text: (rates) => count(number(rates, 'attempts')) }, { title: 'succeeded', text: share('attempt_rate') },
    { title: 'visits', text: (rates) => count(number(rates, 'visits')) }, { title: 'succeeded', text: share('visit_rate') }, { title: 'at once', text: share('first_time_rate') },
  ]));
}

function spread(answers: Reader, paint: Painter, name: string, title: string, of: (row: AnswerRow) => string): readonly string[] {
  const rows = answers.rows(name);
  if (!rows.some((row) => number(row, 'sessions') > 0)) return [];
  return table(title, rows, paint, of, [sessionsColumn, energyColumn], (row) => number(row, 'sessions'));
}

const stationName = (row: AnswerRow): string => [text(row, 'station_id'), text(row, 'site_id', text(row, 'city'))].filter((part) => part !== '').join('  ');

function stationLines(answers: Reader, paint: Painter): readonly string[] {
  const of = (name: string, title: string): readonly string[] => {
    const rows = answers.rows(name).slice(0, rowsShown);
    return rows.length === 0 ? [] : table(title, rows, paint, stationName, [sessionsColumn, energyColumn, usedColumn]);
  };
  return together(of('busiest_stations', 'Busiest stations'), of('idlest_stations', 'Idlest stations'));
}

function utilisationLines(answers: Reader, paint: Painter): readonly string[] {
  const places: Column<AnswerRow> = { title: 'places', text: (row) => count(number(row, 'places')) };
  const of = (name: string, title: string, named: (row: AnswerRow) => string): readonly string[] => {
    const rows = answers.rows(name).slice(0, rowsShown);
    return rows.length === 0 ? [] : table(title, rows, paint, named, [places, sessionsColumn, usedColumn], (row) => number(row, 'utilisation'));
  };
  return together(
    of('city_utilisation', 'Utilisation by city', (row) => text(row, 'city', '(no city)')),
    of('operator_utilisation', 'Utilisation by operator', (row) => text(row, 'operator', '(no operator)')),
    of('station_utilisation', 'Utilisation by station', stationName),
  );
}

function revenueLines(answers: Reader, paint: Painter): readonly string[] {
  const priced = (name: string): readonly AnswerRow[] => answers.rows(name).filter((row) => text(row, 'currency') !== '');
  if (!answers.asked('revenue_by_weekday')) return [];
  if (priced('revenue_by_weekday').length === 0) {
    return answers.rows('revenue_by_weekday').length === 0 ? [] : [paint.bold(sections.revenue), '  no session has a price: give stations a tariff (docs/tariffs.md)'];
  }
  const several = new Set(priced('revenue_by_weekday').map((row) => text(row, 'currency'))).size > 1;
  const named = (name: string) => (row: AnswerRow): string => `${name}${several ? `  ${text(row, 'currency')}` : ''}`;
  const perKwhBy = (name: string, title: string, column: string): readonly string[] => {
    const rows = priced(name).toSorted((a, b) => number(b, 'sessions') - number(a, 'sessions')).slice(0, rowsShown);
    return rows.length === 0 ? [] : table(title, rows, paint, (row) => named(text(row, column, '(none)'))(row), [sessionsColumn, energyColumn, perKwhColumn]);
  };
  return together(
    table('Revenue by weekday', priced('revenue_by_weekday'), paint, (row) => named(weekdays[number(row, 'weekday') - 1] ?? '')(row), [sessionsColumn, revenueColumn], several ? undefined : (row) => number(row, 'revenue_minor')),
    table('Revenue by hour', priced('revenue_by_hour_of_day'), paint, (row) => named(text(row, 'hour').padStart(2, '0'))(row), [sessionsColumn, revenueColumn], several ? undefined : (row) => number(row, 'revenue_minor')),
    table('Revenue of the last days', priced('revenue_by_day').slice(-rowsShown), paint, (row) => named(day(text(row, 'day')))(row), [sessionsColumn, revenueColumn]),
    perKwhBy('cost_per_kwh_by_city', 'Cost per kWh by city', 'city'),
    perKwhBy('cost_per_kwh_by_operator', 'Cost per kWh by operator', 'operator'),
    perKwhBy('cost_per_kwh_by_tariff', 'Cost per kWh by tariff', 'tariff_id'),
    perKwhBy('cost_per_kwh_by_station', 'Cost per kWh by station', 'station_id'),
  );
}

function chargerLines(answers: Reader, paint: Painter): readonly string[] {
  const rows = answers.rows('charger_types').slice(0, 2 * rowsShown);
  const name = (row: AnswerRow): string => [text(row, 'current', 'current unknown'), text(row, 'power_class'), text(row, 'standard')].filter((part) => part !== '').join(' ');
  return rows.length === 0 ? [] : table(sections.chargers, rows, paint, name, [{ title: 'connectors', text: (row) => count(number(row, 'connectors')) }, sessionsColumn, energyColumn]);
}

function shareLines(answers: Reader, paint: Painter): readonly string[] {
  const row = answers.row('station_shares');
  if (row === undefined || number(row, 'stations') === 0) return [];
  return [
    paint.bold(`${sections.shares}, of ${count(number(row, 'stations'))} stations`),
    `  ${percent(known(row, 'fast_charging_share'))} are fast, ${percent(known(row, 'open_always_share'))} open around the clock, ${percent(known(row, 'public_share'))} public`,
    `  of ${count(number(row, 'connector_standards_count'))} connector standards, two drawn at random differ with a chance of ${percent(known(row, 'connector_diversity'))}`,
  ];
}

function recentLines(answers: Reader, paint: Painter): readonly string[] {
  const rows = answers.rows('recent_sessions').slice(0, rowsShown);
  return rows.length === 0 ? [] : table(sections.recent, rows, paint, (row) => `${text(row, 'local_start').slice(0, 16)}  ${stationName(row)}`, [
    { title: 'energy', text: (row) => (known(row, 'energy_wh') === null ? '-' : kiloWattHours(number(row, 'energy_wh'))), width: 10 },
    { title: 'stay', text: (row) => (known(row, 'stay_ms') === null ? '-' : duration(number(row, 'stay_ms') / 60_000)), width: 11 },
    { title: 'cost', text: (row) => (known(row, 'cost_minor') === null ? '-' : money(number(row, 'cost_minor'), text(row, 'currency'))), width: 10 },
  ]);
}

function qualityLines(answers: Reader, paint: Painter): readonly string[] {
  const flags = answers.asked('session_flags') ? table('Flags of sessions', answers.rows('session_flags'), paint, (row) => text(row, 'flag'), [
    sessionsColumn, { title: 'of all', text: (row) => percent(known(row, 'share')) },
  ]) : [];
  const aside = answers.asked('set_aside') ? table('Set aside', answers.rows('set_aside'), paint, (row) => `${text(row, 'kind')}: ${text(row, 'reason')}`, [
    { title: 'records', text: (row) => count(number(row, 'records')) },
  ]) : [];
  const logs = answers.rows('session_log_quality').slice(0, 2 * rowsShown);
  return together(flags, logs.length === 0 ? [] : table('Rows of session logs', logs, paint, (row) => `${text(row, 'source')}: ${text(row, 'check')}`, [
    { title: 'rows', text: (row) => count(number(row, 'rows_failed')) }, { title: 'of all', text: (row) => percent(known(row, 'share')) },
  ]), aside);
}

/** Minor units of a currency in its unit: 1234 EUR as 12.34 EUR. */
function money(minor: number, currency: string): string {
  if (currency === '') return '-';
  const digits = minorUnitDigits(currency) ?? 0;
  return `${(minor / 10 ** digits).toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`;
}

/** A price of a kWh, with two digits more than an amount has. */
function perKwh(minor: number | null, currency: string): string {
  if (minor === null) return '-';
  const digits = minorUnitDigits(currency) ?? 0;
  return `${(minor / 10 ** digits).toFixed(digits + 2)} ${currency}`;
}

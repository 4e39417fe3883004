/** Parts of the answer to "how is the network doing?", in the order in which a report tells them. */
export const sections = {
  network: 'The network',
  status: 'Connectors now, and uptime',
  today: 'Today',
  sessions: 'Sessions and energy',
  hours: 'By hour of the day',
  weekdays: 'By weekday',
  months: 'By month',
  stations: 'Busiest and idlest stations',
  utilisation: 'Utilisation',
  revenue: 'Revenue and cost per kWh',
  chargers: 'Charger types',
  shares: 'Shares of the network',
  recent: 'Recent sessions',
  quality: 'Data quality',
} as const;
export type Section = keyof typeof sections;

/** What a question is asked of: a filter on a part of the network changes the answer of these only. */
export type Subject = 'sessions' | 'stations' | 'sessions and stations' | 'attempts' | 'connectors' | 'records';

/** A question that people ask of a charging network, and the view that answers it (deploy/clickhouse). */
export interface Question {
  /** The view. */
  readonly name: string;
  readonly section: Section;
  readonly title: string;
  /** The question as a person asks it. */
  readonly sentence: string;
  readonly subject: Subject;
  /** Arguments of a view with parameters, as an example; null: it has none. */
  readonly example: string | null;
  /** One complete SELECT, in the view's own order. */
  readonly sql: (database: string) => string;
}

/** `from`: the part of the view that the question asks for, where it is a view of its own. */
function question(
  section: Section, name: string, title: string, sentence: string, subject: Subject,
  more: { readonly example?: string; readonly from?: string; readonly where?: string; readonly orderBy?: string } = {},
): Question {
  const { example = null, from = `${name}${example === null ? '' : `(${example})`}`, where, orderBy } = more;
  const rest = `${where === undefined ? '' : ` WHERE ${where}`}${orderBy === undefined ? '' : ` ORDER BY ${orderBy}`}`;
  return {
    name, section, title, sentence, subject, example,
    sql: (database) => `SELECT * FROM ${database}.${from}${rest}`,
  };
}

/** All of them. The report, docs/questions.md, the tests and the bench read this list. */
export const questions: readonly Question[] = [
  question('network', 'network_totals', 'The network', 'How large is the network, and what has been charged?', 'sessions and stations'),
  question('status', 'occupancy_now', 'Occupancy', 'How many connectors are in use, free, or out of order?', 'connectors', { where: `dimension = 'all'` }),
  question('status', 'operational_rate', 'Operational rate', 'What share of the connectors can be used now, at each operator?', 'connectors',
    { where: `dimension = 'operator'`, orderBy: 'operator' }),
  question('status', 'network_uptime', 'Uptime', 'What share of the time could the charging ports be used, by month (23 CFR 680.116)?', 'connectors',
    { from: `network_uptime_by(until = now64(3, 'UTC'), by = 'all')`, orderBy: 'month' }),
  question('status', 'nearest_free_stations', 'Nearest free stations', 'Which stations with a free place are nearest to a point?', 'connectors',
    { example: 'at_latitude = 56.4620, at_longitude = -2.9707' }),
  question('today', 'sessions_today', 'Today', 'How many sessions began today, and what do they bring in?', 'sessions'),
  question('today', 'sessions_now', 'Under way', 'What is being charged now?', 'connectors', { orderBy: 'start_time DESC, session_id' }),
  question('today', 'sessions_on_day', 'A day', 'The same for the day that it is at any moment, up to that moment.', 'sessions',
    { example: `at = '2018-05-01 12:00:00'` }),
  question('sessions', 'session_averages', 'An average session', 'How long does a vehicle stay, and how much does it draw?', 'sessions'),
  question('sessions', 'success_rates', 'Success', 'How often do attempts to charge and visits succeed, by month?', 'attempts',
    { from: `success_rates_by(by = 'all')`, orderBy: 'month' }),
  question('hours', 'sessions_by_hour_of_day', 'Sessions by hour', 'At what hour of the day do sessions begin, and what energy do they draw?', 'sessions'),
  question('weekdays', 'sessions_by_weekday', 'Sessions by weekday', 'On which weekdays do sessions begin, and what energy do they draw?', 'sessions'),
  question('months', 'sessions_by_month', 'Sessions by month', 'How do sessions and energy grow from month to month?', 'sessions'),
  question('stations', 'busiest_stations', 'Busiest stations', 'Which stations have the most sessions?', 'sessions and stations'),
  question('stations', 'idlest_stations', 'Idlest stations', 'Which stations have the fewest sessions, or none?', 'sessions and stations'),
  question('utilisation', 'station_utilisation', 'Utilisation by station', 'What share of its time is each station occupied?', 'sessions and stations',
    { orderBy: 'utilisation DESC, station_id' }),
  question('utilisation', 'city_utilisation', 'Utilisation by city', 'What share of their time are the charging places of each city occupied?', 'sessions and stations'),
  question('utilisation', 'operator_utilisation', 'Utilisation by operator', 'What share of their time are the charging places of each operator occupied?', 'sessions and stations'),
  question('revenue', 'revenue_by_hour_of_day', 'Revenue by hour', 'What do the hours of the day bring in?', 'sessions'),
  question('revenue', 'revenue_by_weekday', 'Revenue by weekday', 'What do the weekdays bring in?', 'sessions'),
  question('revenue', 'revenue_by_day', 'Revenue by day', 'What did each day bring in?', 'sessions'),
  question('revenue', 'cost_per_kwh_by_station', 'Cost per kWh by station', 'What does a kWh come to at each station, all fees included?', 'sessions'),
  question('revenue', 'cost_per_kwh_by_city', 'Cost per kWh by city', 'What does a kWh come to in each city?', 'sessions'),
  question('revenue', 'cost_per_kwh_by_operator', 'Cost per kWh by operator', 'What does a kWh come to with each operator?', 'sessions'),
  question('revenue', 'cost_per_kwh_by_tariff', 'Cost per kWh by tariff', 'What does a kWh come to under each tariff?', 'sessions'),
  question('chargers', 'charger_types', 'Charger types', 'Which connectors are there, by current, standard and power, and how much are they used?', 'sessions and stations'),
  question('shares', 'station_shares', 'Shares',
    'What share of the stations is fast, open around the clock, public; and how diverse are their connectors?', 'stations', { where: `dimension = 'all'` }),
  question('shares', 'nearest_stations', 'Nearest stations', 'Which stations are nearest to a point?', 'stations',
    { example: 'at_latitude = 56.4620, at_longitude = -2.9707' }),
  question('recent', 'recent_sessions', 'Recent sessions', 'What was charged last?', 'sessions'),
  question('quality', 'session_flags', 'Flags', 'What is wrong with sessions, and how often?', 'sessions'),
  question('quality', 'session_log_quality', 'Session logs', 'What was wrong with the rows of session logs, by source and check?', 'records', { where: 'rows_failed > 0' }),
  question('quality', 'set_aside', 'Set aside', 'What could not be read or believed, or came too late?', 'records'),
];

/** The question of a view, or undefined. */
export function questionNamed(name: string): Question | undefined {
  return questions.find((one) => one.name === name);
}

import { describe, expect, it } from 'vitest';
import { questions } from '../views/questions.ts';
import { askQuestions, reportQuestions } from './answers.ts';
import type { AnswerRow, Answers } from './answers.ts';
import { reportText } from './report-text.ts';

const answers = (rows: Readonly<Record<string, readonly AnswerRow[]>>): Answers => new Map(Object.entries(rows));

const station = { station_id: '50692', site_id: 'Ice Arena', city: 'Dundee', operator: 'City', sessions: 5967, energy_wh: 64_800_000, utilisation: 0.159 };

const everything = answers({
  network_totals: [{ stations_known: 67, places_known: 144, stations_used: 67, sites_used: 34, sessions: 67_110, successful_sessions: 63_300, energy_wh: 583_192_054, first_day: '2017-09-01', last_day: '2018-09-06' }],
  occupancy_now: [{ connectors: 144, available: 100, occupied: 40, reserved: 0, unavailable: 0, faulted: 1, unknown: 0, offline: 3, operational_rate: 140 / 144, occupied_share: 40 / 144 }],
  network_uptime: [{ month: '2018-08-01', ports: 144, uptime_percent: 98.765, year_uptime_percent: 97.1 }],
  sessions_today: [{ currency: 'EUR', sessions: 12, energy_wh: 1_000_000, revenue_minor: 123_456, unpriced_sessions: 0 }, { currency: '', sessions: 2, energy_wh: 0, revenue_minor: 0, unpriced_sessions: 2 }],
  sessions_now: [{ session_id: 'x' }],
  success_rates: [{ month: '2018-08-01', attempts: 7088, attempt_rate: 0.94, visits: 6900, visit_rate: 0.965, first_time_rate: null }],
  session_averages: [{ sessions: 67_110, mean_energy_wh: 8700.4, mean_stay_ms: 18_360_000, mean_charging_ms: 1_440_000, mean_idle_ms: null }],
  sessions_by_hour_of_day: [{ hour: 0, sessions: 10, energy_wh: 1e6 }, { hour: 1, sessions: 0, energy_wh: 0 }, { hour: 2, sessions: 20, energy_wh: 2e6 }],
  sessions_by_weekday: [{ weekday: 7, sessions: 10, energy_wh: 1e6 }],
  sessions_by_month: [{ month: '2018-01-01', sessions: 10, energy_wh: 1e6 }],
  busiest_stations: [station],
  idlest_stations: [{ station_id: 's2', site_id: '', city: 'Dundee', operator: 'City', sessions: 0, energy_wh: 0, utilisation: null }],
  city_utilisation: [{ city: 'Dundee', places: 144, sessions: 67_110, utilisation: 0.5 }],
  operator_utilisation: [{ operator: '', places: 144, sessions: 67_110, utilisation: 0.5 }],
  station_utilisation: [{ ...station, places: 2 }],
  revenue_by_weekday: [{ weekday: 1, currency: 'EUR', sessions: 5, revenue_minor: 1234 }, { weekday: 1, currency: 'JPY', sessions: 5, revenue_minor: 1234 }, { weekday: 1, currency: '', sessions: 5, revenue_minor: 0 }],
  revenue_by_hour_of_day: [{ hour: 9, currency: 'EUR', sessions: 5, revenue_minor: 1234 }],
  revenue_by_day: [{ day: '2018-09-06', currency: 'EUR', sessions: 5, revenue_minor: 1234 }],
  cost_per_kwh_by_city: [{ city: 'Dundee', currency: 'EUR', sessions: 5, energy_wh: 1e6, cost_per_kwh_minor: 31.456 }],
  cost_per_kwh_by_tariff: [{ tariff_id: 't', currency: 'JPY', sessions: 5, energy_wh: 0, cost_per_kwh_minor: null }],
  charger_types: [{ current: 'DC', standard: 'CHADEMO', power_class: 'fast', connectors: 40, sessions: 38_389, energy_wh: 377_700_000 }, { current: '', standard: '', power_class: '', connectors: 0, sessions: 2, energy_wh: 0 }],
  station_shares: [{ stations: 67, fast_charging_share: 0.224, open_always_share: 0, public_share: 1, connector_standards_count: 3, connector_diversity: 0.5 }],
  recent_sessions: [{ local_start: '2018-09-06 23:55:00.000', station_id: '50914', site_id: 'Hub', energy_wh: 22_300, stay_ms: 600_000, cost_minor: 350, currency: 'EUR' }, { local_start: '2018-09-06 23:54:00.000', station_id: '50914', site_id: 'Hub', energy_wh: null, stay_ms: null, cost_minor: null, currency: null }],
  session_flags: [{ flag: 'overlap', sessions: 83, share: 0.0012 }],
  session_log_quality: [{ source: 'dundee', check: 'missing-stop', rows_failed: 327, share: 0.0049 }],
  set_aside: [{ kind: 'late', reason: 'sessions', records: 1, energy_wh: 9 }],
});

describe('the report', () => {
  it('reads well', () => {
    expect(reportText(everything, false)).toBe(`The network
  67,110 sessions, 583.2 MWh, 1 September 2017 to 6 September 2018
  67 stations with 144 charging places are known; 67 were used, at 34 sites
  94.3 % of the sessions delivered energy

Connectors now, and uptime
  144 connectors: 100 available, 40 occupied, 1 faulted, 3 offline
  97.2 % can be used, 27.8 % are in use

Uptime               ports  of the month  of 12 months
  August 2018          144        98.8 %        97.1 %

Today             sessions      energy       revenue
  EUR                   12     1.0 MWh  1,234.56 EUR
  no price               2     0.0 MWh             -
  1 session is under way

An average session
  a vehicle stays 5 h 6 min and takes 8.7 kWh
  it charges for 24 minutes

Success           attempts  succeeded    visits  succeeded   at once
  August 2018        7,088     94.0 %     6,900     96.5 %         -

By hour of the day  sessions      energy
  00                      10     1.0 MWh  ##########
  01                       0     0.0 MWh
  02                      20     2.0 MWh  ####################

By weekday        sessions      energy
  Sunday                10     1.0 MWh  ####################

By month          sessions      energy
  January 2018          10     1.0 MWh  ####################

Busiest stations    sessions      energy  occupied
  50692  Ice Arena     5,967    64.8 MWh    15.9 %

Idlest stations   sessions      energy  occupied
  s2  Dundee             0     0.0 MWh         -

Utilisation by city    places  sessions  occupied
  Dundee                  144    67,110    50.0 %  ##########

Utilisation by operator    places  sessions  occupied
  (no operator)               144    67,110    50.0 %  ##########

Utilisation by station    places  sessions  occupied
  50692  Ice Arena             2     5,967    15.9 %  ###

Revenue by weekday  sessions       revenue
  Monday  EUR              5     12.34 EUR
  Monday  JPY              5     1,234 JPY

Revenue by hour   sessions       revenue
  09  EUR                5     12.34 EUR

Revenue of the last days  sessions       revenue
  6 September 2018  EUR          5     12.34 EUR

Cost per kWh by city  sessions      energy       per kWh
  Dundee  EUR                5     1.0 MWh    0.3146 EUR

Cost per kWh by tariff  sessions      energy       per kWh
  t  JPY                       5     0.0 MWh             -

Charger types      connectors  sessions      energy
  DC fast CHADEMO          40    38,389   377.7 MWh
  current unknown           0         2     0.0 MWh

Shares of the network, of 67 stations
  22.4 % are fast, 0.0 % open around the clock, 100.0 % public
  of 3 connector standards, two drawn at random differ with a chance of 50.0 %

Recent sessions                     energy         stay        cost
  2018-09-06 23:55  50914  Hub    22.3 kWh   10 minutes    3.50 EUR
  2018-09-06 23:54  50914  Hub           -            -           -

Flags of sessions  sessions    of all
  overlap                83     0.1 %

Rows of session logs        rows    of all
  dundee: missing-stop       327     0.5 %

Set aside          records
  late: sessions         1`);
  });

  it('has escape sequences only where they are wanted', () => {
    expect(reportText(everything, true)).toContain('\u001b[1mSet aside');
  });

  it('says what is missing: sessions, prices, anything', () => {
    expect(reportText(answers({ network_totals: [{ stations_known: 3, places_known: 5, sessions: 0 }], sessions_by_month: [], sessions_today: [] }), false))
      .toBe('The network\n  3 stations with 5 charging places are known; there are no sessions\n\nToday\n  no session has begun and ended today');
    expect(reportText(answers({ revenue_by_weekday: [{ weekday: 1, currency: '', sessions: 5, revenue_minor: 0 }] }), false)).toContain('no session has a price');
    expect(reportText(answers({}), false)).toBe('');
  });
});

describe('what the report asks', () => {
  const all = ['network', 'status', 'shares', 'recent', 'quality'] as const;

  it('leaves out questions that need to be told something, and of a part what does not depend on it', () => {
    expect(reportQuestions(all, {}).map(({ name }) => name)).toEqual(
      ['network_totals', 'occupancy_now', 'operational_rate', 'network_uptime', 'station_shares', 'recent_sessions', 'session_flags', 'session_log_quality', 'set_aside']);
    expect(reportQuestions(all, { city: 'Dundee' }).map(({ name }) => name)).toEqual(
      ['network_totals', 'occupancy_now', 'operational_rate', 'network_uptime', 'station_shares', 'recent_sessions', 'session_flags']);
    expect(reportQuestions(all, { toDay: '2018-01-01' }).map(({ name }) => name)).toEqual(['network_totals', 'recent_sessions', 'session_flags']);
  });

  it('asks one question after another', async () => {
    const asked: string[] = [];
    let open = 0;
    const found = await askQuestions(async (sql) => {
      expect(++open).toBe(1);
      asked.push(sql);
      await Promise.resolve();
      open--;
      return [{ sql }];
    }, reportQuestions(['network', 'recent'], {}), 'db', { city: 'A' });
    expect(asked.map((sql) => /FROM (\S+)/.exec(sql)?.[1])).toEqual(['db.network_totals', 'db.recent_sessions']);
    expect([...found.keys()]).toEqual(['network_totals', 'recent_sessions']);
    for (const sql of asked) expect(sql).toContain("'db.session_facts': 'city = \\'A\\''");
    expect(questions.length).toBeGreaterThan(25);
  });
});

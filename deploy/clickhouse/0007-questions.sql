-- The questions that people ask of a charging network, each a plain view, always up to date. docs/questions.md lists them,
-- and `voltstream report` prints them; charging/views/questions.ts is their catalogue.
--
-- In all of them
-- - a session belongs to the hour, day, weekday and month in which it began, by the clock at its site (UTC where nobody knows its zone). What
--   flowed in which minute is in the tables of station load;
-- - energy is in Wh, as far as it is known (a session without readings adds nothing); amounts are in minor units of the currency (cents; ISO 4217);
-- - the currency is '' where a session has no price; `unpriced_sessions` says how many have none;
-- - only sessions that have ended count. Those under way are in `sessions_now`.
--
-- To ask about a part of the network or of the time, filter `session_facts` (0002), on which all of them stand, and leave the sums of months out:
--   SELECT * FROM sessions_by_weekday SETTINGS additional_table_filters = {'voltstream.session_facts': 'city = \'Dundee\' AND local_day >= \'2018-01-01\'',
--     'voltstream.session_hours': '0', 'voltstream.session_months': '0', 'voltstream.session_flag_months': '0'}

-- The network at a glance: what is known of it, and what was charged. One row.
CREATE VIEW IF NOT EXISTS {database}.network_totals AS
SELECT
    stations_known, places_known, stations_used, sites_used, sessions, successful_sessions, energy_wh, first_day, last_day
FROM
(
    SELECT
        uniqExact(station_id) AS stations_used, uniqExactIf(site_id, site_id != '') AS sites_used, sum(months.sessions) AS sessions,
        sum(months.successful_sessions) AS successful_sessions, sum(months.energy_wh) AS energy_wh, minOrNull(months.first_day) AS first_day,
        maxOrNull(months.last_day) AS last_day
    FROM {database}.session_months_now AS months
) AS charged
CROSS JOIN (SELECT count() AS stations_known, sum(charging_places) AS places_known FROM {database}.stations_now) AS known;

-- Sessions and revenue of the day that it is at a moment, up to that moment, by the clock at each site, and by currency:
-- SELECT * FROM sessions_on_day(at = '2018-05-01 12:00:00'). Zones that this ClickHouse does not know are taken for UTC.
-- A local day begins at most 25 hours ago, and lies in the months into which any row with such a start was inserted: the rest is not read.
CREATE VIEW IF NOT EXISTS {database}.sessions_on_day AS
SELECT
    ifNull(currency, '') AS currency, count() AS sessions, sum(ifNull(energy_wh, 0)) AS energy_wh, sum(ifNull(cost_minor, 0)) AS revenue_minor,
    countIf(isNull(cost_minor)) AS unpriced_sessions
FROM {database}.session_facts
WHERE start_time > {at:DateTime64(3, 'UTC')} - INTERVAL 26 HOUR AND start_time <= {at:DateTime64(3, 'UTC')}
  AND month IN (SELECT DISTINCT _partition_id FROM {database}.charging_sessions
                WHERE start_time > {at:DateTime64(3, 'UTC')} - INTERVAL 26 HOUR AND start_time <= {at:DateTime64(3, 'UTC')})
  AND toString(local_day) = formatDateTime({at:DateTime64(3, 'UTC')}, '%F',
      if(time_zone IN (SELECT time_zone FROM system.time_zones), toString(time_zone), 'UTC'))
GROUP BY currency
ORDER BY sessions DESC, currency;

-- Sessions and revenue today.
CREATE VIEW IF NOT EXISTS {database}.sessions_today AS
SELECT * FROM {database}.sessions_on_day(at = now64(3, 'UTC'));

-- Sessions and energy by hour of the day; every hour has a row.
CREATE VIEW IF NOT EXISTS {database}.sessions_by_hour_of_day AS
SELECT hour, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh
FROM {database}.session_hours_now AS hours
GROUP BY hour
ORDER BY hour WITH FILL FROM 0 TO 24;

-- Sessions and energy by weekday; 1 is Monday, every weekday has a row.
CREATE VIEW IF NOT EXISTS {database}.sessions_by_weekday AS
SELECT toDayOfWeek(local_day) AS weekday, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh
FROM {database}.session_hours_now AS hours
GROUP BY weekday
ORDER BY weekday WITH FILL FROM 1 TO 8;

-- Sessions and energy by month; `month` is its first day.
CREATE VIEW IF NOT EXISTS {database}.sessions_by_month AS
SELECT toStartOfMonth(local_day) AS month, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh
FROM {database}.session_hours_now AS hours
GROUP BY month
ORDER BY month;

-- Energy and revenue by hour of the day and currency.
CREATE VIEW IF NOT EXISTS {database}.revenue_by_hour_of_day AS
SELECT
    hour, currency, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh, sum(hours.revenue_minor) AS revenue_minor,
    sum(hours.unpriced_sessions) AS unpriced_sessions
FROM {database}.session_hours_now AS hours
GROUP BY hour, currency
ORDER BY hour, currency;

-- Energy and revenue by day and currency.
CREATE VIEW IF NOT EXISTS {database}.revenue_by_day AS
SELECT
    local_day AS day, currency, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh, sum(hours.revenue_minor) AS revenue_minor,
    sum(hours.unpriced_sessions) AS unpriced_sessions
FROM {database}.session_hours_now AS hours
GROUP BY day, currency
ORDER BY day, currency;

-- Energy and revenue by weekday (1 is Monday) and currency.
CREATE VIEW IF NOT EXISTS {database}.revenue_by_weekday AS
SELECT
    toDayOfWeek(local_day) AS weekday, currency, sum(hours.sessions) AS sessions, sum(hours.energy_wh) AS energy_wh, sum(hours.revenue_minor) AS revenue_minor,
    sum(hours.unpriced_sessions) AS unpriced_sessions
FROM {database}.session_hours_now AS hours
GROUP BY weekday, currency
ORDER BY weekday, currency;

-- What a session is like on average, with how many sessions each average stands on. One row.
CREATE VIEW IF NOT EXISTS {database}.session_averages AS
SELECT
    sum(months.sessions) AS sessions,
    sum(months.sessions_with_energy) AS sessions_with_energy, sum(months.energy_wh) / nullIf(sessions_with_energy, 0) AS mean_energy_wh,
    sum(months.sessions_with_stay) AS sessions_with_stay, sum(months.stay_ms) / nullIf(sessions_with_stay, 0) AS mean_stay_ms,
    sum(months.sessions_with_charging) AS sessions_with_charging, sum(months.charging_ms) / nullIf(sessions_with_charging, 0) AS mean_charging_ms,
    sum(months.idle_ms) / nullIf(sum(months.sessions_with_idle), 0) AS mean_idle_ms
FROM {database}.session_months_now AS months;

-- How much each station is used: the time in which vehicles stood at its charging places (EVSEs) as a share of the time of these places,
-- from the station's first session to the end of its last. Places are those of the station's present version, or those seen in sessions where
-- these are more. Two sessions that overlap at one place (flag `overlap`) count both.
CREATE VIEW IF NOT EXISTS {database}.station_utilisation AS
SELECT
    station_id, site_id, city, operator, greatest(used_places, known.charging_places) AS places, sessions, energy_wh, first_used, last_used,
    occupied_ms, places * (toUnixTimestamp64Milli(last_used) - toUnixTimestamp64Milli(first_used)) AS place_ms,
    if(place_ms = 0, NULL, occupied_ms / place_ms) AS utilisation
FROM
(
    SELECT
        station_id, argMax(months.site_id, last_start) AS site_id, argMax(months.city, last_start) AS city, argMax(months.operator, last_start) AS operator,
        length(groupUniqArrayArray(places_used)) AS used_places, sum(months.sessions) AS sessions, sum(months.energy_wh) AS energy_wh,
        min(first_start) AS first_used, max(months.last_used) AS last_used, sum(months.stay_ms) AS occupied_ms
    FROM {database}.session_months_now AS months
    GROUP BY station_id
) AS used
LEFT JOIN (SELECT station_id, charging_places FROM {database}.stations_now) AS known USING (station_id);

-- The same by city: of all places in the times in which their stations were in use.
CREATE VIEW IF NOT EXISTS {database}.city_utilisation AS
SELECT
    city, count() AS stations, sum(used.places) AS places, sum(used.sessions) AS sessions, sum(used.energy_wh) AS energy_wh,
    sum(used.occupied_ms) AS occupied_ms, sum(used.place_ms) AS place_ms, if(place_ms = 0, NULL, occupied_ms / place_ms) AS utilisation
FROM {database}.station_utilisation AS used
GROUP BY city
ORDER BY utilisation DESC, city;

-- The same by operator.
CREATE VIEW IF NOT EXISTS {database}.operator_utilisation AS
SELECT
    operator, count() AS stations, sum(used.places) AS places, sum(used.sessions) AS sessions, sum(used.energy_wh) AS energy_wh,
    sum(used.occupied_ms) AS occupied_ms, sum(used.place_ms) AS place_ms, if(place_ms = 0, NULL, occupied_ms / place_ms) AS utilisation
FROM {database}.station_utilisation AS used
GROUP BY operator
ORDER BY utilisation DESC, operator;

-- The twenty stations with the most sessions.
CREATE VIEW IF NOT EXISTS {database}.busiest_stations AS
SELECT station_id, site_id, city, operator, sessions, energy_wh, utilisation, last_used
FROM {database}.station_utilisation
ORDER BY sessions DESC, energy_wh DESC, station_id
LIMIT 20;

-- The twenty stations with the fewest sessions. A station without any is among them when others of its operator have had some: of a
-- register's other stations nobody reports sessions.
CREATE VIEW IF NOT EXISTS {database}.idlest_stations AS
SELECT station_id, site_id, city, operator, sessions, energy_wh, utilisation, last_used
FROM
(
    SELECT
        station_id, if(used.sessions = 0, known.site_id, used.site_id) AS site_id, if(used.sessions = 0, known.city, used.city) AS city,
        if(used.sessions = 0, known.operator, used.operator) AS operator, used.sessions AS sessions, used.energy_wh AS energy_wh,
        used.utilisation AS utilisation, if(used.sessions = 0, NULL, used.last_used) AS last_used,
        max(used.sessions) OVER (PARTITION BY if(used.sessions = 0, known.operator, used.operator)) AS most_of_operator
    FROM (SELECT station_id, site_id, city, operator FROM {database}.stations_now) AS known
    FULL OUTER JOIN {database}.station_utilisation AS used USING (station_id)
)
WHERE most_of_operator > 0
ORDER BY sessions, energy_wh, station_id
LIMIT 20;

-- Prices by station, tariff and currency: of sessions whose cost and energy are both known. `cost_per_kwh_minor` is what a kWh came to, all
-- fees included; NULL without energy.
CREATE VIEW IF NOT EXISTS {database}.cost_per_kwh_by_station AS
SELECT
    station_id, argMax(months.site_id, last_priced) AS site_id, argMax(months.city, last_priced) AS city, argMax(months.operator, last_priced) AS operator,
    tariff_id, currency, sum(sessions_priced) AS sessions, sum(priced_energy_wh) AS energy_wh, sum(priced_minor) AS cost_minor,
    cost_minor * 1000 / nullIf(energy_wh, 0) AS cost_per_kwh_minor
FROM {database}.session_months_now AS months
WHERE sessions_priced > 0 AND currency != ''
GROUP BY station_id, tariff_id, currency
ORDER BY station_id, tariff_id, currency;

-- The same by city.
CREATE VIEW IF NOT EXISTS {database}.cost_per_kwh_by_city AS
SELECT
    city, currency, sum(priced.sessions) AS sessions, sum(priced.energy_wh) AS energy_wh, sum(priced.cost_minor) AS cost_minor,
    cost_minor * 1000 / nullIf(energy_wh, 0) AS cost_per_kwh_minor
FROM {database}.cost_per_kwh_by_station AS priced
GROUP BY city, currency
ORDER BY city, currency;

-- The same by operator.
CREATE VIEW IF NOT EXISTS {database}.cost_per_kwh_by_operator AS
SELECT
    operator, currency, sum(priced.sessions) AS sessions, sum(priced.energy_wh) AS energy_wh, sum(priced.cost_minor) AS cost_minor,
    cost_minor * 1000 / nullIf(energy_wh, 0) AS cost_per_kwh_minor
FROM {database}.cost_per_kwh_by_station AS priced
GROUP BY operator, currency
ORDER BY operator, currency;

-- The same by tariff.
CREATE VIEW IF NOT EXISTS {database}.cost_per_kwh_by_tariff AS
SELECT
    tariff_id, currency, sum(priced.sessions) AS sessions, sum(priced.energy_wh) AS energy_wh, sum(priced.cost_minor) AS cost_minor,
    cost_minor * 1000 / nullIf(energy_wh, 0) AS cost_per_kwh_minor
FROM {database}.cost_per_kwh_by_station AS priced
GROUP BY tariff_id, currency
ORDER BY tariff_id, currency;

-- Charger types: connectors that are there now, and the sessions at such connectors, by current, standard and class of power. The classes
-- are those of Regulation (EU) 2023/1804, annex III: AC slow below 7.4 kW, medium to 22 kW, fast above; DC slow below 50 kW, fast below
-- 150 kW, ultra-fast below 350 kW (level 1) and from there on (level 2). '' is not known.
CREATE VIEW IF NOT EXISTS {database}.charger_types AS
SELECT
    current, standard,
    multiIf(isNull(power_w) OR current = '', '',
            current = 'AC', multiIf(power_w < 7400, 'slow', power_w <= 22000, 'medium', 'fast'),
            multiIf(power_w < 50000, 'slow', power_w < 150000, 'fast', power_w < 350000, 'ultra-fast 1', 'ultra-fast 2')) AS power_class,
    sum(part.connectors) AS connectors, sum(part.sessions) AS sessions, sum(part.energy_wh) AS energy_wh
FROM
(
    SELECT toString(current) AS current, toString(standard) AS standard, power_w, count() AS connectors, 0 AS sessions, 0. AS energy_wh
    FROM {database}.stations_now
    ARRAY JOIN connector_currents AS current, connector_standards AS standard, connector_powers_w AS power_w
    GROUP BY current, standard, power_w
    UNION ALL
    SELECT
        toString(months.current) AS current, toString(months.standard) AS standard, power_w,
        0 AS connectors, sum(months.sessions) AS sessions, sum(months.energy_wh) AS energy_wh
    FROM {database}.session_months_now AS months
    GROUP BY current, standard, power_w
) AS part
GROUP BY current, standard, power_class
ORDER BY connectors DESC, sessions DESC, current, standard, power_class;

-- The hundred sessions that began last. Found by their keys first: few columns are read of the recent rows, and all columns of few.
CREATE VIEW IF NOT EXISTS {database}.recent_sessions AS
SELECT
    station_id, session_id, local_start, start_time, stop_time, site_id, city, operator, evse_id, connector_id, energy_wh, stay_ms, charging_ms,
    soc_from, soc_to, currency, cost_minor, closed_by, flags
FROM {database}.session_facts
WHERE (station_id, opened_time, session_id) IN
    (SELECT station_id, opened_time, session_id FROM {database}.session_facts
     WHERE month IN (SELECT DISTINCT _partition_id FROM {database}.charging_sessions WHERE start_time >= (SELECT since FROM {database}.recent_days))
     ORDER BY start_time DESC, station_id, session_id LIMIT 100)
ORDER BY start_time DESC, station_id, session_id;

-- What is wrong with sessions, by flag (docs/session-logs.md): how many have it, and which share of all that is.
CREATE VIEW IF NOT EXISTS {database}.session_flags AS
SELECT
    flag, sum(months.sessions) AS sessions, sessions / (SELECT sum(hours.sessions) FROM {database}.session_hours_now AS hours) AS share
FROM {database}.session_flag_months_now AS months
WHERE flag != ''
GROUP BY flag
ORDER BY sessions DESC, flag;

-- What was set aside: records that could not be read or believed (`dead letter`, by reason) and those that came too late for a
-- step (`late`, by step), with the energy that they speak of.
CREATE VIEW IF NOT EXISTS {database}.set_aside AS
SELECT kind, reason, records, energy_wh
FROM
(
    SELECT 'dead letter' AS kind, toString(reason) AS reason, count() AS records, 0. AS energy_wh FROM {database}.dead_letters FINAL GROUP BY reason
    UNION ALL
    SELECT 'late' AS kind, toString(step) AS reason, count() AS records, sum(late.energy_wh) AS energy_wh FROM {database}.late_records AS late FINAL GROUP BY reason
)
ORDER BY kind, records DESC, reason;

-- Days of the clock at each station's site: 23 or 25 hours long when the clock is changed. Zones are those of the stations' present versions; stations
-- that are not known, and zones that this ClickHouse does not know, have UTC.
--
-- Where the clock is whole hours from UTC a day is made of hours, without their minutes; elsewhere (half past in India, a quarter to in Nepal) of
-- quarters of an hour, which only the stations of such zones pay for: 122 days from 2010 to 2070 tell which zones these are or were.
CREATE VIEW IF NOT EXISTS {database}.station_local_days AS
WITH zones AS
(
    SELECT station_id, time_zone AS zone, arrayExists(at -> formatDateTime(toDateTime('2010-01-01 00:00:00', 'UTC') + toIntervalDay(182 * at), '%i', time_zone) != '00', range(122)) AS is_odd
    FROM {database}.stations_now WHERE time_zone IN (SELECT time_zone FROM system.time_zones)
)
SELECT
    station_id, zone AS time_zone, toDate(formatDateTime(load.at, '%F', zone)) AS day,
    argMax(load.site_id, load.at) AS site_id, argMax(load.city, load.at) AS city, argMax(load.operator, load.at) AS operator,
    sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh, max(load.peak_minute_milli_wh) * 0.06 AS peak_minute_w,
    max(load.peak_power_w) AS peak_power_w, sum(load.occupied_ms) / 1000 AS occupied_s, sum(load.charging_ms) / 1000 AS charging_s,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM
(
    SELECT
        parts.*, if(known.zone = '', 'UTC', toString(known.zone)) AS zone
    FROM
    (
        SELECT station_id, hour AS at, site_id, city, operator, energy_milli_wh, occupied_ms, charging_ms, peak_minute_milli_wh, peak_power_w, samples, sessions_started, sessions_ended, errors
        FROM {database}.station_hours FINAL WHERE station_id NOT IN (SELECT station_id FROM zones WHERE is_odd)
        UNION ALL
        SELECT station_id, quarter AS at, site_id, city, operator, energy_milli_wh, occupied_ms, charging_ms, peak_minute_milli_wh, peak_power_w, samples, sessions_started, sessions_ended, errors
        FROM {database}.station_quarters WHERE station_id IN (SELECT station_id FROM zones WHERE is_odd)
    ) AS parts
    LEFT JOIN zones AS known USING (station_id)
) AS load
GROUP BY station_id, zone, day;

-- Days of the clock at each station's site: 23 or 25 hours long when the clock is changed. Zones are those of the stations' present versions; stations
-- that are not known, and zones that this ClickHouse does not know, have UTC.
CREATE VIEW IF NOT EXISTS {database}.station_local_days AS
SELECT
    station_id, zone AS time_zone, toDate(formatDateTime(load.quarter, '%F', zone)) AS day,
    argMax(load.site_id, load.quarter) AS site_id, argMax(load.city, load.quarter) AS city, argMax(load.operator, load.quarter) AS operator,
    sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh, max(load.peak_minute_milli_wh) * 0.06 AS peak_minute_w,
    max(load.peak_power_w) AS peak_power_w, sum(load.occupied_ms) / 1000 AS occupied_s, sum(load.charging_ms) / 1000 AS charging_s,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM
(
    SELECT quarters.*, if(known.time_zone IN (SELECT time_zone FROM system.time_zones), toString(known.time_zone), 'UTC') AS zone
    FROM (SELECT * EXCEPT (minutes_energy_milli_wh, minutes_occupied_ms, minutes_charging_ms) FROM {database}.station_quarters FINAL) AS quarters
    LEFT JOIN (SELECT station_id, time_zone FROM {database}.stations_now) AS known USING (station_id)
) AS load
GROUP BY station_id, zone, day;

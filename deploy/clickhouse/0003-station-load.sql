-- Load of stations: energy, occupied and charging time by hour with its 60 minutes, and by UTC day. Absolute values, replaced as they grow: read with
-- FINAL. Business keys: station and hour, day; they are part of the partition, so a row and its replacement share it. Quarters of an hour and minutes
-- are views of the hours.
--
-- Sums are whole mWh and ms: they add up exactly, whatever is added in which order; `energy_wh` and its like are computed from them. The two
-- tables come of the same hours and have the same sums. Times of all connectors of a station are added: two vehicles for a minute are 120,000 ms.
-- `peak_minute_milli_wh` is the energy of the station's highest minute, `peak_power_w` the highest power that a connector has reported, NULL without one.
-- What drew energy and came too late for its hour (24 hours after the end of its UTC day, by the station's own time) is in `late_records`.
--
-- The minutes of an hour are arrays of 60 values; where all are the same they have one, and none where all are 0. What is counted by quarter has four
-- values, or none where there was nothing.
--
-- Days are UTC days. People ask for days of the site's clock: see `station_local_days`, which is computed from the hours.
CREATE TABLE IF NOT EXISTS {database}.station_hours
(
    station_id               String,
    hour                     DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    site_id                  LowCardinality(String),
    city                     LowCardinality(String),
    operator                 LowCardinality(String),
    energy_milli_wh          Int64 CODEC(T64, ZSTD(1)),
    occupied_ms              Int64 CODEC(T64, ZSTD(1)),
    charging_ms              Int64 CODEC(T64, ZSTD(1)),
    peak_minute_milli_wh     Int64 CODEC(T64, ZSTD(1)),
    peak_power_w             Nullable(Float64),
    samples                  Int32 CODEC(T64, ZSTD(1)),
    sessions_started         Int32 CODEC(T64, ZSTD(1)),
    sessions_ended           Int32 CODEC(T64, ZSTD(1)),
    errors                   Int32 CODEC(T64, ZSTD(1)),
    minutes_energy_milli_wh  Array(Int64) CODEC(ZSTD(1)),
    minutes_occupied_ms      Array(Int32) CODEC(ZSTD(1)),
    minutes_charging_ms      Array(Int32) CODEC(ZSTD(1)),
    quarters_peak_power_w    Array(Nullable(Float64)) CODEC(ZSTD(1)),
    quarters_samples         Array(Int32) CODEC(ZSTD(1)),
    quarters_sessions_started  Array(Int32) CODEC(ZSTD(1)),
    quarters_sessions_ended  Array(Int32) CODEC(ZSTD(1)),
    quarters_errors          Array(Int32) CODEC(ZSTD(1)),
    energy_wh                Float64 ALIAS energy_milli_wh / 1000,
    mean_power_w             Float64 ALIAS energy_milli_wh / 1000,
    peak_minute_w            Float64 ALIAS peak_minute_milli_wh * 0.06,
    occupied_s               Float64 ALIAS occupied_ms / 1000,
    charging_s               Float64 ALIAS charging_ms / 1000,
    _version                 UInt64,
    _batch                   FixedString(16),
    _inserted                DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX hour_range  hour TYPE minmax GRANULARITY 1,
    INDEX batch_set  _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(hour >= toDateTime('2010-01-01 00:00:00', 'UTC') AND hour < toDateTime('2070-01-01 00:00:00', 'UTC'), toYYYYMM(hour), 0)
ORDER BY (station_id, hour)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.station_days
(
    station_id               String,
    day                      Date CODEC(Delta, ZSTD(1)),
    site_id                  LowCardinality(String),
    city                     LowCardinality(String),
    operator                 LowCardinality(String),
    energy_milli_wh          Int64 CODEC(T64, ZSTD(1)),
    occupied_ms              Int64 CODEC(T64, ZSTD(1)),
    charging_ms              Int64 CODEC(T64, ZSTD(1)),
    peak_minute_milli_wh     Int64 CODEC(T64, ZSTD(1)),
    peak_power_w             Nullable(Float64),
    samples                  Int32 CODEC(T64, ZSTD(1)),
    sessions_started         Int32 CODEC(T64, ZSTD(1)),
    sessions_ended           Int32 CODEC(T64, ZSTD(1)),
    errors                   Int32 CODEC(T64, ZSTD(1)),
    energy_wh                Float64 ALIAS energy_milli_wh / 1000,
    mean_power_w             Float64 ALIAS energy_milli_wh / 24000,
    peak_minute_w            Float64 ALIAS peak_minute_milli_wh * 0.06,
    occupied_s               Float64 ALIAS occupied_ms / 1000,
    charging_s               Float64 ALIAS charging_ms / 1000,
    _version                 UInt64,
    _batch                   FixedString(16),
    _inserted                DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX day_range  day TYPE minmax GRANULARITY 1,
    INDEX batch_set  _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(day >= toDate('2010-01-01') AND day < toDate('2070-01-01'), toYYYYMM(day), 0)
ORDER BY (station_id, day)
SETTINGS non_replicated_deduplication_window = 10000;

-- The quarters of an hour in which something happened, each with its 15 minutes. Filter by `hour` as well as by `quarter` where you can: only the former
-- is in the order of the table. No FINAL: the view has it.
CREATE VIEW IF NOT EXISTS {database}.station_quarters AS
SELECT
    station_id, hour, quarter, site_id, city, operator, arraySum(minutes_energy_milli_wh) AS energy_milli_wh, arraySum(minutes_occupied_ms) AS occupied_ms,
    arraySum(minutes_charging_ms) AS charging_ms, greatest(0, arrayMax(minutes_energy_milli_wh)) AS peak_minute_milli_wh, peak_power_w,
    samples, sessions_started, sessions_ended, errors, minutes_energy_milli_wh, minutes_occupied_ms, minutes_charging_ms,
    energy_milli_wh / 1000 AS energy_wh, energy_milli_wh / 250 AS mean_power_w, peak_minute_milli_wh * 0.06 AS peak_minute_w,
    occupied_ms / 1000 AS occupied_s, charging_ms / 1000 AS charging_s
FROM
(
    SELECT
        load.station_id AS station_id, load.hour AS hour, addMinutes(load.hour, 15 * at) AS quarter, load.site_id AS site_id, load.city AS city, load.operator AS operator,
        if(length(load.minutes_energy_milli_wh) = 60, arraySlice(load.minutes_energy_milli_wh, 15 * at + 1, 15), arrayResize([]::Array(Int64), 15, load.minutes_energy_milli_wh[1])) AS minutes_energy_milli_wh,
        if(length(load.minutes_occupied_ms) = 60, arraySlice(load.minutes_occupied_ms, 15 * at + 1, 15), arrayResize([]::Array(Int32), 15, load.minutes_occupied_ms[1])) AS minutes_occupied_ms,
        if(length(load.minutes_charging_ms) = 60, arraySlice(load.minutes_charging_ms, 15 * at + 1, 15), arrayResize([]::Array(Int32), 15, load.minutes_charging_ms[1])) AS minutes_charging_ms,
        load.quarters_peak_power_w[at + 1] AS peak_power_w, load.quarters_samples[at + 1] AS samples, load.quarters_sessions_started[at + 1] AS sessions_started,
        load.quarters_sessions_ended[at + 1] AS sessions_ended, load.quarters_errors[at + 1] AS errors
    FROM {database}.station_hours AS load FINAL
    ARRAY JOIN range(4) AS at
)
WHERE samples != 0 OR sessions_started != 0 OR sessions_ended != 0 OR errors != 0 OR peak_power_w IS NOT NULL
    OR arrayExists(x -> x != 0, minutes_occupied_ms) OR arrayExists(x -> x != 0, minutes_charging_ms) OR arrayExists(x -> x != 0, minutes_energy_milli_wh);

-- One row for each minute of each hour that there is. Filter by `hour` as well as by `minute` where you can.
CREATE VIEW IF NOT EXISTS {database}.station_minutes AS
SELECT
    station_id, hour, addMinutes(hour, at) AS minute, site_id, city, operator,
    energy_of_minute AS energy_milli_wh, energy_of_minute / 1000 AS energy_wh, energy_of_minute * 0.06 AS mean_power_w,
    occupied_of_minute / 1000 AS occupied_s, charging_of_minute / 1000 AS charging_s
FROM {database}.station_hours FINAL
ARRAY JOIN
    if(length(minutes_energy_milli_wh) = 60, minutes_energy_milli_wh, arrayResize([]::Array(Int64), 60, minutes_energy_milli_wh[1])) AS energy_of_minute,
    if(length(minutes_occupied_ms) = 60, minutes_occupied_ms, arrayResize([]::Array(Int32), 60, minutes_occupied_ms[1])) AS occupied_of_minute,
    if(length(minutes_charging_ms) = 60, minutes_charging_ms, arrayResize([]::Array(Int32), 60, minutes_charging_ms[1])) AS charging_of_minute,
    range(60) AS at;

-- Hours and UTC days of sites, cities and operators ('' where that is not known). Power: `mean_power_w` is that of all stations together. Their
-- peaks were not at one moment: `highest_station_peak_w` is the highest minute of any one station, `sum_of_station_peaks_w` what the load of
-- all cannot have been above. The peak of all together is in `station_minutes`: sum by minute, then the highest.
CREATE VIEW IF NOT EXISTS {database}.site_hours AS
SELECT
    site_id, hour, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 1000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_hours AS load FINAL
GROUP BY site_id, hour;

CREATE VIEW IF NOT EXISTS {database}.site_days AS
SELECT
    site_id, day, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 24000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_days AS load FINAL
GROUP BY site_id, day;

CREATE VIEW IF NOT EXISTS {database}.city_hours AS
SELECT
    city, hour, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 1000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_hours AS load FINAL
GROUP BY city, hour;

CREATE VIEW IF NOT EXISTS {database}.city_days AS
SELECT
    city, day, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 24000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_days AS load FINAL
GROUP BY city, day;

CREATE VIEW IF NOT EXISTS {database}.operator_hours AS
SELECT
    operator, hour, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 1000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_hours AS load FINAL
GROUP BY operator, hour;

CREATE VIEW IF NOT EXISTS {database}.operator_days AS
SELECT
    operator, day, count() AS stations, sum(load.energy_milli_wh) AS energy_milli_wh, energy_milli_wh / 1000 AS energy_wh,
    energy_milli_wh / 24000 AS mean_power_w, max(load.peak_minute_milli_wh) * 0.06 AS highest_station_peak_w,
    sum(load.peak_minute_milli_wh) * 0.06 AS sum_of_station_peaks_w, max(load.peak_power_w) AS highest_connector_power_w,
    sum(load.sessions_started) AS sessions_started, sum(load.sessions_ended) AS sessions_ended, sum(load.occupied_ms) / 1000 AS occupied_s,
    sum(load.charging_ms) / 1000 AS charging_s, sum(load.samples) AS samples, sum(load.errors) AS errors
FROM {database}.station_days AS load FINAL
GROUP BY operator, day;

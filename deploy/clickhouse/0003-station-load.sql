-- Load of stations: energy, occupied and charging time by quarter of an hour with its 15 minutes, by hour and by UTC day. Absolute values, replaced
-- as they grow: read with FINAL. Business keys: station and quarter, hour, day; they are part of the partition, so a row and its replacement share it.
--
-- Sums are whole mWh and ms: they add up exactly, whatever is added in which order; `energy_wh` and its like are computed from them. The three
-- tables come of the same quarters and have the same sums. Times of all connectors of a station are added: two vehicles for a minute are 120,000 ms.
-- `peak_minute_milli_wh` is the energy of the station's highest minute, `peak_power_w` the highest power that a connector has reported, NULL without one.
-- What drew energy and came too late for its quarter (24 hours after the end of its UTC day, by the station's own time) is in `late_records`.
--
-- The minutes of a quarter are arrays of 15 values; where all are the same they have one, and none where all are 0. The view `station_minutes` has
-- a row for each minute.
--
-- Days are UTC days. People ask for days of the site's clock: see `station_local_days`, which is computed from the quarters.
CREATE TABLE IF NOT EXISTS {database}.station_quarters
(
    station_id               String,
    quarter                  DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
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
    energy_wh                Float64 ALIAS energy_milli_wh / 1000,
    mean_power_w             Float64 ALIAS energy_milli_wh / 250,
    peak_minute_w            Float64 ALIAS peak_minute_milli_wh * 0.06,
    occupied_s               Float64 ALIAS occupied_ms / 1000,
    charging_s               Float64 ALIAS charging_ms / 1000,
    _version                 UInt64,
    _batch                   FixedString(16),
    _inserted                DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX quarter_range  quarter TYPE minmax GRANULARITY 1,
    INDEX batch_set  _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(quarter >= toDateTime('2010-01-01 00:00:00', 'UTC') AND quarter < toDateTime('2070-01-01 00:00:00', 'UTC'), toYYYYMM(quarter), 0)
ORDER BY (station_id, quarter)
SETTINGS non_replicated_deduplication_window = 10000;

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

-- One row for each minute of each quarter that there is. Filter by `quarter` as well as by `minute` where you can: only the former is in the order of
-- the table.
CREATE VIEW IF NOT EXISTS {database}.station_minutes AS
SELECT
    station_id, quarter, addMinutes(quarter, at) AS minute, site_id, city, operator,
    energy_of_minute AS energy_milli_wh, energy_of_minute / 1000 AS energy_wh, energy_of_minute * 0.06 AS mean_power_w,
    occupied_of_minute / 1000 AS occupied_s, charging_of_minute / 1000 AS charging_s
FROM {database}.station_quarters FINAL
ARRAY JOIN
    if(length(minutes_energy_milli_wh) = 15, minutes_energy_milli_wh, arrayResize([]::Array(Int64), 15, minutes_energy_milli_wh[1])) AS energy_of_minute,
    if(length(minutes_occupied_ms) = 15, minutes_occupied_ms, arrayResize([]::Array(Int32), 15, minutes_occupied_ms[1])) AS occupied_of_minute,
    if(length(minutes_charging_ms) = 15, minutes_charging_ms, arrayResize([]::Array(Int32), 15, minutes_charging_ms[1])) AS charging_of_minute,
    range(15) AS at;

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

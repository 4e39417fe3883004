-- Visits: the attempts to charge by one id token at one site, each within minutes of the one before. Absolute values, replaced by later
-- rows. Business key: site, token, opened, visit; `opened_time` is the one of the session that names the visit, and never changes. `attempts` 0:
-- there is no such visit (any more); `merged_into` names the one that it became part of. `utc_offset_seconds`: as in charging_sessions.
CREATE TABLE IF NOT EXISTS {database}.charging_visits
(
    site_id                    LowCardinality(String),
    id_token                   String,
    opened_time                DateTime64(3, 'UTC'),
    visit_id                   String,
    station_id                 String,
    city                       LowCardinality(String),
    operator                   LowCardinality(String),
    start_time                 DateTime64(3, 'UTC'),
    stop_time                  Nullable(DateTime64(3, 'UTC')),
    utc_offset_seconds         Int32,
    attempts                   UInt32,
    successes                  UInt32,
    successful                 Bool,
    first_attempt_successful   Bool,
    energy_wh                  Float64,
    session_ids                Array(String),
    merged_into                Nullable(String),
    _version                   UInt64,
    _batch                     FixedString(16),
    _inserted                  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX start_time_range  start_time TYPE minmax GRANULARITY 1,
    INDEX inserted_range    _inserted  TYPE minmax GRANULARITY 1,
    INDEX batch_set         _batch     TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(opened_time >= toDateTime64('2010-01-01', 3, 'UTC') AND opened_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(opened_time), 0)
ORDER BY (site_id, id_token, opened_time, visit_id)
SETTINGS non_replicated_deduplication_window = 10000, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

-- Sums of months of visits, as those of sessions (0002).
CREATE TABLE IF NOT EXISTS {database}.visit_months
(
    month               LowCardinality(String),
    local_month         Date,
    station_id          LowCardinality(String),
    site_id             LowCardinality(String),
    city                LowCardinality(String),
    operator            LowCardinality(String),
    visits              UInt64,
    successful_visits   UInt64,
    first_time_visits   UInt64,
    visit_attempts      UInt64,
    as_of               DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (month, station_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.visit_months_made REFRESH AFTER 1 HOUR TO {database}.visit_months EMPTY AS
SELECT
    _partition_id AS month, toStartOfMonth(toDate32(addSeconds(start_time, utc_offset_seconds))) AS local_month, station_id, site_id, city, operator,
    count() AS visits, countIf(successful) AS successful_visits, countIf(first_attempt_successful) AS first_time_visits,
    sum(all_visits.attempts) AS visit_attempts,
    now64(3, 'UTC') AS as_of
FROM {database}.charging_visits AS all_visits FINAL
WHERE attempts > 0
GROUP BY month, local_month, station_id, site_id, city, operator;

-- The months of visit_months that hold: into which nothing was inserted since.
CREATE VIEW IF NOT EXISTS {database}.visit_months_hold AS
SELECT groupArray(toString(month)) AS months
FROM (SELECT month FROM {database}.visit_months GROUP BY month)
WHERE month NOT IN
    (SELECT DISTINCT _partition_id FROM {database}.charging_visits WHERE _inserted > (SELECT maxOrNull(as_of) FROM {database}.visit_months) - INTERVAL 10 MINUTE);

CREATE VIEW IF NOT EXISTS {database}.visit_months_now AS
SELECT local_month, station_id, site_id, city, operator, visits, successful_visits, first_time_visits, visit_attempts
FROM {database}.visit_months
WHERE month IN (SELECT arrayJoin(months) FROM {database}.visit_months_hold)
UNION ALL
SELECT
    toStartOfMonth(toDate32(addSeconds(start_time, utc_offset_seconds))) AS local_month, station_id, site_id, city, operator,
    count() AS visits, countIf(successful) AS successful_visits, countIf(first_attempt_successful) AS first_time_visits,
    sum(all_visits.attempts) AS visit_attempts
FROM {database}.charging_visits AS all_visits FINAL
WHERE attempts > 0 AND NOT has((SELECT months FROM {database}.visit_months_hold), _partition_id)
GROUP BY local_month, station_id, site_id, city, operator;

-- Attempts (sessions) and visits of months, side by side: what `success_rates` adds up.
CREATE VIEW IF NOT EXISTS {database}.attempt_months AS
SELECT
    local_month AS month, station_id, site_id, city, operator, sessions AS attempts, successful_sessions AS successful_attempts,
    toUInt64(0) AS visits, toUInt64(0) AS successful_visits, toUInt64(0) AS first_time_visits, toUInt64(0) AS visit_attempts
FROM {database}.session_months_now
UNION ALL
SELECT
    local_month AS month, station_id, site_id, city, operator, toUInt64(0) AS attempts, toUInt64(0) AS successful_attempts,
    visits, successful_visits, first_time_visits, visit_attempts
FROM {database}.visit_months_now;

-- How often charging succeeds, by month (of the start, by the clock at the site) and 'station', 'site', 'city' or 'operator', or over 'all' (`by`; columns of
-- other dimensions are empty): SELECT * FROM success_rates_by(by = 'city'). An attempt succeeds with more than 0.1 kWh, a visit with an attempt that does; a visit counts where it began.
-- `first_time_rate`: visits whose first attempt succeeded.
CREATE VIEW IF NOT EXISTS {database}.success_rates_by AS
SELECT
    {by:String} AS dimension, month, if({by:String} = 'station', made.station_id, '') AS station_id, if({by:String} = 'site', made.site_id, '') AS site_id,
    if({by:String} = 'city', made.city, '') AS city, if({by:String} = 'operator', made.operator, '') AS operator,
    sum(made.attempts) AS attempts, sum(made.successful_attempts) / attempts AS attempt_rate,
    sum(made.visits) AS visits, sum(made.successful_visits) / visits AS visit_rate, sum(made.first_time_visits) / visits AS first_time_rate,
    sum(made.visit_attempts) / visits AS attempts_per_visit
FROM {database}.attempt_months AS made
GROUP BY month, station_id, site_id, city, operator;

-- All of them (see `dimension`). Asked for one, it reads that one only, but ClickHouse plans all, which takes longer than the answer of success_rates_by.
CREATE VIEW IF NOT EXISTS {database}.success_rates AS
SELECT * FROM {database}.success_rates_by(by = 'all')
UNION ALL
SELECT * FROM {database}.success_rates_by(by = 'station')
UNION ALL
SELECT * FROM {database}.success_rates_by(by = 'site')
UNION ALL
SELECT * FROM {database}.success_rates_by(by = 'city')
UNION ALL
SELECT * FROM {database}.success_rates_by(by = 'operator');

-- Visits: the attempts to charge by one id token at one site, each within minutes of the one before. Absolute values, replaced by later
-- rows. Business key: site, token, opened, visit; `opened_time` is the one of the session that names the visit, and never changes. `attempts` 0:
-- there is no such visit (any more); `merged_into` names the one that it became part of.
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
    INDEX batch_set         _batch     TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(opened_time >= toDateTime64('2010-01-01', 3, 'UTC') AND opened_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(opened_time), 0)
ORDER BY (site_id, id_token, opened_time, visit_id)
SETTINGS non_replicated_deduplication_window = 10000;

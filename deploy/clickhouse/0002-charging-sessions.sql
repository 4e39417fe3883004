-- Charging sessions: one row for each session, replaced by its later revisions (absolute values, highest _version wins).
-- Business key: station, session. Read it with FINAL.
--
-- Not partitioned: a correction may move a session's start into another month, and rows are only replaced within one
-- partition. There are a hundred times fewer sessions than events.
CREATE TABLE IF NOT EXISTS {database}.charging_sessions
(
    station_id        String,
    session_id        String,
    revision          UInt32,
    final             Bool,
    complete          Bool,
    evse_id           Int32,
    connector_id      Int32,
    transaction_id    Nullable(String),
    id_token          Nullable(String),
    site_id           LowCardinality(String) DEFAULT '',
    city              LowCardinality(String) DEFAULT '',
    operator          LowCardinality(String) DEFAULT '',
    partner           LowCardinality(Nullable(String)),
    vehicle_model     LowCardinality(Nullable(String)),
    vehicle_class     LowCardinality(Nullable(String)),
    start_time        DateTime64(3, 'UTC'),
    stop_time         Nullable(DateTime64(3, 'UTC')),
    energy_wh         Nullable(Float64),
    export_wh         Nullable(Float64),
    charging_ms       Nullable(Int64),
    idle_ms           Nullable(Int64),
    mean_power_w      Nullable(Float64),
    peak_power_w      Nullable(Float64),
    soc_from          Nullable(Float64),
    soc_to            Nullable(Float64),
    stop_reason       LowCardinality(Nullable(String)),
    closed_by         LowCardinality(Nullable(String)),
    flags             Array(LowCardinality(String)),
    event_count       UInt32,
    duplicates        UInt32,
    sequence_gaps     UInt32,
    tariff_id         LowCardinality(Nullable(String)),
    currency          LowCardinality(Nullable(String)),
    cost_minor        Nullable(Int64),
    _version          UInt64,
    _batch            FixedString(16),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX session_set       session_id     TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX transaction_set   transaction_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX id_token_set      id_token       TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX start_time_range  start_time     TYPE minmax GRANULARITY 1,
    INDEX batch_set         _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (station_id, session_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Charging sessions: one row for each session that has ended, replaced by its later revisions (absolute values, highest _version
-- wins). Read it with FINAL. Business key: station, opened, session.
--
-- `opened_time` is the time of the first event that was seen of a session. Unlike its start it never changes, so a revision lies in
-- the partition of the row that it replaces, and in the same place of the order: by station and time.
-- Where nothing is known: NULL, and '' for site, city, region, country, operator and time zone, by which people group.
-- `utc_offset_seconds` is what the site's clock was ahead of UTC at the start: start_time + it is the local time.
-- Amounts are in minor units of the currency (cents; ISO 4217); NULL where they cannot be known, and `cost_flags` say why.
CREATE TABLE IF NOT EXISTS {database}.charging_sessions
(
    station_id            String,
    opened_time           DateTime64(3, 'UTC'),
    session_id            String,
    revision              UInt32,
    start_time            DateTime64(3, 'UTC'),
    stop_time             Nullable(DateTime64(3, 'UTC')),
    utc_offset_seconds    Int32,
    complete              Bool,
    closed_by             LowCardinality(String),
    evse_id               Int32,
    connector_id          Int32,
    transaction_id        Nullable(String),
    id_token              Nullable(String),
    site_id               LowCardinality(String),
    city                  LowCardinality(String),
    region                LowCardinality(String),
    country               LowCardinality(String),
    operator              LowCardinality(String),
    time_zone             LowCardinality(String),
    connector_standard    LowCardinality(Nullable(String)),
    current               LowCardinality(Nullable(String)),
    power_max_w           Nullable(Float64),
    partner               LowCardinality(Nullable(String)),
    vehicle_model         LowCardinality(Nullable(String)),
    vehicle_class         LowCardinality(Nullable(String)),
    vehicle_battery_wh    Nullable(Float64),
    energy_wh             Nullable(Float64),
    register_wh           Nullable(Float64),
    export_wh             Nullable(Float64),
    charging_ms           Nullable(Int64),
    idle_ms               Nullable(Int64),
    mean_power_w          Nullable(Float64),
    peak_power_w          Nullable(Float64),
    soc_from              Nullable(Float64),
    soc_to                Nullable(Float64),
    successful            Bool,
    stop_reason           LowCardinality(Nullable(String)),
    flags                 Array(LowCardinality(String)),
    event_count           UInt32,
    duplicates            UInt32,
    sequence_gaps         UInt32,
    tariff_id             LowCardinality(Nullable(String)),
    currency              LowCardinality(Nullable(String)),
    cost_minor            Nullable(Int64),
    start_fee_minor       Nullable(Int64),
    energy_cost_minor     Nullable(Int64),
    charging_cost_minor   Nullable(Int64),
    idle_cost_minor       Nullable(Int64),
    cost_flags            Array(LowCardinality(String)),
    _version              UInt64,
    _batch                FixedString(16),
    _inserted             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX session_set       session_id     TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX transaction_set   transaction_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX id_token_set      id_token       TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX start_time_range  start_time     TYPE minmax GRANULARITY 1,
    INDEX batch_set         _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(opened_time >= toDateTime64('2010-01-01', 3, 'UTC') AND opened_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(opened_time), 0)
ORDER BY (station_id, opened_time, session_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Sessions under way: how each stands now (`open`), and at last how it ended; gone seven days after it was last heard of. Business
-- key: station, session. `cost_minor` is what it would cost if it stopped now. See `sessions_now`.
CREATE TABLE IF NOT EXISTS {database}.live_sessions
(
    station_id            String,
    session_id            String,
    open                  Bool,
    updated_time          DateTime64(3, 'UTC'),
    start_time            DateTime64(3, 'UTC'),
    stop_time             Nullable(DateTime64(3, 'UTC')),
    closed_by             LowCardinality(String),
    evse_id               Int32,
    connector_id          Int32,
    transaction_id        Nullable(String),
    id_token              Nullable(String),
    site_id               LowCardinality(String),
    city                  LowCardinality(String),
    region                LowCardinality(String),
    country               LowCardinality(String),
    operator              LowCardinality(String),
    connector_standard    LowCardinality(Nullable(String)),
    current               LowCardinality(Nullable(String)),
    power_max_w           Nullable(Float64),
    partner               LowCardinality(Nullable(String)),
    vehicle_model         LowCardinality(Nullable(String)),
    vehicle_class         LowCardinality(Nullable(String)),
    vehicle_battery_wh    Nullable(Float64),
    energy_wh             Nullable(Float64),
    charging_ms           Nullable(Int64),
    idle_ms               Nullable(Int64),
    mean_power_w          Nullable(Float64),
    peak_power_w          Nullable(Float64),
    soc_from              Nullable(Float64),
    soc_to                Nullable(Float64),
    flags                 Array(LowCardinality(String)),
    event_count           UInt32,
    tariff_id             LowCardinality(Nullable(String)),
    currency              LowCardinality(Nullable(String)),
    cost_minor            Nullable(Int64),
    cost_flags            Array(LowCardinality(String)),
    _version              UInt64,
    _batch                FixedString(16),
    _inserted             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (station_id, session_id)
TTL toDateTime(_inserted) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Sessions under way. What has not been heard of for seven days is left out, whatever merges have removed by now.
CREATE VIEW IF NOT EXISTS {database}.sessions_now AS
SELECT
    station_id, session_id, updated_time, start_time, evse_id, connector_id, transaction_id, id_token, site_id, city, region, country, operator,
    connector_standard, current, power_max_w, partner, vehicle_model, vehicle_class, vehicle_battery_wh, energy_wh, charging_ms, idle_ms,
    mean_power_w, peak_power_w, soc_from, soc_to, flags, event_count, tariff_id, currency, cost_minor, cost_flags
FROM {database}.live_sessions FINAL
WHERE open AND _inserted > now64(3, 'UTC') - INTERVAL 7 DAY;

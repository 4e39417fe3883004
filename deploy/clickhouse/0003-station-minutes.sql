-- Load of each station, minute by minute: the engine's one-minute windows, absolute values. Business key: station, minute.
-- The minute is part of the key, so a row and its replacement always share a partition.
CREATE TABLE IF NOT EXISTS {database}.station_minutes
(
    station_id            String,
    minute                DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    site_id               LowCardinality(String) DEFAULT '',
    city                  LowCardinality(String) DEFAULT '',
    operator              LowCardinality(String) DEFAULT '',
    energy_wh             Float64,
    samples               UInt32,
    peak_power_w          Nullable(Float64),
    sessions_started      UInt32,
    sessions_ended        UInt32,
    errors                UInt32,
    _version              UInt64,
    _batch                FixedString(16),
    _inserted             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX minute_range  minute TYPE minmax GRANULARITY 1,
    INDEX batch_set     _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(minute >= toDateTime64('2010-01-01', 3, 'UTC') AND minute < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(minute), 0)
ORDER BY (station_id, minute)
SETTINGS non_replicated_deduplication_window = 10000;

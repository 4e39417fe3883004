-- What the rows of session logs were worth when they were taken: one row for each batch (ingestion) and check, those that no row fails among them.
-- Checks are those of the mapping, what is broken in any log (missing-stop, negative-energy...), and `unreadable` (quarantined). Business key:
-- source, batch, check. Not partitioned: a dozen rows a batch.
CREATE TABLE IF NOT EXISTS {database}.data_quality
(
    source          LowCardinality(String),
    batch           String,
    check           LowCardinality(String),
    checked_time    DateTime64(3, 'UTC'),
    rows_checked    UInt64,
    rows_failed     UInt64,
    share           Float64,
    examples        Array(String) CODEC(ZSTD(1)),
    _version        UInt64,
    _batch          FixedString(16),
    _inserted       DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (source, batch, check)
SETTINGS non_replicated_deduplication_window = 10000;

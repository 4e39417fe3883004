-- What was set aside, so that what came in = what came out + what is here. Not partitioned: rows are few, and their times
-- are the least trustworthy of all.

-- Records that could not be decoded or processed, with their bytes. Business key: step, topic, partition, offset, number
-- (a record may fail more than once in one step).
CREATE TABLE IF NOT EXISTS {database}.dead_letters
(
    topic           LowCardinality(String),
    partition       UInt32,
    offset          UInt64,
    step            LowCardinality(String),
    number          UInt32 DEFAULT 0,
    stage           LowCardinality(String),
    reason          LowCardinality(String),
    error           String,
    record_time     DateTime64(3, 'UTC'),
    key             Nullable(String),
    value           Nullable(String),
    value_bytes     UInt64 DEFAULT length(ifNull(value, '')),
    header_keys     Array(String),
    header_values   Array(String),
    _version        UInt64,
    _batch          FixedString(16),
    _inserted       DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (topic, partition, offset, step, number)
SETTINGS non_replicated_deduplication_window = 10000;

-- Records that came after their window had closed: windows + late = everything. Business key: as above, and the record's key: what idle sources
-- brought about belongs to no input record; it has an empty topic and the time for an offset.
CREATE TABLE IF NOT EXISTS {database}.late_records
(
    topic           LowCardinality(String),
    partition       UInt32,
    offset          UInt64,
    step            LowCardinality(String),
    number          UInt32 DEFAULT 0,
    key             String,
    record_time     DateTime64(3, 'UTC'),
    station_id      LowCardinality(String) DEFAULT '',
    event_id        String DEFAULT '',
    energy_wh       Float64 DEFAULT 0,
    value           String,
    _version        UInt64,
    _batch          FixedString(16),
    _inserted       DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (topic, partition, offset, step, number, key)
SETTINGS non_replicated_deduplication_window = 10000;

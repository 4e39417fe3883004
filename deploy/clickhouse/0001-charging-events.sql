-- Raw events: one row for each input record, as it came. Business key: topic, partition, offset.
--
-- The engine is ReplacingMergeTree, not plain MergeTree: after a rewind of the task's state the same records are inserted
-- again, cut into other pieces, and only a key and a version can tell. Undisturbed, count() needs no FINAL.
--
-- Sorted for "one station, a span of time"; other searches use the indexes below and the months: see `search_events`. Text indexes
-- stand on what repeats (tokens of drivers, words of errors). On ids that are new every few minutes they would double the cost of inserts, and
-- merges would have to hold all of them in memory; a bloom filter takes one more granule in a hundred instead (decision 25).
--
-- Partitions are months of event time, because one insert goes into one partition: input in rough time order touches one
-- or two at a time, replays of years touch them one after the other, and retention drops whole months. Times outside
-- 2010 to 2069 share partition 0, so that lying clocks cannot make thousands of partitions (720 at the most).
-- `event_time` is the time the stream works with (see the extractor); `timestamp_ms` is what the device said.
--
-- Kept for ever, unless a TTL says otherwise (charging/retention.ts): ALTER TABLE charging_events MODIFY TTL event_time + INTERVAL 400 DAY. Parts go as
-- a whole, a month after the other; nothing is rewritten for it.
CREATE TABLE IF NOT EXISTS {database}.charging_events
(
    station_id        String,
    event_time        DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    topic             LowCardinality(String),
    partition         UInt32,
    offset            UInt64 CODEC(DoubleDelta, ZSTD(1)),
    event_id          String CODEC(ZSTD(1)),
    type              LowCardinality(String),
    evse_id           Int32,
    connector_id      Int32,
    timestamp_ms      Int64 CODEC(DoubleDelta, ZSTD(1)),
    received_ms       Nullable(Int64) CODEC(ZSTD(1)),
    transaction_id    Nullable(String) CODEC(ZSTD(1)),
    seq_no            Nullable(Int32) CODEC(ZSTD(1)),
    offline           Bool,
    id_token          Nullable(String) CODEC(ZSTD(1)),
    partner           LowCardinality(Nullable(String)),
    vehicle_model     LowCardinality(Nullable(String)),
    meter_wh          Nullable(Float64) CODEC(ZSTD(1)),
    meter_export_wh   Nullable(Float64) CODEC(ZSTD(1)),
    power_w           Nullable(Float64) CODEC(ZSTD(1)),
    soc               Nullable(Float64) CODEC(ZSTD(1)),
    charging_state    LowCardinality(Nullable(String)),
    status            LowCardinality(Nullable(String)),
    error_code        LowCardinality(Nullable(String)),
    trigger_reason    LowCardinality(Nullable(String)),
    stop_reason       LowCardinality(Nullable(String)),
    edition           Int32 CODEC(ZSTD(1)),
    _version          UInt64 CODEC(DoubleDelta, ZSTD(1)),
    _batch            FixedString(16) CODEC(ZSTD(1)),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX event_time_range  event_time     TYPE minmax GRANULARITY 1,
    INDEX offset_range      offset         TYPE minmax GRANULARITY 1,
    INDEX event_id_set      event_id       TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX transaction_set   transaction_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX id_token_text     id_token       TYPE text(tokenizer = array),
    INDEX error_words       lower(error_code) TYPE text(tokenizer = splitByNonAlpha),
    INDEX batch_set         _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(event_time >= toDateTime64('2010-01-01', 3, 'UTC') AND event_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(event_time), 0)
PRIMARY KEY (station_id, event_time)
ORDER BY (station_id, event_time, topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

-- The newest hundred events within a span of time in which a word occurs: the id of a driver's token, a transaction or an event (as it stands),
-- or a word of an error (in any case). Newest first:
-- SELECT * FROM search_events(word = 'GroundFailure', since = '2026-03-01', before = '2026-04-01')
--
-- A branch for each index, because only one index at a time narrows a search; by a function of the time, because by the time itself
-- ClickHouse would rather look for the newest rows than use a text index. Copies that a rewind left, and that are not merged yet, count among
-- the hundred of a branch, and are shown once.
CREATE VIEW IF NOT EXISTS {database}.search_events AS
SELECT * EXCEPT (newest)
FROM
(
    (
        SELECT * EXCEPT (_version, _batch, _inserted), toUnixTimestamp64Milli(event_time) AS newest
        FROM {database}.charging_events
        WHERE id_token = {word:String} AND event_time >= {since:DateTime64(3, 'UTC')} AND event_time < {before:DateTime64(3, 'UTC')}
        ORDER BY newest DESC
        LIMIT 100
    )
    UNION ALL
    (
        SELECT * EXCEPT (_version, _batch, _inserted), toUnixTimestamp64Milli(event_time) AS newest
        FROM {database}.charging_events
        WHERE transaction_id = {word:String} AND event_time >= {since:DateTime64(3, 'UTC')} AND event_time < {before:DateTime64(3, 'UTC')}
        ORDER BY newest DESC
        LIMIT 100
    )
    UNION ALL
    (
        SELECT * EXCEPT (_version, _batch, _inserted), toUnixTimestamp64Milli(event_time) AS newest
        FROM {database}.charging_events
        WHERE event_id = {word:String} AND event_time >= {since:DateTime64(3, 'UTC')} AND event_time < {before:DateTime64(3, 'UTC')}
        ORDER BY newest DESC
        LIMIT 100
    )
    UNION ALL
    (
        SELECT * EXCEPT (_version, _batch, _inserted), toUnixTimestamp64Milli(event_time) AS newest
        FROM {database}.charging_events
        WHERE hasAllTokens(lower(error_code), lower({word:String})) AND event_time >= {since:DateTime64(3, 'UTC')} AND event_time < {before:DateTime64(3, 'UTC')}
        ORDER BY newest DESC
        LIMIT 100
    )
)
ORDER BY newest DESC, station_id, topic, partition, offset
LIMIT 1 BY topic, partition, offset
LIMIT 100;

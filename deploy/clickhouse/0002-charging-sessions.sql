-- Charging sessions: one row for each session that has ended, replaced by its later revisions (absolute values, highest _version
-- wins). Read it with FINAL. Business key: station, opened, session.
--
-- `opened_time` is the time of the first event that was seen of a session. Unlike its start it never changes, so a revision lies in
-- the partition of the row that it replaces, and in the same place of the order: by station and time.
-- Where nothing is known: NULL, and '' for site, city, region, country, operator and time zone, by which people group.
-- `utc_offset_seconds` is what the site's clock was ahead of UTC at the start: start_time + it is the local time.
-- Amounts are in minor units of the currency (cents; ISO 4217); NULL where they cannot be known, and `cost_flags` say why.
--
-- Partitions are months of `opened_time`, which is part of the order, so that FINAL need not look across them; a month into which nothing was
-- inserted for an hour becomes one part, and FINAL costs nothing there. Ids are ZSTD, since they are rarely read; figures are LZ4, which is read faster.
CREATE TABLE IF NOT EXISTS {database}.charging_sessions
(
    station_id            String,
    opened_time           DateTime64(3, 'UTC'),
    session_id            String CODEC(ZSTD(1)),
    revision              UInt32,
    start_time            DateTime64(3, 'UTC'),
    stop_time             Nullable(DateTime64(3, 'UTC')),
    utc_offset_seconds    Int32,
    complete              Bool,
    closed_by             LowCardinality(String),
    evse_id               Int32,
    connector_id          Int32,
    transaction_id        Nullable(String) CODEC(ZSTD(1)),
    id_token              Nullable(String) CODEC(ZSTD(1)),
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
    _version              UInt64 CODEC(ZSTD(1)),
    _batch                FixedString(16) CODEC(ZSTD(1)),
    _inserted             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX session_set       session_id     TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX transaction_set   transaction_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX id_token_set      id_token       TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX start_time_range  start_time     TYPE minmax GRANULARITY 1,
    INDEX inserted_range    _inserted      TYPE minmax GRANULARITY 1,
    INDEX batch_set         _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(opened_time >= toDateTime64('2010-01-01', 3, 'UTC') AND opened_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(opened_time), 0)
ORDER BY (station_id, opened_time, session_id)
SETTINGS non_replicated_deduplication_window = 10000, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

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

-- Sessions with their local time and the length of their stay; NULL where the stop is not known or lies before the start. `month` is the table's
-- partition: the month in which the first event of a session was, as YYYYMM; every row of one session lies in one.
CREATE VIEW IF NOT EXISTS {database}.session_facts AS
SELECT
    * EXCEPT (_version, _batch, _inserted),
    addSeconds(start_time, utc_offset_seconds) AS local_start,
    toDate32(local_start) AS local_day,
    if(stop_time >= start_time, toUnixTimestamp64Milli(assumeNotNull(stop_time)) - toUnixTimestamp64Milli(start_time), NULL) AS stay_ms,
    _partition_id AS month
FROM {database}.charging_sessions FINAL;

-- Sums of months, so that questions about ten million sessions need not read them all (decision 25). Each is a table that is made anew from
-- `session_facts` once an hour, and a view `..._now` on which the questions stand. It takes months from the table, but those into which
-- anything was inserted since (or in the ten minutes before: an insert's rows carry the time at which it began) from `session_facts`. So it is
-- right at any moment, also while the table is empty.
CREATE TABLE IF NOT EXISTS {database}.session_hours
(
    month               LowCardinality(String),
    local_day           Date32,
    hour                UInt8,
    currency            LowCardinality(String),
    sessions            UInt64,
    energy_wh           Float64,
    revenue_minor       Int64,
    unpriced_sessions   UInt64,
    as_of               DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (month, local_day, hour);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.session_hours_made REFRESH AFTER 1 HOUR TO {database}.session_hours EMPTY AS
SELECT
    month, local_day, toHour(local_start) AS hour, ifNull(currency, '') AS currency, count() AS sessions, sum(ifNull(facts.energy_wh, 0)) AS energy_wh,
    sum(ifNull(cost_minor, 0)) AS revenue_minor, countIf(isNull(cost_minor)) AS unpriced_sessions, now64(3, 'UTC') AS as_of
FROM {database}.session_facts AS facts
GROUP BY month, local_day, hour, currency;

-- The months of session_hours that hold: into which nothing was inserted since.
CREATE VIEW IF NOT EXISTS {database}.session_hours_hold AS
SELECT groupArray(toString(month)) AS months
FROM (SELECT month FROM {database}.session_hours GROUP BY month)
WHERE month NOT IN
    (SELECT DISTINCT _partition_id FROM {database}.charging_sessions WHERE _inserted > (SELECT maxOrNull(as_of) FROM {database}.session_hours) - INTERVAL 10 MINUTE);

CREATE VIEW IF NOT EXISTS {database}.session_hours_now AS
SELECT local_day, hour, currency, sessions, energy_wh, revenue_minor, unpriced_sessions
FROM {database}.session_hours
WHERE month IN (SELECT arrayJoin(months) FROM {database}.session_hours_hold)
UNION ALL
SELECT
    local_day, toHour(local_start) AS hour, ifNull(currency, '') AS currency, count() AS sessions, sum(ifNull(facts.energy_wh, 0)) AS energy_wh,
    sum(ifNull(cost_minor, 0)) AS revenue_minor, countIf(isNull(cost_minor)) AS unpriced_sessions
FROM {database}.session_facts AS facts
WHERE NOT has((SELECT months FROM {database}.session_hours_hold), month)
GROUP BY local_day, hour, currency;

-- By month of the start by the clock at the site, station, tariff and kind of connector. `places_used`: EVSEs. `priced`: of sessions whose cost and energy are both known.
CREATE TABLE IF NOT EXISTS {database}.session_months
(
    month                    LowCardinality(String),
    local_month              Date,
    station_id               LowCardinality(String),
    site_id                  LowCardinality(String),
    city                     LowCardinality(String),
    operator                 LowCardinality(String),
    tariff_id                LowCardinality(String),
    currency                 LowCardinality(String),
    current                  LowCardinality(String),
    standard                 LowCardinality(String),
    power_w                  Nullable(Float64),
    places_used              Array(Int32),
    sessions                 UInt64,
    successful_sessions      UInt64,
    sessions_with_energy     UInt64,
    energy_wh                Float64,
    sessions_with_stay       UInt64,
    stay_ms                  Int64,
    sessions_with_charging   UInt64,
    charging_ms              Int64,
    sessions_with_idle       UInt64,
    idle_ms                  Int64,
    sessions_priced          UInt64,
    priced_energy_wh         Float64,
    priced_minor             Int64,
    last_priced              DateTime64(3, 'UTC'),
    first_start              DateTime64(3, 'UTC'),
    last_start               DateTime64(3, 'UTC'),
    last_used                DateTime64(3, 'UTC'),
    first_day                Date32,
    last_day                 Date32,
    as_of                    DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (month, station_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.session_months_made REFRESH AFTER 1 HOUR TO {database}.session_months EMPTY AS
SELECT
    month, toStartOfMonth(local_day) AS local_month, station_id, site_id, city, operator, ifNull(tariff_id, '') AS tariff_id, ifNull(currency, '') AS currency, ifNull(facts.current, '') AS current,
    ifNull(connector_standard, '') AS standard, power_max_w AS power_w, groupUniqArray(evse_id) AS places_used,
    count() AS sessions, countIf(successful) AS successful_sessions, count(facts.energy_wh) AS sessions_with_energy,
    sum(ifNull(facts.energy_wh, 0)) AS energy_wh, count(facts.stay_ms) AS sessions_with_stay, sum(ifNull(facts.stay_ms, 0)) AS stay_ms,
    count(facts.charging_ms) AS sessions_with_charging, sum(ifNull(facts.charging_ms, 0)) AS charging_ms, count(facts.idle_ms) AS sessions_with_idle,
    sum(ifNull(facts.idle_ms, 0)) AS idle_ms, countIf(isNotNull(cost_minor) AND isNotNull(facts.energy_wh)) AS sessions_priced,
    sumIf(ifNull(facts.energy_wh, 0), isNotNull(cost_minor)) AS priced_energy_wh, sumIf(ifNull(cost_minor, 0), isNotNull(facts.energy_wh)) AS priced_minor,
    maxIf(start_time, isNotNull(cost_minor) AND isNotNull(facts.energy_wh)) AS last_priced, min(start_time) AS first_start, max(start_time) AS last_start,
    max(if(isNull(facts.stay_ms), start_time, assumeNotNull(stop_time))) AS last_used, min(local_day) AS first_day, max(local_day) AS last_day,
    now64(3, 'UTC') AS as_of
FROM {database}.session_facts AS facts
GROUP BY month, local_month, station_id, site_id, city, operator, tariff_id, currency, current, standard, power_w;

-- The months of session_months that hold: into which nothing was inserted since.
CREATE VIEW IF NOT EXISTS {database}.session_months_hold AS
SELECT groupArray(toString(month)) AS months
FROM (SELECT month FROM {database}.session_months GROUP BY month)
WHERE month NOT IN
    (SELECT DISTINCT _partition_id FROM {database}.charging_sessions WHERE _inserted > (SELECT maxOrNull(as_of) FROM {database}.session_months) - INTERVAL 10 MINUTE);

CREATE VIEW IF NOT EXISTS {database}.session_months_now AS
SELECT
    local_month, station_id, site_id, city, operator, tariff_id, currency, current, standard, power_w, places_used, sessions, successful_sessions,
    sessions_with_energy, energy_wh, sessions_with_stay, stay_ms, sessions_with_charging, charging_ms, sessions_with_idle, idle_ms, sessions_priced,
    priced_energy_wh, priced_minor, last_priced, first_start, last_start, last_used, first_day, last_day
FROM {database}.session_months
WHERE month IN (SELECT arrayJoin(months) FROM {database}.session_months_hold)
UNION ALL
SELECT
    toStartOfMonth(local_day) AS local_month, station_id, site_id, city, operator, ifNull(tariff_id, '') AS tariff_id, ifNull(currency, '') AS currency, ifNull(facts.current, '') AS current,
    ifNull(connector_standard, '') AS standard, power_max_w AS power_w, groupUniqArray(evse_id) AS places_used,
    count() AS sessions, countIf(successful) AS successful_sessions, count(facts.energy_wh) AS sessions_with_energy,
    sum(ifNull(facts.energy_wh, 0)) AS energy_wh, count(facts.stay_ms) AS sessions_with_stay, sum(ifNull(facts.stay_ms, 0)) AS stay_ms,
    count(facts.charging_ms) AS sessions_with_charging, sum(ifNull(facts.charging_ms, 0)) AS charging_ms, count(facts.idle_ms) AS sessions_with_idle,
    sum(ifNull(facts.idle_ms, 0)) AS idle_ms, countIf(isNotNull(cost_minor) AND isNotNull(facts.energy_wh)) AS sessions_priced,
    sumIf(ifNull(facts.energy_wh, 0), isNotNull(cost_minor)) AS priced_energy_wh, sumIf(ifNull(cost_minor, 0), isNotNull(facts.energy_wh)) AS priced_minor,
    maxIf(start_time, isNotNull(cost_minor) AND isNotNull(facts.energy_wh)) AS last_priced, min(start_time) AS first_start, max(start_time) AS last_start,
    max(if(isNull(facts.stay_ms), start_time, assumeNotNull(stop_time))) AS last_used, min(local_day) AS first_day, max(local_day) AS last_day
FROM {database}.session_facts AS facts
WHERE NOT has((SELECT months FROM {database}.session_months_hold), month)
GROUP BY local_month, station_id, site_id, city, operator, tariff_id, currency, current, standard, power_w;

-- By flag; '' counts those without any.
CREATE TABLE IF NOT EXISTS {database}.session_flag_months
(
    month      LowCardinality(String),
    flag       LowCardinality(String),
    sessions   UInt64,
    as_of      DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (month, flag);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.session_flag_months_made REFRESH AFTER 1 HOUR TO {database}.session_flag_months EMPTY AS
SELECT month, flag, count() AS sessions, now64(3, 'UTC') AS as_of
FROM {database}.session_facts
LEFT ARRAY JOIN flags AS flag
GROUP BY month, flag;

-- The months of session_flag_months that hold: into which nothing was inserted since.
CREATE VIEW IF NOT EXISTS {database}.session_flag_months_hold AS
SELECT groupArray(toString(month)) AS months
FROM (SELECT month FROM {database}.session_flag_months GROUP BY month)
WHERE month NOT IN
    (SELECT DISTINCT _partition_id FROM {database}.charging_sessions WHERE _inserted > (SELECT maxOrNull(as_of) FROM {database}.session_flag_months) - INTERVAL 10 MINUTE);

CREATE VIEW IF NOT EXISTS {database}.session_flag_months_now AS
SELECT flag, sessions
FROM {database}.session_flag_months
WHERE month IN (SELECT arrayJoin(months) FROM {database}.session_flag_months_hold)
UNION ALL
SELECT flag, count() AS sessions
FROM {database}.session_facts
LEFT ARRAY JOIN flags AS flag
WHERE NOT has((SELECT months FROM {database}.session_flag_months_hold), month)
GROUP BY flag;

-- The day (UTC) from which on there are a hundred sessions or more; the first of all days where there are not so many.
CREATE VIEW IF NOT EXISTS {database}.recent_days AS
SELECT greatest(max(local_day), toDate32('1970-01-02')) - 1 AS since
FROM
(
    SELECT local_day, sum(of_day) OVER (ORDER BY local_day DESC) AS of_later_days
    FROM (SELECT local_day, sum(hours.sessions) AS of_day FROM {database}.session_hours_now AS hours GROUP BY local_day)
)
WHERE of_later_days >= 100;

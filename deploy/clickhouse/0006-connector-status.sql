-- Status of connectors: what docs/connector-status.md explains.

-- Intervals in which a connector had one status, written when they have ended; absolute rows, replaced by later ones of the same start. Business
-- key: station, EVSE, connector, start. A row whose end is its start does not hold (any more). The interval that lasts is in connectors_now
-- alone; the view connector_intervals has both.
--
-- The start is part of the key, so a row and its replacement always share a month. Sorted for "one station, a span of time"; a
-- connector's intervals follow one another, so starts and ends nearly repeat each other and cost little.
CREATE TABLE IF NOT EXISTS {database}.connector_status
(
    station_id        String CODEC(ZSTD(1)),
    evse_id           Int32,
    connector_id      Int32,
    from_time         DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    to_time           DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    status            LowCardinality(String),
    online            Bool,
    error_code        LowCardinality(Nullable(String)),
    source            LowCardinality(String),
    transaction_id    Nullable(String) CODEC(ZSTD(1)),
    site_id           LowCardinality(String) DEFAULT '',
    city              LowCardinality(String) DEFAULT '',
    operator          LowCardinality(String) DEFAULT '',
    _version          UInt64 CODEC(DoubleDelta, ZSTD(1)),
    _batch            FixedString(16) CODEC(ZSTD(1)),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX from_range      from_time      TYPE minmax GRANULARITY 1,
    INDEX to_range        to_time        TYPE minmax GRANULARITY 1,
    INDEX transaction_set transaction_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX batch_set       _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY if(from_time >= toDateTime64('2010-01-01', 3, 'UTC') AND from_time < toDateTime64('2070-01-01', 3, 'UTC'),
                toYYYYMM(from_time), 0)
ORDER BY (station_id, evse_id, connector_id, from_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- Where each connector stands, which is its last interval: one row, replaced once a commit when that has changed. Business key: station, EVSE,
-- connector. Read it with FINAL. A table of its own, small for ever, since "what is free now" must not look through years of intervals.
-- transaction_id: under way; stay_transaction_id: of the vehicle that is there, also when it has ended.
CREATE TABLE IF NOT EXISTS {database}.connectors_now
(
    station_id        String,
    evse_id           Int32,
    connector_id      Int32,
    first_time        DateTime64(3, 'UTC'),
    since             DateTime64(3, 'UTC'),
    status            LowCardinality(String),
    online            Bool,
    error_code        LowCardinality(Nullable(String)),
    source            LowCardinality(String),
    transaction_id    Nullable(String),
    site_id           LowCardinality(String) DEFAULT '',
    city              LowCardinality(String) DEFAULT '',
    operator          LowCardinality(String) DEFAULT '',
    stay_transaction_id Nullable(String),
    _version          UInt64,
    _batch            FixedString(16),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (station_id, evse_id, connector_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Those of the ended intervals in which the connector could not be used, for uptime, which would else read all of them: rows of connector_status as
-- they are, taken back like there. Business key: station, EVSE, connector, start. Some hundredths of its rows; not partitioned.
CREATE TABLE IF NOT EXISTS {database}.connector_outages
(
    station_id        String CODEC(ZSTD(1)),
    evse_id           Int32,
    connector_id      Int32,
    from_time         DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    to_time           DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    status            LowCardinality(String),
    online            Bool,
    error_code        LowCardinality(Nullable(String)),
    source            LowCardinality(String),
    transaction_id    Nullable(String) CODEC(ZSTD(1)),
    site_id           LowCardinality(String) DEFAULT '',
    city              LowCardinality(String) DEFAULT '',
    operator          LowCardinality(String) DEFAULT '',
    _version          UInt64 CODEC(DoubleDelta, ZSTD(1)),
    _batch            FixedString(16) CODEC(ZSTD(1)),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX from_range      from_time      TYPE minmax GRANULARITY 1,
    INDEX batch_set       _batch         TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (station_id, evse_id, connector_id, from_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- Outages that do not count (23 CFR 680.116(b)(3), T_excluded), each for one EVSE, station, site or operator: as fine as it names. Business
-- key: exclusion. Read it with FINAL, WHERE NOT withdrawn. A person writes some; not partitioned.
CREATE TABLE IF NOT EXISTS {database}.outage_exclusions
(
    exclusion_id      String,
    station_id        Nullable(String),
    evse_id           Nullable(Int32),
    site_id           Nullable(String),
    operator          Nullable(String),
    from_time         DateTime64(3, 'UTC'),
    to_time           Nullable(DateTime64(3, 'UTC')),
    reason            LowCardinality(String),
    note              Nullable(String),
    withdrawn         Bool,
    valid_from        DateTime64(3, 'UTC'),
    _version          UInt64,
    _batch            FixedString(16),
    _inserted         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY exclusion_id
SETTINGS non_replicated_deduplication_window = 10000;

-- The intervals that hold; to_time NULL: it lasts. `usable`: a vehicle can charge there or does (23 CFR 680.116(b)(1): online and available, or in use).
CREATE VIEW IF NOT EXISTS {database}.connector_intervals AS
SELECT
    station_id, evse_id, connector_id, from_time, toNullable(to_time) AS to_time, status, online, error_code, source, transaction_id, site_id, city, operator,
    online AND status IN ('Available', 'Occupied', 'Reserved') AS usable
FROM {database}.connector_status AS ended FINAL
WHERE ended.to_time > ended.from_time
UNION ALL
SELECT
    station_id, evse_id, connector_id, since AS from_time, CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS to_time, status, online, error_code, source,
    stay_transaction_id AS transaction_id, site_id, city, operator,
    online AND status IN ('Available', 'Occupied', 'Reserved') AS usable
FROM {database}.connectors_now FINAL;

-- The exclusions that hold, by the narrowest thing that they name (station, site or operator): (from, to, EVSE, site, operator) each, times in milliseconds.
CREATE VIEW IF NOT EXISTS {database}.exclusions_held AS
SELECT
    multiIf(station_id IS NOT NULL, 'station', site_id IS NOT NULL, 'site', 'operator') AS scope,
    coalesce(station_id, site_id, operator, '') AS of,
    groupArray((toUnixTimestamp64Milli(from_time), ifNull(toUnixTimestamp64Milli(to_time), 9223372036854775807), evse_id, site_id, operator)) AS exclusions
FROM {database}.outage_exclusions FINAL
WHERE NOT withdrawn
GROUP BY scope, of;

-- How many connectors are in use, free or out of order: of everything, by operator, city, site and station (see `dimension`; columns of other
-- dimensions are empty). What is not online counts there and nowhere else. operational_rate: the share that can be used.
CREATE VIEW IF NOT EXISTS {database}.occupancy_now AS
SELECT
    multiIf(grouping(station_id) = 0, 'station', grouping(site_id) = 0, 'site', grouping(city) = 0, 'city', grouping(operator) = 0, 'operator', 'all') AS dimension,
    operator, city, site_id, station_id,
    count() AS connectors,
    countIf(online AND status = 'Available') AS available,
    countIf(online AND status = 'Occupied') AS occupied,
    countIf(online AND status = 'Reserved') AS reserved,
    countIf(online AND status = 'Unavailable') AS unavailable,
    countIf(online AND status = 'Faulted') AS faulted,
    countIf(online AND status = 'Unknown') AS unknown,
    countIf(NOT online) AS offline,
    countIf(transaction_id IS NOT NULL) AS transactions,
    occupied / connectors AS occupied_share,
    (available + occupied + reserved) / connectors AS operational_rate
FROM {database}.connectors_now FINAL
GROUP BY GROUPING SETS ((), (operator), (city), (site_id), (station_id));

-- The share of connectors that can be used now.
CREATE VIEW IF NOT EXISTS {database}.operational_rate AS
SELECT dimension, operator, city, site_id, station_id, connectors, available + occupied + reserved AS operational, operational_rate
FROM {database}.occupancy_now;

-- Occupancy of each station hour by hour (UTC), in connector-seconds: SELECT * FROM occupancy_hours(since = '2026-03-01', until = '2026-04-01').
-- What lasts is taken to last until `until`. occupied_share is of the time in which anything is known of the connectors.
CREATE VIEW IF NOT EXISTS {database}.occupancy_hours AS
SELECT
    station_id, any(site_id) AS site_id, any(city) AS city, any(operator) AS operator,
    toDateTime64(hour_number * 3600, 3, 'UTC') AS hour,
    sum(seconds) AS connector_seconds,
    sumIf(seconds, status = 'Occupied') AS occupied_seconds,
    sumIf(seconds, usable AND status != 'Occupied') AS free_seconds,
    sumIf(seconds, NOT online) AS offline_seconds,
    occupied_seconds / connector_seconds AS occupied_share
FROM
(
    SELECT
        station_id, site_id, city, operator, status, online, usable,
        toUnixTimestamp64Milli(greatest(from_time, {since:DateTime64(3, 'UTC')})) AS from_ms,
        toUnixTimestamp64Milli(least(ifNull(to_time, {until:DateTime64(3, 'UTC')}), {until:DateTime64(3, 'UTC')})) AS to_ms,
        arrayJoin(range(toUInt64(intDiv(from_ms, 3600000)), toUInt64(intDiv(greatest(to_ms, from_ms) + 3599999, 3600000)))) AS hour_number,
        (least(to_ms, (hour_number + 1) * 3600000) - greatest(from_ms, hour_number * 3600000)) / 1000 AS seconds
    FROM {database}.connector_intervals
    WHERE from_time < {until:DateTime64(3, 'UTC')} AND (to_time IS NULL OR to_time > {since:DateTime64(3, 'UTC')})
)
GROUP BY station_id, hour_number;

-- Each charging port (EVSE) with what its time is cut by, in milliseconds: the first times of its connectors, outages (from, to, 0: online, -1: not) and
-- exclusions, within a span of time. What lasts is taken to last until `until`.
CREATE VIEW IF NOT EXISTS {database}.port_changes AS
SELECT
    p.station_id AS station_id, p.evse_id AS evse_id, p.port_site AS site_id, p.port_city AS city, p.port_operator AS operator,
    p.first_time AS first_time, toUnixTimestamp64Milli(p.first_time) AS first_ms, toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS until_ms,
    p.connectors_ms AS connectors_ms, p.outages AS outages,
    arrayFilter(e -> (e.3 IS NULL OR e.3 = p.evse_id) AND (e.4 IS NULL OR e.4 = p.port_site) AND (e.5 IS NULL OR e.5 = p.port_operator)
                     AND e.1 < toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AND e.2 > toUnixTimestamp64Milli(p.first_time),
                arrayConcat(of_station.exclusions, of_site.exclusions, of_operator.exclusions)) AS excluding
FROM
(
    SELECT
        station_id, evse_id, argMaxIf(of_site, since, is_connector) AS port_site, argMaxIf(of_city, since, is_connector) AS port_city,
        argMaxIf(of_operator, since, is_connector) AS port_operator, fromUnixTimestamp64Milli(minIf(from_ms, is_connector), 'UTC') AS first_time,
        groupArrayIf(from_ms, is_connector) AS connectors_ms, groupArrayArray(of_outages) AS outages
    FROM
    (
        SELECT
            station_id, evse_id, true AS is_connector, c.site_id AS of_site, c.city AS of_city, c.operator AS of_operator, c.since AS since,
            toUnixTimestamp64Milli(greatest(c.first_time, {since:DateTime64(3, 'UTC')})) AS from_ms,
            if((c.online AND c.status IN ('Available', 'Occupied', 'Reserved')) OR c.since >= {until:DateTime64(3, 'UTC')}, [],
               [(toUnixTimestamp64Milli(greatest(c.since, {since:DateTime64(3, 'UTC')})), toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}), if(c.online, 0, -1)::Int64)]) AS of_outages
        FROM {database}.connectors_now AS c FINAL
        WHERE c.first_time < {until:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT
            station_id, evse_id, false AS is_connector, '' AS of_site, '' AS of_city, '' AS of_operator, toDateTime64(0, 3, 'UTC') AS since, 0::Int64 AS from_ms,
            [(toUnixTimestamp64Milli(greatest(from_time, {since:DateTime64(3, 'UTC')})), toUnixTimestamp64Milli(least(to_time, {until:DateTime64(3, 'UTC')})), if(online, 0, -1)::Int64)] AS of_outages
        FROM {database}.connector_outages FINAL
        WHERE from_time < {until:DateTime64(3, 'UTC')} AND to_time > from_time AND to_time > {since:DateTime64(3, 'UTC')}
    )
    GROUP BY station_id, evse_id
    HAVING countIf(is_connector) > 0
) AS p
LEFT JOIN (SELECT of, exclusions FROM {database}.exclusions_held WHERE scope = 'station') AS of_station ON p.station_id = of_station.of
LEFT JOIN (SELECT of, exclusions FROM {database}.exclusions_held WHERE scope = 'site') AS of_site ON p.port_site = of_site.of
LEFT JOIN (SELECT of, exclusions FROM {database}.exclusions_held WHERE scope = 'operator') AS of_operator ON p.port_operator = of_operator.of;

-- Each charging port (EVSE) with its segments: from the first time that it was heard of, cut at every change and at months (UTC). A segment is
-- (from, to, usable connectors, connectors online, exclusions, months since the first one); times in milliseconds. What lasts is taken to last
-- until `until`.
--
-- A connector can be used from its first time on, but for its outages. So the changes of a port are an array of (time, usable connectors, connectors
-- online, exclusions, months), sorted and added up. The array with one element binds `changes`; named as a column and used for each sum, it would
-- be written out as often in the plan.
CREATE VIEW IF NOT EXISTS {database}.port_timelines AS
SELECT
    station_id, evse_id, site_id, city, operator, first_time,
    arrayMap(changes -> arrayFilter(segment -> segment.1 < segment.2,
                                    arrayZip(changes.1, arrayPushBack(arrayPopFront(changes.1), changes.1[-1]),
                                             arrayCumSum(changes.2), arrayCumSum(changes.3), arrayCumSum(changes.4), arrayCumSum(changes.5))),
        [arraySort(arrayConcat(
            arrayMap(known_ms -> (known_ms, 1::Int64, 1::Int64, 0::Int64, 0::Int64), connectors_ms),
            [(until_ms, 0::Int64, 0::Int64, 0::Int64, 0::Int64)],
            arrayFlatten(arrayMap(o -> [(o.1, -1::Int64, o.3, 0::Int64, 0::Int64), (o.2, 1::Int64, -o.3, 0::Int64, 0::Int64)], outages)),
            arrayFlatten(arrayMap(e -> [(greatest(e.1, first_ms), 0::Int64, 0::Int64, 1::Int64, 0::Int64), (least(e.2, until_ms), 0::Int64, 0::Int64, -1::Int64, 0::Int64)], excluding)),
            arrayMap(month -> (toUnixTimestamp64Milli(toDateTime64(addMonths(toStartOfMonth(first_time), month), 3, 'UTC')), 0::Int64, 0::Int64, 0::Int64, 1::Int64),
                     range(1, 1 + greatest(0, dateDiff('month', first_time, {until:DateTime64(3, 'UTC')}))))))])[1] AS segments
FROM {database}.port_changes(since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')});

-- The segments one by one: whether the port was up, whether anybody heard it, and whether an outage would be excluded. Overlapping exclusions
-- exclude once. For any span of time: SELECT * FROM port_segments(since = '2026-03-01', until = '2026-04-01') WHERE NOT up
CREATE VIEW IF NOT EXISTS {database}.port_segments AS
SELECT
    station_id, evse_id, site_id, city, operator,
    fromUnixTimestamp64Milli(segment.1, 'UTC') AS from_time, fromUnixTimestamp64Milli(segment.2, 'UTC') AS to_time,
    segment.3 > 0 AS up, segment.4 > 0 AS online, segment.5 > 0 AS excluded, (segment.2 - segment.1) / 60000 AS minutes
FROM {database}.port_timelines(since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')})
ARRAY JOIN segments AS segment;

-- Uptime of each port and month (UTC), and of the twelve months that end with it: SELECT * FROM port_uptime_until(until = '2026-04-01').
-- year_uptime_percent is of the minutes that are known; rule_uptime_percent is the equation of 23 CFR 680.116(b)(3) to the letter: of 525,600 minutes,
-- those before the port was heard of taken for up.
--
-- `ends` has what has added up at the end of each month: (known, outage, excluded, not online) in milliseconds. A month, and twelve of them, are
-- differences of these, so that no rows need be sorted or grouped.
CREATE VIEW IF NOT EXISTS {database}.port_uptime_until AS
SELECT
    station_id, evse_id, site_id, city, operator, toStartOfMonth(addMonths(first_time, number - 1)) AS month,
    (this.1 - before.1) / 60000 AS minutes, (this.2 - before.2) / 60000 AS outage_minutes,
    (this.3 - before.3) / 60000 AS excluded_minutes, (this.4 - before.4) / 60000 AS offline_minutes,
    (minutes - (outage_minutes - excluded_minutes)) / minutes * 100 AS uptime_percent,
    (this.1 - year.1) / 60000 AS year_minutes, (this.2 - year.2) / 60000 AS year_outage_minutes, (this.3 - year.3) / 60000 AS year_excluded_minutes,
    (year_minutes - (year_outage_minutes - year_excluded_minutes)) / year_minutes * 100 AS year_uptime_percent,
    (525600 - (year_outage_minutes - year_excluded_minutes)) / 525600 * 100 AS rule_uptime_percent,
    year_uptime_percent > 97 AS above_97
FROM
(
    SELECT
        station_id, evse_id, site_id, city, operator, first_time,
        arrayMap(s -> arrayFilter((end, own, next) -> own != next,
                                  arrayZip(arrayCumSum(arrayMap(e -> e.2 - e.1, s)),
                                           arrayCumSum(arrayMap(e -> if(e.3 > 0, 0, e.2 - e.1), s)),
                                           arrayCumSum(arrayMap(e -> if(e.3 > 0 OR e.5 <= 0, 0, e.2 - e.1), s)),
                                           arrayCumSum(arrayMap(e -> if(e.4 > 0, 0, e.2 - e.1), s))),
                                  s.6, arrayPushBack(arrayPopFront(s.6), -1)),
            [segments])[1] AS ends
    FROM {database}.port_timelines(since = '1970-01-01 00:00:00', until = {until:DateTime64(3, 'UTC')})
)
ARRAY JOIN
    ends AS this, arrayPushFront(arrayPopBack(ends), (0, 0, 0, 0)) AS before, arrayEnumerate(ends) AS number,
    arrayResize(arrayConcat(arrayWithConstant(least(12, length(ends)), (0::Int64, 0::Int64, 0::Int64, 0::Int64)), ends), length(ends)) AS year;

-- Uptime of each port in any span of time, for months by a site's own clock, quarters, a contract's year:
-- SELECT * FROM port_uptime_between(since = '2026-02-28 23:00:00', until = '2026-03-31 22:00:00')
CREATE VIEW IF NOT EXISTS {database}.port_uptime_between AS
SELECT
    station_id, evse_id, any(segments.site_id) AS site_id, any(segments.city) AS city, any(segments.operator) AS operator,
    sum(segments.minutes) AS minutes,
    sumIf(segments.minutes, NOT up) AS outage_minutes,
    sumIf(segments.minutes, NOT up AND excluded) AS excluded_minutes,
    sumIf(segments.minutes, NOT online) AS offline_minutes,
    (minutes - (outage_minutes - excluded_minutes)) / minutes * 100 AS uptime_percent
FROM {database}.port_segments(since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')}) AS segments
GROUP BY station_id, evse_id;

-- The same until now.
CREATE VIEW IF NOT EXISTS {database}.port_uptime AS
SELECT * FROM {database}.port_uptime_until(until = now64(3, 'UTC'));

-- What has added up at each port until the ends of its months, the last month first: milliseconds known, not up, not up and excluded. Months and years are
-- differences of these, also once ports are added up; arrays of many ports match at their beginnings. `above_97`: as year_uptime_percent of port_uptime_until.
CREATE VIEW IF NOT EXISTS {database}.port_months AS
SELECT
    station_id, evse_id, site_id, city, operator, arrayWithConstant(length(known), 1::UInt8) AS ones, known, down, excluded,
    arrayMap((known_ms, known_before, down_ms, down_before, excluded_ms, excluded_before) ->
                 (known_ms - known_before - (down_ms - down_before - (excluded_ms - excluded_before))) / (known_ms - known_before) * 100 > 97,
             known, arrayResize(arraySlice(known, 13), length(known)), down, arrayResize(arraySlice(down, 13), length(known)),
             excluded, arrayResize(arraySlice(excluded, 13), length(known))) AS above_97
FROM
(
    SELECT
        station_id, evse_id, site_id, city, operator, arrayMap(end -> end - first_ms, ends) AS known,
        arrayMap(end -> arraySum((from, to) -> greatest(0, least(end, to) - from), downs.1, downs.2), ends) AS down,
        if(NOT arrayExists(times -> times > 0, downs.4), arrayWithConstant(length(ends), 0::Int64),
           arrayMap(end -> arraySum((from, to, times) -> if(times > 0, greatest(0, least(end, to) - from), 0), downs.1, downs.2, downs.4), ends)) AS excluded
    FROM
    (
        SELECT
            station_id, evse_id, site_id, city, operator, first_ms,
            arraySlice((SELECT arrayMap(month -> if(month = 0, toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}),
                                                    toUnixTimestamp64Milli(toDateTime64(addMonths(toStartOfMonth({until:DateTime64(3, 'UTC')} - toIntervalMillisecond(1)), 1 - month), 3, 'UTC'))),
                                        range(0, 2 + greatest(0, dateDiff('month', greatest(min(c.first_time), toDateTime64(0, 3, 'UTC')), {until:DateTime64(3, 'UTC')}))))
                        FROM {database}.connectors_now AS c),
                       1, 1 + dateDiff('month', first_time, {until:DateTime64(3, 'UTC')} - toIntervalMillisecond(1))) AS ends,
            if(empty(outages), [], arrayMap(changes -> arrayFilter(segment -> segment.1 < segment.2 AND segment.3 <= 0,
                                            arrayZip(changes.1, arrayPushBack(arrayPopFront(changes.1), changes.1[-1]), arrayCumSum(changes.2), arrayCumSum(changes.3))),
                [arraySort(arrayConcat(
                    arrayMap(known_ms -> (known_ms, 1::Int64, 0::Int64), connectors_ms),
                    arrayFlatten(arrayMap(o -> [(o.1, -1::Int64, 0::Int64), (o.2, 1::Int64, 0::Int64)], outages)),
                    arrayFlatten(arrayMap(e -> [(greatest(e.1, first_ms), 0::Int64, 1::Int64), (least(e.2, until_ms), 0::Int64, -1::Int64)], excluding))))])[1]) AS downs
        FROM {database}.port_changes(since = '1970-01-01 00:00:00', until = {until:DateTime64(3, 'UTC')})
    )
);

-- Uptime of 'all' ports, or of those of each 'station', 'site', 'city' or 'operator', by month: minutes of all ports together. Asking `network_uptime` for
-- one dimension says the same, but ClickHouse plans all of them then, which takes longer than the answer.
CREATE VIEW IF NOT EXISTS {database}.network_uptime_by AS
SELECT
    {by:String} AS dimension, operator, city, site_id, station_id, toStartOfMonth(addMonths({until:DateTime64(3, 'UTC')} - toIntervalMillisecond(1), 1 - number)) AS month,
    ports, (known_ms - known_before) / 60000 AS minutes, (down_ms - down_before) / 60000 AS outage_minutes,
    (excluded_ms - excluded_before) / 60000 AS excluded_minutes,
    (minutes - (outage_minutes - excluded_minutes)) / minutes * 100 AS uptime_percent,
    (known_ms - known_year - (down_ms - down_year - (excluded_ms - excluded_year))) / (known_ms - known_year) * 100 AS year_uptime_percent,
    ports_above_97
FROM
(
    SELECT
        if({by:String} = 'operator', m.operator, '') AS operator, if({by:String} = 'city', m.city, '') AS city,
        if({by:String} = 'site', m.site_id, '') AS site_id, if({by:String} = 'station', m.station_id, '') AS station_id,
        sumForEach(m.ones) AS ports_each, sumForEach(m.known) AS known_each, sumForEach(m.down) AS down_each,
        sumForEach(m.excluded) AS excluded_each, sumForEach(m.above_97) AS above_each
    FROM {database}.port_months(until = {until:DateTime64(3, 'UTC')}) AS m
    GROUP BY operator, city, site_id, station_id
)
ARRAY JOIN
    arrayEnumerate(ports_each) AS number, ports_each AS ports, above_each AS ports_above_97,
    known_each AS known_ms, arrayPushBack(arrayPopFront(known_each), 0) AS known_before, arrayResize(arraySlice(known_each, 13), length(known_each)) AS known_year,
    down_each AS down_ms, arrayPushBack(arrayPopFront(down_each), 0) AS down_before, arrayResize(arraySlice(down_each, 13), length(down_each)) AS down_year,
    excluded_each AS excluded_ms, arrayPushBack(arrayPopFront(excluded_each), 0) AS excluded_before,
    arrayResize(arraySlice(excluded_each, 13), length(excluded_each)) AS excluded_year;

-- The same of all of them (see `dimension`; columns of other dimensions are empty).
CREATE VIEW IF NOT EXISTS {database}.network_uptime_until AS
SELECT * FROM {database}.network_uptime_by(until = {until:DateTime64(3, 'UTC')}, by = 'all')
UNION ALL
SELECT * FROM {database}.network_uptime_by(until = {until:DateTime64(3, 'UTC')}, by = 'station')
UNION ALL
SELECT * FROM {database}.network_uptime_by(until = {until:DateTime64(3, 'UTC')}, by = 'site')
UNION ALL
SELECT * FROM {database}.network_uptime_by(until = {until:DateTime64(3, 'UTC')}, by = 'city')
UNION ALL
SELECT * FROM {database}.network_uptime_by(until = {until:DateTime64(3, 'UTC')}, by = 'operator');

CREATE VIEW IF NOT EXISTS {database}.network_uptime AS
SELECT * FROM {database}.network_uptime_until(until = now64(3, 'UTC'));

-- Stations with a free place by distance from a point, in metres: a place with an available connector that is online, and no vehicle at another
-- connector of it. `standard` '' and `power_w` 0 ask for nothing:
-- SELECT * FROM nearest_free_stations_with(at_latitude = 50.94, at_longitude = 6.96, standard = 'IEC_62196_T2_COMBO', power_w = 50000) LIMIT 5
CREATE VIEW IF NOT EXISTS {database}.nearest_free_stations_with AS
SELECT
    station_id, geoDistance(assumeNotNull(longitude), assumeNotNull(latitude), {at_longitude:Float64}, {at_latitude:Float64}) AS distance_m,
    length(fitting_places) AS free_places, charging_places, name, operator, address, city, latitude, longitude, access, open_always, power_max_w, connector_standards
FROM
(
    SELECT
        s.*, if({standard:String} = '' AND {power_w:Float64} <= 0, arrayDistinct(arrayMap(each -> each.1, f.free_connectors)),
                arrayDistinct(arrayFilter((place, number, own, power) -> has(f.free_connectors, (place, number))
                                              AND ({standard:String} = '' OR own = {standard:String}) AND ({power_w:Float64} <= 0 OR ifNull(power, 0) >= {power_w:Float64}),
                                          s.connector_places, s.connector_numbers, s.connector_standards, s.connector_powers_w))) AS fitting_places
    FROM {database}.stations_now AS s
    INNER JOIN
    (
        SELECT station_id, arrayFlatten(groupArray(free)) AS free_connectors
        FROM
        (
            SELECT station_id, evse_id, groupArrayIf((evse_id, connector_id), online AND status = 'Available') AS free
            FROM {database}.connectors_now FINAL
            GROUP BY station_id, evse_id
            HAVING countIf(status = 'Occupied') = 0 AND notEmpty(free)
        )
        GROUP BY station_id
    ) AS f ON s.station_id = f.station_id
    WHERE isNotNull(s.latitude) AND isNotNull(s.longitude)
)
WHERE notEmpty(fitting_places)
ORDER BY distance_m, station_id;

CREATE VIEW IF NOT EXISTS {database}.nearest_free_stations AS
SELECT * FROM {database}.nearest_free_stations_with(at_latitude = {at_latitude:Float64}, at_longitude = {at_longitude:Float64}, standard = '', power_w = 0);

-- Stations as they were: one row for each version of the topic `stations`, slowly changing dimension of type 2. Business key:
-- station, valid from. A version without charging places says that the station was withdrawn. Connectors lie side by side in arrays of
-- one length. Not partitioned: a country has some 100,000 stations with a few versions each.
CREATE TABLE IF NOT EXISTS {database}.station_versions
(
    station_id            String,
    valid_from            DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    withdrawn             Bool,
    site_id               String,
    name                  Nullable(String),
    operator              LowCardinality(String) DEFAULT '',
    address               Nullable(String),
    city                  LowCardinality(String) DEFAULT '',
    region                LowCardinality(String) DEFAULT '',
    country               LowCardinality(String) DEFAULT '',
    latitude              Nullable(Float64),
    longitude             Nullable(Float64),
    time_zone             LowCardinality(String),
    access                LowCardinality(String),
    open_always           Bool,
    opening_hours         Nullable(String),
    tariff_id             LowCardinality(Nullable(String)),
    register_scope        LowCardinality(String),
    charging_places       UInt32,
    connector_places      Array(Int32),
    connector_numbers     Array(Int32),
    connector_standards   Array(LowCardinality(String)),
    connector_currents    Array(LowCardinality(String)),
    connector_powers_w    Array(Nullable(Float64)),
    _version              UInt64,
    _batch                FixedString(16),
    _inserted             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    INDEX batch_set _batch TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (station_id, valid_from)
SETTINGS non_replicated_deduplication_window = 10000;

-- Every version with the time up to which it holds; NULL: it is the last one. As of a time t:
-- WHERE valid_from <= t AND (valid_to IS NULL OR valid_to > t).
CREATE VIEW IF NOT EXISTS {database}.station_history AS
SELECT
    station_id, valid_from,
    leadInFrame(toNullable(valid_from)) OVER (PARTITION BY station_id ORDER BY valid_from ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS valid_to,
    withdrawn, site_id, name, operator, address, city, region, country, latitude, longitude, time_zone, access, open_always, opening_hours,
    tariff_id, register_scope, charging_places, connector_places, connector_numbers, connector_standards, connector_currents, connector_powers_w
FROM {database}.station_versions FINAL;

-- The stations that are there now. A connector is fast with more than 22 kW (high power by Regulation (EU) 2023/1804); where its power is not
-- told, if it has direct current.
CREATE VIEW IF NOT EXISTS {database}.stations_now AS
SELECT
    station_id, valid_from, site_id, name, operator, address, city, region, country, latitude, longitude, time_zone, access, open_always, opening_hours,
    tariff_id, register_scope, charging_places, connector_places, connector_numbers, connector_standards, connector_currents, connector_powers_w,
    arrayUniq(arrayFilter((place, power, current) -> if(isNull(power), current = 'DC', assumeNotNull(power) > 22000),
                          connector_places, connector_powers_w, connector_currents)) AS fast_places,
    arrayMax(arrayMap(power -> ifNull(power, 0), connector_powers_w)) AS power_max_w
FROM
(
    SELECT * FROM {database}.station_versions FINAL
    WHERE valid_from <= now64(3, 'UTC')
    ORDER BY station_id, valid_from DESC
    LIMIT 1 BY station_id
)
WHERE NOT withdrawn;

-- Shares of the network: of everything, by country, region, city and operator (see `dimension`; columns of other dimensions are empty).
-- Connector diversity is the chance that two standards, drawn from all that stations offer, differ (Gini and Simpson): 0 is one standard for all.
CREATE VIEW IF NOT EXISTS {database}.station_shares AS
SELECT
    multiIf(grouping(city) = 0, 'city', grouping(region) = 0, 'region', grouping(country) = 0, 'country', grouping(operator) = 0, 'operator', 'all') AS dimension,
    country, region, city, operator,
    count() AS stations,
    sum(charging_places) AS places,
    countIf(fast_places > 0) / count() AS fast_charging_share,
    sum(fast_places) / sum(charging_places) AS fast_place_share,
    countIf(open_always) / count() AS open_always_share,
    countIf(access = 'public') / count() AS public_share,
    sumMap(arrayMap(standard -> (standard, toUInt64(1)), arrayDistinct(arrayFilter(each -> each != '', arrayMap(each -> toString(each), connector_standards))))::Map(String, UInt64)) AS stations_by_standard,
    length(mapKeys(stations_by_standard)) AS connector_standards_count,
    if(connector_standards_count = 0, 0,
       1 - arraySum(part -> pow(part / arraySum(mapValues(stations_by_standard)), 2), mapValues(stations_by_standard))) AS connector_diversity
FROM {database}.stations_now
GROUP BY GROUPING SETS ((), (country), (country, region), (country, region, city), (operator));

-- Stations by distance from a point, in metres: SELECT * FROM nearest_stations(at_latitude = 50.94, at_longitude = 6.96) LIMIT 5
CREATE VIEW IF NOT EXISTS {database}.nearest_stations AS
SELECT
    station_id, geoDistance(assumeNotNull(longitude), assumeNotNull(latitude), {at_longitude:Float64}, {at_latitude:Float64}) AS distance_m,
    name, operator, address, city, latitude, longitude, access, open_always, charging_places, fast_places, power_max_w, connector_standards
FROM {database}.stations_now
WHERE isNotNull(latitude) AND isNotNull(longitude)
ORDER BY distance_m, station_id;

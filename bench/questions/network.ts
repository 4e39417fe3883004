/**
 * A made-up network for `bench/questions.ts`: stations with versions, and helper tables (database `bench`) that the other rows are
 * made from. All of it is SQL over `numbers()` and hashes, so the same options give the same rows.
 */
export interface NetworkOptions {
  readonly stations: number;
  /** Time at which the history ends; also "now". */
  readonly untilMs: number;
  readonly years: number;
  readonly sessions: number;
}

/** A number in [0, 1) by hash, another one for each `salt`. */
export const chance = (of: string, salt: number): string => `(intHash64(bitXor(toUInt64(${of}) * 64 + ${salt}, 0x9E3779B97F4A7C15)) % 1000003) / 1000003`;
const oneOf = (values: readonly string[], of: string, salt: number): string =>
  `[${values.map((value) => `'${value}'`).join(', ')}][1 + toUInt32(${values.length} * ${chance(of, salt)})]`;

/** Cities belong to countries, sites to cities, stations to sites; four stations a site. */
export const countries = [
  { code: 'DE', zone: 'Europe/Berlin', currency: 'EUR' },
  { code: 'GB', zone: 'Europe/London', currency: 'GBP' },
  { code: 'NO', zone: 'Europe/Oslo', currency: 'NOK' },
  { code: 'US', zone: 'America/Denver', currency: 'USD' },
  { code: 'JP', zone: 'Asia/Tokyo', currency: 'JPY' },
] as const;
const perCountry = (key: 'code' | 'zone' | 'currency'): string => `[${countries.map((country) => `'${country[key]}'`).join(', ')}][1 + city_number % ${countries.length}]`;

const cities = 100;
const operators = 20;

export function networkStatements({ stations }: NetworkOptions): readonly string[] {
  return [
    'CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic',
    // A hub has 16 charging places, most stations two; hubs and one site in three are fast.
    `CREATE OR REPLACE TABLE bench.stations ENGINE = MergeTree ORDER BY number AS
    SELECT
      number, intDiv(number, 4) AS site_number, if(site_number < ${cities}, site_number, toUInt64(pow(${chance('site_number', 1)}, 2) * ${cities})) AS city_number,
      concat('station-', leftPad(toString(number), 5, '0')) AS station_id, concat('site-', leftPad(toString(site_number), 5, '0')) AS site_id,
      concat('City ', leftPad(toString(city_number), 2, '0')) AS city, concat('Region ', toString(city_number % 20)) AS region,
      concat('Operator ', leftPad(toString(toUInt32(pow(${chance('site_number', 2)}, 2) * ${operators})), 2, '0')) AS operator,
      ${perCountry('code')} AS country, ${perCountry('zone')} AS time_zone, ${perCountry('currency')} AS currency,
      ${chance('site_number', 3)} < 0.3 AS fast,
      [1, 2, 2, 2, 2, 2, 4, 6, 16][1 + toUInt32(9 * ${chance('number', 4)})] AS places,
      if(fast, [50000., 150000., 300000.][1 + toUInt32(3 * ${chance('number', 5)})], [11000., 22000.][1 + toUInt32(2 * ${chance('number', 5)})]) AS power_w,
      if(fast, ${oneOf(['cCCS2', 'cCCS1', 'cG105'], 'number', 6)}, ${oneOf(['sType2', 'cType2', 'cType1'], 'number', 6)}) AS standard,
      concat('tariff-', operator, '-', country, if(fast, '-fast', '')) AS tariff_id,
      35 + city_number % 34 + ${chance('number', 7)} AS latitude, city_number * 3.6 - 180 + ${chance('number', 8)} AS longitude
    FROM numbers(${stations})`,
    `CREATE OR REPLACE TABLE bench.connectors ENGINE = MergeTree ORDER BY connector AS
    SELECT rowNumberInAllBlocks() AS connector, *
    FROM (SELECT *, arrayJoin(range(1, places + 1)) AS evse_id FROM bench.stations ORDER BY number, evse_id) SETTINGS max_threads = 1`,
    'TRUNCATE TABLE voltstream.station_versions',
    // One station in ten was another one before (fewer places, other name): type 2 history.
    `INSERT INTO voltstream.station_versions (${stationColumns}) SELECT
      station_id, if(version = 0, toDateTime64('2015-01-01', 3, 'UTC'), toDateTime64('2023-06-01', 3, 'UTC')) AS valid_from, false, site_id,
      concat(city, ' ', station_id, if(version = 0, '', ' (new)')), operator, NULL, city, region, country, latitude, longitude, time_zone,
      if(${chance('number', 9)} < 0.85, 'public', 'restricted'), ${chance('number', 10)} < 0.7, NULL, tariff_id, 'lifetime', places,
      range(1, places + 1), arrayMap(each -> 1, range(1, places + 1)), arrayMap(each -> standard, range(1, places + 1)),
      arrayMap(each -> if(fast, 'DC', 'AC'), range(1, places + 1)), arrayMap(each -> power_w, range(1, places + 1)), number * 2 + version, 'bench'
    FROM bench.stations ARRAY JOIN if(number % 10 = 0, [0, 1], [0]) AS version`,
  ];
}

const stationColumns =
  'station_id, valid_from, withdrawn, site_id, name, operator, address, city, region, country, latitude, longitude, time_zone, access, open_always, ' +
  'opening_hours, tariff_id, register_scope, charging_places, connector_places, connector_numbers, connector_standards, connector_currents, ' +
  'connector_powers_w, _version, _batch';

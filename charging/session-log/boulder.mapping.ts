import type { SessionLogMapping } from './mapping.ts';

const source = {
  attribution: 'City of Boulder, Colorado (CC0).',
  operator: 'City of Boulder',
  city: 'Boulder',
  country: 'US',
  delimiter: ',',
  decimalMark: '.',
  noValue: [],
  optional: [],
  noVehicle: [],
  models: { 'Level 2': { current: 'AC', powerMaxW: 7_200, standard: 'IEC_62196_T1' } },
  defaultOutlet: null,
} as const;

/**
 * Municipal chargers of Boulder, Colorado. Times are UTC, as the offset says; the columns beside them that name MST or MDT are
 * labels only. Two outlets share a station's name and nothing tells them apart: all sessions are on connector 1, and those that
 * overlap are flagged so. `ObjectId` numbers the rows of an edition anew, so it is no identity.
 */
export const boulderMapping: SessionLogMapping = {
  ...source,
  name: 'boulder',
  title: 'City of Boulder, charging sessions 2018-01 to 2021-03',
  zone: 'America/Denver',
  columns: {
    id: null,
    station: 'Station_Name',
    connector: null,
    start: { columns: ['Start_Date___Time'], format: 'YYYY/MM/DD HH:mm:ssZ' },
    stop: { columns: ['End_Date___Time'], format: 'YYYY/MM/DD HH:mm:ssZ' },
    energy: { column: 'Energy__kWh_', unit: 'kWh' },
    site: 'Address',
    model: 'Port_Type',
    idToken: null,
    vehicleModel: null,
  },
  checks: [{ name: 'duration-disagrees', kind: 'duration', column: 'Total_Duration__hh_mm_ss_', unit: 'h:mm:ss', toleranceS: 90 }],
};

/**
 * The same chargers in the portal's older form. Here times are Boulder's own though they say +00 (97 % of the rows have their
 * twin in the later form once they are read so), the date stands in one column and the time in another behind a date of no
 * meaning. When the vehicle left is not told: a session ends when it has charged. Thousands have commas, and a dash is 0.
 *
 * Most sessions are those of the later form, too: the prefix keeps the two apart, and tables that hold both count them twice.
 */
export const boulderOlderMapping: SessionLogMapping = {
  ...source,
  name: 'boulder-older',
  title: 'City of Boulder, charging sessions 2018-01 to 2021-01, older form (no end, local time)',
  zone: 'America/Denver',
  thousandsMark: ',',
  stationPrefix: 'older/',
  columns: {
    id: null,
    station: 'Station_Name',
    connector: null,
    start: { columns: ['Transaction_Date', 'Transaction_Start_Time'], format: 'YYYY/MM/DD 00:00:00+00 * HH:mm:ss+00' },
    stop: { after: 'Charging_Time__minutes_', unit: 'minutes', zero: ['-'] },
    energy: { column: 'Energy__kWh_', unit: 'kWh' },
    site: 'Station_Address',
    model: 'Port_Type',
    idToken: null,
    vehicleModel: null,
  },
};
